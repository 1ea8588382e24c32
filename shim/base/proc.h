/* A process's descriptors and threads as /proc shows them (proc(5)). Raw system calls,
 * async-signal-safe. `pid` is a number as text, or "self". */
#ifndef PG_BASE_PROC_H
#define PG_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* Opens /proc/PID<what>, with the number fd behind it unless that is negative: a descriptor or a
 * negative errno. */
int proc_open(const char *pid, const char *what, int fd, int flags);

/* The first bytes of such a file, in one read, with a '\0' behind them: how many there are, or a
 * negative errno (and no bytes). */
long proc_read(const char *pid, const char *what, int fd, char *buf, size_t size);

/* Calls visit for each open descriptor of the process; one descriptor of ours is open meanwhile and
 * not visited. False when /proc can not be read (no descriptor left, no permission). */
bool proc_fds(const char *pid, void (*visit)(int fd, void *), void *arg);

/* Calls visit for each thread of the process; the one that it began with is among them until the
 * process ends. Some can be missing where others end meanwhile. False as above. */
bool proc_threads(const char *pid, void (*visit)(int tid, void *), void *arg);

/* PID/task/TID, to stand for a pid in the functions above. */
enum { PROC_THREAD = 56 };
void proc_thread(char name[PROC_THREAD], const char *pid, int tid);

/* Is the descriptor an io_uring, as its name says? */
bool proc_fd_is_uring(const char *pid, int fd);

#endif
