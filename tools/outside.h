/* Gathers the facts of another process, running or dead, from its state file and the kernel. The
 * process is not touched: no signal, no stop. */
#ifndef PG_TOOLS_OUTSIDE_H
#define PG_TOOLS_OUTSIDE_H

#include "report/facts.h"
#include "sockets.h"

/* Fills f (begun on the process's view) with the records whose sockets the process still has open,
 * and with what its threads do. */
void outside_gather(struct facts *f, struct sockets *s, int pid);

/* The same for a process that has ended: all its open records, as they last were. */
void outside_gather_ended(struct facts *f);

#endif
