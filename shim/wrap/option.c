/* setsockopt(): which timeouts a socket has. */
#include "conn/timeout.h"
#include "wrap/wrap.h"

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    int r = real.setsockopt(fd, level, name, value, len);
    if (r == 0)
        timeout_set(fd, level, name, value, len);
    return r;
}
