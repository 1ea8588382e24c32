#include "http_wire.h"

#include <poll.h>
#include <stdio.h>

#include "stack/stack.h"

static char dir[64];
struct options wire_options;
int wire_listener;
struct sockaddr_in wire_at;

int wire_setup(void **state) {
    (void)state;
    support_mkdir(dir);
    options_defaults(&wire_options);
    wire_options.state_dir = dir;
    stack_setup(wire_options.stack_depth, wire_options.unwinder);
    process_setup(&wire_options, NULL);
    wire_listener = support_listener(&wire_at);
    return process_ready() ? 0 : -1;
}

int wire_teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

int wire_nothing_held(void **state) {
    (void)state;
    uint32_t n = wire_held();
    for (uint32_t i = 0; n && i < wire_records(); i++)
        atomic_store(&mine.http[i].life.holders, 0);
    if (n)
        print_error("%u exchanges leaked\n", n);
    return n ? -1 : 0;
}

/* --- connections ------------------------------------------------------------------------------ */

struct wire wire_open(void) {
    struct wire w = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(w.fd, (struct sockaddr *)&wire_at, sizeof wire_at), 0);
    w.peer = support_accept(wire_listener);
    return w;
}

static void close_end(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void wire_close(struct wire *w) {
    close_end(&w->fd);
    close_end(&w->peer);
}

void wire_say(const struct wire *w, const char *text) {
    assert_int_equal(write(w->fd, text, strlen(text)), strlen(text));
}

void wire_hear(const struct wire *w, size_t n) {
    char buf[4096];
    while (n) {
        ssize_t r = read(w->fd, buf, n < sizeof buf ? n : sizeof buf);
        assert_true(r > 0);
        n -= (size_t)r;
    }
}

void wire_answer(const struct wire *w, const char *text) {
    assert_int_equal(sys(SYS_write, w->peer, text, strlen(text)), strlen(text));
}

void wire_reply(const struct wire *w, const char *text) {
    wire_answer(w, text);
    wire_hear(w, strlen(text));
}

void wire_get(const struct wire *w, const char *path) {
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: wire.test\r\n\r\n", path);
    wire_say(w, text);
    wire_reply(w, WIRE_OK);
}

static void await_end(const struct wire *w) {
    struct pollfd p = {.fd = w->fd, .events = POLLRDHUP};
    assert_int_equal(poll(&p, 1, 10000), 1);
}

/* One that closes with requests unread sends a RST. */
void wire_peer_ends(struct wire *w) {
    assert_int_equal(sys(SYS_shutdown, w->peer, SHUT_WR), 0);
    await_end(w);
}

void wire_peer_resets(struct wire *w) {
    struct linger at_once = {1, 0};
    setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_end(&w->peer);
    await_end(w);
}

static void age(_Atomic uint64_t *t, uint64_t ns) {
    uint64_t was = atomic_load(t);
    if (was)
        atomic_store(t, was - ns);
}

static void age_exchange(struct box_http *h, uint64_t ns) {
    age(&h->last_fed, ns);
    age(&h->ended_at, ns);
}

void wire_age(int fd, uint64_t ns) {
    struct box_conn *c = wire_conn(fd);
    c->opened -= ns;
    age(&c->settled, ns);
    age(&c->last_in, ns);
    age(&c->last_out, ns);
    age(&c->eof_at, ns);
    age(&c->shut_at, ns);
    for (int layer = 0; layer < HTTP_LAYERS; layer++)
        if (wire_http_in(fd, layer))
            age_exchange(wire_http_in(fd, layer), ns);
}

/* --- what is known ---------------------------------------------------------------------------- */

struct box_conn *wire_conn(int fd) {
    struct box_conn *c = fd_conn(fd);
    assert_non_null(c);
    return c;
}

struct box_http *wire_http_in(int fd, enum http_layer layer) {
    uint32_t link = atomic_load(&wire_conn(fd)->http[layer]) & ~HTTP_OVER;
    struct box_http *h = link ? &mine.http[link - 1] : NULL;
    if (h)
        assert_int_equal(atomic_load(&h->conn), fd_get(fd));
    return h;
}

struct box_http *wire_http(int fd) {
    return wire_http_in(fd, HTTP_PLAIN);
}

enum http_phase wire_phase(int fd) {
    const struct box_http *h = wire_http(fd);
    return h ? http_phase(&h->http) : HTTP_NOT_HTTP;
}

bool wire_is_let_go(int fd) {
    return atomic_load(&wire_conn(fd)->http[HTTP_PLAIN]) % HTTP_OVER == 0;
}

uint32_t wire_records(void) {
    return atomic_load(&mine.header->region[REGION_HTTP].count);
}

uint32_t wire_held(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; process_known() && i < wire_records(); i++)
        n += atomic_load(&mine.http[i].life.holders) != 0;
    return n;
}

struct box_use *wire_use(int fd) {
    uint32_t use = atomic_load(&mine.sites[wire_conn(fd)->site].use);
    return use ? &mine.uses[use - 1] : NULL;
}

uint64_t wire_conns(int fd) {
    const struct box_use *u = wire_use(fd);
    return u ? atomic_load(&u->conns) : 0;
}
