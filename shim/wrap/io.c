/* Reads and writes. Most descriptors end at one array load. */
#include "wrap/io.h"

#include <fcntl.h>

#include "stack/guard.h"

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
    conn_wrote(fd, r, buf, n);
    return r;
}

size_t io_wanted(const struct iovec *iov, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count && !n; i++)
        n = iov[i].iov_len;
    return n;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count) {
    ssize_t r = real.readv(fd, iov, count);
    if (r != 0 || (count > 0 && io_wanted(iov, (size_t)count)))
        conn_read(fd, r);
    return r;
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count) {
    ssize_t r = real.writev(fd, iov, count);
    io_sent(fd, r, iov, count > 0 ? (size_t)count : 0);
    return r;
}

void io_received(int fd, ssize_t r, size_t n, int flags) {
    if (unlikely(flags & (MSG_PEEK | MSG_ERRQUEUE)) && r > 0)
        return;
    if (likely(n > 0) && likely(!(flags & MSG_ERRQUEUE)))
        conn_read(fd, r);
}

EXPORT ssize_t recv(int fd, void *buf, size_t n, int flags) {
    ssize_t r = real.recv(fd, buf, n, flags);
    io_received(fd, r, n, flags);
    return r;
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                        socklen_t *len) {
    ssize_t r = real.recvfrom(fd, buf, n, flags, addr, len);
    io_received(fd, r, n, flags);
    return r;
}

/* Fortified callers (_FORTIFY_SOURCE) say how large the buffer is; no header declares these. */
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr,
                       socklen_t *len);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t n, size_t room) {
    ssize_t r = real.__read_chk(fd, buf, n, room);
    if (likely(n > 0))
        conn_read(fd, r);
    return r;
}

EXPORT ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags) {
    ssize_t r = real.__recv_chk(fd, buf, n, room, flags);
    io_received(fd, r, n, flags);
    return r;
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags,
                              struct sockaddr *addr, socklen_t *len) {
    ssize_t r = real.__recvfrom_chk(fd, buf, n, room, flags, addr, len);
    io_received(fd, r, n, flags);
    return r;
}

EXPORT ssize_t send(int fd, const void *buf, size_t n, int flags) {
    ssize_t r = real.send(fd, buf, n, flags);
    conn_wrote(fd, r, buf, n);
    return r;
}

/* From a file to a connection, or between a pipe and a connection, inside the kernel. */
EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t n) {
    ssize_t r = real.sendfile(out, in, offset, n);
    conn_wrote(out, r, NULL, 0);
    return r;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n) {
    ssize_t r = real.sendfile64(out, in, offset, n);
    conn_wrote(out, r, NULL, 0);
    return r;
}

EXPORT ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    ssize_t r = real.splice(in, in_at, out, out_at, n, flags);
    if (likely(n > 0))
        conn_read(in, r);
    conn_wrote(out, r, NULL, 0);
    return r;
}
