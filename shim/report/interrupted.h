/* The system call that a signal handler has interrupted. */
#ifndef PG_REPORT_INTERRUPTED_H
#define PG_REPORT_INTERRUPTED_H

#include "report/blocked.h"

/* `context` is the handler's third argument (sigaction(2)). A handler with SA_RESTART that
 * interrupts a call returns to the very instruction that makes it, with the registers that it was
 * made with: so such a call is seen, and one that will fail with EINTR is not. False: none is. A
 * call that the thread was just about to make looks the same. Async-signal-safe. */
bool interrupted_call(struct system_call *c, const void *context);

#endif
