/* The findings of a JSON report: groups of connections, and what concerns the whole process. */
#include "report/evidence.h"
#include "report/fingerprint.h"
#include "report/json.h"
#include "report/stacks.h"
#include "report/todo.h"

/* What all findings have, in the order in which it is written. */
struct finding {
    enum verdict verdict;
    const char *unit; /* of the count */
    const char *todo; /* or NULL */
    uint64_t count;
    bool suppressed;
    uint32_t host_id; /* as in struct group */
    struct addr host;
    struct shown_stack stack[STACKS_SHOWN];
    unsigned stacks;
};

static uint64_t add_host(uint64_t so_far, const struct view *v, const struct finding *f) {
    const struct box_host *h = view_host(v, f->host_id);
    const struct box_name *n = h ? view_name(v, h->name) : NULL;
    const struct addr *a = h ? &h->addr : &f->host;
    char ip[ADDR_TEXT] = "";
    if (a->family != ADDR_NONE)
        addr_ip_text(a, ip);
    so_far = fingerprint_add(so_far, n ? n->text : ip);
    return fingerprint_add_port(so_far, n || *ip ? a->port : 0);
}

static void write_fingerprint(struct json_report *w, const struct finding *f) {
    char text[FINGERPRINT_TEXT];
    uint64_t h = fingerprint_add(FINGERPRINT_START, verdict_class[f->verdict].name);
    h = fingerprint_add(h, f->unit);
    h = add_host(h, w->r->facts.view, f);
    for (unsigned i = 0; i < f->stacks; i++)
        if (!f->stack[i].by_chance)
            h = fingerprint_add(
                h, fingerprint_text(json_stack_fingerprint(w, f->stack[i].stack), text));
    json_text(&w->j, "fingerprint", fingerprint_text(h, text));
}

static const char *joined(char name[32], const char *first, const char *second) {
    struct out o;
    out_init(&o, -1, name, 31);
    out_strs(&o, first, second, NULL);
    name[o.len] = '\0';
    return name;
}

/* "opened" and "opened_call", and so on. */
static void write_stacks(struct json *j, const struct finding *f) {
    for (unsigned i = 0; i < f->stacks; i++) {
        const struct shown_stack *s = &f->stack[i];
        char name[32];
        json_u64(j, s->name, s->stack);
        json_text(j, joined(name, s->name, "_call"), s->call);
        if (!s->nth)
            continue;
        json_u64(j, joined(name, s->name, "_nth"), s->nth);
        json_u64(j, joined(name, s->name, "_of"), s->of);
    }
}

/* Leaves the object open. */
static void write_finding(struct json_report *w, const struct finding *f) {
    static const char *const kind[] = {
        [KIND_LEAK] = "leak", [KIND_WASTE] = "waste", [KIND_RISK] = "risk", [KIND_PLAIN] = "plain"};
    const struct verdict_class *c = &verdict_class[f->verdict];
    struct json *j = &w->j;
    json_open(j, NULL, '{');
    json_text(j, "class", c->name);
    json_text(j, "kind", kind[c->kind]);
    json_u64(j, "count", f->count);
    json_text(j, "unit", f->unit);
    json_host(w, f->host_id, &f->host);
    write_fingerprint(w, f);
    json_bool(j, "suppressed", f->suppressed);
    if (f->todo)
        json_text(j, "todo", f->todo);
    write_stacks(j, f);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* How the connections of a place that churns have ended. */
static void write_reasons(struct json_report *w, const struct group *g) {
    const struct box_use *u = view_use(w->r->facts.view, g->use);
    json_open(&w->j, "reasons", '{');
    for (int i = 0; i < USE_ENDS; i++) {
        uint64_t n = atomic_load_explicit(&u->ended[i], memory_order_relaxed);
        if (n)
            json_u64(&w->j, evidence_ends[i], n);
    }
    if (g->kept)
        json_u64(&w->j, "kept", g->kept);
    json_close(&w->j, '}');
}

static void write_group(struct json_report *w, const struct group *g) {
    const struct report *r = w->r;
    bool orphans = g->verdict == VERDICT_TLS_ORPHAN;
    struct json *j = &w->j;
    struct finding f = {.verdict = g->verdict,
                        .unit = orphans ? "TLS object" : "connection",
                        .todo = todo_of_stack(g->verdict, r->facts.view, g->stack),
                        .count = g->count,
                        .suppressed = g->suppressed,
                        .host_id = g->host_id,
                        .host = g->host};
    f.stacks = stacks_of_group(f.stack, r, g);
    write_finding(w, &f);
    if (evidence_is_known(g)) {
        struct json_part part;
        evidence_of_group(json_text_begin(&part, j, "evidence"), r, g);
        json_text_end(&part);
    }
    json_ms(j, group_is_of_site(g) ? "last_ms_ago" : "oldest_ms", since(r->facts.now, g->oldest));
    if (g->verdict == VERDICT_CHURN)
        write_reasons(w, g);
    json_open(j, "connections", '[');
    for (uint32_t i = g->first; !orphans && i != UINT32_MAX; i = r->facts.fact[i].next)
        json_u64(j, NULL, r->facts.fact[i].id);
    json_close(j, ']');
    json_close(j, '}');
}

/* --- the process ------------------------------------------------------------------------------ */

static void write_double_close(struct json_report *w, const struct box_double_close *d) {
    const struct box_site *s = view_site(w->r->facts.view, d->site);
    struct json *j = &w->j;
    struct json_part part;
    struct finding f = {.verdict = VERDICT_DOUBLE_CLOSE,
                        .unit = "double close",
                        .count = atomic_load_explicit(&d->times, memory_order_relaxed),
                        .host_id = s ? s->host : BOX_NONE};
    f.todo = todo_of_stack(f.verdict, w->r->facts.view, s ? s->stack : BOX_NONE);
    f.stacks = stacks_of_double_close(f.stack, w->r, d);
    write_finding(w, &f);
    evidence_of_double_close(json_text_begin(&part, j, "evidence"), d);
    json_text_end(&part);
    json_i64(j, "fd", d->fd);
    json_ms(j, "last_ms_ago", since(w->r->facts.now, atomic_load(&d->last)));
    json_ms(j, "between_ms", atomic_load(&d->gap));
    json_i64(j, "opened_thread", d->opener);
    json_i64(j, "closed_thread", d->closer);
    json_i64(j, "closed_again_thread", d->closer_again);
    json_close(j, '}');
}

static void write_exhausted(struct json_report *w) {
    const struct box_header *h = w->r->facts.view->header;
    struct json *j = &w->j;
    struct json_part part;
    struct finding f = {.verdict = VERDICT_FD_EXHAUSTED,
                        .unit = "failed call",
                        .todo = todo_text(VERDICT_FD_EXHAUSTED, LANGUAGE_C),
                        .count = atomic_load(&h->exhausted),
                        .host_id = BOX_NONE};
    f.stacks = stacks_of_exhausted(f.stack, w->r);
    write_finding(w, &f);
    evidence_of_exhausted(json_text_begin(&part, j, "evidence"), w->r);
    json_text_end(&part);
    json_ms(j, "last_ms_ago", since(w->r->facts.now, atomic_load(&h->exhausted_at)));
    json_close(j, '}');
}

static void write_of_process(struct json_report *w) {
    const struct view *v = w->r->facts.view;
    for (uint32_t i = 0; i < v->count[REGION_DOUBLE_CLOSES]; i++) {
        const struct box_double_close *d = view_double_close(v, i);
        if (d && report_shows_double_close(w->r, &w->symbols, d))
            write_double_close(w, d);
    }
    if (report_shows_exhausted(w->r))
        write_exhausted(w);
}

/* --- places that were wrongly said to leak ---------------------------------------------------- */

static void write_retraction(struct json_report *w, const struct box_site *s) {
    static const struct addr none;
    const struct box_host *h = view_host(w->r->facts.view, s->host);
    uint64_t leak_after = h ? h->leak_after : w->r->facts.view->header->leak_after;
    struct json *j = &w->j;
    struct json_part part;
    struct shown_stack stack;
    json_open(j, NULL, '{');
    json_text(j, "class", report_retracted_class(s));
    json_u64(j, "count", atomic_load(&s->retracted));
    json_host(w, s->host, &none);
    json_text(j, "by", atomic_load(&s->retracted_by_use) ? "use" : "close");
    json_ms(j, "after_ms", atomic_load(&s->retracted_after));
    json_ms(j, "last_ms_ago", since(w->r->facts.now, atomic_load(&s->retracted_at)));
    json_ms(j, "leak_after_ms", site_raised_leak_after(s, leak_after));
    evidence_of_retraction(json_text_begin(&part, j, "evidence"), w->r, s);
    json_text_end(&part);
    if (stack_of_site(&stack, w->r, s)) {
        json_u64(j, "opened", stack.stack);
        json_text(j, "opened_call", stack.call);
    }
    json_close(j, '}');
}

void json_retractions(struct json_report *w) {
    const struct view *v = w->r->facts.view;
    json_open(&w->j, "retracted", '[');
    for (uint32_t i = 0; i < v->count[REGION_SITES]; i++) {
        const struct box_site *s = view_site(v, i);
        if (s && atomic_load(&s->retracted))
            write_retraction(w, s);
    }
    json_close(&w->j, ']');
}

/* In the order of the text. */
void json_groups(struct json_report *w) {
    const struct groups *g = &w->r->groups;
    uint32_t i = 0;
    json_open(&w->j, "groups", '[');
    for (; i < g->count && g->group[i].verdict < VERDICT_DOUBLE_CLOSE; i++)
        write_group(w, &g->group[i]);
    write_of_process(w);
    for (; i < g->count; i++)
        write_group(w, &g->group[i]);
    json_close(&w->j, ']');
}
