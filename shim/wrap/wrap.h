/* What the wrappers share. A wrapper is thin: the gate, forget before close, the real call, tell
 * conn/, keep errno. No policy lives here. */
#ifndef PG_WRAP_WRAP_H
#define PG_WRAP_WRAP_H

#include <errno.h>

#include "base/sys.h"
#include "base/thread.h"
#include "conn/conn.h"
#include "conn/process.h"
#include "conn/traffic.h"
#include "wrap/real.h"

#define EXPORT __attribute__((visibility("default")))

/* Runs our bookkeeping and leaves errno as the program must see it. */
#define KEEP_ERRNO(...)                                                                            \
    do {                                                                                           \
        int kept_errno = errno;                                                                    \
        __VA_ARGS__;                                                                               \
        errno = kept_errno;                                                                        \
    } while (0)

/* The same, where the bookkeeping may make a system call (conn/process.h). */
#define BOOKKEEPING(...)                                                                           \
    KEEP_ERRNO({                                                                                   \
        atomic_fetch_add_explicit(&process_busy, 1, memory_order_acq_rel);                         \
        __VA_ARGS__;                                                                               \
        atomic_fetch_sub_explicit(&process_busy, 1, memory_order_release);                         \
    })

/* Does close_range() with these arguments close anything? CLOSE_RANGE_CLOEXEC only marks, unknown
 * flags and a range backwards are EINVAL (close_range(2)). */
static inline bool range_closes(unsigned first, unsigned last, unsigned flags) {
    enum { RANGE_UNSHARE = 2 };
    return (flags & ~(unsigned)RANGE_UNSHARE) == 0 && first <= last;
}

#endif
