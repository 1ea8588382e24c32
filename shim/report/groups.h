/* Verdicts -> groups: connections of one class, host and opening stack are one finding. */
#ifndef PG_REPORT_GROUPS_H
#define PG_REPORT_GROUPS_H

#include <stdbool.h>

#include "report/verdict.h"

struct group {
    uint64_t stack_hash;
    uint64_t oldest; /* when the oldest of them was opened */
    uint64_t unread;
    uint32_t host_id; /* the host's record; BOX_NONE for inbound ones, whose peers differ, ... */
    struct addr host; /* ... and for those that others opened: their peer */
    uint32_t stack;   /* BOX_NONE: not captured */
    uint32_t first, last, count; /* UINT32_MAX: a finding of the call site, not of connections */
    uint32_t use;                /* of a call site's: its record in the region of uses */
    uint32_t kept;               /* of churn: those that are still open */
    uint64_t last_at;            /* of a call site's: when it happened last */
    uint8_t verdict;
    bool suppressed;
};

struct groups {
    struct group *group; /* in the order of the report */
    uint32_t count;
    void *map;
    size_t map_size;
};

/* Is it what a call site has done, counted from its connections that are gone? */
static inline bool group_is_of_site(const struct group *g) {
    return g->first == UINT32_MAX;
}

/* Groups all facts that are to be shown: by class, then the biggest first. Facts of a group are
 * chained by `next`. Adds what call sites have done (report/findings.h). False: no memory.
 * Async-signal-safe; freed by groups_free. */
bool groups_make(struct groups *g, struct facts *f);
void groups_free(struct groups *g);

#endif
