/* Walking the stack: glibc's way and libunwind. */
#ifndef PG_STACK_WALK_H
#define PG_STACK_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A walked stack: the addresses inside the calling instructions, innermost first. */
struct walk {
    uintptr_t pc[64];
    size_t depth, max;
    bool in_handler; /* it passes through a signal handler's frame */
    bool ends_blind; /* it ended at code without unwind information: JIT, interpreters */
};

/* Its frames are not cleared: that takes a tenth of a walk. */
static inline void walk_prepare(struct walk *w, size_t max) {
    w->depth = 0;
    w->max = max;
    w->in_handler = w->ends_blind = false;
}

/* The compiler's own unwinder, linked into the library and hidden: the one behind glibc's
 * backtrace(), with nothing to load. Lock-free (_dl_find_object), 2 to 4 us. Frames of this library
 * are left out. */
void walk_glibc(struct walk *w);

/* libunwind's cached walk, for threads that capture often: 0.1 to 0.3 us, after 115 to 290 us for a
 * thread's first. False: not to be had, or not yet
 * (walk_load_libunwind). */
bool walk_libunwind(struct walk *w);

/* libunwind step by step: 6 to 12 us, nothing set up per thread, passes through JIT code by its
 * frame pointers. */
bool walk_libunwind_steps(struct walk *w);

/* Once, from the constructor. */
void walk_begin(void);

/* Loads libunwind if that was not tried yet, and with `cached` has it set up the calling thread's
 * memory: both allocate, so only where that can do no harm. Not inside a signal handler, which may
 * have interrupted the loader or malloc(), and not in a forked child, where those may be locked for
 * ever. Signals are blocked meanwhile: a handler that jumps away would leave them locked. `w` is a
 * walk_glibc of this moment. */
void walk_load_libunwind(const struct walk *w, bool cached);

#endif
