/* What call sites do with HTTP/1.x: how many connections they open, how each ended, and which could
 * have been spared. Counters of the state file; any thread, async-signal-safe. */
#ifndef PG_CONN_USE_H
#define PG_CONN_USE_H

#include <stdbool.h>

#include "state/mine.h"

/* A connection turns out to speak HTTP/1.x: its first request begins. */
void use_begun(const struct box_conn *c);

/* What is known of one that ends. */
struct use_of_conn {
    const struct http_observer *http;
    bool gone;          /* the peer's end of the stream was seen, or an error */
    bool broken;        /* an error */
    bool shared;        /* another process may have it, and go on with the exchange */
    bool ended_by_peer; /* gone, and the program had not said before that it ends */
    uint64_t idle;      /* how long it had lain idle then */
    uint64_t rested;    /* how long it had lain idle before its last request */
    uint64_t waited;    /* how long after the program's last bytes its end was met */
    uint64_t now;
    uint32_t closing_stack;
};
void use_ended(uint32_t site, const struct use_of_conn *u);

#endif
