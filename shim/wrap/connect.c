/* socket(), connect(), accept(): where connections begin. */
#include "wrap/connect.h"

#include <netinet/in.h>

#include "report/trigger.h"

/* EMFILE and ENFILE are worth a report of their own. */
static void note_exhaustion(int error) {
    if (error == EMFILE || error == ENFILE)
        trigger_exhausted(error);
}

static bool is_internet(int domain) {
    return domain == AF_INET || domain == AF_INET6;
}

void socket_after(int fd, int domain, int type, int protocol) {
    KEEP_ERRNO(if (fd < 0) note_exhaustion(kept_errno);
               else if (is_internet(domain) ? process_ready() : process_known())
                   conn_socket(fd, domain, type, protocol));
}

EXPORT int socket(int domain, int type, int protocol) {
    int fd = real.socket(domain, type, protocol);
    socket_after(fd, domain, type, protocol);
    return fd;
}

/* aarch64 ignores an address's top byte: HWASan and memory tagging keep their tags there. */
#if defined(__aarch64__)
#define UNTAGGED(at) ((at)&UINT64_MAX >> 8)
#else
#define UNTAGGED(at) (at)
#endif

/* What lies just above this frame is the caller's, there without asking. */
bool address_is_readable(const void *p, size_t n) {
    uintptr_t at = UNTAGGED((uintptr_t)p), frame = (uintptr_t)__builtin_frame_address(0);
    if (at > frame && at - frame < 4096)
        return true;
    if (at < 65536 || at >= UINT64_C(1) << 56)
        return false;
    return process_is_quiet() || (sys_can_read(p) && sys_can_read((const char *)p + n - 1));
}

/* As much of an address as we look at. */
static size_t looked_at(socklen_t len) {
    return len < sizeof(struct sockaddr_in6) ? len : sizeof(struct sockaddr_in6);
}

static void look_at(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len) {
    if (!address_is_readable(addr, looked_at(len)))
        return;
    a->disconnects = addr->sa_family == AF_UNSPEC;
    if (addr_from_sockaddr(&a->peer, addr, len) && process_ready())
        a->dial = conn_dial(fd, &a->peer);
}

void connect_before(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len) {
    a->dial.slot = FD_NONE;
    a->disconnects = false;
    if (fd >= 0 && len >= sizeof addr->sa_family)
        BOOKKEEPING(look_at(a, fd, addr, len));
}

void connect_after(const struct attempt *a, int fd, int result) {
    if (a->dial.slot != FD_NONE)
        KEEP_ERRNO(conn_dialed(&a->dial, fd, &a->peer, result, kept_errno));
    else if (a->disconnects && result == 0)
        KEEP_ERRNO(if (process_known()) conn_disconnected(fd));
}

/* What was sent with the first packet may be on its way before anybody has answered. */
void fast_open_after(const struct attempt *a, int fd, ssize_t r) {
    if (a->dial.slot != FD_NONE)
        KEEP_ERRNO(conn_dialed(&a->dial, fd, &a->peer, -1, r < 0 ? kept_errno : EINPROGRESS));
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len) {
    struct attempt a;
    connect_before(&a, fd, addr, len);
    int r = real.connect(fd, addr, len);
    connect_after(&a, fd, r);
    return r;
}

static void accepted(int fd, const struct sockaddr *addr, socklen_t room) {
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    struct addr peer;
    if (!process_ready())
        return;
    if (!addr || room < sizeof(struct sockaddr_in)) {
        if (process_is_quiet())
            return;
        /* The caller's buffer may have been too short for the address. */
        if (sys(SYS_getpeername, fd, &own, &len) != 0)
            return;
        addr = (struct sockaddr *)&own;
        room = len;
    }
    addr_from_sockaddr(&peer, addr, room);
    conn_accepted(fd, &peer);
}

void accept_after(int fd, const struct sockaddr *addr, socklen_t room) {
    BOOKKEEPING(if (fd < 0) note_exhaustion(kept_errno); else accepted(fd, addr, room));
}

/* A caller that does not want the peer's address has one asked for all the same: it tells us the
 * peer without a system call more. */
#define ACCEPT(call, ...)                                                                          \
    struct sockaddr_storage own;                                                                   \
    socklen_t own_len = sizeof own;                                                                \
    if (addr) {                                                                                    \
        socklen_t room = address_is_readable(len, sizeof *len) ? *len : 0;                         \
        int r = real.call(fd, addr, len __VA_ARGS__);                                              \
        accept_after(r, addr, room);                                                               \
        return r;                                                                                  \
    }                                                                                              \
    int r = real.call(fd, (struct sockaddr *)&own, &own_len __VA_ARGS__);                          \
    accept_after(r, (struct sockaddr *)&own, own_len);                                             \
    return r

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len) {
    ACCEPT(accept);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags) {
    ACCEPT(accept4, , flags);
}
