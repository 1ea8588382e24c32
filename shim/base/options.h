/* The options: defaults, environment, config file, flags. One table, options.def, makes them all.
 */
#ifndef PG_BASE_OPTIONS_H
#define PG_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/out.h"

enum { UNWINDER_AUTO, UNWINDER_LIBUNWIND, UNWINDER_GLIBC };
enum { FORMAT_TEXT, FORMAT_JSON };
enum { AT_EXIT_NEVER, AT_EXIT_LEAKS, AT_EXIT_ALWAYS };

/* One field for each row of the table; text points into the arena or is a literal. */
struct options {
#define OPT_SIGNAL(name, def, scope, help) int name;
#define OPT_TEXT(name, def, scope, help) const char *name;
#define OPT_CHOICE(name, def, choices, scope, help) unsigned name;
#define OPT_DURATION(name, def, scope, help) uint64_t name;
#define OPT_NUMBER(name, def, min, max, scope, help) uint64_t name;
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
    /* Which options somebody set, by row of the table: a bit each. */
    uint64_t set;
    /* The [host "pattern"] sections of the config file, in the file's order. */
    struct host_section *hosts;
};

/* The row number of an option: OPTION_signal, OPTION_report, ... and OPTION_COUNT. */
enum {
#define OPT_SIGNAL(name, def, scope, help) OPTION_##name,
#define OPT_TEXT(name, def, scope, help) OPTION_##name,
#define OPT_CHOICE(name, def, choices, scope, help) OPTION_##name,
#define OPT_DURATION(name, def, scope, help) OPTION_##name,
#define OPT_NUMBER(name, def, min, max, scope, help) OPTION_##name,
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
    OPTION_COUNT
};

/* One row of the table as data, for --help, the manual and completion. */
struct option_info {
    const char *name, *def, *choices, *help; /* choices: NULL but for OPT_CHOICE */
    char kind;                               /* 's' signal, 't' text, 'c' choice, 'd' duration,
                                                'n' number */
    bool per_host;
    uint64_t min, max; /* of a number */
};
extern const struct option_info option_table[OPTION_COUNT];

/* Where strings and host sections are kept, and where complaints go. A complaint is one line
 * without "poolguard: " in front; NULL: complaints are dropped. */
struct options_ctx {
    struct arena *arena;
    void (*complain)(const char *line);
    unsigned complaints; /* counted up by each */
};

void options_defaults(struct options *o);

/* Sets one option by its name (as in the table; '-' may stand for '_'). `origin` names the place in
 * complaints: "POOLGUARD_LEAK_AFTER", "poolguard.conf:12", "--leak-after". A wrong value leaves the
 * option as it was and makes one complaint that names the origin, the value, what is right, and the
 * value used. False when name or value was wrong. */
bool options_set(struct options *o, struct options_ctx *ctx, const char *name, const char *value,
                 const char *origin);

/* The environment: first the file that POOLGUARD_CONFIG names, then each POOLGUARD_* name, which
 * wins over the file. An unknown POOLGUARD_* name is one complaint with the nearest right name.
 * Called before main, with the envp of the constructor; getenv is not used. */
void options_from_env(struct options *o, struct options_ctx *ctx, char *const *envp);

/* An INI file: "name = value" lines, # and ; comments, [host "pattern"] sections. Missing or
 * unreadable: one complaint. Each garbled line: one complaint with its number (the first eight; a
 * binary file one in all); the other lines count. Raw system calls only; read once, nothing kept
 * open. */
void options_from_file(struct options *o, struct options_ctx *ctx, const char *path);

/* leak_after for a host: the first section in the file's order that matches and sets it, else the
 * process's. `name` may be NULL. Async-signal-safe, no allocation. */
struct addr;
uint64_t options_leak_after(const struct options *o, const struct addr *a, const char *name);
/* The least of all, the process's and those of hosts. */
uint64_t options_least_leak_after(const struct options *o);

/* The word nearest to `word` among n words (optimal string alignment distance), or NULL when none
 * is near enough to be meant (more than a third of it differs). */
const char *nearest_word(const char *word, const char *const *words, size_t n);

/* A shell pattern: * any run, ? any one character, [a-z] sets; the whole text must match. Letters
 * as they are. Linear-time backtracking, no recursion, async-signal-safe. */
bool glob_match(const char *pattern, const char *text);

#endif
