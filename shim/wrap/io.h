/* What the wrappers of reads share. */
#ifndef PG_WRAP_IO_H
#define PG_WRAP_IO_H

#include "wrap/wrap.h"

/* A vector may ask for no byte at all; then 0 is no end of stream. Not 0 when it asks for some. */
size_t io_wanted(const struct iovec *iov, size_t count);

/* After a write of a vector that returned r. Keeps errno. */
static inline void io_sent(int fd, ssize_t r, const struct iovec *iov, size_t count) {
    bool any = r > 0 && count > 0;
    conn_wrote(fd, r, any ? iov->iov_base : NULL, any ? iov->iov_len : 0);
}

/* After a receive of n bytes or fewer with these flags that returned r. What was only peeked at
 * will be read again; what came from the error queue was no data. Keeps errno. */
void io_received(int fd, ssize_t r, size_t n, int flags);

#endif
