/* The hosts of a report: what is open, in use and leaked to each, and what was opened and failed so
 * far. Async-signal-safe. */
#ifndef PG_REPORT_HOSTS_H
#define PG_REPORT_HOSTS_H

#include "report/report.h"

struct host_row {
    uint32_t id, alias; /* the host's record; the name that only requests used, BOX_NONE: none */
    uint64_t opened, failed;
    uint32_t open, in_use, leaked;
};

struct hosts {
    struct host_row *row; /* in the order of the report; NULL: no host is known, or no memory */
    uint32_t count;
    size_t map_size;
};

/* Of a judged report; freed by hosts_free. */
void hosts_make(struct hosts *h, const struct report *r);
void hosts_free(struct hosts *h);

#endif
