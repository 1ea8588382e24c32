/* Calls that give a descriptor another number. */
#include "wrap/dup.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "report/trigger.h"

/* Whatever it duplicates, it proves that what stood under the new number is gone. */
int dup_after(int oldfd, int newfd) {
    if (newfd >= 0 && process_known())
        BOOKKEEPING(conn_duplicated(oldfd, newfd));
    return newfd;
}

uint64_t dup_over_before(int oldfd, int newfd) {
    return oldfd != newfd && process_known() ? conn_overwrite(newfd) : FD_NONE;
}

int dup_over_after(int oldfd, int newfd, uint64_t taken, int result) {
    if (oldfd != newfd && process_known())
        BOOKKEEPING(conn_overwritten(oldfd, newfd, taken, result >= 0));
    if (newfd == STDERR_FILENO && result >= 0 && !thread_in_vfork_child())
        trigger_stderr_moved();
    return result;
}

EXPORT int dup(int fd) {
    return dup_after(fd, real.dup(fd));
}

EXPORT int dup2(int oldfd, int newfd) {
    uint64_t taken = dup_over_before(oldfd, newfd);
    return dup_over_after(oldfd, newfd, taken, real.dup2(oldfd, newfd));
}

EXPORT int dup3(int oldfd, int newfd, int flags) {
    uint64_t taken = dup_over_before(oldfd, newfd);
    return dup_over_after(oldfd, newfd, taken, real.dup3(oldfd, newfd, flags));
}

static int controlled(int fd, int cmd, int result) {
    return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC ? dup_after(fd, result) : result;
}

/* Every command takes at most one argument, as wide as a pointer (fcntl(2)). */
#define FCNTL(call)                                                                                \
    va_list ap;                                                                                    \
    va_start(ap, cmd);                                                                             \
    long arg = va_arg(ap, long);                                                                   \
    va_end(ap);                                                                                    \
    return controlled(fd, cmd, real.call(fd, cmd, arg))

EXPORT int fcntl(int fd, int cmd, ...) {
    FCNTL(fcntl);
}

EXPORT int fcntl64(int fd, int cmd, ...) {
    FCNTL(fcntl64);
}
