/* What the library knows of the calling thread. Initial-exec thread-local: reading it never
 * allocates, so wrappers may use it anywhere, signal handlers and constructors included. */
#ifndef PG_BASE_THREAD_H
#define PG_BASE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"

/* A run of closes of neighbouring numbers from one place: 3, 4, 5, ... */
struct thread_sweep {
    const void *caller;
    int fd, step;
    unsigned length;
    uint32_t noted[2]; /* double closes noted in this run, index + 1 */
};

struct thread_state {
    int tid, tid_pid;      /* cached thread id, and the process that it was read in */
    int vfork_parent;      /* set by vfork() to the caller's pid until the caller is back */
    uint32_t captures;     /* stacks captured so far by this thread */
    uint8_t has_libunwind; /* its memory of this thread is set up */
    uint8_t in_libunwind;  /* libunwind's own libc calls are answered by stack/guard.c */
    struct thread_sweep sweep;
    uint8_t in_setup;   /* creating the state file: calls made meanwhile pass through */
    uint8_t io_watched; /* see conn/traffic.h */
    uint64_t io_slot, io_tls_slot;
    const char *resolved; /* the name that the thread has resolved last (conn/name.c) */
};

extern __thread struct thread_state self
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* No system call of ours any more: the program has installed a seccomp filter. A thread whose id is
 * not known by then goes by a number of its own. */
extern bool thread_quiet __attribute__((visibility("hidden")));

/* The calling thread's id. `pid` is the process's: a forked child has copied the cache. */
static inline int thread_id(int pid) {
    if (unlikely(thread_quiet))
        return self.tid ? self.tid : (int)((uintptr_t)&self >> 4 & INT32_MAX) | 1;
    if (unlikely(self.tid_pid != pid)) {
        self.tid = (int)sys(SYS_gettid);
        self.tid_pid = pid;
    }
    return self.tid;
}

/* The calling thread is about to vfork(). */
void thread_enter_vfork(void);

/* The flag is set: is this the child? */
bool thread_is_vfork_child(void);

/* True in the child of vfork() until it execs or exits: it runs on the parent's memory, and what it
 * does to its descriptors must not be recorded (vfork(2)). */
static inline bool thread_in_vfork_child(void) {
    return unlikely(self.vfork_parent) && !thread_quiet && thread_is_vfork_child();
}

#endif
