/* Calls that end descriptors. Each forgets before the real call: afterwards the number may already
 * be another thread's. */
#include <unistd.h>

#include "report/trigger.h"
#include "stack/guard.h"
#include "wrap/wrap.h"

EXPORT int close(int fd) {
    if (unlikely(fd >= GUARD_FD) && GUARD_IS_CALLED())
        return guard_close(fd);
    if (!process_known())
        return real.close(fd);
    uint64_t was = conn_close(fd, __builtin_return_address(0));
    int r = real.close(fd);
    KEEP_ERRNO(conn_closed(fd, was, r, kept_errno));
    return r;
}

EXPORT int fclose(FILE *stream) {
    int fd = -1;
    uint64_t was = FD_NONE;
    KEEP_ERRNO(if (stream && process_known()) fd = fileno_unlocked(stream);
               if (fd >= 0) was = conn_close(fd, __builtin_return_address(0)));
    int r = real.fclose(stream);
    if (fd >= 0)
        KEEP_ERRNO(conn_closed(fd, was, r, kept_errno));
    return r;
}

/* Of no connection; but the number was one's once, perhaps (conn/double_close.h). */
EXPORT int closedir(DIR *dir) {
    int fd = -1;
    uint64_t was = FD_NONE;
    uintptr_t given = (uintptr_t)dir;
    __asm__("" : "+r"(given)); /* declared nonnull, but NULL is EINVAL */
    KEEP_ERRNO(if (given && process_known()) fd = dirfd(dir);
               if (fd >= 0) was = conn_close(fd, __builtin_return_address(0)));
    int r = real.closedir(dir);
    if (fd >= 0)
        KEEP_ERRNO(conn_closed(fd, was, r, kept_errno));
    return r;
}

/* libc closes the stream's descriptor, or puts the new file over it, by itself. */
static FILE *reopened(FILE *(*reopen)(const char *, const char *, FILE *), const char *path,
                      const char *mode, FILE *stream) {
    int fd = -1;
    KEEP_ERRNO(if (stream) fd = fileno_unlocked(stream);
               if (fd >= 0 && process_known()) conn_forget(fd));
    FILE *r = reopen(path, mode, stream);
    if (fd == STDERR_FILENO && r && !thread_in_vfork_child())
        KEEP_ERRNO(trigger_stderr_moved());
    return r;
}

EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream) {
    return reopened(real.freopen, path, mode, stream);
}

EXPORT FILE *freopen64(const char *path, const char *mode, FILE *stream) {
    return reopened(real.freopen64, path, mode, stream);
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
    struct shutting k = traffic_shutting(fd, how);
    int r = real.shutdown(fd, how);
    traffic_shut(&k, how, r);
    return r;
}
