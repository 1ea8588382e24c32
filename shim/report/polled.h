/* What a thread that is inside poll(2) or select(2) waits to read from. Raw system calls only,
 * async-signal-safe; also used by the command. */
#ifndef PG_REPORT_POLLED_H
#define PG_REPORT_POLLED_H

#include "report/blocked.h"

/* Calls visit for each descriptor that the call, a thread's of process `pid` ("self", or as /proc
 * has it), wants to hear of when there is something to read. Nothing for other calls, and where its
 * memory may not be read. */
void polled_each(const char *pid, const struct system_call *c, void (*visit)(int fd, void *arg),
                 void *arg);

#endif
