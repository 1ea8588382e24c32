/* Messages: calls that can do more than move bytes. sendto() and its kin can open a connection
 * (MSG_FASTOPEN, tcp(7)), and control data can carry descriptors to another process and from one
 * (SCM_RIGHTS, unix(7)). */
#include <string.h>
#include <sys/socket.h>

#include "conn/inherit.h"
#include "wrap/connect.h"
#include "wrap/io.h"

/* --- descriptors in messages ------------------------------------------------------------------ */

static void each_right(const struct msghdr *msg, void (*visit)(int fd)) {
    struct msghdr m = *msg;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            visit(fd);
        }
    }
}

/* A message that went, or came: the kernel has looked at all of it. */
static void sent(const struct msghdr *msg) {
    if (unlikely(msg->msg_controllen) && process_known())
        KEEP_ERRNO(each_right(msg, inherit_passed));
}

static void came(const struct msghdr *msg) {
    if (unlikely(msg->msg_controllen) && !thread_in_vfork_child())
        BOOKKEEPING(each_right(msg, inherit_received));
}

/* --- receiving -------------------------------------------------------------------------------- */

/* A message that a failed call was given is not looked at. */
static void received(uint64_t slot, ssize_t r, const struct msghdr *msg, int flags) {
    io_received(slot, r, r < 0 ? NULL : msg->msg_iov, r < 0 ? 0 : msg->msg_iovlen, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags) {
    uint64_t slot = io_slot(fd);
    ssize_t r = real.recvmsg(fd, msg, flags);
    received(slot, r, msg, flags);
    if (r >= 0)
        came(msg);
    return r;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                    struct timespec *timeout) {
    uint64_t slot = io_slot(fd);
    int r = real.recvmmsg(fd, msgs, count, flags, timeout);
    if (r < 0)
        io_received(slot, r, NULL, 0, flags);
    for (int i = 0; i < r; i++) {
        received(slot, (ssize_t)msgs[i].msg_len, &msgs[i].msg_hdr, flags);
        came(&msgs[i].msg_hdr);
    }
    return r;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* A message with MSG_FASTOPEN that went: the handshake may still be under way. */
static void opened_by(const struct attempt *a, int fd, ssize_t r, const struct iovec *iov,
                      size_t count) {
    fast_open_after(a, fd, r);
    if (r >= 0)
        traffic_wrote_early(fd, (size_t)r, iov, count);
}

static ssize_t sendto_opening(int fd, const void *buf, size_t n, int flags,
                              const struct sockaddr *addr, socklen_t len) {
    struct attempt a;
    connect_before(&a, fd, addr, len);
    ssize_t r = real.sendto(fd, buf, n, flags, addr, len);
    opened_by(&a, fd, r, &BYTES(buf, n), 1);
    return r;
}

ON ssize_t sendto_on(uint64_t slot, int fd, const void *buf, size_t n, int flags,
                     const struct sockaddr *addr, socklen_t len) {
    traffic_writing(slot);
    ssize_t r = real.sendto(fd, buf, n, flags, addr, len);
    io_wrote(slot, r, buf, n);
    return r;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                      socklen_t len) {
    if (unlikely(flags & MSG_FASTOPEN))
        return sendto_opening(fd, buf, n, flags, addr, len);
    HAND_ON(sendto, fd, buf, n, flags, addr, len);
}

/* The address in a message that the kernel has not looked at yet. */
static void message_before(struct attempt *a, int fd, const struct msghdr *msg) {
    bool there = address_is_readable(msg, sizeof *msg);
    connect_before(a, fd, there ? msg->msg_name : NULL, there ? msg->msg_namelen : 0);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    struct attempt a;
    bool opens = flags & MSG_FASTOPEN;
    if (unlikely(opens))
        message_before(&a, fd, msg);
    uint64_t slot = opens ? FD_NONE : io_writing(fd);
    ssize_t r = real.sendmsg(fd, msg, flags);
    const struct iovec *iov = r > 0 ? msg->msg_iov : NULL;
    size_t count = r > 0 ? msg->msg_iovlen : 0;
    if (unlikely(opens))
        opened_by(&a, fd, r, iov, count);
    else
        io_wrote_from(slot, r, iov, count);
    if (r >= 0)
        sent(msg);
    return r;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags) {
    struct attempt a;
    bool opens = flags & MSG_FASTOPEN && count > 0;
    if (unlikely(opens))
        message_before(&a, fd, &msgs->msg_hdr);
    uint64_t slot = opens ? FD_NONE : io_writing(fd);
    int r = real.sendmmsg(fd, msgs, count, flags);
    if (unlikely(opens))
        opened_by(&a, fd, r < 0 ? r : 0, NULL, 0);
    else if (r < 0)
        io_wrote_from(slot, r, NULL, 0);
    for (int i = 0; i < r; i++) {
        const struct msghdr *m = &msgs[i].msg_hdr;
        if (opens)
            traffic_wrote_early(fd, msgs[i].msg_len, m->msg_iov, m->msg_iovlen);
        else
            io_wrote_from(slot, (ssize_t)msgs[i].msg_len, m->msg_iov, m->msg_iovlen);
        sent(m);
    }
    return r;
}
