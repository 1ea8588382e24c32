/* The config file: an INI file read once, before main, and its [host "pattern"] sections.
 *
 * The file is read whole into a mapping of its own, cut into strings in place, and the mapping goes
 * again; what must live is copied to the arena. A file may be anything, a directory or a core dump
 * as well, so it gets one complaint for what is wrong with all of it, or a few for its lines. */
#include "base/config.h"

#include <string.h>

#include "base/option_value.h"
#include "base/text_file.h"

enum { COMPLAINTS_MOST = 8, PATH_SHOWN = 256, HOST_NAME_MOST = 256 };

#define HOST_FORM "[host \"pattern\"]"

struct config_file {
    struct options *options;
    struct options_ctx ctx;       /* the caller's, falls silent after COMPLAINTS_MOST */
    const char *path;             /* as complaints name it */
    char origin[PATH_SHOWN + 32]; /* path:line */
    struct host_section *section; /* whose lines these are; NULL: the process's */
    struct host_section **last;   /* where the next one is linked in */
    bool skipping;                /* under a wrong section header */
};

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* --- host patterns --- */

/* "10.0.0.0/8", or an address alone. NULL when right, else what is wrong; *found says whether it
 * is one at all. */
static const char *net_parse(struct host_pattern *p, char *text, bool *found) {
    char *slash = strchr(text, '/');
    uint64_t prefix, folded = 0;
    if (slash)
        *slash++ = '\0';
    *found = addr_parse(&p->net, text);
    if (!*found)
        return slash ? "not an address and a prefix length" : NULL;
    bool v4 = p->net.family == ADDR_V4;
    p->prefix = v4 ? 32 : 128;
    if (!slash)
        return NULL;
    if (v4 && strchr(text, ':'))
        folded = 96; /* ::ffff:10.0.0.0/104 */
    if (!decimal_parse(slash, p->prefix + folded, &prefix) || prefix < folded)
        return v4 ? "the prefix length goes from 0 to 32" : "the prefix length goes from 0 to 128";
    p->prefix = (unsigned)(prefix - folded);
    return NULL;
}

/* Cuts ":port" off; what stays is the host, without the brackets of IPv6. */
static const char *port_split(struct host_pattern *p, char **text) {
    char *colon = strchr(*text, ':'), *end = strchr(*text, ']');
    uint64_t port;
    p->port = -1;
    if (**text == '[' && end && colon && colon < end) {
        *end++ = '\0';
        ++*text;
        if (*end && *end != ':')
            return "only a port can stand behind the brackets";
        colon = *end ? end : NULL;
    } else if (colon && strchr(colon + 1, ':')) {
        colon = NULL; /* IPv6 without brackets has no port */
    }
    if (!colon)
        return NULL;
    *colon = '\0';
    if (strcmp(colon + 1, "*") == 0)
        return NULL;
    if (!decimal_parse(colon + 1, UINT16_MAX, &port) || port == 0)
        return "the port goes from 1 to 65535, or is *";
    p->port = (int)port;
    return NULL;
}

/* NULL when right, else what is wrong. Changes text. */
static const char *host_pattern_parse(struct host_pattern *p, struct arena *arena, char *text) {
    bool is_net = false;
    const char *wrong = port_split(p, &text);
    if (!wrong && !*text)
        wrong = "no host";
    if (!wrong)
        wrong = net_parse(p, text, &is_net);
    if (wrong || is_net)
        return wrong;
    for (char *c = text; *c; c++)
        *c = lower(*c);
    p->glob = arena_copy(arena, text, strlen(text));
    return p->glob ? NULL : "no memory";
}

static bool net_has(const struct host_pattern *p, const struct addr *a) {
    unsigned bytes = p->prefix / 8, bits = p->prefix % 8;
    if (a->family != p->net.family || (p->net.scope && a->scope != p->net.scope) ||
        memcmp(a->ip, p->net.ip, bytes) != 0)
        return false;
    return !bits || ((a->ip[bytes] ^ p->net.ip[bytes]) >> (8 - bits)) == 0;
}

/* A host as patterns see it. */
struct host {
    const struct addr *addr;
    char ip[ADDR_TEXT], name[HOST_NAME_MOST]; /* lower case; empty: none */
};

static void host_init(struct host *h, const struct addr *a, const char *name) {
    size_t n = 0;
    h->addr = a;
    addr_ip_text(a, h->ip);
    for (; name && name[n] && n < sizeof h->name - 1; n++)
        h->name[n] = lower(name[n]);
    h->name[n] = '\0';
}

static bool host_matches(const struct host_pattern *p, const struct host *h) {
    if (p->port >= 0 && p->port != h->addr->port)
        return false;
    if (!p->glob)
        return net_has(p, h->addr);
    return glob_match(p->glob, h->ip) || (*h->name && glob_match(p->glob, h->name));
}

const struct options *options_for_host(const struct options *o, unsigned row, const struct addr *a,
                                       const char *name) {
    struct host h;
    if (!o->hosts)
        return o;
    host_init(&h, a, name);
    for (const struct host_section *s = o->hosts; s; s = s->next)
        if ((s->options.set >> row & 1) && host_matches(&s->pattern, &h))
            return &s->options;
    return o;
}

/* --- lines --- */

/* A comment or nothing. */
static bool is_rest(const char *s) {
    while (text_is_blank(*s))
        s++;
    return *s == '\0' || *s == '#' || *s == ';';
}

/* Opens the section for a pattern; NULL, else what is wrong. */
static const char *section_open(struct config_file *f, char *pattern) {
    struct host_section *s = arena_alloc(f->ctx.arena, sizeof *s);
    if (!s)
        return "no memory";
    const char *wrong = host_pattern_parse(&s->pattern, f->ctx.arena, pattern);
    if (wrong)
        return wrong;
    *f->last = f->section = s;
    f->last = &s->next;
    return NULL;
}

/* Takes [host "pattern"] apart; NULL, else what is wrong. */
static const char *header_split(char *line, char **pattern) {
    char *word = line + 1 + strspn(line + 1, " \t");
    size_t n = strcspn(word, " \t\"]");
    char *quote = word + n + strspn(word + n, " \t");
    if (n != 4 || memcmp(word, "host", 4) != 0)
        return strchr(line, ']') ? "no such section" : "no ']' at the end";
    if (*quote != '"')
        return "no quoted pattern";
    char *end = strchr(quote + 1, '"');
    if (!end)
        return "the quote is not closed";
    char *close = end + 1 + strspn(end + 1, " \t");
    if (*close != ']')
        return "no ']' at the end";
    if (!is_rest(close + 1))
        return "text behind the ']'";
    *end = '\0';
    *pattern = quote + 1;
    return NULL;
}

static void header_line(struct config_file *f, char *line) {
    char *pattern, text[SHOWN];
    shown(line, text);
    const char *form = "; write " HOST_FORM, *wrong = header_split(line, &pattern);
    if (!wrong) {
        shown(pattern, text);
        form = "";
        wrong = section_open(f, pattern);
    }
    f->skipping = wrong != NULL;
    if (wrong)
        options_complain(&f->ctx, f->origin, ": ", text, ": ", wrong, form,
                         "; ignoring the lines below it", NULL);
}

/* Takes quotes or a comment off a value, in place; NULL, else what is wrong. */
static const char *value_unwrap(char **value) {
    char *v = *value, quote = *v;
    if (quote == '"' || quote == '\'') {
        char *end = strchr(v + 1, quote);
        if (!end)
            return "the quote is not closed";
        if (!is_rest(end + 1))
            return "text behind the quote";
        *end = '\0';
        *value = v + 1;
        return NULL;
    }
    for (char *p = v; *p; p++)
        if ((*p == '#' || *p == ';') && text_is_blank(p[-1])) {
            *p = '\0';
            break;
        }
    *value = text_trim(v);
    return NULL;
}

static void setting_line(struct config_file *f, char *line) {
    char text[SHOWN];
    char *equals = strchr(line, '=');
    if (!equals || equals == line) {
        options_complain(&f->ctx, f->origin, ": ", shown(line, text),
                         ": not of the form name = value", NULL);
        return;
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    const char *wrong = value_unwrap(&value);
    if (wrong) {
        options_complain(&f->ctx, f->origin, ": ", shown(line, text), ": ", wrong, NULL);
        return;
    }
    *equals = '\0';
    struct option_source from = {
        .origin = f->origin, .kind = SOURCE_FILE, .one_host = f->section != NULL};
    option_assign(f->section ? &f->section->options : f->options, &f->ctx, &from, text_trim(line),
                  value);
}

static void config_line(struct config_file *f, char *line, unsigned number) {
    struct out o;
    out_init(&o, -1, f->origin, sizeof f->origin - 1);
    out_strs(&o, f->path, ":", NULL);
    out_u64(&o, number);
    f->origin[o.len] = '\0';
    if (f->ctx.complaints >= COMPLAINTS_MOST)
        f->ctx.complain = NULL;
    line = text_trim(line);
    if (*line == '[')
        header_line(f, line);
    else if (!is_rest(line) && !f->skipping)
        setting_line(f, line);
}

/* --- the file --- */

static void config_lines(struct config_file *f, char *text) {
    char *line;
    for (unsigned number = 1; (line = text_line(&text)); number++)
        config_line(f, line, number);
}

/* Complaints name a path of any length by its end. */
static const char *path_end(const char *path) {
    size_t n = strlen(path);
    return n > PATH_SHOWN ? path + n - PATH_SHOWN : path;
}

/* `path` is what complaints name. */
static void config_parse(struct options *o, struct options_ctx *ctx, const char *path, char *text) {
    struct config_file f = {.options = o, .ctx = *ctx, .path = path, .last = &o->hosts};
    f.ctx.complaints = 0;
    while (*f.last)
        f.last = &(*f.last)->next;
    config_lines(&f, text);
    if (f.ctx.complaints <= COMPLAINTS_MOST) {
        ctx->complaints += f.ctx.complaints;
        return;
    }
    char more[24];
    struct out n;
    out_init(&n, -1, more, sizeof more - 1);
    out_u64(&n, f.ctx.complaints - COMPLAINTS_MOST);
    more[n.len] = '\0';
    ctx->complaints += f.ctx.complaints - 1; /* the last one counts for the rest */
    options_complain(ctx, path, ": and ", more, " more", NULL);
}

void options_from_file(struct options *o, struct options_ctx *ctx, const char *path) {
    struct text_file file;
    const char *fault = text_file_read(&file, path);
    if (fault)
        options_complain(ctx, path_end(path), ": ", fault, "; ignoring it", NULL);
    else
        config_parse(o, ctx, path_end(path), file.text);
    text_file_free(&file);
}
