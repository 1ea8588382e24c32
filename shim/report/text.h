/* The parts of the text that stand in files of their own, and what they share. */
#ifndef PG_REPORT_TEXT_H
#define PG_REPORT_TEXT_H

#include "report/report.h"
#include "report/symbols.h"

struct writer {
    struct report *r;
    struct out *o;
    struct symbols symbols;
};

/* "==4211== " */
void write_mark(struct writer *w);
/* A stack with the call that it made; nothing when there is none. */
void write_stack(struct writer *w, uint32_t id, const char *call);

static inline uint64_t since(uint64_t now, uint64_t then) {
    return now > then ? now - then : 0;
}

/* Text that came from the program or a file: no control characters. */
static inline void out_clean(struct out *o, const char *s) {
    for (; *s; s++)
        out_char(o, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
}

/* How long nobody has used any of a group's connections, at least. */
uint64_t least_idle(const struct facts *f, const struct group *g);

/* The line on a connection's TLS; nothing when it has none. */
void write_tls(struct writer *w, const struct fact *x);
/* What tls-split and tls-handshake say, and the stacks beside the opening one. */
void write_tls_freed(struct writer *w, const struct group *g);
void write_tls_orphan(struct writer *w, const struct group *g);
void write_tls_handshake(struct writer *w, const struct group *g);
void write_tls_stacks(struct writer *w, const struct group *g);
/* A title and a stack below it; nothing when there is none. */
void write_titled_stack(struct writer *w, const char *title, uint32_t stack, const char *call);

/* One line a host: what is open, in use, idle, leaked; what was opened and failed so far. */
void report_write_hosts(const struct report *r, struct out *o);

/* What concerns the whole process: its double closes, and that it ran out of descriptors. */
void write_of_process(struct writer *w);
/* What the report can not know, and what was suppressed. */
void write_notes(struct writer *w);

#endif
