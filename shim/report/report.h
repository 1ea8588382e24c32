/* A report: gathered facts -> verdicts -> groups -> text. Shared by the guarded process and the
 * command; async-signal-safe. */
#ifndef PG_REPORT_REPORT_H
#define PG_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/facts.h"
#include "report/groups.h"
#include "report/suppress.h"

struct report {
    struct facts facts;
    struct groups groups;
    struct suppression *suppressions;
    /* Of this very process: see report/symbols.h. NULL: of another. */
    bool (*is_loaded)(const struct box_module *);
    bool at_exit;
    bool ended; /* the process is gone: nothing could be checked with the kernel */
    /* Filled by report_judge. */
    uint32_t open, leaked, leak_places, suppressed;
};

/* Judges and groups the facts, which the caller has gathered. False: no memory. */
struct symbols;

/* The suppression for what has this group's verdict, host and stack, NULL: none. */
struct suppression *report_suppression(struct report *r, struct symbols *s, const struct group *g);

bool report_judge(struct report *r);
/* Writes the text, all of it, and flushes. */
void report_write_text(struct report *r, struct out *o);
/* Frees facts and groups; the view stays the caller's. */
void report_free(struct report *r);

/* The last part of a path, as people call the program. */
const char *base_name(const char *path);

#endif
