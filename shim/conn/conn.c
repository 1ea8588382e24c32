#include "conn/conn.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "conn/double_close.h"
#include "conn/exchange.h"
#include "conn/name.h"
#include "conn/process.h"
#include "conn/record.h"
#include "conn/site.h"
#include "conn/timeout.h"
#include "conn/tls.h"
#include "stack/stack.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define MS UINT64_C(1000000)

void conn_begin_process(void) {
    record_begin_process();
    exchange_begin_process();
    name_begin_process();
    tls_begin_process();
    double_close_begin_process();
}

/* --- slots ---------------------------------------------------------------------------------- */

void conn_enter(int fd, uint64_t slot) {
    bool ok;
    uint64_t stale = fd_put(fd, slot, &ok);
    if (!ok)
        record_release(slot, fd);
    if (fd >= 0)
        fd_closed_clear((unsigned)fd, (unsigned)fd);
    record_release(stale, fd);
}

void conn_forget(int fd) {
    record_release(fd_take(fd), fd);
}

/* The one system call of ours at a close: of a connection that an HTTP client has kept and lets go
 * now. Whether its server had closed it first is a fact that nobody else can tell any more. */
static void ask_for_end(int fd, uint64_t slot) {
    struct box_conn *c = record_of(slot);
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    if (!c || !exchange_is_open(c, slot) || process_is_quiet() ||
        sys(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return;
    uint64_t ago = (uint64_t)info.tcpi_last_ack_recv * MS;
    if (info.tcpi_state == TCP_CLOSE) /* reset: no packet in that sense */
        atomic_fetch_or(&c->flags, CONN_RESET);
    else if (info.tcpi_state == TCP_CLOSE_WAIT)
        exchange_ended_at(c, slot, clock_coarse() - ago);
}

uint64_t conn_close(int fd, const void *caller) {
    double_close_follow(fd, caller);
    uint64_t slot = fd_take(fd);
    if (slot_is_conn(slot)) {
        int saved = errno;
        atomic_fetch_add(&process_busy, 1);
        ask_for_end(fd, slot);
        record_close(slot, fd, double_close_note(fd, slot));
        atomic_fetch_sub(&process_busy, 1);
        errno = saved;
    }
    return slot;
}

void conn_closed(int fd, uint64_t was, int result, int error) {
    if (!slot_is_conn(was))
        double_close_check(fd, result, error);
}

void conn_forget_stale(int fd, uint64_t slot) {
    if (fd_take_if(fd, slot))
        record_release(slot, fd);
}

static void forget_one(int fd, uint64_t slot, void *unused) {
    (void)slot;
    (void)unused;
    conn_forget(fd);
}

void conn_forget_range(unsigned first, unsigned last) {
    fd_each(first, last, forget_one, NULL);
    fd_closed_clear(first, last);
}

/* --- what the kernel knows of a socket ------------------------------------------------------- */

static int socket_option(int fd, int name) {
    int v = -1;
    socklen_t n = sizeof v;
    return sys(SYS_getsockopt, fd, SOL_SOCKET, name, &v, &n) == 0 ? v : -1;
}

static bool is_tcp(int domain, int type, int protocol) {
    return (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
           (protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

bool conn_is_tcp(int fd) {
    if (process_is_quiet())
        return false;
    return is_tcp(socket_option(fd, SO_DOMAIN), socket_option(fd, SO_TYPE),
                  socket_option(fd, SO_PROTOCOL));
}

uint64_t conn_inode(int fd) {
    struct stat st;
    return !process_is_quiet() && sys(SYS_fstat, fd, &st) == 0 ? st.st_ino : 0;
}

/* --- opening -------------------------------------------------------------------------------- */

void conn_socket(int fd, int domain, int type, int protocol) {
    conn_enter(fd, is_tcp(domain, type, protocol) ? FD_TCP : FD_NONE);
}

/* The socket was duplicated before it was connected: its other descriptors are found by inode. */
static void join(int fd, uint64_t slot, void *arg) {
    uint64_t joined = *(uint64_t *)arg;
    struct box_conn *c = record_of(joined);
    if (slot_is_shared_tcp(slot) && c && c->inode && c->inode == conn_inode(fd) &&
        record_share(joined)) {
        atomic_fetch_or(&c->flags, slot_flags(slot));
        conn_enter(fd, joined);
    }
}

/* What the record of fd's socket begins with, where its slot was this one: the timeouts that were
 * set before. A socket whose making we did not see is asked for them. */
static uint16_t first_flags(int fd, uint64_t was, uint64_t inode) {
    const struct box_conn *before = record_of(was);
    if (before && before->inode == inode)
        return atomic_load(&before->flags) & TIMEOUT_FLAGS;
    return slot_is_tcp(was) ? slot_flags(was) : timeout_flags_of(fd);
}

static uint64_t open_record(int fd, const struct addr *peer, uint8_t state, uint8_t direction) {
    uint32_t name = direction == CONN_OUTBOUND ? name_of_addr(peer) : BOX_NONE;
    uint64_t was = fd_get(fd), inode = conn_inode(fd);
    struct record_facts f = {
        .fd = fd,
        .state = state,
        .direction = direction,
        .flags = direction == CONN_OUTBOUND ? first_flags(fd, was, inode) : 0,
        .inode = inode,
        .leak_after = name == BOX_NONE ? 0 : site_leak_after(peer, name),
        .site = site_find(stack_capture(), peer, name, direction),
        .peer = peer,
    };
    uint64_t slot = record_open(&f);
    conn_enter(fd, slot);
    if (slot_is_shared_tcp(was))
        fd_each(0, FD_MAX - 1, join, &slot);
    return slot;
}

struct dial conn_dial(int fd, const struct addr *peer) {
    struct dial d = {.slot = fd_get(fd)};
    struct box_conn *c = record_of(d.slot);
    if (c) {
        d.before = atomic_load(&c->state);
        if (d.before != CONN_FAILED)
            return d;
    } else if (!slot_is_tcp(d.slot) && !conn_is_tcp(fd)) {
        d.slot = FD_NONE;
        return d;
    }
    d.before = CONN_FREE;
    d.fresh = true;
    d.slot = open_record(fd, peer, CONN_CONNECTING, CONN_OUTBOUND);
    return d;
}

void conn_settle(struct box_conn *c, int state, int error) {
    uint8_t connecting = CONN_CONNECTING;
    if (!atomic_compare_exchange_strong(&c->state, &connecting, (uint8_t)state))
        return;
    atomic_store_explicit(&c->error, error, memory_order_relaxed);
    atomic_store_explicit(&c->settled, clock_coarse(), memory_order_relaxed);
    if (state == CONN_FAILED)
        site_count(c->site, SITE_FAILED);
}

/* What connect() says about the attempt, apart from where it stood before. */
enum outcome { OUT_ESTABLISHED, OUT_UNDER_WAY, OUT_NO_ATTEMPT, OUT_FAILED };

static enum outcome outcome_of(int result, int error) {
    if (result == 0 || error == EISCONN)
        return OUT_ESTABLISHED;
    switch (error) {
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* the attempt goes on by itself (connect(2)) */ return OUT_UNDER_WAY;
    case EBADF:
    case ENOTSOCK:
    case EFAULT:
    case EINVAL:
    case EAFNOSUPPORT:
    case EOPNOTSUPP: /* MSG_FASTOPEN, where it is turned off */ return OUT_NO_ATTEMPT;
    default: return OUT_FAILED;
    }
}

static void settle_as(struct box_conn *c, enum outcome o, int error) {
    if (o == OUT_ESTABLISHED)
        conn_settle(c, CONN_ESTABLISHED, 0);
    else if (o == OUT_FAILED)
        conn_settle(c, CONN_FAILED, error);
}

/* The call began an attempt of its own on a descriptor whose record was not waiting for one:
 * another socket has taken the number behind our back, or a failed attempt was begun again. */
static bool is_new_attempt(const struct dial *d, const struct box_conn *c, int fd, int result,
                           int error) {
    if (d->before != CONN_ESTABLISHED)
        return error == EINPROGRESS;
    /* 0 is also the first answer to a socket whose connect() was finished by data. */
    if (result == 0)
        return c->inode && c->inode != conn_inode(fd);
    return error != EISCONN && outcome_of(result, error) != OUT_NO_ATTEMPT;
}

/* The real connect() has put another socket under the number: a preload behind us, which reaches
 * the peer through a proxy. */
static void replaced(int fd, const struct addr *peer, enum outcome o) {
    uint64_t slot = fd_get(fd);
    if ((o != OUT_ESTABLISHED && o != OUT_UNDER_WAY) || !slot_is_tcp(slot))
        return;
    struct box_conn *c = record_of(open_record(fd, peer, CONN_CONNECTING, CONN_OUTBOUND));
    if (c)
        settle_as(c, o, 0);
}

void conn_dialed(const struct dial *d, int fd, const struct addr *peer, int result, int error) {
    struct box_conn *c = record_of(d->slot);
    enum outcome o = outcome_of(result, error);
    if (!c) {
        replaced(fd, peer, o);
        return;
    }
    error = result == 0 ? 0 : error;
    if (d->fresh && o == OUT_NO_ATTEMPT) {
        site_count(c->site, SITE_UNDONE);
        conn_forget(fd);
    } else if (!d->fresh && is_new_attempt(d, c, fd, result, error)) {
        c = record_of(open_record(fd, peer, CONN_CONNECTING, CONN_OUTBOUND));
        if (c)
            settle_as(c, o, error);
    } else {
        settle_as(c, o, error);
    }
}

void conn_disconnected(int fd) {
    uint64_t slot = fd_get(fd);
    if (slot_is_conn(slot))
        conn_enter(fd, slot_with_flags(FD_TCP, first_flags(fd, slot, conn_inode(fd))));
}

void conn_accepted(int fd, const struct addr *peer) {
    if (peer->family == ADDR_NONE)
        conn_enter(fd, FD_NONE);
    else
        open_record(fd, peer, CONN_ESTABLISHED, CONN_INBOUND);
}

/* --- moving --------------------------------------------------------------------------------- */

void conn_duplicated(int oldfd, int newfd) {
    uint64_t slot = fd_get(oldfd);
    if (slot_is_tcp(slot))
        conn_enter(oldfd, slot = slot_with_flags(FD_TCP_SHARED, slot_flags(slot)));
    else if (slot_is_conn(slot) && !record_share(slot))
        slot = FD_NONE;
    conn_enter(newfd, slot);
}

uint64_t conn_overwrite(int newfd) {
    return fd_take(newfd);
}

void conn_overwritten(int oldfd, int newfd, uint64_t taken, bool succeeded) {
    if (!succeeded) {
        /* Another thread has closed it meanwhile and put something else there. */
        if (!fd_put_back(newfd, taken))
            record_release(taken, newfd);
        return;
    }
    conn_duplicated(oldfd, newfd);
    record_release(taken, newfd);
}
