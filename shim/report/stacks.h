/* Which stacks a finding shows, in every format. Pure, async-signal-safe. */
#ifndef PG_REPORT_STACKS_H
#define PG_REPORT_STACKS_H

#include "report/report.h"

struct shown_stack {
    const char *title; /* in the text: "socket closed" */
    const char *name;  /* in JSON: "closed" */
    const char *call;  /* what its innermost frame called */
    bool by_chance;    /* the last of several, perhaps: no part of the fingerprint */
    uint32_t nth, of;  /* nth of so many such calls; 0: that is not said */
    uint32_t stack;    /* a record that is there */
};

/* Each fills `to` and returns how many there are. */
enum { STACKS_SHOWN = 3 };
unsigned stacks_of_group(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                         const struct group *g);
unsigned stacks_of_double_close(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                                const struct box_double_close *d);
/* The last thing that the program did with a connection, as far as its stack is known. */
struct shown_stack stack_of_last_use(const struct fact *x);
/* Where a site opens its connections; false: not known. */
bool stack_of_site(struct shown_stack *to, const struct report *r, const struct box_site *s);
unsigned stacks_of_exhausted(struct shown_stack to[STACKS_SHOWN], const struct report *r);

#endif
