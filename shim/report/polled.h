/* What a thread that is inside poll(2) or select(2) waits to read from. Raw system calls only,
 * async-signal-safe; also used by the command. */
#ifndef PG_REPORT_POLLED_H
#define PG_REPORT_POLLED_H

#include "report/blocked.h"

/* Calls visit for each descriptor that the call wants to hear of when there is something to read.
 * Nothing for other calls, and where its memory may not be read: that of thread `tid`, as the
 * caller has it, which must be alive. The first thread of a process may have ended, and with it its
 * id leads to no memory. */
void polled_each(int tid, const struct system_call *c, void (*visit)(int fd, void *arg), void *arg);

#endif
