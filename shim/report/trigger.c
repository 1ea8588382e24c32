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
#include "report/interrupted.h"
#include "report/report.h"
#include "report/target.h"
#include "report/trigger_signal.h"
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
static bool look(struct report *r, struct view *v, enum report_trigger why,
                 const struct system_call *own) {
    memset(r, 0, sizeof *r);
    view_own(v, &mine);
    r->is_loaded = module_is_loaded;
    r->trigger = why;
    r->suppressions = suppressions;
    if (!facts_begin(&r->facts, v))
        return false;
    inside_gather(&r->facts, own);
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
    report_write(r, &o, options->format);
    if (close_it)
        target_close(fd);
}

/* With all signals blocked: a handler of the program's that does not come back would leave the
 * report under way for ever. */
void trigger_report(enum report_trigger why, const void *context) {
    struct report r;
    struct view v;
    struct system_call own;
    uint64_t all = ~UINT64_C(0), before = 0;
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    if (!atomic_exchange(&reporting.v.busy, 1)) {
        if (look(&r, &v, why, context && interrupted_call(&own, context) ? &own : NULL)) {
            write_to_target(&r);
            inside_remember(&r);
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
    trigger_report(TRIGGER_EXHAUSTED, NULL);
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
    if (!look(r, v, TRIGGER_EXIT, NULL))
        return false;
    if (!report_leaks(r) || !options->grace || (!named && !is_alone()))
        return true;
    report_free(r);
    nap(options->grace);
    return look(r, v, TRIGGER_EXIT, NULL);
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
    uint32_t leaked = report_leaks(&r);
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

/* --- set-up ---------------------------------------------------------------------------------- */

void trigger_setup(const struct options *o) {
    options = o;
    if (*o->suppressions)
        suppress_load(&suppressions, &arena, o->suppressions, complain);
    target_setup(o->report);
    trigger_take_signal(o);
    real_on_exit(on_exit_of_program, NULL);
    (void)at_quick_exit(on_quick_exit); /* without memory: no report then */
}

void trigger_process_ready(void) {
    live_register(&reporting, sizeof reporting);
    trigger_tell_taken();
}

void trigger_stderr_moved(void) {
    target_stderr_moved();
}
