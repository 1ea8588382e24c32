/* A process's descriptors as /proc shows them (proc(5)). Raw system calls, async-signal-safe. `pid`
 * is a number as text, or "self". */
#ifndef PG_BASE_PROC_H
#define PG_BASE_PROC_H

#include <stdbool.h>

enum { PROC_FD_MAX = 1 << 22 };

/* Opens /proc/PID<what>, with the number fd behind it unless that is negative: a descriptor or a
 * negative errno. */
int proc_open(const char *pid, const char *what, int fd, int flags);

/* Calls visit for each open descriptor of the process; one descriptor of ours is open meanwhile and
 * not visited. False when /proc can not be read (no descriptor left, no permission). */
bool proc_fds(const char *pid, void (*visit)(int fd, void *), void *arg);

/* Is the descriptor an io_uring, as its name says? */
bool proc_fd_is_uring(const char *pid, int fd);

#endif
