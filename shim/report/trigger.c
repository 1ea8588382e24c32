#include "report/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/live.h"
#include "conn/process.h"
#include "report/inside.h"
#include "report/report.h"
#include "report/target.h"
#include "stack/module.h"
#include "stack/stack.h"
#include "state/mine.h"
#include "wrap/real.h"

#define MINUTE UINT64_C(60000000000)

STARTUP static const struct options *options;
static struct arena arena;
static struct suppression *suppressions;

/* One report at a time; a forked child starts with none under way. */
struct reporting {
    _Atomic int busy, ended, ending_thread;
    _Atomic uint64_t exhausted_reported;
};
LIVE_TYPE(struct reporting, reporting);
static union live_reporting reporting;

static void complain(const char *line) {
    say(line, NULL);
}

/* --- writing -------------------------------------------------------------------------------- */

static char buffer[16384]; /* of the one report at a time */

/* Gathers and judges this process as it is now. False: no memory. */
static bool look(struct report *r, struct view *v, bool at_exit) {
    memset(r, 0, sizeof *r);
    view_own(v, &mine);
    r->is_loaded = module_is_loaded;
    r->at_exit = at_exit;
    r->suppressions = suppressions;
    if (!facts_begin(&r->facts, v))
        return false;
    inside_gather(&r->facts);
    if (report_judge(r))
        return true;
    report_free(r);
    return false;
}

static void write_to_target(struct report *r) {
    bool close_it;
    struct out o;
    int fd = target_open(base_name(mine.header->program), &close_it);
    if (fd < 0)
        return;
    out_init(&o, fd, buffer, sizeof buffer);
    report_write_text(r, &o);
    if (close_it)
        target_close(fd);
}

/* With all signals blocked: a handler of the program's that does not come back would leave the
 * report under way for ever. */
static void report_now(void) {
    struct report r;
    struct view v;
    uint64_t all = ~UINT64_C(0), before = 0;
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    if (!atomic_exchange(&reporting.v.busy, 1)) {
        if (look(&r, &v, false)) {
            write_to_target(&r);
            report_free(&r);
        }
        atomic_store(&reporting.v.busy, 0);
    }
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
}

/* --- descriptors running out ------------------------------------------------------------------ */

void trigger_exhausted(int error) {
    if (process_is_quiet() || !process_ready())
        return;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    struct box_header *h = mine.header;
    atomic_fetch_add(&h->exhausted, 1);
    atomic_store(&h->exhausted_at, now);
    atomic_store(&h->exhausted_errno, error);
    uint64_t last = atomic_load(&reporting.v.exhausted_reported);
    if ((last && now - last < MINUTE) ||
        !atomic_compare_exchange_strong(&reporting.v.exhausted_reported, &last, now))
        return;
    atomic_store(&h->exhausted_stack, stack_capture());
    report_now();
}

/* --- exit ------------------------------------------------------------------------------------ */

static void nap(uint64_t ns) {
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    sys(SYS_nanosleep, &t, NULL);
}

/* The number of threads is the directory's link count less two (proc(5)). */
static bool is_alone(void) {
    struct stat st;
    return sys(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &st, 0) == 0 && st.st_nlink == 3;
}

/* Things close late: what looks leaked is looked at again after a while. The program's destructors
 * have run; other threads must not live on among their remains, unless the user says so. */
static bool look_at_exit(struct report *r, struct view *v) {
    bool named = options->set >> OPTION_grace & 1;
    if (!look(r, v, true))
        return false;
    if (!r->leaked || !options->grace || (!named && !is_alone()))
        return true;
    report_free(r);
    nap(options->grace);
    return look(r, v, true);
}

enum { EXIT_YIELDS = 1000000 };

/* Another thread may be writing a report at this moment: its end is waited for, within bounds. */
static bool wait_for_turn(void) {
    for (int i = 0; i < EXIT_YIELDS; i++) {
        if (!atomic_exchange(&reporting.v.busy, 1))
            return true;
        sys(SYS_sched_yield);
    }
    return false;
}

static uint32_t report_at_exit(void) {
    struct report r;
    struct view v;
    if (!wait_for_turn() || !look_at_exit(&r, &v))
        return 0;
    uint32_t leaked = r.leaked;
    if (options->report_at_exit == AT_EXIT_ALWAYS ||
        (options->report_at_exit == AT_EXIT_LEAKS && leaked))
        write_to_target(&r);
    report_free(&r);
    atomic_store(&reporting.v.busy, 0);
    return leaked;
}

/* The state file goes away with the process, unless the user named a place for it. */
static void box_done(void) {
    atomic_fetch_or(&mine.header->flags, BOX_EXITED);
    if (!*options->state_dir)
        box_unlink(&mine);
}

enum { NOT_ENDING, ENDING, ENDED };

/* Another thread ends the program too: it is not to cut the report short. A handler that
 * interrupted the report itself does not wait. */
static void wait_for_end(int tid) {
    enum { NAP_MS = 1, NAPS = 3000 };
    if (atomic_load(&reporting.v.ending_thread) == tid)
        return;
    for (int i = 0; i < NAPS && atomic_load(&reporting.v.ended) == ENDING; i++)
        nap(NAP_MS * UINT64_C(1000000));
}

int trigger_ending(int status) {
    if (!options || process_is_quiet() || thread_in_vfork_child())
        return status;
    int pid = (int)sys(SYS_getpid), state = NOT_ENDING;
    bool always = options->report_at_exit == AT_EXIT_ALWAYS && process_ready();
    /* Another pid: a child that shares our memory (clone(2) with CLONE_VM). */
    if ((!always && !process_known()) || mine.header->pid != pid)
        return status;
    if (!atomic_compare_exchange_strong(&reporting.v.ended, &state, ENDING)) {
        wait_for_end(thread_id(pid));
        return status;
    }
    atomic_store(&reporting.v.ending_thread, thread_id(pid));
    bool wanted = options->report_at_exit != AT_EXIT_NEVER || options->exitcode;
    uint32_t leaked = wanted ? report_at_exit() : 0;
    box_done();
    atomic_store(&reporting.v.ended, ENDED);
    return leaked && options->exitcode && status == 0 ? (int)options->exitcode : status;
}

/* on_exit() handlers run in reverse order; ours was registered before anybody's, so all of the
 * program's and its libraries' closing is done. Only the flushing of stdio comes after. */
static void on_exit_of_program(int status, void *unused) {
    (void)unused;
    int wanted = trigger_ending(status);
    if (wanted != status) {
        fflush(NULL);
        real._exit(wanted);
    }
}

/* Its handlers are not told the status. */
static _Atomic int quick_status;

static void on_quick_exit(void) {
    int status = atomic_load(&quick_status), wanted = trigger_ending(status);
    if (wanted != status)
        real._exit(wanted);
}

void trigger_quick_exit(int status) {
    atomic_store(&quick_status, status);
}

void trigger_daemonized(bool stderr_moved) {
    if (mine.header && mine.header->pid != (int)sys(SYS_getpid))
        box_done();
    if (stderr_moved)
        trigger_stderr_moved();
}

/* --- the signal ------------------------------------------------------------------------------ */

/* What the program believes is installed. Copies are never overwritten while a handler may read
 * them: it would take RING sigaction() calls during one delivery. */
enum { RING = 16 };
static struct sigaction ring[RING];
static _Atomic unsigned ring_next;
static _Atomic(struct sigaction *) programs; /* NULL: SIG_DFL */
static _Atomic bool told;
static _Atomic bool
    handled; /* the program has had a handler of its own: then SIG_DFL is its wish */

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
        report_now();
    errno = saved;
    chain(sig, info, context);
}

bool trigger_takes(int sig) {
    return options && options->signal && sig == options->signal;
}

static void tell_taken(void) {
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
        tell_taken();
        errno = saved;
    }
    if (old)
        *old = before;
    return 0;
}

/* --- set-up ---------------------------------------------------------------------------------- */

/* An inherited SIG_IGN stays, unless the user named the signal; the program sees it either way. */
static void take_signal(void) {
    struct sigaction before;
    if (!options->signal || install_by(real_sigaction_of_libc, NULL, &before) != 0 ||
        before.sa_handler != SIG_IGN)
        return;
    remember(&before);
    if (!was_named())
        real_sigaction_of_libc(options->signal, &before, NULL);
}

void trigger_setup(const struct options *o) {
    options = o;
    if (*o->suppressions)
        suppress_load(&suppressions, &arena, o->suppressions, complain);
    target_setup(o->report);
    take_signal();
    real_on_exit(on_exit_of_program, NULL);
    (void)at_quick_exit(on_quick_exit); /* without memory: no report then */
}

void trigger_process_ready(void) {
    live_register(&reporting, sizeof reporting);
    tell_taken();
}

void trigger_stderr_moved(void) {
    target_stderr_moved();
}
