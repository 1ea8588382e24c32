/* Calls that end descriptors. Each forgets before the real call: afterwards the number may already
 * be another thread's. */
#include "stack/guard.h"
#include "wrap/wrap.h"

EXPORT int close(int fd) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_close(fd);
    if (process_known())
        conn_forget(fd);
    return real.close(fd);
}

EXPORT int fclose(FILE *stream) {
    KEEP_ERRNO(if (process_known()) {
        int fd = stream ? fileno_unlocked(stream) : -1;
        if (fd >= 0)
            conn_forget(fd);
    });
    return real.fclose(stream);
}

EXPORT int close_range(unsigned first, unsigned last, int flags) {
    if (range_closes(first, last, (unsigned)flags) && process_known())
        conn_forget_range(first, last);
    return real.close_range(first, last, flags);
}

EXPORT void closefrom(int first) {
    if (process_known())
        conn_forget_range(first < 0 ? 0 : (unsigned)first, ~0U);
    real.closefrom(first);
}

EXPORT int shutdown(int fd, int how) {
    int r = real.shutdown(fd, how);
    if (r == 0)
        conn_shut(fd, how);
    return r;
}
