/* What options.c and config.c share: host sections, the source of a setting, complaints. */
#ifndef PG_BASE_CONFIG_H
#define PG_BASE_CONFIG_H

#include "base/addr.h"
#include "base/options.h"

/* Which hosts a section is for: a network, or a glob for their address or name. */
struct host_pattern {
    const char *glob; /* lower case; NULL: net and prefix count */
    struct addr net;
    unsigned prefix;
    int port; /* -1: any */
};

struct host_section {
    struct host_section *next;
    struct host_pattern pattern;
    struct options options; /* only those whose set bit is on */
};

/* Where a setting came from, which decides how complaints spell names. */
struct option_source {
    const char *origin;
    enum { SOURCE_ENV, SOURCE_FILE, SOURCE_FLAG } kind;
    bool one_host; /* in a host section */
};

/* options_set for a source. */
bool option_assign(struct options *o, struct options_ctx *ctx, const struct option_source *from,
                   const char *name, const char *value);

/* One complaint: the strings in a row, up to NULL; control characters become '?'. */
void options_complain(struct options_ctx *ctx, ...) __attribute__((sentinel));

/* s as complaints show it: cut when it is long. */
enum { SHOWN = 84 };
const char *shown(const char *s, char buf[SHOWN]);

/* The first section in the file's order that matches the host and sets the option in `row`; its
 * options, else o. Async-signal-safe. */
const struct options *options_for_host(const struct options *o, unsigned row, const struct addr *a,
                                       const char *name);

#endif
