/* Which descriptors a process's epoll sets listen to, as /proc/PID/fdinfo shows them (proc(5)).
 * Async-signal-safe; also used by the command. `pid` is a number as text, or "self". */
#ifndef PG_REPORT_EPOLLSET_H
#define PG_REPORT_EPOLLSET_H

#include <stdbool.h>

#include "base/numbers.h"

/* Adds what the epoll set under fd listens to: every descriptor registered for reading or for the
 * peer's end, and not disabled by EPOLLONESHOT. Nothing when fd is no epoll set.
 * False when it can not be looked at (no descriptor left, no /proc). */
bool epoll_watch_read(struct numbers *watched, const char *pid, int fd);

#endif
