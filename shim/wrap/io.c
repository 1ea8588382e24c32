/* Reads and writes. Most descriptors end at one array load. */
#include "stack/guard.h"
#include "wrap/wrap.h"

EXPORT ssize_t read(int fd, void *buf, size_t n) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_read(fd, buf, n);
    ssize_t r = real.read(fd, buf, n);
    if (likely(n > 0))
        conn_read(fd, r);
    return r;
}

EXPORT ssize_t write(int fd, const void *buf, size_t n) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_write(buf);
    ssize_t r = real.write(fd, buf, n);
    conn_wrote(fd, r);
    return r;
}

/* A vector may ask for no byte at all; then 0 is no end of stream. */
static size_t wanted(const struct iovec *iov, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count && !n; i++)
        n = iov[i].iov_len;
    return n;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count) {
    ssize_t r = real.readv(fd, iov, count);
    if (r != 0 || (count > 0 && wanted(iov, (size_t)count)))
        conn_read(fd, r);
    return r;
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count) {
    ssize_t r = real.writev(fd, iov, count);
    conn_wrote(fd, r);
    return r;
}

/* What was only peeked at will be read again; what came from the error queue was no data. */
static inline void received(int fd, ssize_t r, size_t n, int flags) {
    if (unlikely(flags & (MSG_PEEK | MSG_ERRQUEUE)) && r > 0)
        return;
    if (likely(n > 0) && likely(!(flags & MSG_ERRQUEUE)))
        conn_read(fd, r);
}

EXPORT ssize_t recv(int fd, void *buf, size_t n, int flags) {
    ssize_t r = real.recv(fd, buf, n, flags);
    received(fd, r, n, flags);
    return r;
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                        socklen_t *len) {
    ssize_t r = real.recvfrom(fd, buf, n, flags, addr, len);
    received(fd, r, n, flags);
    return r;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags) {
    ssize_t r = real.recvmsg(fd, msg, flags);
    received(fd, r, r ? 1 : wanted(msg->msg_iov, msg->msg_iovlen), flags);
    return r;
}

EXPORT ssize_t send(int fd, const void *buf, size_t n, int flags) {
    ssize_t r = real.send(fd, buf, n, flags);
    conn_wrote(fd, r);
    return r;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                      socklen_t len) {
    ssize_t r = real.sendto(fd, buf, n, flags, addr, len);
    conn_wrote(fd, r);
    return r;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    ssize_t r = real.sendmsg(fd, msg, flags);
    conn_wrote(fd, r);
    return r;
}
