/* sigaction and its kin, for the one signal that reports are written on. */
#include "report/trigger.h"
#include "wrap/wrap.h"

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old) {
    if (likely(!trigger_takes(sig)))
        return real.sigaction(sig, act, old);
    return trigger_sigaction(act, old);
}

static sighandler_t set(int sig, sighandler_t handler, int flags) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags}, old;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (!(flags & SA_NODEFER))
        sigaddset(&act.sa_mask, sig);
    return trigger_sigaction(&act, &old) == 0 ? old.sa_handler : SIG_ERR;
}

/* signal() in its two meanings: BSD's, which glibc's default is, and System V's (signal(2)). */
EXPORT sighandler_t signal(int sig, sighandler_t handler) {
    return likely(!trigger_takes(sig)) ? real.signal(sig, handler) : set(sig, handler, SA_RESTART);
}

EXPORT sighandler_t __sysv_signal(int sig, sighandler_t handler) {
    return likely(!trigger_takes(sig)) ? real.__sysv_signal(sig, handler)
                                       : set(sig, handler, (int)SA_RESETHAND | SA_NODEFER);
}
