/* The parts of the text that stand in files of their own, and what they share. */
#ifndef PG_REPORT_TEXT_H
#define PG_REPORT_TEXT_H

#include "report/report.h"
#include "report/stacks.h"
#include "report/symbols.h"

struct writer {
    struct report *r;
    struct out *o;
    struct symbols symbols;
};

/* "==4211== " */
void write_mark(struct writer *w);
/* A stack below its title, with the call that it made. */
void write_stack(struct writer *w, const struct shown_stack *shown);

/* The line on a connection's TLS; nothing when it has none. */
void write_tls(struct writer *w, const struct fact *x);

/* The line on its HTTP. */
void write_http(struct writer *w, const struct fact *x);

/* One line a host: what is open, in use, idle, leaked; what was opened and failed so far. */
void report_write_hosts(const struct report *r, struct out *o);

/* What concerns the whole process: its double closes, and that it ran out of descriptors. */
void write_of_process(struct writer *w);
/* What an earlier report was wrong about. */
void write_retractions(struct writer *w);
/* What the report can not know, and what was suppressed. */
void write_notes(struct writer *w);

#endif
