/* fork, vfork, prctl: the process. */
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "wrap/next.h"
#include "wrap/stubs.h"
#include "wrap/wrap.h"

/* The child starts by itself (base/live.h); the parent counts that its connections are shared. */
EXPORT pid_t fork(void) {
    pid_t pid = real.fork();
    if (pid > 0 && process_known())
        atomic_fetch_add_explicit(&mine.header->forks, 1, memory_order_relaxed);
    return pid;
}

void *stub_enter_vfork(void) {
    self.vfork_parent = thread_quiet ? 0 : (int)sys(SYS_getpid);
    return next_function("vfork");
}

/* A filter that the program installs may kill for any call that only we make. */
EXPORT int prctl(int op, ...) {
    va_list ap;
    va_start(ap, op);
    long a = va_arg(ap, long), b = va_arg(ap, long), c = va_arg(ap, long), d = va_arg(ap, long);
    va_end(ap);
    bool went = false;
    if (op == PR_SET_SECCOMP)
        KEEP_ERRNO(went = process_go_quiet());
    int r = real.prctl(op, a, b, c, d);
    if (went && r < 0)
        process_stay_loud();
    return r;
}
