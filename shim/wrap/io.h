/* What the wrappers of reads share. */
#ifndef PG_WRAP_IO_H
#define PG_WRAP_IO_H

#include <sys/socket.h>

#include "wrap/wrap.h"

/* A vector may ask for no byte at all; then 0 is no end of stream. Not 0 when it asks for some. */
size_t io_wanted(const struct iovec *iov, size_t count);

/* Does what a receive with these flags returned say anything of the stream? What was only peeked at
 * will be read again; what came from the error queue was no data. */
static inline bool io_is_received(ssize_t r, int flags) {
    return !(flags & MSG_ERRQUEUE) && !(unlikely(flags & MSG_PEEK) && r > 0);
}

/* After a receive into a vector with these flags that returned r. With MSG_TRUNC the kernel throws
 * the bytes away (tcp(7)). Keeps errno. */
void io_received(int fd, ssize_t r, const struct iovec *iov, size_t count, int flags);

#endif
