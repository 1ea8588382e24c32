/* A short lock, for what happens rarely.
 *
 * It is held for a few system calls, never across a call of the program's, with all signals
 * blocked: no handler can find it taken by the thread that it interrupted, or leave it taken by
 * jumping away.
 */
#ifndef PG_BASE_LOCK_H
#define PG_BASE_LOCK_H

#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/sys.h"

struct lock {
    _Atomic int owner; /* thread id, 0: free */
};

enum { LOCK_SPINS = 100, LOCK_NAPS = 20000, LOCK_NAP_NS = 100000 };

/* Sleeps until the owner changes, or a tenth of a millisecond: nobody wakes waiters, holders are
 * quick. futex() is what every program with threads may call, under any seccomp filter. */
static inline void lock_nap(struct lock *l, int owner) {
    struct timespec t = {0, LOCK_NAP_NS};
    sys(SYS_futex, &l->owner, FUTEX_WAIT_PRIVATE, owner, &t);
}

/* Blocks all signals and takes the lock; false, with the signals as they were, when the holder does
 * not let go for two seconds (it may have been stopped): never waits for ever. */
static inline bool lock_take(struct lock *l, int tid, uint64_t *signals) {
    uint64_t all = ~UINT64_C(0);
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, signals, 8);
    for (int i = 0; i < LOCK_SPINS + LOCK_NAPS; i++) {
        int owner = 0;
        if (atomic_compare_exchange_strong_explicit(&l->owner, &owner, tid, memory_order_acquire,
                                                    memory_order_relaxed))
            return true;
        if (i >= LOCK_SPINS)
            lock_nap(l, owner);
    }
    sys(SYS_rt_sigprocmask, SIG_SETMASK, signals, NULL, 8);
    return false;
}

static inline void lock_drop(struct lock *l, const uint64_t *signals) {
    atomic_store_explicit(&l->owner, 0, memory_order_release);
    sys(SYS_rt_sigprocmask, SIG_SETMASK, signals, NULL, 8);
}

#endif
