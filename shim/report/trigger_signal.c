/* The signal that reports are written on, shared with the program. */
#include "report/trigger_signal.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "conn/process.h"
#include "report/report.h"
#include "report/trigger.h"
#include "state/mine.h"
#include "wrap/real.h"

STARTUP static const struct options *options;

/* What the program believes is installed. Copies are never overwritten while a handler may read
 * them: it would take RING sigaction() calls during one delivery. */
enum { RING = 16 };
static struct sigaction ring[RING];
static _Atomic unsigned ring_next;
static _Atomic(struct sigaction *) programs; /* NULL: SIG_DFL */
static _Atomic bool told;
/* The program has had a handler of its own: then SIG_DFL is its wish. */
static _Atomic bool handled;

static bool was_named(void) {
    return options->set >> OPTION_signal & 1;
}

static bool is_handler(const struct sigaction *act) {
    return act && act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

static void on_signal(int sig, siginfo_t *info, void *context);

/* The kernel's disposition while both are to run: ours, with the program's flags. */
static int install_by(int (*install)(int, const struct sigaction *, struct sigaction *),
                      const struct sigaction *theirs, struct sigaction *before) {
    struct sigaction act = {.sa_sigaction = on_signal};
    memset(&act.sa_mask, 0xff, sizeof act.sa_mask); /* sigfillset() may be a sanitizer's */
    act.sa_flags = SA_SIGINFO | SA_RESTART;
    if (is_handler(theirs))
        act.sa_flags = (theirs->sa_flags & ~(int)SA_RESETHAND) | SA_SIGINFO;
    return install(options->signal, &act, before);
}

static int install_ours(const struct sigaction *theirs) {
    return install_by(real.sigaction, theirs, NULL);
}

static void remember(const struct sigaction *act) {
    struct sigaction *copy = &ring[atomic_fetch_add(&ring_next, 1) % RING];
    *copy = *act;
    atomic_store(&programs, copy);
}

/* SA_RESETHAND: the handler is the program's for one delivery. */
static void reset_if_asked(struct sigaction *act) {
    if (act->sa_flags & (int)SA_RESETHAND) {
        struct sigaction def = {.sa_handler = SIG_DFL};
        remember(&def);
    }
}

/* The program's handler runs with the mask that it asked for, as if the kernel had called it; the
 * kernel puts the interrupted mask back when we return. */
static void chain(int sig, siginfo_t *info, void *context) {
    struct sigaction *act = atomic_load(&programs);
    if (!is_handler(act))
        return;
    struct sigaction theirs = *act;
    ucontext_t *interrupted = context;
    sigset_t mask;
    sigorset(&mask, &interrupted->uc_sigmask, &theirs.sa_mask);
    if (!(theirs.sa_flags & SA_NODEFER))
        sigaddset(&mask, sig);
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
    reset_if_asked(act);
    if (theirs.sa_flags & SA_SIGINFO)
        theirs.sa_sigaction(sig, info, context);
    else
        theirs.sa_handler(sig);
}

/* A program that sends itself a signal of which it has never said anything means to be killed by
 * it, and so it is; unless the user named the signal. */
static bool means_to_die(const siginfo_t *info) {
    const struct sigaction *theirs = atomic_load(&programs);
    bool sent = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE;
    return sent && info->si_pid == (int)sys(SYS_getpid) && !was_named() &&
           (!theirs || theirs->sa_handler == SIG_DFL);
}

/* It is blocked until the handler returns. */
static void die_by(int sig) {
    struct sigaction def = {.sa_handler = SIG_DFL};
    real.sigaction(sig, &def, NULL);
    sys(SYS_tgkill, sys(SYS_getpid), sys(SYS_gettid), sig);
}

static void on_signal(int sig, siginfo_t *info, void *context) {
    int saved = errno;
    if (!process_is_quiet() && means_to_die(info)) {
        die_by(sig);
        return;
    }
    if (!process_is_quiet() && process_ready())
        trigger_report(TRIGGER_SIGNAL, context);
    errno = saved;
    chain(sig, info, context);
}

bool trigger_takes(int sig) {
    return options && options->signal && sig == options->signal;
}

void trigger_tell_taken(void) {
    char pid[16];
    struct out o;
    if (was_named() || !is_handler(atomic_load(&programs)) || !process_known() ||
        atomic_exchange(&told, true))
        return;
    out_init(&o, -1, pid, sizeof pid - 1);
    out_u64(&o, (uint64_t)mine.header->pid);
    pid[o.len] = '\0';
    say(base_name(mine.header->program), " handles SIG", sigabbrev_np(options->signal),
        " itself: no report on it; use `poolguard report ", pid,
        "`, or name a signal with POOLGUARD_SIGNAL", NULL);
}

/* What is installed, as the program must see it: its own handler may stand in the kernel without
 * us, and may have been reset there (SA_RESETHAND). */
static bool installed(struct sigaction *act) {
    if (real.sigaction(options->signal, NULL, act) != 0)
        return false;
    if (act->sa_sigaction != on_signal)
        return true;
    const struct sigaction *theirs = atomic_load(&programs);
    *act = theirs ? *theirs : (struct sigaction){.sa_handler = SIG_DFL};
    return true;
}

int trigger_sigaction(const struct sigaction *act, struct sigaction *old) {
    struct sigaction before;
    if (!installed(&before))
        return -1;
    if (act) {
        bool ours = was_named() || (act->sa_handler == SIG_DFL && !atomic_load(&handled));
        int r = ours ? install_ours(act) : real.sigaction(options->signal, act, NULL);
        if (r != 0)
            return r;
        remember(act);
        if (is_handler(act))
            atomic_store(&handled, true);
        int saved = errno;
        trigger_tell_taken();
        errno = saved;
    }
    if (old)
        *old = before;
    return 0;
}

/* An inherited SIG_IGN stays, unless the user named the signal; the program sees it either way. */
void trigger_take_signal(const struct options *o) {
    options = o;
    struct sigaction before;
    if (!options->signal || install_by(real_sigaction_of_libc, NULL, &before) != 0 ||
        before.sa_handler != SIG_IGN)
        return;
    remember(&before);
    if (!was_named())
        real_sigaction_of_libc(options->signal, &before, NULL);
}
