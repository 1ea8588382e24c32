/* fork, vfork, _exit, prctl: the process. */
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "report/trigger.h"
#include "wrap/next.h"
#include "wrap/stubs.h"
#include "wrap/wrap.h"

/* The child starts by itself (base/live.h); the parent counts that its connections are shared. */
static pid_t counted(pid_t pid) {
    if (pid > 0 && process_known())
        atomic_fetch_add_explicit(&mine.header->forks, 1, memory_order_relaxed);
    return pid;
}

EXPORT pid_t fork(void) {
    return counted(real.fork());
}

EXPORT pid_t _Fork(void) {
    return counted(real._Fork());
}

/* Its child has our descriptors until it has exec'd a program, which keeps those without
 * FD_CLOEXEC. */
static void vfork_begins(void) {
    counted(1);
    thread_enter_vfork();
}

/* Some spawn by a clone() that is a vfork() on a stack of its own. */
EXPORT int clone(int (*child)(void *), void *stack, int flags, void *arg, ...) {
    va_list ap;
    va_start(ap, arg);
    void *a = va_arg(ap, void *), *b = va_arg(ap, void *), *c = va_arg(ap, void *);
    va_end(ap);
    if ((flags & CLONE_VM) && (flags & CLONE_VFORK) && !(flags & CLONE_THREAD))
        KEEP_ERRNO(vfork_begins());
    return real.clone(child, stack, flags, arg, a, b, c);
}

/* daemon() forks inside libc: who comes back is the child, and the parent is gone by then. */
EXPORT int daemon(int nochdir, int noclose) {
    int r = real.daemon(nochdir, noclose);
    if (r == 0)
        KEEP_ERRNO(trigger_daemonized(!noclose));
    return r;
}

/* What the state file says from here on is of a program that is gone, unless exec fails. */
#define EXEC(name, params, args)                                                                   \
    EXPORT int name params {                                                                       \
        bool known = process_known();                                                              \
        if (known)                                                                                 \
            atomic_fetch_or(&mine.header->flags, BOX_EXECED);                                      \
        int r = real.name args;                                                                    \
        if (known)                                                                                 \
            atomic_fetch_and(&mine.header->flags, ~(uint32_t)BOX_EXECED);                          \
        return r;                                                                                  \
    }
EXEC(execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))
EXEC(execv, (const char *path, char *const argv[]), (path, argv))
EXEC(execvp, (const char *file, char *const argv[]), (file, argv))
EXEC(execvpe, (const char *file, char *const argv[], char *const envp[]), (file, argv, envp))
EXEC(fexecve, (int fd, char *const argv[], char *const envp[]), (fd, argv, envp))

/* Ends without the exit handlers, so without the report that one of them writes. */
EXPORT void _exit(int status) {
    real._exit(trigger_ending(status));
    __builtin_unreachable();
}

EXPORT void _Exit(int status) {
    real._Exit(trigger_ending(status));
    __builtin_unreachable();
}

/* The handlers of at_quick_exit() come first: the report is written by one of ours. */
EXPORT void quick_exit(int status) {
    trigger_quick_exit(status);
    real.quick_exit(status);
    __builtin_unreachable();
}

void *stub_enter_vfork(void) {
    vfork_begins();
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
