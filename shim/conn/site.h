/* Hosts and call sites: what connections are counted and grouped by. */
#ifndef PG_CONN_SITE_H
#define PG_CONN_SITE_H

#include <stdint.h>

#include "base/addr.h"
#include "state/layout.h"

void site_begin_process(void);

/* The record of the call site that opens connections to `peer` from `stack` (BOX_NONE allowed), new
 * at first sight; only outbound sites have a host: `name` with the peer's port, or the peer where
 * that is BOX_NONE. BOX_NONE when the table is full. Any thread, async-signal-safe. */
uint32_t site_find(uint32_t stack, const struct addr *peer, uint32_t name, uint32_t direction);

/* leak_after for a connection to an address of that name: rules for addresses hold for it alone. */
uint64_t site_leak_after(const struct addr *peer, uint32_t name);

/* A connection was opened by the thread of that id. Counts for the site and its host. */
void site_opened(uint32_t site, uint64_t now, int32_t thread);
enum site_event { SITE_UNDONE, SITE_FAILED, SITE_CLOSED };
void site_count(uint32_t site, enum site_event what);

/* A connection that a report has called leaked was none: from now on this place is given more time
 * (report/verdict.c). */
enum site_retraction { SITE_RETRACTED_BY_CLOSE, SITE_RETRACTED_BY_USE };
void site_retract(struct box_conn *c, enum site_retraction how);

/* The connection turns out to be one to the host of that name: it is counted there from now on.
 * Nothing for one that is not outbound, or leads to a proxy. */
void site_rename(struct box_conn *c, uint32_t name);
/* A request on the connection called its host so: shown where nothing better is known. */
void site_alias(struct box_conn *c, uint32_t name);
/* Would that change nothing: requests have called it so before, or this and that, or its name is
 * known? */
bool site_needs_no_alias(const struct box_conn *c, const char *name, size_t length);

#endif
