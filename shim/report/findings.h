/* What call sites have done with HTTP/1.x: from the counters of their connections, most of which
 * are gone, to findings. Pure on facts; async-signal-safe. */
#ifndef PG_REPORT_FINDINGS_H
#define PG_REPORT_FINDINGS_H

#include "report/groups.h"

/* How many there can be. */
uint32_t findings_most(const struct facts *f);
/* Adds them to the groups, which have room for as many. */
void findings_add(struct groups *g, const struct facts *f);

/* What the server has closed while it lay idle, as far as it is seen. */
struct idle_closed {
    uint64_t count, least, last; /* least: the shortest rest; last: when (CLOCK_MONOTONIC) */
};
struct idle_closed finding_idle_closed(const struct facts *f, uint32_t use);

#endif
