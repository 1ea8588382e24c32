#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/options.h"
#include "base/sys.h"
#include "json_check.h"

/* --- directories ---------------------------------------------------------------------------- */

void support_mkdir(char path[64]) {
    snprintf(path, 64, "%s/poolguard-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(path));
}

static unsigned each_entry(const char *path, bool remove_it) {
    unsigned n = 0;
    DIR *d = opendir(path);
    if (!d)
        return 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (remove_it && unlinkat(dirfd(d), e->d_name, 0) != 0)
            unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
    return n;
}

unsigned support_entries(const char *path) {
    return each_entry(path, false);
}

void support_rmdir(const char *path) {
    each_entry(path, true);
    rmdir(path);
}

/* --- complaints ----------------------------------------------------------------------------- */

char said[16][1024];
unsigned said_count;

void support_complain(const char *line) {
    if (said_count < 16)
        snprintf(said[said_count++], sizeof *said, "%s", line);
}

/* --- children ------------------------------------------------------------------------------- */

void support_check_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    for (unsigned i = 0; i < said_count; i++)
        fprintf(stderr, "  said: %s\n", said[i]);
    _exit(1);
}

void support_wait(pid_t pid) {
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        fail_msg("the child was killed by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void support_in_child(void (*f)(void *), void *arg) {
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        f(arg);
        _exit(0);
    }
    support_wait(pid);
}

bool support_is_emulated(void) {
    if (madvise(NULL, 0, -1) != 0)
        return false;
    print_message("skipped: the emulator's madvise() and limits do nothing\n");
    return true;
}

bool support_is_root(void) {
    if (geteuid() == 0)
        return true;
    print_message("skipped: only root may change identity\n");
    return false;
}

/* --- loopback ------------------------------------------------------------------------------- */

static int bound(struct sockaddr_in *at) {
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof *at;
    int fd = (int)sys(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)at, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
    return fd;
}

int support_listener(struct sockaddr_in *at) {
    int fd = bound(at);
    assert_int_equal(listen(fd, 1024), 0);
    return fd;
}

int support_accept(int listener) {
    int fd = (int)sys(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

int support_refusing(struct sockaddr_in *at) {
    return bound(at);
}

/* --- synthetic boxes ------------------------------------------------------------------------ */

void synthetic_box(struct box *b) {
    struct box_setup s = {
        .state_dir = "off",
        .program = "/usr/bin/demo",
        .suppressions = "",
        .leak_after = 30 * SECOND,
    };
    assert_true(box_create(b, &s, support_complain));
    b->header->pid = 4211;
}

static uint32_t record(struct box *b, unsigned region) {
    uint32_t i = box_record(b, region);
    assert_int_not_equal(i, BOX_NONE);
    return i;
}

uint32_t synthetic_host(struct box *b, const char *addr, uint64_t leak_after) {
    uint32_t i = record(b, REGION_HOSTS);
    struct box_host *h = &b->hosts[i];
    assert_true(addr_parse(&h->addr, addr));
    h->leak_after = leak_after;
    h->name = BOX_NONE;
    atomic_store(&h->alias, BOX_NONE);
    atomic_store(&h->ready, 1);
    return i;
}

uint32_t synthetic_stack(struct box *b, unsigned n, ...) {
    uint32_t i = record(b, REGION_STACKS);
    struct box_stack *s = &b->stacks[i];
    va_list ap;
    va_start(ap, n);
    for (unsigned k = 0; k < n; k++)
        s->frames[k] = va_arg(ap, uint64_t);
    va_end(ap);
    s->depth = n;
    atomic_store(&s->ready, 1);
    return i;
}

uint32_t synthetic_module(struct box *b, const char *path) {
    uint32_t i = record(b, REGION_MODULES);
    struct box_module *m = &b->modules[i];
    snprintf(m->path, sizeof m->path, "%s", path);
    atomic_store(&m->ready, 1);
    return i;
}

uint32_t synthetic_site(struct box *b, uint32_t stack, uint32_t host, uint32_t direction) {
    uint32_t i = record(b, REGION_SITES);
    struct box_site *s = &b->sites[i];
    s->stack = stack;
    s->host = host;
    s->direction = direction;
    atomic_store(&s->ready, 1);
    return i;
}

void synthetic_reopened(struct box *b, uint32_t site, uint64_t when) {
    struct box_site *s = &b->sites[site];
    struct box_openings *all[] = {&s->openings, &s->by_thread[SYNTHETIC_THREAD % SITE_THREADS]};
    for (int i = 0; i < 2; i++) {
        uint32_t n = atomic_load(&all[i]->count);
        atomic_store(&all[i]->thread, i ? SYNTHETIC_THREAD : 0);
        atomic_store(&all[i]->at[n % OPENINGS_KEPT], when);
        atomic_store(&all[i]->count, n + 1);
    }
}

static void count_opened(struct box *b, uint32_t site, uint64_t when) {
    struct box_site *s = &b->sites[site];
    atomic_fetch_add(&s->opened, 1);
    synthetic_reopened(b, site, when);
    if (s->host != BOX_NONE)
        atomic_fetch_add(&b->hosts[s->host].opened, 1);
}

struct box_conn *synthetic_conn(struct box *b, uint32_t site, uint64_t opened) {
    uint32_t i = record(b, REGION_CONNS);
    struct box_conn *c = &b->conns[i];
    c->id = i + 1;
    c->site = site;
    c->thread = SYNTHETIC_THREAD;
    c->used_in.stack = c->used_out.stack = BOX_NONE;
    c->opened = opened;
    atomic_store(&c->fd, (int)i + 3);
    atomic_store(&c->life.holders, 1);
    atomic_store(&c->settled, opened);
    atomic_store(&c->state, CONN_ESTABLISHED);
    if (site != BOX_NONE) {
        const struct box_site *s = &b->sites[site];
        c->direction = (uint8_t)s->direction;
        if (s->host != BOX_NONE)
            c->peer = b->hosts[s->host].addr;
        count_opened(b, site, opened);
    }
    atomic_store(&c->life.seq, 2);
    return c;
}

uint32_t synthetic_name(struct box *b, const char *text) {
    uint32_t i = record(b, REGION_NAMES);
    struct box_name *n = &b->names[i];
    n->length = (uint32_t)snprintf(n->text, sizeof n->text, "%s", text);
    atomic_store(&n->ready, 1);
    return i;
}

struct box_tls *synthetic_tls(struct box *b, struct box_conn *c) {
    uint32_t i = record(b, REGION_TLS);
    struct box_tls *t = &b->tls[i];
    t->conn = 1;
    t->opened = c->opened;
    atomic_store(&t->site, c->site);
    atomic_store(&t->flags, TLS_DONE);
    atomic_store(&t->version, 0x0303);
    atomic_store(&t->name, BOX_NONE);
    atomic_store(&t->cipher, BOX_NONE);
    atomic_store(&t->alpn, BOX_NONE);
    atomic_store(&t->closing_stack, BOX_NONE);
    atomic_store(&t->freeing_stack, BOX_NONE);
    atomic_store(&t->begun, c->opened);
    atomic_store(&t->done, c->opened + 2 * MS);
    atomic_store(&t->life.holders, TLS_HELD_BY_OBJECT | TLS_HELD_BY_CONN);
    atomic_store(&t->life.seq, 4);
    atomic_store(&c->tls, UINT64_C(4) << 32 | (i + 1));
    return t;
}

struct box_http *synthetic_http(struct box *b, struct box_conn *c, const char *out,
                                const char *in) {
    uint32_t i = record(b, REGION_HTTP);
    struct box_http *h = &b->http[i];
    atomic_store(&h->conn,
                 (uint64_t)atomic_load(&c->life.seq) << 32 | (uint32_t)(c - b->conns + 1));
    http_feed(&h->http, HTTP_REQUEST_BYTES, out, strlen(out));
    http_feed(&h->http, HTTP_RESPONSE_BYTES, in, strlen(in));
    atomic_store(&h->life.holders, HTTP_HELD_BY_CONN);
    atomic_store(&h->life.seq, 2);
    atomic_store(&c->http[HTTP_PLAIN], i + 1);
    return h;
}

struct box_use *synthetic_use(struct box *b, uint32_t site) {
    uint32_t i = record(b, REGION_USES);
    struct box_use *u = &b->uses[i];
    u->site = site;
    atomic_store(&u->idle_least, UINT64_MAX);
    atomic_store(&u->closing_stack, BOX_NONE);
    atomic_store(&u->undrained_stack, BOX_NONE);
    atomic_store(&u->ready, 1);
    atomic_store(&b->sites[site].use, i + 1);
    return u;
}

size_t synthetic_file(const struct box *b, void *file, size_t cap) {
    char *to = file;
    struct box_header *h = file;
    size_t at = 4096;
    assert_true(cap >= at);
    memset(to, 0, cap);
    memcpy(to, b->header, sizeof *h);
    for (int i = 0; i < REGION_COUNT; i++) {
        struct box_region *r = &h->region[i];
        size_t n = (size_t)r->record_size * atomic_load(&r->count);
        assert_true(at + n <= cap);
        memcpy(to + at, (const char *)b->header + r->offset, n);
        r->capacity = atomic_load(&r->count);
        r->offset = at;
        at += (n + 63) & ~(size_t)63;
    }
    h->file_size = at;
    return at;
}

void synthetic_gather(struct report *r, const struct view *v, uint64_t now) {
    assert_true(facts_begin(&r->facts, v));
    r->facts.now = now;
    for (uint32_t i = 0; i < v->count[REGION_CONNS]; i++) {
        struct fact *x = facts_of(&r->facts, i);
        if (!x)
            continue;
        x->tcp = TCP_IS_ESTABLISHED;
        fact_add_fd(x, (int)i + 3);
    }
    facts_add_orphans(&r->facts);
}

static char rendered[1 << 20];

static const char *render(struct report *r, unsigned format) {
    struct out o;
    out_init(&o, -1, rendered, sizeof rendered - 1);
    report_write(r, &o, format);
    assert_false(o.dropped);
    rendered[o.len] = '\0';
    return rendered;
}

const char *synthetic_text(struct report *r) {
    return render(r, FORMAT_TEXT);
}

const char *synthetic_json(struct report *r) {
    const char *json = render(r, FORMAT_JSON), *end = strchr(json, '\n');
    assert_true(end && !end[1]);
    const char *fault = json_fault(json, (size_t)(end - json));
    if (fault)
        fail_msg("no JSON from here on: %.100s", fault);
    return json;
}

void synthetic_judge(struct report *r, struct view *v, const struct box *b, uint64_t now) {
    report_free(r);
    view_own(v, b);
    synthetic_gather(r, v, now);
    assert_true(report_judge(r));
}

void support_holds(const char *text, const char *words) {
    if (!strstr(text, words))
        fail_msg("no \"%s\" in:\n%s", words, text);
}
