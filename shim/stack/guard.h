/* What libunwind asks of libc while it walks a stack for us, answered here.
 *
 * Left alone it keeps a pipe open in the program and writes bytes to it to test addresses (a
 * program that closes all its descriptors then finds those bytes in its own files), and takes the
 * loader's lock with all signals blocked (a handler that connects during dlopen() then hangs).
 * While the thread is inside guard_enter/guard_leave, the wrappers of these calls come here. */
#ifndef PG_STACK_GUARD_H
#define PG_STACK_GUARD_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A new process begins. A child that was forked while another thread was inside can never trust
 * libunwind's lock again. */
void guard_begin_process(void);

/* False when this thread is inside already (a signal handler interrupted a walk), or when libunwind
 * is not to be trusted here. */
bool guard_enter(void);
void guard_leave(void);

/* Where libunwind is mapped: only its own calls are answered. A handler that interrupts a walk
 * makes calls too, and those are the program's. */
void guard_serve(const void *start, const void *end);
extern const char *guard_served_from __attribute__((visibility("hidden")));
extern const char *guard_served_to __attribute__((visibility("hidden")));
static inline bool guard_serves(const void *return_address) {
    const char *a = return_address;
    return a >= guard_served_from && a < guard_served_to;
}

/* For wrappers: is this call libunwind's, in a walk of ours? Reads, writes and closes ask first
 * whether the descriptor can be one that guard_pipe2 gave: no program's can. */
enum { GUARD_FD = 0x7ffffff0 };
#define GUARD_IS_CALLED() (unlikely(self.in_libunwind) && guard_serves(__builtin_return_address(0)))

int guard_pipe2(int fds[2]);
ssize_t guard_read(int fd, void *buf, size_t n);
ssize_t guard_write(const void *buf);
int guard_close(int fd);
/* Calls back for the one object that libunwind is looking for. */
int guard_dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

#endif
