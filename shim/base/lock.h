/* A short lock that a signal handler may try.
 *
 * It is held for a hash look-up or a few system calls, never across a call of the program's. A
 * handler that interrupted the holder finds itself the owner and is refused; the caller then takes
 * the path that needs no lock. */
#ifndef PG_BASE_LOCK_H
#define PG_BASE_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
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

/* False when this thread holds it already, or when the holder does not let go for two seconds (it
 * may have been stopped, or wait in a handler for us): never waits for ever. */
static inline bool lock_take(struct lock *l, int tid) {
    for (int i = 0; i < LOCK_SPINS + LOCK_NAPS; i++) {
        int owner = 0;
        if (atomic_compare_exchange_strong_explicit(&l->owner, &owner, tid, memory_order_acquire,
                                                    memory_order_relaxed))
            return true;
        if (owner == tid)
            return false;
        if (i >= LOCK_SPINS)
            lock_nap(l, owner);
    }
    return false;
}

static inline void lock_drop(struct lock *l) {
    atomic_store_explicit(&l->owner, 0, memory_order_release);
}

#endif
