/* Gathers the facts of this very process. */
#ifndef PG_REPORT_INSIDE_H
#define PG_REPORT_INSIDE_H

#include "report/facts.h"

/* Fills f (begun by facts_begin on the process's own view) from the descriptor table, each
 * descriptor checked with the kernel. A descriptor that was closed behind our back leaves the table
 * here. Async-signal-safe; opens /proc/self/fd for a moment to count what was not seen. */
void inside_gather(struct facts *f);

/* The report was shown: remembers which connections it called leaked, so that those that are used
 * or closed later can be taken back (conn/site.h). */
struct report;
void inside_remember(const struct report *r);

#endif
