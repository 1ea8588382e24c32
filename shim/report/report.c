#include "report/report.h"

#include <string.h>

#include "report/symbols.h"

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
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

static struct suppression *find_by_host(struct report *r, const struct group *g) {
    char text[ADDR_TEXT];
    struct suppression *s =
        suppress_find(r->suppressions, SUPPRESS_HOST, addr_text(&g->host, text));
    return s ? s : suppress_find(r->suppressions, SUPPRESS_HOST, addr_ip_text(&g->host, text));
}

struct suppression *report_suppression(struct report *r, struct symbols *s, const struct group *g) {
    const char *name = verdict_class[g->verdict].name;
    struct suppression *found = NULL;
    if (r->suppressions && name) {
        found = suppress_find(r->suppressions, SUPPRESS_CLASS, name);
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
        r->groups.group[i].suppressed =
            report_suppression(r, &symbols, &r->groups.group[i]) != NULL;
    symbols_free(&symbols);
}

static void count(struct report *r) {
    r->open = r->leaked = r->leak_places = r->suppressed = 0;
    for (uint32_t i = 0; i < r->facts.count; i++)
        r->open += r->facts.fact[i].verdict != VERDICT_NOT_OPEN && fact_is_open(&r->facts.fact[i]);
    for (uint32_t i = 0; i < r->groups.count; i++) {
        const struct group *g = &r->groups.group[i];
        bool leak = verdict_class[g->verdict].kind == KIND_LEAK;
        r->suppressed += g->suppressed ? g->count : 0;
        r->leaked += leak && !g->suppressed ? g->count : 0;
        r->leak_places += leak && !g->suppressed;
    }
}

bool report_judge(struct report *r) {
    verdict_judge(&r->facts, r->at_exit);
    if (!groups_make(&r->groups, &r->facts))
        return false;
    suppress_groups(r);
    count(r);
    return true;
}

void report_free(struct report *r) {
    groups_free(&r->groups);
    facts_free(&r->facts);
}
