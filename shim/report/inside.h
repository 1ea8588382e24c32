/* Gathers the facts of this very process. */
#ifndef PG_REPORT_INSIDE_H
#define PG_REPORT_INSIDE_H

#include "report/blocked.h"
#include "report/facts.h"

/* Fills f (begun by facts_begin on the process's own view) from the descriptor table, each
 * descriptor checked with the kernel. A descriptor that was closed behind our back leaves the table
 * here. `own`: the call that the calling thread was in when a signal interrupted it, NULL: none.
 * Async-signal-safe; opens files of /proc/self for a moment to look for what was not seen and for
 * threads that wait. */
void inside_gather(struct facts *f, const struct system_call *own);

/* The report was shown: remembers which connections it called leaked, so that those that are used
 * or closed later can be taken back (conn/site.h). */
struct report;
void inside_remember(const struct report *r);

#endif
