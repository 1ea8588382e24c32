/* The parts of the JSON report, which stand in files of their own, and what they share. What each
 * member means says report.schema.json. */
#ifndef PG_REPORT_JSON_H
#define PG_REPORT_JSON_H

#include "base/json.h"
#include "report/report.h"
#include "report/symbols.h"

struct json_stack {
    uint64_t fingerprint;
    bool wanted; /* something refers to it */
};

struct json_report {
    struct report *r;
    struct json j;
    struct symbols symbols;
    struct json_stack *stack; /* by record; NULL without memory: all are wanted */
    size_t stack_size;
};

/* Finds out which stacks are referred to; freed by json_stacks_free. */
void json_stacks_begin(struct json_report *w);
void json_stacks_free(struct json_report *w);
/* Writes the stacks, before the groups, whose fingerprints are made of theirs. */
void json_stacks(struct json_report *w);
uint64_t json_stack_fingerprint(struct json_report *w, uint32_t stack);

void json_groups(struct json_report *w);
void json_retractions(struct json_report *w);
void json_connections(struct json_report *w);

/* The HTTP of a connection. */
void json_http(struct json_report *w, const struct fact *x);

/* Host and port of a host's record, or of an address; nothing where there is none. */
void json_host(struct json_report *w, uint32_t host_id, const struct addr *a);

#endif
