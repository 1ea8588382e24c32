/* Stacks: capturing the caller's, and interning it in the state file. */
#ifndef PG_STACK_STACK_H
#define PG_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/view.h"

/* Options, once, from the constructor. depth 0: capture is off. `unwinder`: UNWINDER_*. */
void stack_setup(size_t depth, unsigned unwinder);

/* Readies the tables of a process; conn/process.c calls it before anything is recorded. */
void stack_begin_process(void);

/* From here on this process makes no system call of ours: unwinding with libunwind may make some,
 * so glibc's way is used (a seccomp filter is about to be installed). */
void stack_go_quiet(bool on);

/* Captures and interns the stack of the call that the program made to us. Returns the index of its
 * record, or BOX_NONE (capture off, table full). Any thread, async-signal-safe, changes errno at
 * most in the rare call that loads libunwind: callers preserve it. */
uint32_t stack_capture(void);

/* The same, with no more than its innermost frames. */
enum { STACK_SHORT = 16 };
uint32_t stack_capture_short(void);

/* The stack of another process's state file, interned as one of ours. same_image: we were forked
 * from that process, so its code addresses are ours. BOX_NONE: there is none. Any thread. */
uint32_t stack_adopt(const struct view *v, uint32_t stack, bool same_image);

/* The calling thread begins to load or unload objects. */
void stack_loading(void);

/* Objects were unloaded: equal addresses may now be other functions. */
void stack_objects_changed(void);

#endif
