#include "report/report.h"

#include <string.h>

#include "base/options.h"
#include "report/symbols.h"

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *host_text(const struct view *v, uint32_t host, char buf[HOST_TEXT]) {
    const struct box_host *h = view_host(v, host);
    const struct box_name *n = h ? view_name(v, h->name) : NULL;
    static const struct addr none;
    struct out o;
    out_init(&o, -1, buf, HOST_TEXT - 1);
    if (n) {
        out_clean(&o, n->text);
        out_char(&o, ':');
        out_u64(&o, h->addr.port);
    } else {
        addr_write(&o, h ? &h->addr : &none);
    }
    buf[o.len] = '\0';
    return buf;
}

const char *group_host_text(const struct view *v, const struct group *g, char buf[HOST_TEXT]) {
    return g->host_id == BOX_NONE ? addr_text(&g->host, buf) : host_text(v, g->host_id, buf);
}

/* The suppression for any frame of the group's stack, by function, module path or module name. */
static struct suppression *find_by_stack(struct report *r, struct symbols *s,
                                         const struct group *g) {
    const struct box_stack *stack = view_stack(r->facts.view, g->stack);
    struct suppression *found = NULL;
    for (uint32_t i = 0; stack && !found && i < view_depth(stack); i++) {
        struct frame_name n;
        symbols_find(s, stack->frames[i], &n);
        if (n.function)
            found = suppress_find(r->suppressions, SUPPRESS_STACK, n.function);
        if (!found && n.module)
            found = suppress_find(r->suppressions, SUPPRESS_STACK, n.module);
        if (!found && n.module)
            found = suppress_find(r->suppressions, SUPPRESS_STACK, base_name(n.module));
    }
    return found;
}

static struct suppression *find_by_addr(struct report *r, const struct addr *a) {
    char text[ADDR_TEXT];
    struct suppression *s = suppress_find(r->suppressions, SUPPRESS_HOST, addr_text(a, text));
    return s ? s : suppress_find(r->suppressions, SUPPRESS_HOST, addr_ip_text(a, text));
}

/* By address where all connections of the group have one that is suppressed. */
static struct suppression *find_by_addrs(struct report *r, const struct group *g,
                                         const struct addr *host) {
    struct suppression *s = NULL;
    if (group_is_of_site(g))
        return find_by_addr(r, host);
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next) {
        const struct fact *x = &r->facts.fact[i];
        if (!(s = find_by_addr(r, x->is_orphan ? host : &x->peer)))
            return NULL;
    }
    return s;
}

static struct suppression *find_by_host(struct report *r, const struct group *g) {
    const struct box_host *h = view_host(r->facts.view, g->host_id);
    const struct box_name *n = h ? view_name(r->facts.view, h->name) : NULL;
    struct suppression *s = NULL;
    char text[HOST_TEXT];
    if (n)
        s = suppress_find(r->suppressions, SUPPRESS_HOST,
                          host_text(r->facts.view, g->host_id, text));
    if (n && !s)
        s = suppress_find(r->suppressions, SUPPRESS_HOST, n->text);
    return s ? s : find_by_addrs(r, g, h ? &h->addr : &g->host);
}

/* The suppression for what has this group's verdict, host and stack, NULL: none. */
static struct suppression *find(struct report *r, struct symbols *s, const struct group *g) {
    const struct verdict_class *c = &verdict_class[g->verdict];
    struct suppression *found = NULL;
    if (r->suppressions && c->kind != KIND_PLAIN) {
        found = suppress_find(r->suppressions, SUPPRESS_CLASS, c->name);
        if (!found)
            found = find_by_host(r, g);
        if (!found)
            found = find_by_stack(r, s, g);
    }
    if (found)
        found->used++;
    return found;
}

static void suppress_groups(struct report *r) {
    struct symbols symbols;
    if (!r->suppressions)
        return;
    for (struct suppression *s = r->suppressions; s; s = s->next)
        s->used = 0;
    symbols_begin(&symbols, r->facts.view, r->is_loaded);
    for (uint32_t i = 0; i < r->groups.count; i++)
        r->groups.group[i].suppressed = find(r, &symbols, &r->groups.group[i]) != NULL;
    symbols_free(&symbols);
}

bool report_shows_double_close(struct report *r, struct symbols *s,
                               const struct box_double_close *d) {
    const struct box_site *site = view_site(r->facts.view, d->site);
    bool known = site && view_host(r->facts.view, site->host);
    struct group g = {.verdict = VERDICT_DOUBLE_CLOSE,
                      .stack = d->again,
                      .first = UINT32_MAX,
                      .host_id = known ? site->host : BOX_NONE};
    return atomic_load_explicit(&d->times, memory_order_relaxed) && !find(r, s, &g);
}

const char *report_retracted_class(const struct box_site *s) {
    uint32_t verdict = atomic_load(&s->retracted_class);
    return verdict < VERDICT_COUNT ? verdict_class[verdict].name : "leak";
}

bool report_shows_exhausted(const struct report *r) {
    return atomic_load(&r->facts.view->header->exhausted) &&
           !suppress_find(r->suppressions, SUPPRESS_CLASS,
                          verdict_class[VERDICT_FD_EXHAUSTED].name);
}

static void count(struct report *r) {
    r->open = r->leaked = r->leak_places = r->suppressed = r->tls_leaked = r->tls_places = 0;
    for (uint32_t i = 0; i < r->facts.count; i++)
        r->open += r->facts.fact[i].verdict != VERDICT_NOT_OPEN && fact_is_open(&r->facts.fact[i]);
    for (uint32_t i = 0; i < r->groups.count; i++) {
        const struct group *g = &r->groups.group[i];
        bool leak = verdict_class[g->verdict].kind == KIND_LEAK;
        bool orphans = g->verdict == VERDICT_TLS_ORPHAN;
        r->suppressed += g->suppressed && !group_is_of_site(g) ? g->count : 0;
        if (!leak || g->suppressed)
            continue;
        *(orphans ? &r->tls_leaked : &r->leaked) += g->count;
        *(orphans ? &r->tls_places : &r->leak_places) += 1;
    }
}

bool report_judge(struct report *r) {
    verdict_judge(&r->facts, r->trigger == TRIGGER_EXIT);
    if (!groups_make(&r->groups, &r->facts))
        return false;
    suppress_groups(r);
    count(r);
    return true;
}

void report_write(struct report *r, struct out *o, unsigned format) {
    if (format == FORMAT_JSON)
        report_write_json(r, o);
    else
        report_write_text(r, o);
}

void report_free(struct report *r) {
    groups_free(&r->groups);
    facts_free(&r->facts);
}
