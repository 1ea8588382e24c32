/* A process under the guard: set up at its first connection, not before. A program that never
 * connects has no state file and pays nothing; a forked child is a process of its own. */
#ifndef PG_CONN_PROCESS_H
#define PG_CONN_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/live.h"
#include "base/options.h"
#include "base/thread.h"

enum process_state { PROCESS_NEW, PROCESS_SETTING_UP, PROCESS_READY, PROCESS_FAILED };

struct process {
    _Atomic int state;
};
LIVE_TYPE(struct process, process);
extern union live_process process __attribute__((visibility("hidden")));

/* Options, once, from the constructor; kept. `on_ready` is called when a process has been set up:
 * the place for what the user must know of a process that has connections. */
void process_setup(const struct options *o, void (*on_ready)(void));
const struct options *process_options(void);
/* Once, when the constructor has set up everything else: connections that were open before exec()
 * are an event. */
void process_start(void);

bool process_begin(void);

/* True when events of this process may be recorded: sets it up at its first. False in the child of
 * vfork(), in a handler that interrupted the set-up, and where there is no memory. Any thread,
 * async-signal-safe; may change errno. */
static inline bool process_ready(void) {
    if (likely(atomic_load_explicit(&process.v.state, memory_order_acquire) == PROCESS_READY))
        return !thread_in_vfork_child();
    return process_begin();
}

/* True when this process has been set up: there is something to report. */
static inline bool process_known(void) {
    return atomic_load_explicit(&process.v.state, memory_order_acquire) == PROCESS_READY &&
           !thread_in_vfork_child();
}

/* Threads that are in the middle of bookkeeping that may make a system call. */
extern _Atomic int process_busy __attribute__((visibility("hidden")));

/* No system call of ours from here on: the program is about to install a seccomp filter. Sets the
 * process up and puts memory by for some thousand connections first, and waits for the threads that
 * are busy, for the filter may hold for them too (SECCOMP_FILTER_FLAG_TSYNC). False: it was so
 * already. */
bool process_go_quiet(void);
/* The filter was refused after all. */
void process_stay_loud(void);
bool process_is_quiet(void);

#endif
