/* The two sides of a wrapped connect() and accept(), for the function and for syscall(). */
#ifndef PG_WRAP_CONNECT_H
#define PG_WRAP_CONNECT_H

#include "wrap/wrap.h"

struct attempt {
    struct addr peer;
    struct dial dial;
    bool disconnects; /* connect(AF_UNSPEC) */
};

/* Before and after the real call, errno kept. */
void connect_before(struct attempt *a, int fd, const struct sockaddr *addr, socklen_t len);
void connect_after(const struct attempt *a, int fd, int result);

/* After a send with MSG_FASTOPEN that returned r, errno kept. */
void fast_open_after(const struct attempt *a, int fd, ssize_t r);

/* Can all n bytes be read? The kernel answers EFAULT for an address that is not there, and so must
 * we: it is asked before we look. Changes nothing, errno included. */
bool address_is_readable(const void *p, size_t n);

void socket_after(int fd, int domain, int type, int protocol);

/* `addr` as the kernel filled it, `room` the size of that buffer; NULL where the peer is unknown.
 */
void accept_after(int fd, const struct sockaddr *addr, socklen_t room);

#endif
