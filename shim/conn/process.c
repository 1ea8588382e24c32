#include "conn/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>

#include "conn/conn.h"
#include "conn/fdtable.h"
#include "conn/inherit.h"
#include "conn/site.h"
#include "conn/traffic.h"
#include "stack/stack.h"
#include "state/mine.h"

enum { SETUP_YIELDS = 100000, RESERVED = 4096 };

union live_process process;
STARTUP struct box mine;

STARTUP static const struct options *options;
STARTUP static void (*ready_hook)(void);
STARTUP static bool inherits;
STARTUP static int first_pid;
static _Atomic bool quiet;
_Atomic int process_busy;

void process_setup(const struct options *o, void (*on_ready)(void)) {
    traffic_setup(options_least_leak_after(o));
    options = o;
    ready_hook = on_ready;
    first_pid = (int)sys(SYS_getpid);
}

void process_start(void) {
    inherits = inherit_is_needed();
    if (inherits)
        process_begin();
}

const struct options *process_options(void) {
    return options;
}

static void complain(const char *line) {
    say(line, NULL);
}

/* A forked child still has its parent's file mapped: let go of it once ours is there. */
static bool set_up(void) {
    struct box parents = mine, own;
    char program[BOX_PATH_MAX];
    long n = sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = '\0';
    struct box_setup s = {
        .state_dir = options->state_dir,
        .program = program,
        .suppressions = options->suppressions,
        .leak_after = options->leak_after,
        .churn_within = options->churn_within,
        .churn_min = options->churn_min,
        .undrained_min = options->undrained_min,
        .mismatch_min = options->mismatch_min,
    };
    live_register(&process, sizeof process);
    live_register(&fd_table, sizeof fd_table);
    stack_begin_process();
    conn_begin_process();
    site_begin_process();
    bool fresh = inherits; /* by exec, before anything else happened */
    inherits = false;
    struct ancestry ancestry = {{0}, {0}};
    if (fresh)
        inherit_look_up(&ancestry, options);
    bool ok = box_create(&own, &s, complain);
    if (ok) {
        mine = own;
        inherit_by_fork(&parents);
        box_unmap(&parents);
        if (fresh)
            inherit_by_exec(&ancestry);
    }
    inherit_forget(&ancestry);
    return ok;
}

/* With all signals blocked: a handler that comes now would find a half-made process. */
static bool set_up_blocked(void) {
    uint64_t all = ~UINT64_C(0), before = 0;
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    self.in_setup = 1;
    bool ok = set_up();
    atomic_store_explicit(&process.v.state, ok ? PROCESS_READY : PROCESS_FAILED,
                          memory_order_release);
    if (ok && ready_hook)
        ready_hook();
    self.in_setup = 0;
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    return ok;
}

bool process_begin(void) {
    int state = PROCESS_NEW;
    if (!options || self.in_setup || process_is_quiet() || thread_in_vfork_child() ||
        (!options->follow_children && (int)sys(SYS_getpid) != first_pid))
        return false;
    if (atomic_compare_exchange_strong(&process.v.state, &state, PROCESS_SETTING_UP))
        return set_up_blocked();
    for (int i = 0; i < SETUP_YIELDS && state == PROCESS_SETTING_UP; i++) {
        sys(SYS_sched_yield);
        state = atomic_load_explicit(&process.v.state, memory_order_acquire);
    }
    return state == PROCESS_READY;
}

static void set_quiet(bool on) {
    mem_refuse(on);
    stack_go_quiet(on);
    thread_quiet = on;
    atomic_store(&quiet, on);
}

bool process_go_quiet(void) {
    if (process_is_quiet())
        return false;
    if (process_ready()) {
        box_reserve(&mine, RESERVED);
        fd_table_reserve(RESERVED);
    }
    set_quiet(true);
    /* A handler that jumped out of one leaves it counted for good. */
    for (int i = 0; i < SETUP_YIELDS && atomic_load(&process_busy) > 0; i++)
        sys(SYS_sched_yield);
    return true;
}

void process_stay_loud(void) {
    set_quiet(false);
}

bool process_is_quiet(void) {
    return atomic_load_explicit(&quiet, memory_order_relaxed);
}
