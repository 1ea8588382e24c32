#include "conn/inherit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/proc.h"
#include "conn/conn.h"
#include "conn/process.h"
#include "conn/record.h"
#include "conn/site.h"
#include "conn/timeout.h"
#include "stack/stack.h"
#include "state/place.h"

/* The record of a connection in the state file of whoever opened it. */
struct origin {
    const struct view *view;
    const struct box_conn *conn; /* NULL: not known */
    bool same_image;             /* its code addresses are ours too */
};

static uint32_t site_of(const struct origin *o, const struct addr *peer) {
    const struct box_site *s = o->conn ? view_site(o->view, o->conn->site) : NULL;
    uint32_t stack = s ? stack_adopt(o->view, s->stack, o->same_image) : BOX_NONE;
    return stack == BOX_NONE ? BOX_NONE : site_find(stack, peer, BOX_NONE, SITE_HANDED);
}

/* The peer of a connection that is open now. */
static bool peer_of(int fd, struct addr *peer) {
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    return !process_is_quiet() && sys(SYS_getpeername, fd, &ss, &n) == 0 &&
           addr_from_sockaddr(peer, (struct sockaddr *)&ss, n) && conn_is_tcp(fd);
}

static uint64_t record(int fd, uint8_t how, uint8_t direction, uint32_t site,
                       const struct addr *peer) {
    struct record_facts f = {
        .fd = fd,
        .state = CONN_ESTABLISHED,
        .direction = direction,
        .flags = (uint16_t)(how | timeout_flags_of(fd)),
        .inode = conn_inode(fd),
        .site = site,
        .peer = peer,
    };
    return record_open(&f);
}

/* A record for a connection that somebody else opened; FD_NONE when it is closed meanwhile. */
static uint64_t adopt(int fd, uint8_t how, const struct origin *o) {
    struct addr peer;
    if (!peer_of(fd, &peer))
        return FD_NONE;
    uint8_t direction = o->conn ? o->conn->direction : CONN_OUTBOUND;
    return record(fd, how, direction, site_of(o, &peer), &peer);
}

/* Is the socket under fd one that we have a record of? Then that stands for this descriptor too. */
static bool join_known(int fd) {
    uint64_t inode = conn_inode(fd);
    uint32_t n = atomic_load(&mine.header->region[REGION_CONNS].count);
    for (uint32_t i = 0; inode && i < n; i++) {
        const struct box_conn *c = &mine.conns[i];
        uint64_t slot = slot_of(i, atomic_load_explicit(&c->life.seq, memory_order_acquire));
        if (c->inode == inode && record_share(slot)) {
            conn_enter(fd, slot);
            return true;
        }
    }
    return false;
}

/* --- fork ------------------------------------------------------------------------------------- */

struct forked {
    struct view parents;
    uint64_t *own; /* the child's slot for each of the parent's records, FD_NONE: none yet */
    uint32_t count;
};

static uint64_t inherit_one(int fd, uint64_t parents, void *arg) {
    struct forked *k = arg;
    uint32_t i = slot_index(parents);
    if (i >= k->count)
        return FD_NONE;
    /* The second descriptor of a connection, unless the child has put another socket there. */
    if (k->own[i] && record_of(k->own[i])->inode == conn_inode(fd)) {
        record_share(k->own[i]);
        return k->own[i];
    }
    struct origin o = {.view = &k->parents, .conn = view_conn(&k->parents, i), .same_image = true};
    k->own[i] = adopt(fd, CONN_INHERITED, &o);
    return k->own[i];
}

void inherit_by_fork(const struct box *parents) {
    struct forked k = {.count = 0};
    if (!parents->header)
        return;
    view_own(&k.parents, parents);
    size_t size = (k.parents.count[REGION_CONNS] + 1) * sizeof *k.own;
    k.own = mem_map(size);
    if (k.own)
        k.count = k.parents.count[REGION_CONNS];
    fd_table_inherit(inherit_one, &k);
    mem_unmap(k.own, size);
}

/* --- exec ------------------------------------------------------------------------------------- */

static bool is_tcp_socket(int fd) {
    struct stat st;
    return sys(SYS_fstat, fd, &st) == 0 && S_ISSOCK(st.st_mode) && conn_is_tcp(fd);
}

enum { STANDARD = 3, BATCH = 64, LAST_LOOKED_AT = 16384 };

/* Of BATCH descriptors from `first` on: how many are open, and is one of them a TCP socket? One
 * poll() tells which are not open (POLLNVAL). */
static unsigned look_at_batch(int first, bool *found) {
    struct pollfd p[BATCH];
    struct timespec now = {0, 0};
    unsigned open = 0;
    for (int i = 0; i < BATCH; i++)
        p[i] = (struct pollfd){.fd = first + i};
    if (sys(SYS_ppoll, p, BATCH, &now, NULL, 8) < 0)
        return 0;
    for (int i = 0; i < BATCH; i++) {
        if (p[i].revents & POLLNVAL)
            continue;
        open++;
        *found = *found || is_tcp_socket(first + i);
    }
    return open;
}

/* The number of descriptors is the directory's size (Linux 6.2), 0 on older kernels. */
static unsigned descriptors(void) {
    struct stat st;
    return sys(SYS_newfstatat, AT_FDCWD, "/proc/self/fd", &st, 0) == 0 ? (unsigned)st.st_size : 0;
}

/* Every exec pays for this, so /proc, which costs 12 us at first touch, is asked only where there
 * are more than the standard descriptors among the first ones. */
bool inherit_is_needed(void) {
    bool found = false;
    unsigned open = look_at_batch(0, &found);
    if (open <= STANDARD || found)
        return found;
    unsigned all = descriptors();
    for (int first = BATCH; first < LAST_LOOKED_AT && open < all && !found; first += BATCH)
        open += look_at_batch(first, &found);
    return found;
}

/* Another user's file is nobody's word, and neither is one that says that it is another process's.
 */
static void look_up(struct view *v, int dir, uint32_t uid, int pid, uint64_t ns) {
    char path[PLACE_MAX];
    struct stat st;
    place_file(path, "", pid, ns);
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    long fd = sys(SYS_openat, dir, path + 1, flags);
    memset(v, 0, sizeof *v);
    if (fd < 0)
        return;
    if (sys(SYS_fstat, fd, &st) == 0 && st.st_uid == uid && view_read(v, (int)fd) == VIEW_OK &&
        v->header->pid != pid)
        view_free(v);
    sys(SYS_close, fd);
}

void inherit_look_up(struct ancestry *a, const struct options *o) {
    char directory[PLACE_MAX];
    memset(a, 0, sizeof *a);
    if (strcmp(o->state_dir, "off") == 0)
        return;
    uint64_t ns = place_pid_namespace();
    uint32_t uid = (uint32_t)sys(SYS_geteuid);
    place_directory(directory, o->state_dir, uid);
    int dir = place_open(directory, uid, !*o->state_dir);
    if (dir < 0)
        return;
    look_up(&a->self, dir, uid, (int)sys(SYS_getpid), ns);
    look_up(&a->parent, dir, uid, (int)sys(SYS_getppid), ns);
    sys(SYS_close, dir);
}

void inherit_forget(struct ancestry *a) {
    view_free(&a->self);
    view_free(&a->parent);
}

static const struct box_conn *conn_by_inode(const struct view *v, uint64_t inode) {
    for (uint32_t i = 0; inode && i < v->count[REGION_CONNS]; i++)
        if (v->conns[i].inode == inode && atomic_load(&v->conns[i].life.seq) % 2 == 0 &&
            atomic_load(&v->conns[i].state) != CONN_FREE)
            return &v->conns[i];
    return NULL;
}

static void adopt_by_exec(int fd, void *arg) {
    const struct ancestry *a = arg;
    struct origin o = {.view = &a->self};
    struct stat st;
    if (sys(SYS_fstat, fd, &st) != 0 || !S_ISSOCK(st.st_mode) || slot_is_conn(fd_get(fd)) ||
        join_known(fd))
        return;
    o.conn = conn_by_inode(o.view, st.st_ino);
    if (!o.conn) {
        o.view = &a->parent;
        o.conn = conn_by_inode(o.view, st.st_ino);
    }
    uint64_t slot = adopt(fd, CONN_BY_EXEC, &o);
    if (slot != FD_NONE)
        conn_enter(fd, slot);
}

void inherit_by_exec(const struct ancestry *a) {
    proc_fds("self", adopt_by_exec, (void *)a); // NOLINT(clang-diagnostic-cast-qual)
}

/* --- messages --------------------------------------------------------------------------------- */

void inherit_received(int fd) {
    struct addr peer;
    bool connection = peer_of(fd, &peer);
    if ((connection ? !process_ready() : !process_known()) || (connection && join_known(fd)))
        return;
    uint32_t site =
        connection ? site_find(stack_capture(), &peer, BOX_NONE, SITE_HANDED) : BOX_NONE;
    conn_enter(fd, connection ? record(fd, CONN_RECEIVED, CONN_OUTBOUND, site, &peer) : FD_NONE);
}

void inherit_passed(int fd) {
    struct box_conn *c = fd_conn(fd);
    if (c)
        atomic_fetch_or(&c->flags, CONN_PASSED);
}
