/* What the threads of a process say of its connections. Async-signal-safe; also used by the
 * command. */
#ifndef PG_REPORT_THREADS_H
#define PG_REPORT_THREADS_H

#include "report/blocked.h"
#include "report/facts.h"

/* Fills facts.threads, and of each fact opener_gone and what report/blocked.h says; `pid` and `own`
 * as there. After all connections are gathered. */
void threads_look(struct facts *f, const char *pid, const struct system_call *own);

/* A thread's id as the process itself sees it (the innermost of NSpid in proc(5)); `tid` when that
 * can not be read. */
int thread_own_id(const char *pid, int tid);

#endif
