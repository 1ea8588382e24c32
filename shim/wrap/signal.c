/* sigaction and its kin, for the one signal that reports are written on. */
#include <stdatomic.h>

#include "report/trigger.h"
#include "wrap/wrap.h"

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old) {
    if (likely(!trigger_takes(sig)))
        return real.sigaction(sig, act, old);
    return trigger_sigaction(act, old);
}

static sighandler_t set(int sig, sighandler_t handler, int flags, bool masks) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags}, old;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (masks)
        sigaddset(&act.sa_mask, sig);
    return trigger_sigaction(&act, &old) == 0 ? old.sa_handler : SIG_ERR;
}

/* signal() in its two meanings: BSD's, which glibc's default is, and System V's (signal(2)). */
static _Atomic bool interrupts; /* siginterrupt(3): how signal() sets the flag from then on */
#define RESTARTS (interrupts ? 0 : SA_RESTART)

#define SIGNAL(name, flags)                                                                        \
    EXPORT sighandler_t name(int sig, sighandler_t handler) {                                      \
        return likely(!trigger_takes(sig)) ? real.name(sig, handler)                               \
                                           : set(sig, handler, flags, !((flags)&SA_NODEFER));      \
    }
SIGNAL(signal, RESTARTS)
sighandler_t bsd_signal(int sig, sighandler_t handler); /* in no header any more */
SIGNAL(bsd_signal, RESTARTS)
SIGNAL(ssignal, RESTARTS)
SIGNAL(__sysv_signal, (int)SA_RESETHAND | SA_NODEFER)

/* System V's later calls (sigset(3)). */
static int mask(int how, int sig, sigset_t *before) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, sig);
    return pthread_sigmask(how, &one, before);
}

EXPORT sighandler_t sigset(int sig, sighandler_t handler) {
    sigset_t before;
    struct sigaction now;
    if (likely(!trigger_takes(sig)))
        return real.sigset(sig, handler);
    if (handler == SIG_HOLD) {
        mask(SIG_BLOCK, sig, &before);
        trigger_sigaction(NULL, &now);
    } else {
        now.sa_handler = set(sig, handler, 0, false);
        if (now.sa_handler == SIG_ERR)
            return SIG_ERR;
        mask(SIG_UNBLOCK, sig, &before);
    }
    return sigismember(&before, sig) > 0 ? SIG_HOLD : now.sa_handler;
}

EXPORT int sigignore(int sig) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    return likely(!trigger_takes(sig)) ? real.sigignore(sig) : trigger_sigaction(&ignore, NULL);
}

EXPORT int siginterrupt(int sig, int interrupt) {
    struct sigaction act;
    if (likely(!trigger_takes(sig)))
        return real.siginterrupt(sig, interrupt);
    if (trigger_sigaction(NULL, &act) != 0)
        return -1;
    interrupts = interrupt;
    act.sa_flags = interrupt ? act.sa_flags & ~SA_RESTART : act.sa_flags | SA_RESTART;
    return trigger_sigaction(&act, NULL);
}
