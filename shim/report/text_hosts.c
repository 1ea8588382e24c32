/* The table of hosts at the head of a report. */
#include <string.h>

#include "base/mem.h"
#include "report/report.h"
#include "report/text.h"

enum { HOST_WIDTH = 24 };

struct host_row {
    uint32_t id, alias;
    uint64_t opened, failed;
    uint32_t open, in_use, leaked;
};

static bool host_before(const struct host_row *a, const struct host_row *b) {
    if (a->leaked != b->leaked)
        return a->leaked > b->leaked;
    return a->open != b->open ? a->open > b->open : a->opened > b->opened;
}

static void count_host(struct host_row *rows, const struct report *r, const struct fact *x) {
    const struct box_site *s = view_site(r->facts.view, x->site);
    if (!s || s->host >= r->facts.view->count[REGION_HOSTS])
        return;
    struct host_row *h = &rows[s->host];
    if (fact_is_open(x)) {
        h->open++;
        h->in_use += fact_in_use(x);
    }
}

static void count_leaks(struct host_row *rows, const struct report *r) {
    for (uint32_t i = 0; i < r->groups.count; i++) {
        const struct group *g = &r->groups.group[i];
        if (verdict_class[g->verdict].kind != KIND_LEAK || g->suppressed ||
            g->verdict == VERDICT_TLS_ORPHAN)
            continue;
        const struct box_site *s = view_site(r->facts.view, r->facts.fact[g->first].site);
        if (s && s->host < r->facts.view->count[REGION_HOSTS])
            rows[s->host].leaked += g->count;
    }
}

/* A name that only requests used stands beside the address. */
static void write_host_name(struct out *o, const struct view *v, const struct host_row *h) {
    char text[2 * HOST_TEXT];
    const struct box_name *alias = view_name(v, h->alias);
    struct out t;
    host_text(v, h->id, text);
    out_init(&t, -1, text, sizeof text - 1);
    t.len = strlen(text);
    if (alias) {
        out_str(&t, " (");
        out_clean(&t, alias->text);
        out_char(&t, ')');
    }
    text[t.len] = '\0';
    out_pad(o, text, HOST_WIDTH);
}

static void write_host_row(struct out *o, const struct view *v, const struct host_row *h) {
    write_host_name(o, v, h);
    out_u64_right(o, h->open, 6);
    out_u64_right(o, h->in_use, 8);
    out_u64_right(o, h->open - h->in_use, 6);
    out_u64_right(o, h->leaked, 8);
    out_u64_right(o, h->opened, 8);
    out_u64_right(o, h->failed, 8);
    out_char(o, '\n');
}

enum { HOST_ROWS = 50 };

/* The first HOST_ROWS rows in order; a program that talks to thousands of peers gets a summary. */
static void write_host_rows(struct out *o, const struct view *v, struct host_row *rows,
                            uint32_t n) {
    uint32_t shown = n < HOST_ROWS ? n : HOST_ROWS;
    for (uint32_t i = 0; i < shown; i++) {
        uint32_t best = i;
        for (uint32_t k = i + 1; k < n; k++)
            if (host_before(&rows[k], &rows[best]))
                best = k;
        struct host_row t = rows[i];
        rows[i] = rows[best];
        rows[best] = t;
        write_host_row(o, v, &rows[i]);
    }
    if (n > shown) {
        out_str(o, "and ");
        out_count(o, n - shown, "more host");
        out_char(o, '\n');
    }
}

/* Not one that nothing is counted for: its connections turned out to be another host's. */
static uint32_t keep_counted(struct host_row *rows, uint32_t n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (rows[i].opened || rows[i].open || rows[i].failed)
            rows[kept++] = rows[i];
    return kept;
}

static void fill_host_rows(struct host_row *rows, const struct report *r) {
    const struct view *v = r->facts.view;
    for (uint32_t i = 0; i < v->count[REGION_HOSTS]; i++) {
        const struct box_host *h = view_host(v, i);
        rows[i].id = i;
        rows[i].alias = BOX_NONE;
        if (!h)
            continue;
        rows[i].alias = atomic_load_explicit(&h->alias, memory_order_relaxed);
        rows[i].opened = atomic_load_explicit(&h->opened, memory_order_relaxed);
        rows[i].failed = atomic_load_explicit(&h->failed, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < r->facts.count; i++)
        count_host(rows, r, &r->facts.fact[i]);
    count_leaks(rows, r);
}

void report_write_hosts(const struct report *r, struct out *o) {
    uint32_t n = r->facts.view->count[REGION_HOSTS];
    size_t size = (n + 1) * sizeof(struct host_row);
    struct host_row *rows = n ? mem_map(size) : NULL;
    if (!rows)
        return;
    fill_host_rows(rows, r);
    n = keep_counted(rows, n);
    out_pad(o, "host", HOST_WIDTH);
    out_str(o, "  open  in use  idle  leaked  opened  failed\n");
    write_host_rows(o, r->facts.view, rows, n);
    mem_unmap(rows, size);
}
