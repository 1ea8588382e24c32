#include "report/inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/out.h"
#include "base/proc.h"
#include "base/sys.h"
#include "conn/conn.h"
#include "conn/record.h"
#include "conn/timeout.h"
#include "report/epollset.h"
#include "report/report.h"
#include "report/threads.h"

/* The kernel's view of a socket; false when it is no TCP socket. */
static bool ask_tcp(int fd, struct tcp_info *info) {
    socklen_t n = sizeof *info;
    memset(info, 0, sizeof *info);
    return sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, info, &n) == 0;
}

static void ask_socket(struct fact *x, int fd, const struct tcp_info *info, uint64_t now) {
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    int unread = 0;
    fact_set_tcp(x, info->tcpi_state);
    if (sys(SYS_getsockname, fd, &ss, &n) == 0)
        addr_from_sockaddr(&x->local, (struct sockaddr *)&ss, n);
    if (sys(SYS_ioctl, fd, SIOCINQ, &unread) == 0 && unread > 0)
        x->unread = (uint32_t)unread;
    fact_take_info(x, info, now);
    /* One that was accepted may have its listener's: no other process could know. */
    if (x->direction == CONN_OUTBOUND)
        x->flags = (uint16_t)((x->flags & ~TIMEOUT_FLAGS) | timeout_flags_of(fd));
}

/* The fact's record, NULL: it is another connection's by now. */
static struct box_conn *record_still(const struct fact *x) {
    struct box_conn *c = &mine.conns[x->record];
    return atomic_load_explicit(&c->life.seq, memory_order_acquire) == x->seq ? c : NULL;
}

/* So that the next look knows since when, though more may come until then. */
static void note_waiting(const struct fact *x) {
    struct box_conn *c = x->waits_since ? record_still(x) : NULL;
    if (c)
        atomic_store_explicit(&c->waits_since, x->waits_since, memory_order_relaxed);
}

/* A connection that died without the program's noticing: from when on, at the latest. */
static void note_death(struct fact *x, uint64_t now) {
    uint64_t never = 0;
    if (x->tcp != TCP_IS_CLOSE || x->state != CONN_ESTABLISHED || x->eof_at)
        return;
    struct box_conn *c = record_still(x);
    if (c)
        atomic_compare_exchange_strong(&c->eof_at, &never, now);
    x->eof_at = never ? never : now;
}

/* Is the socket under fd still the one of the record? */
static bool is_same(const struct fact *x, int fd, struct tcp_info *info) {
    struct stat st;
    if (sys(SYS_fstat, fd, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    return (!x->inode || x->inode == st.st_ino) && ask_tcp(fd, info);
}

static void visit(int fd, uint64_t slot, void *arg) {
    struct facts *f = arg;
    struct tcp_info info;
    if (!slot_is_conn(slot))
        return;
    uint32_t conn = slot_index(slot), before = f->count;
    struct fact *x = facts_of(f, conn);
    if (!x)
        return;
    if (is_same(x, fd, &info)) {
        if (f->count > before) {
            ask_socket(x, fd, &info, f->now);
            note_waiting(x);
            note_death(x, f->now);
        }
        fact_add_fd(x, fd);
        return;
    }
    if (f->count > before)
        facts_drop_last(f, conn);
    conn_forget_stale(fd, slot);
}

/* --- what no record is for ------------------------------------------------------------------ */

static bool is_connection(int fd) {
    struct tcp_info info;
    return ask_tcp(fd, &info) && info.tcpi_state != TCP_IS_LISTEN &&
           info.tcpi_state != TCP_IS_CLOSE;
}

struct others {
    struct facts *f;
    struct numbers *watched; /* NULL: not asked for */
};

/* Asked without a descriptor. Where there is no /proc, any anonymous inode may be one. */
static bool may_be_epoll(int fd) {
    static const char epoll[] = "anon_inode:[eventpoll]";
    char path[32] = "/proc/self/fd/", name[sizeof epoll];
    struct out o;
    out_init(&o, -1, path, sizeof path - 1);
    out_str(&o, "/proc/self/fd/");
    out_i64(&o, fd);
    path[o.len] = '\0';
    long n = sys(SYS_readlinkat, AT_FDCWD, path, name, sizeof name);
    return n < 0 || (n == sizeof epoll - 1 && memcmp(name, epoll, sizeof epoll - 1) == 0);
}

/* An anonymous inode: an epoll set, an io_uring, or something else. */
static void visit_anonymous(const struct others *o, int fd) {
    if (proc_fd_is_uring("self", fd))
        o->f->holes |= FACT_HOLE_URING;
    else if (o->watched && !epoll_watch_read(o->watched, "self", fd) && may_be_epoll(fd))
        o->f->watch_unknown = true;
}

/* glibc keeps a list of namespaces from the first dlmopen() on (<link.h>, since 2.35). The
 * program's own dynamic section leads there: naming _r_debug would make us depend on the loader's
 * file. */
static bool has_namespaces(void) {
    struct dl_find_object us;
    if (_dl_find_object((void *)(uintptr_t)&has_namespaces, &us) != 0) // NOLINT
        return false;
    const struct link_map *program = us.dlfo_link_map;
    while (program->l_prev)
        program = program->l_prev;
    for (const ElfW(Dyn) *d = program->l_ld; d->d_tag != DT_NULL; d++) {
        const struct r_debug_extended *r = (const void *)d->d_un.d_ptr; // NOLINT
        if (d->d_tag == DT_DEBUG && r)
            return r->base.r_version > 1 && r->r_next;
    }
    return false;
}

static void visit_other(int fd, void *arg) {
    struct others *o = arg;
    struct stat st;
    if (slot_is_conn(fd_get(fd)) || sys(SYS_fstat, fd, &st) != 0)
        return;
    if (S_ISSOCK(st.st_mode))
        o->f->unseen += is_connection(fd);
    else if ((st.st_mode & S_IFMT) == 0)
        visit_anonymous(o, fd);
}

/* Without a descriptor for the directory: every number that may be open. */
static void visit_numbers(struct others *o) {
    enum { MOST = 1 << 20 };
    struct rlimit l;
    if (sys(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &l) != 0)
        return;
    for (int fd = 0; fd < MOST && (rlim_t)fd < l.rlim_cur; fd++)
        visit_other(fd, o);
    o->f->unseen_known = true;
}

static void mark_watched(struct facts *f, const struct numbers *watched) {
    for (uint32_t i = 0; i < f->count; i++) {
        struct fact *x = &f->fact[i];
        for (uint32_t k = 0; k < x->fd_count && k < FACT_FDS; k++)
            x->watched |= numbers_has(watched, x->fds[k]);
    }
}

void inside_gather(struct facts *f, const struct system_call *own) {
    fd_each(0, FD_MAX - 1, visit, f);
    uint32_t connections = f->count;
    facts_add_orphans(f);
    struct numbers watched = {NULL};
    bool wanted = connections > 0 && numbers_begin(&watched);
    f->watch_unknown = connections > 0 && !wanted; /* no memory */
    struct others o = {.f = f, .watched = wanted ? &watched : NULL};
    f->holes |= has_namespaces() ? FACT_HOLE_NAMESPACE : 0;
    f->unseen_known = proc_fds("self", visit_other, &o);
    if (!f->unseen_known)
        visit_numbers(&o);
    if (wanted)
        mark_watched(f, &watched);
    numbers_free(&watched);
    threads_look(f, "self", own);
}

static void remember(const struct facts *f, const struct fact *x) {
    struct box_conn *c = record_still(x);
    uint64_t never = 0, reported = (f->now & ~REPORTED_CLASS) | x->verdict;
    if (c)
        atomic_compare_exchange_strong(&c->reported, &never, reported);
}

void inside_remember(const struct report *r) {
    for (uint32_t i = 0; i < r->groups.count; i++) {
        const struct group *g = &r->groups.group[i];
        if (verdict_class[g->verdict].kind != KIND_LEAK || g->suppressed)
            continue;
        for (uint32_t k = g->first; k != UINT32_MAX; k = r->facts.fact[k].next)
            if (!r->facts.fact[k].is_orphan)
                remember(&r->facts, &r->facts.fact[k]);
    }
}
