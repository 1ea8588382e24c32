#include "report/hosts.h"

#include <string.h>

#include "base/mem.h"
#include "base/sort.h"

static bool before(const void *first, const void *second) {
    const struct host_row *a = first, *b = second;
    if (a->leaked != b->leaked)
        return a->leaked > b->leaked;
    if (a->open != b->open)
        return a->open > b->open;
    return a->opened != b->opened ? a->opened > b->opened : a->id < b->id;
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

/* Not one that nothing is counted for: its connections turned out to be another host's. */
static uint32_t keep_counted(struct host_row *rows, uint32_t n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (rows[i].opened || rows[i].open || rows[i].failed)
            rows[kept++] = rows[i];
    return kept;
}

static void fill(struct host_row *rows, const struct report *r) {
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

void hosts_make(struct hosts *h, const struct report *r) {
    uint32_t n = r->facts.view->count[REGION_HOSTS];
    memset(h, 0, sizeof *h);
    h->map_size = (n + 1) * sizeof *h->row;
    h->row = n ? mem_map(h->map_size) : NULL;
    if (!h->row)
        return;
    fill(h->row, r);
    h->count = keep_counted(h->row, n);
    sort_heap(h->row, h->count, sizeof *h->row, before);
}

void hosts_free(struct hosts *h) {
    mem_unmap(h->row, h->map_size);
    memset(h, 0, sizeof *h);
}
