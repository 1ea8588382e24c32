/* Writes JSON (RFC 8259) to a struct out: one value, without a blank or a newline.
 *
 * As async-signal-safe as base/out.h, and with as little memory: commas are all that is kept.
 * Names of members are the caller's own words and are written as they are; texts may be anything:
 * quotes, control characters and DEL are escaped, and what is no UTF-8 becomes U+FFFD, one for each
 * maximal subpart (Unicode 15, 3.9, table 3-8). */
#ifndef PG_BASE_JSON_H
#define PG_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/out.h"

struct json {
    struct out *o;
    bool comma; /* something stands before, in this object or array */
};

void json_begin(struct json *j, struct out *o);

/* `name` is NULL in an array, and for the outermost value. bracket: '{' or '[', '}' or ']'. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
void json_text(struct json *j, const char *name, const char *text);
void json_u64(struct json *j, const char *name, uint64_t v);
void json_i64(struct json *j, const char *name, int64_t v);
void json_bool(struct json *j, const char *name, bool v);
/* Nanoseconds in milliseconds: whole ones, or with three digits behind the point. */
void json_ms(struct json *j, const char *name, uint64_t ns);
void json_ms_fraction(struct json *j, const char *name, uint64_t ns);

/* A text in parts: whatever is written to `part.o`, until the end. */
struct json_part {
    struct out o;
    struct json *to;
    char buf[64];
};
struct out *json_text_begin(struct json_part *part, struct json *j, const char *name);
void json_text_end(struct json_part *part);

#endif
