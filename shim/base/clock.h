/* Time as nanoseconds. All of it comes from the vDSO: no system call, async-signal-safe. */
#ifndef PG_BASE_CLOCK_H
#define PG_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The clock of every time in a connection's record: monotonic, ticks of a few milliseconds, about
 * 5 ns to read. Comparable between processes of one machine. */
static inline uint64_t clock_coarse(void) {
    return clock_ns(CLOCK_MONOTONIC_COARSE);
}

#endif
