/* A report: gathered facts -> verdicts -> groups -> text or JSON. Shared by the guarded process and
 * the command; async-signal-safe. */
#ifndef PG_REPORT_REPORT_H
#define PG_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/facts.h"
#include "report/groups.h"
#include "report/suppress.h"

enum report_trigger {
    TRIGGER_SIGNAL,
    TRIGGER_EXIT,
    TRIGGER_EXHAUSTED, /* no descriptor was left */
    TRIGGER_REQUEST,   /* `poolguard report` */
};

struct report {
    struct facts facts;
    struct groups groups;
    struct suppression *suppressions;
    /* Of this very process: see report/symbols.h. NULL: of another. */
    bool (*is_loaded)(const struct box_module *);
    enum report_trigger trigger;
    bool ended; /* the process is gone: nothing could be checked with the kernel */
    /* Filled by report_judge. */
    uint32_t open, leaked, leak_places, suppressed;
    uint32_t tls_leaked, tls_places; /* TLS objects without a connection */
};

/* Judges and groups the facts, which the caller has gathered. False: no memory. */
bool report_judge(struct report *r);
/* Is it to be shown: did it happen, and is it not suppressed? */
struct symbols;
bool report_shows_double_close(struct report *r, struct symbols *s,
                               const struct box_double_close *d);
/* The class that its connections were reported in. */
const char *report_retracted_class(const struct box_site *s);
bool report_shows_exhausted(const struct report *r);
/* Connections and TLS objects together. */
static inline uint32_t report_leaks(const struct report *r) {
    return r->leaked + r->tls_leaked;
}
/* Writes all of it in one format (FORMAT_TEXT, FORMAT_JSON of base/options.h), and flushes. */
void report_write(struct report *r, struct out *o, unsigned format);
void report_write_text(struct report *r, struct out *o);
void report_write_json(struct report *r, struct out *o);
/* Frees facts and groups; the view stays the caller's. */
void report_free(struct report *r);

/* Text that came from the program or a file: no control characters. */
static inline void out_clean(struct out *o, const char *s) {
    for (; *s; s++)
        out_char(o, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
}

/* A host as people call it: its name or its address, and the port. "-" for none. */
enum { HOST_TEXT = BOX_NAME_MAX + 8 };
const char *host_text(const struct view *v, uint32_t host, char buf[HOST_TEXT]);
/* The same of a group's host. */
const char *group_host_text(const struct view *v, const struct group *g, char buf[HOST_TEXT]);

/* The last part of a path, as people call the program. */
const char *base_name(const char *path);

#endif
