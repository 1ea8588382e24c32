/* What the wrappers of reads share. */
#ifndef PG_WRAP_IO_H
#define PG_WRAP_IO_H

#include <sys/socket.h>

#include "wrap/wrap.h"

/* A vector may ask for no byte at all; then 0 is no end of stream. Not 0 when it asks for some. */
size_t io_wanted(const struct iovec *iov, size_t count);

/* The slot that a read or a write on fd goes to, FD_NONE for most: asked BEFORE it, for what stands
 * under the number afterwards may be another connection. */
static inline uint64_t io_slot(int fd) {
    uint64_t slot = fd_get(fd);
    return likely(!slot_is_conn(slot)) ? FD_NONE : slot;
}

/* Most calls are on descriptors that are no connections. They are handed on as they came and return
 * to the program, not to us: one array load is all that they pay. The others go to NAME_on, a
 * function of its own, so that nothing need be saved here. */
#define ON static __attribute__((noinline))
#define HAND_ON(name, fd, ...)                                                                     \
    uint64_t slot_ = io_slot(fd);                                                                  \
    return likely(slot_ == FD_NONE) ? real.name(fd, __VA_ARGS__) : name##_on(slot_, fd, __VA_ARGS__)

/* After a read that asked for some bytes and returned r. These keep errno. */
static inline void io_read_into(uint64_t slot, ssize_t r, const struct iovec *iov, size_t count) {
    if (unlikely(slot != FD_NONE))
        traffic_read_on(slot, r, iov, count);
}
static inline void io_read(uint64_t slot, ssize_t r, void *buf, size_t n) {
    if (unlikely(slot != FD_NONE) && n > 0)
        traffic_read_on(slot, r, &BYTES(buf, n), 1);
}

/* Before a write of a program's bytes (traffic_writing), and after any that returned r. */
static inline uint64_t io_writing(int fd) {
    uint64_t slot = io_slot(fd);
    if (unlikely(slot != FD_NONE))
        traffic_writing(slot);
    return slot;
}
static inline void io_wrote_from(uint64_t slot, ssize_t r, const struct iovec *iov, size_t count) {
    if (unlikely(slot != FD_NONE))
        traffic_wrote_on(slot, r, iov, count);
}
static inline void io_wrote(uint64_t slot, ssize_t r, const void *buf, size_t n) {
    if (unlikely(slot != FD_NONE))
        traffic_wrote_on(slot, r, &BYTES(buf, n), 1);
}

/* Does what a receive with these flags returned say anything of the stream? What was only peeked at
 * will be read again; what came from the error queue was no data. */
static inline bool io_is_received(ssize_t r, int flags) {
    return !(flags & MSG_ERRQUEUE) && !(unlikely(flags & MSG_PEEK) && r > 0);
}

/* After a receive into a vector with these flags that returned r. With MSG_TRUNC the kernel throws
 * the bytes away (tcp(7)). Keeps errno. */
void io_received(uint64_t slot, ssize_t r, const struct iovec *iov, size_t count, int flags);

#endif
