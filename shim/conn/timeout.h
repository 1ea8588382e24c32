/* SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): is a blocking read, or connect(), bounded in time? Kept
 * as flags of the connection's record, since another process can not ask for a socket's options. */
#ifndef PG_CONN_TIMEOUT_H
#define PG_CONN_TIMEOUT_H

#include <stdint.h>
#include <sys/socket.h>

#include "state/layout.h"

enum { TIMEOUT_FLAGS = CONN_READ_TIMED | CONN_WRITE_TIMED };

/* The two of a socket, as the kernel has them; none once the program has a seccomp filter.
 * Async-signal-safe. */
uint16_t timeout_flags_of(int fd);

/* After a setsockopt() that succeeded. Async-signal-safe, keeps errno. */
void timeout_set(int fd, int level, int name, const void *value, socklen_t len);

#endif
