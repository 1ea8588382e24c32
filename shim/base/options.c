/* Options: the table as data, and one way to set any of them by name.
 *
 * Nothing here knows an option by its name. A row of options.def says where its field lies and what
 * kind it is; option_value.c reads and writes the kinds. */
#include "base/options.h"

#include <stdarg.h>
#include <string.h>

#include "base/config.h"
#include "base/option_value.h"

#define PREFIX "POOLGUARD_"
enum { PREFIX_LENGTH = sizeof PREFIX - 1, NAME_MOST = 64, LINE_ROOM = 768 };

#define PER_HOST_PROCESS false
#define PER_HOST_HOST true

const struct option_info option_table[OPTION_COUNT] = {
#define ROW(name, def, choices, kind, scope, min, max, help)                                       \
    {#name, def, choices, help, kind, PER_HOST_##scope, min, max},
#define OPT_SIGNAL(name, def, scope, help) ROW(name, def, NULL, 's', scope, 0, 0, help)
#define OPT_TEXT(name, def, scope, help) ROW(name, def, NULL, 't', scope, 0, 0, help)
#define OPT_CHOICE(name, def, choices, scope, help) ROW(name, def, choices, 'c', scope, 0, 0, help)
#define OPT_DURATION(name, def, scope, help) ROW(name, def, NULL, 'd', scope, 0, 0, help)
#define OPT_NUMBER(name, def, min, max, scope, help)                                               \
    ROW(name, def, NULL, 'n', scope, min, max, help)
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
};

static const struct {
    size_t offset, size;
} fields[OPTION_COUNT] = {
#define FIELD(name) {offsetof(struct options, name), sizeof((struct options *)0)->name},
#define OPT_SIGNAL(name, def, scope, help) FIELD(name)
#define OPT_TEXT(name, def, scope, help) FIELD(name)
#define OPT_CHOICE(name, def, choices, scope, help) FIELD(name)
#define OPT_DURATION(name, def, scope, help) FIELD(name)
#define OPT_NUMBER(name, def, min, max, scope, help) FIELD(name)
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
};

_Static_assert(OPTION_COUNT <= 64, "struct options has 64 set bits");

/* Names of the environment that are no options. */
static const char *const env_names[] = {"config"};
enum { ENV_NAMES = sizeof env_names / sizeof *env_names };

/* Every member of the union begins where the union does. */
static void option_store(struct options *o, unsigned row, const union option_value *v) {
    memcpy((char *)o + fields[row].offset, v, fields[row].size);
}

static union option_value option_load(const struct options *o, unsigned row) {
    union option_value v = {0};
    memcpy(&v, (const char *)o + fields[row].offset, fields[row].size);
    return v;
}

void options_defaults(struct options *o) {
    char unused[1];
    struct out why;
    out_init(&why, -1, unused, sizeof unused);
    *o = (struct options){0};
    for (unsigned row = 0; row < OPTION_COUNT; row++) {
        union option_value v = {0};
        option_value_parse(&v, &option_table[row], option_table[row].def, &why);
        option_store(o, row, &v);
    }
}

void options_complain(struct options_ctx *ctx, ...) {
    char line[LINE_ROOM];
    struct out o;
    va_list ap;
    ctx->complaints++;
    if (!ctx->complain)
        return;
    out_init(&o, -1, line, sizeof line - 1);
    va_start(ap, ctx);
    for (const char *s; (s = va_arg(ap, const char *)) != NULL;)
        out_str(&o, s);
    va_end(ap);
    line[o.len] = '\0';
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    ctx->complain(line);
}

const char *shown(const char *s, char buf[SHOWN]) {
    size_t n = strlen(s), most = SHOWN - 4;
    if (n < SHOWN)
        return memcpy(buf, s, n + 1);
    while (most && ((unsigned char)s[most] & 0xc0) == 0x80)
        most--; /* not in the middle of a UTF-8 character */
    memcpy(buf, s, most);
    memcpy(buf + most, "...", 4);
    return buf;
}

/* Lower case to upper and upper to lower, so that only POOLGUARD_NAMES in upper case are found in a
 * table in lower case. */
static char case_swapped(char c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter ? (char)(c ^ 0x20) : c;
}

/* A name of the table as the source would spell it. */
static void name_write(struct out *o, const struct option_source *from, const char *name) {
    static const char *const before[] = {
        [SOURCE_ENV] = PREFIX, [SOURCE_FILE] = "", [SOURCE_FLAG] = "--"};
    out_str(o, before[from->kind]);
    for (; *name; name++) {
        if (from->kind == SOURCE_ENV)
            out_char(o, case_swapped(*name));
        else
            out_char(o, from->kind == SOURCE_FLAG && *name == '_' ? '-' : *name);
    }
}

static void complain_name(struct options_ctx *ctx, const struct option_source *from,
                          const char *name) {
    const char *words[OPTION_COUNT + ENV_NAMES];
    char hint[PREFIX_LENGTH + NAME_MOST + 1], buf[SHOWN];
    size_t n = 0;
    struct out o;
    for (; n < OPTION_COUNT; n++)
        words[n] = option_table[n].name;
    for (size_t i = 0; i < ENV_NAMES && from->kind == SOURCE_ENV; i++)
        words[n++] = env_names[i];
    const char *near = nearest_word(name, words, n);
    out_init(&o, -1, hint, sizeof hint - 1);
    name_write(&o, from, near ? near : "");
    hint[o.len] = '\0';
    bool file = from->kind == SOURCE_FILE;
    options_complain(ctx, from->origin, file ? ": " : "", file ? shown(name, buf) : "",
                     ": no such option", near ? "; did you mean " : "", near ? hint : "",
                     near ? "?" : "", NULL);
}

/* A section for one host that does not set the option leaves the value to the others. */
static void complain_value(const struct options *o, struct options_ctx *ctx,
                           const struct option_source *from, unsigned row, const char *value,
                           const char *why) {
    char used[SHOWN], buf[SHOWN];
    struct out u;
    out_init(&u, -1, used, sizeof used - 1);
    union option_value v = option_load(o, row);
    if (from->one_host && !(o->set >> row & 1))
        out_str(&u, "the value for all hosts");
    else
        option_value_write(&u, &option_table[row], &v);
    used[u.len] = '\0';
    bool file = from->kind == SOURCE_FILE;
    options_complain(ctx, from->origin, file ? ": " : "", file ? option_table[row].name : "", "=",
                     shown(value, buf), ": ", why, "; using ", used, NULL);
}

/* The row of a name; OPTION_COUNT: none. */
static unsigned row_of(const char *name) {
    unsigned row = 0;
    for (; row < OPTION_COUNT; row++) {
        const char *a = name, *b = option_table[row].name;
        while (*a && (*a == *b || (*a == '-' && *b == '_')))
            a++, b++;
        if (!*a && !*b)
            break;
    }
    return row;
}

bool option_assign(struct options *o, struct options_ctx *ctx, const struct option_source *from,
                   const char *name, const char *value) {
    char why_text[256];
    struct out why;
    union option_value v = {0};
    unsigned row = row_of(name);
    if (row == OPTION_COUNT) {
        complain_name(ctx, from, name);
        return false;
    }
    const struct option_info *info = &option_table[row];
    if (from->one_host && !info->per_host) {
        options_complain(ctx, from->origin, ": ", info->name,
                         " can not be set for one host; set it above the first section", NULL);
        return false;
    }
    out_init(&why, -1, why_text, sizeof why_text - 1);
    bool right = option_value_parse(&v, info, value, &why);
    if (right && info->kind == 't') {
        v.text = arena_copy(ctx->arena, value, strlen(value));
        right = v.text != NULL;
        out_str(&why, "no memory");
    }
    why_text[why.len] = '\0';
    if (right) {
        option_store(o, row, &v);
        o->set |= UINT64_C(1) << row;
    } else {
        complain_value(o, ctx, from, row, value, why_text);
    }
    return right;
}

bool options_set(struct options *o, struct options_ctx *ctx, const char *name, const char *value,
                 const char *origin) {
    struct option_source from = {.origin = origin, .kind = SOURCE_FILE};
    if (strncmp(origin, "--", 2) == 0)
        from.kind = SOURCE_FLAG;
    else if (strncmp(origin, PREFIX, PREFIX_LENGTH) == 0)
        from.kind = SOURCE_ENV;
    return option_assign(o, ctx, &from, name, value);
}

static bool is_env_name(const char *name) {
    for (size_t i = 0; i < ENV_NAMES; i++)
        if (strcmp(name, env_names[i]) == 0)
            return true;
    return false;
}

/* One "POOLGUARD_NAME=value". */
static void options_from_entry(struct options *o, struct options_ctx *ctx, const char *entry,
                               const char *equals) {
    /* Room for any right name; what is cut is wrong and stays so. */
    char origin[PREFIX_LENGTH + NAME_MOST + 2], name[NAME_MOST + 2];
    size_t n = (size_t)(equals - entry);
    if (n >= sizeof origin)
        n = sizeof origin - 1;
    memcpy(origin, entry, n);
    origin[n] = '\0';
    size_t i = 0;
    do
        name[i] = case_swapped(origin[PREFIX_LENGTH + i]);
    while (name[i++]);
    struct option_source from = {.origin = origin, .kind = SOURCE_ENV};
    if (!is_env_name(name))
        option_assign(o, ctx, &from, name, equals + 1);
}

void options_from_env(struct options *o, struct options_ctx *ctx, char *const *envp) {
    static const char config[] = PREFIX "CONFIG=";
    enum { CONFIG_LENGTH = sizeof config - 1 };
    for (char *const *e = envp; e && *e; e++)
        if (strncmp(*e, config, CONFIG_LENGTH) == 0 && (*e)[CONFIG_LENGTH])
            options_from_file(o, ctx, *e + CONFIG_LENGTH);
    for (char *const *e = envp; e && *e; e++) {
        const char *equals = strchr(*e, '=');
        if (equals && strncmp(*e, PREFIX, PREFIX_LENGTH) == 0)
            options_from_entry(o, ctx, *e, equals);
    }
}

uint64_t options_leak_after(const struct options *o, const struct addr *a, const char *name) {
    return options_for_host(o, OPTION_leak_after, a, name)->leak_after;
}

uint64_t options_least_leak_after(const struct options *o) {
    uint64_t least = o->leak_after;
    for (const struct host_section *s = o->hosts; s; s = s->next)
        if ((s->options.set >> OPTION_leak_after & 1) && s->options.leak_after < least)
            least = s->options.leak_after;
    return least;
}
