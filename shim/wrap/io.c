/* Reads and writes. */
#include "wrap/io.h"

#include <fcntl.h>

#include "stack/guard.h"

ON ssize_t read_on(uint64_t slot, int fd, void *buf, size_t n) {
    ssize_t r = real.read(fd, buf, n);
    io_read(slot, r, buf, n);
    return r;
}

EXPORT ssize_t read(int fd, void *buf, size_t n) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_read(fd, buf, n);
    HAND_ON(read, fd, buf, n);
}

ON ssize_t write_on(uint64_t slot, int fd, const void *buf, size_t n) {
    traffic_writing(slot);
    ssize_t r = real.write(fd, buf, n);
    io_wrote(slot, r, buf, n);
    return r;
}

EXPORT ssize_t write(int fd, const void *buf, size_t n) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_write(buf);
    HAND_ON(write, fd, buf, n);
}

size_t io_wanted(const struct iovec *iov, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count && !n; i++)
        n = iov[i].iov_len;
    return n;
}

ON ssize_t readv_on(uint64_t slot, int fd, const struct iovec *iov, int count) {
    ssize_t r = real.readv(fd, iov, count);
    if (r != 0 || (count > 0 && io_wanted(iov, (size_t)count)))
        io_read_into(slot, r, iov, count > 0 ? (size_t)count : 0);
    return r;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count) {
    HAND_ON(readv, fd, iov, count);
}

ON ssize_t writev_on(uint64_t slot, int fd, const struct iovec *iov, int count) {
    traffic_writing(slot);
    ssize_t r = real.writev(fd, iov, count);
    io_wrote_from(slot, r, iov, r > 0 ? (size_t)count : 0);
    return r;
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count) {
    HAND_ON(writev, fd, iov, count);
}

void io_received(uint64_t slot, ssize_t r, const struct iovec *iov, size_t count, int flags) {
    if (io_is_received(r, flags) && (r != 0 || io_wanted(iov, count)))
        io_read_into(slot, r, iov, r > 0 && !(flags & MSG_TRUNC) ? count : 0);
}

/* The same of one buffer. */
static inline void received(uint64_t slot, ssize_t r, void *buf, size_t n, int flags) {
    if (likely(!(flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_TRUNC))))
        io_read(slot, r, buf, n);
    else if (n > 0)
        io_received(slot, r, &BYTES(buf, n), 1, flags);
}

ON ssize_t recv_on(uint64_t slot, int fd, void *buf, size_t n, int flags) {
    ssize_t r = real.recv(fd, buf, n, flags);
    received(slot, r, buf, n, flags);
    return r;
}

EXPORT ssize_t recv(int fd, void *buf, size_t n, int flags) {
    HAND_ON(recv, fd, buf, n, flags);
}

ON ssize_t recvfrom_on(uint64_t slot, int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                       socklen_t *len) {
    ssize_t r = real.recvfrom(fd, buf, n, flags, addr, len);
    received(slot, r, buf, n, flags);
    return r;
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                        socklen_t *len) {
    HAND_ON(recvfrom, fd, buf, n, flags, addr, len);
}

/* Fortified callers (_FORTIFY_SOURCE) say how large the buffer is; no header declares these. */
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr,
                       socklen_t *len);

ON ssize_t __read_chk_on(uint64_t slot, int fd, void *buf, size_t n, size_t room) {
    ssize_t r = real.__read_chk(fd, buf, n, room);
    io_read(slot, r, buf, n);
    return r;
}

EXPORT ssize_t __read_chk(int fd, void *buf, size_t n, size_t room) {
    HAND_ON(__read_chk, fd, buf, n, room);
}

ON ssize_t __recv_chk_on(uint64_t slot, int fd, void *buf, size_t n, size_t room, int flags) {
    ssize_t r = real.__recv_chk(fd, buf, n, room, flags);
    received(slot, r, buf, n, flags);
    return r;
}

EXPORT ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags) {
    HAND_ON(__recv_chk, fd, buf, n, room, flags);
}

ON ssize_t __recvfrom_chk_on(uint64_t slot, int fd, void *buf, size_t n, size_t room, int flags,
                             struct sockaddr *addr, socklen_t *len) {
    ssize_t r = real.__recvfrom_chk(fd, buf, n, room, flags, addr, len);
    received(slot, r, buf, n, flags);
    return r;
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags,
                              struct sockaddr *addr, socklen_t *len) {
    HAND_ON(__recvfrom_chk, fd, buf, n, room, flags, addr, len);
}

ON ssize_t send_on(uint64_t slot, int fd, const void *buf, size_t n, int flags) {
    traffic_writing(slot);
    ssize_t r = real.send(fd, buf, n, flags);
    io_wrote(slot, r, buf, n);
    return r;
}

EXPORT ssize_t send(int fd, const void *buf, size_t n, int flags) {
    HAND_ON(send, fd, buf, n, flags);
}

/* From a file to a connection, or between a pipe and a connection, inside the kernel. */
EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t n) {
    uint64_t slot = io_slot(out);
    ssize_t r = real.sendfile(out, in, offset, n);
    io_wrote_from(slot, r, NULL, 0);
    return r;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n) {
    uint64_t slot = io_slot(out);
    ssize_t r = real.sendfile64(out, in, offset, n);
    io_wrote_from(slot, r, NULL, 0);
    return r;
}

EXPORT ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    uint64_t from = io_slot(in), to = io_slot(out);
    ssize_t r = real.splice(in, in_at, out, out_at, n, flags);
    if (likely(n > 0))
        io_read_into(from, r, NULL, 0);
    io_wrote_from(to, r, NULL, 0);
    return r;
}
