/* Suppressions: patterns for leaks that are known and accepted. */
#ifndef PG_REPORT_SUPPRESS_H
#define PG_REPORT_SUPPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum suppress_kind { SUPPRESS_STACK, SUPPRESS_HOST, SUPPRESS_CLASS };

struct suppression {
    struct suppression *next;
    const char *pattern;
    enum suppress_kind kind;
    uint32_t line;
    uint32_t used; /* groups that it took out, in the report being written */
};

/* Reads a file of patterns into *list: "leak:GLOB", "host:GLOB" or "class:GLOB" a line, # comments.
 * What is wrong gives one line each through `complain`; the rest counts. An empty file is fine.
 * Async-signal-safe. */
void suppress_load(struct suppression **list, struct arena *arena, const char *path,
                   void (*complain)(const char *line));

/* The first suppression of that kind that matches the text, or NULL. */
struct suppression *suppress_find(struct suppression *list, enum suppress_kind kind,
                                  const char *text);

#endif
