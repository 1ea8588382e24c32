/* What makes the guarded process write a report: the signal, its exit, descriptors running out.
 * Nothing does once the program has installed a seccomp filter, which may kill for calls that only
 * we make: `poolguard report` still works. */
#ifndef PG_REPORT_TRIGGER_H
#define PG_REPORT_TRIGGER_H

#include <signal.h>
#include <stdbool.h>

#include "base/options.h"

/* Once, from the constructor: takes the signal and the exit. The options are kept. */
void trigger_setup(const struct options *o);

/* A process has been set up (conn/process.h's on_ready). */
void trigger_process_ready(void);

/* Is this the signal that reports are written on? Async-signal-safe. */
bool trigger_takes(int sig);

/* sigaction() for that signal, as the program must see it. The program's own handler replaces ours,
 * or follows ours when the user named the signal (BEHAVIOUR: option `signal`). */
int trigger_sigaction(const struct sigaction *act, struct sigaction *old);

/* socket() or accept() failed with EMFILE or ENFILE: counts it, and writes a report, once a minute
 * at most. */
void trigger_exhausted(int error);

/* stderr was deliberately made another file by dup2() or freopen(). */
void trigger_stderr_moved(void);

/* The program ends with this status: writes the report at exit, once, and returns the status to end
 * with. Async-signal-safe; does nothing in the child of vfork(). */
int trigger_ending(int status);
/* quick_exit() was called with this status. */
void trigger_quick_exit(int status);
/* daemon() has come back, in its child: the parent has ended in order. */
void trigger_daemonized(bool stderr_moved);

#endif
