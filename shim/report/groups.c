#include "report/groups.h"

#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "report/findings.h"

/* Equal stacks may stand in two records (stack/stack.c): what counts is their frames. */
static uint64_t hash_stack(const struct view *v, uint32_t stack) {
    const struct box_stack *s = view_stack(v, stack);
    uint64_t h = 0;
    for (uint32_t i = 0; s && i < view_depth(s); i++) {
        h = (h ^ s->frames[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static void key_of(struct group *k, const struct facts *f, const struct fact *x) {
    const struct box_site *s = view_site(f->view, x->site);
    memset(k, 0, sizeof *k);
    k->verdict = x->verdict;
    k->use = BOX_NONE;
    k->stack = s ? s->stack : BOX_NONE;
    k->stack_hash = hash_stack(f->view, k->stack);
    k->host_id = s && view_host(f->view, s->host) ? s->host : BOX_NONE;
    if (k->host_id == BOX_NONE && x->direction != CONN_INBOUND)
        k->host = x->peer;
}

static bool same(const struct group *a, const struct group *b) {
    return a->verdict == b->verdict && a->stack_hash == b->stack_hash && a->host_id == b->host_id &&
           addr_equal(&a->host, &b->host);
}

static uint32_t slot_for(const struct group *k, uint32_t mask) {
    uint64_t ip[2];
    memcpy(ip, k->host.ip, sizeof ip);
    uint64_t h = k->stack_hash ^ ip[0] * 31 ^ ip[1] * 37 ^ (uint64_t)k->host.port << 24 ^
                 (uint64_t)k->host_id << 32 ^ k->verdict;
    return (uint32_t)((h * UINT64_C(0x9e3779b97f4a7c15)) >> 33) & mask;
}

/* The group with that key, made at first sight. `table` holds group numbers + 1. */
static struct group *group_of(struct groups *g, uint32_t *table, uint32_t mask,
                              const struct group *key) {
    uint32_t i = slot_for(key, mask);
    for (; table[i]; i = (i + 1) & mask)
        if (same(&g->group[table[i] - 1], key))
            return &g->group[table[i] - 1];
    struct group *n = &g->group[g->count++];
    table[i] = g->count;
    *n = *key;
    n->first = n->last = UINT32_MAX;
    n->oldest = UINT64_MAX;
    return n;
}

static void add(struct group *n, struct facts *f, uint32_t i) {
    struct fact *x = &f->fact[i];
    if (n->last == UINT32_MAX)
        n->first = i;
    else
        f->fact[n->last].next = i;
    n->last = i;
    n->count++;
    n->unread += x->unread;
    if (x->opened < n->oldest)
        n->oldest = x->opened;
}

static bool before(const void *first, const void *second) {
    const struct group *a = first, *b = second;
    if (a->verdict != b->verdict)
        return a->verdict < b->verdict;
    return a->count != b->count ? a->count > b->count : a->oldest < b->oldest;
}

bool groups_make(struct groups *g, struct facts *f) {
    uint32_t slots = 16;
    while (slots < 2 * f->count)
        slots *= 2;
    memset(g, 0, sizeof *g);
    size_t table_size = slots * sizeof(uint32_t);
    g->map_size = table_size + (f->count + findings_most(f) + 1) * sizeof *g->group;
    g->map = mem_map(g->map_size);
    if (!g->map)
        return false;
    uint32_t *table = g->map;
    g->group = (struct group *)(void *)((char *)g->map + table_size);
    for (uint32_t i = 0; i < f->count; i++) {
        struct group key;
        f->fact[i].next = UINT32_MAX;
        if (f->fact[i].verdict == VERDICT_NOT_OPEN)
            continue;
        key_of(&key, f, &f->fact[i]);
        add(group_of(g, table, slots - 1, &key), f, i);
    }
    findings_add(g, f);
    sort_heap(g->group, g->count, sizeof *g->group, before);
    return true;
}

void groups_free(struct groups *g) {
    mem_unmap(g->map, g->map_size);
    memset(g, 0, sizeof *g);
}
