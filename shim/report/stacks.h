/* Which stacks a finding shows, in every format. Pure, async-signal-safe. */
#ifndef PG_REPORT_STACKS_H
#define PG_REPORT_STACKS_H

#include "report/report.h"

struct shown_stack {
    const char *title; /* in the text: "socket closed" */
    const char *name;  /* in JSON: "closed" */
    const char *call;  /* what its innermost frame called */
    uint32_t stack;    /* a record that is there */
};

/* Each fills `to` and returns how many there are. */
enum { STACKS_SHOWN = 3 };
unsigned stacks_of_group(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                         const struct group *g);
unsigned stacks_of_double_close(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                                const struct box_double_close *d);
unsigned stacks_of_exhausted(struct shown_stack to[STACKS_SHOWN], const struct report *r);

#endif
