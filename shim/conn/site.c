#include "conn/site.h"

#include <string.h>

#include "base/clock.h"
#include "base/index.h"
#include "base/live.h"
#include "base/options.h"
#include "conn/process.h"
#include "state/mine.h"

struct sites {
    struct index hosts; /* by name and port, or by address */
    struct index sites; /* by stack, host and direction */
};
LIVE_TYPE(struct sites, sites);
static union live_sites sites;

enum { ADDR_WORDS = sizeof(struct addr) / sizeof(uint64_t), NAMED = 1 << 16 };
_Static_assert(sizeof(struct addr) % sizeof(uint64_t) == 0, "an address is a key");

void site_begin_process(void) {
    live_register(&sites, sizeof sites);
}

static size_t host_key(uint64_t key[ADDR_WORDS], const struct addr *a, uint32_t name) {
    if (name != BOX_NONE) {
        key[0] = (uint64_t)name << 32 | NAMED | a->port;
        return 1;
    }
    memcpy(key, a, sizeof *a);
    return ADDR_WORDS;
}

uint64_t site_leak_after(const struct addr *peer, uint32_t name) {
    const char *text = name == BOX_NONE ? NULL : mine.names[name].text;
    return options_leak_after(process_options(), peer, text);
}

/* A record is shown to readers when it is the one that holds: of two threads that meet a host for
 * the first time at once, one leaves a record that nobody sees. */
static uint32_t host_find(const struct addr *a, uint32_t name) {
    uint64_t key[ADDR_WORDS];
    size_t words = host_key(key, a, name);
    uint32_t id = index_find(&sites.v.hosts, key, words);
    if (likely(id != INDEX_NONE) || (id = box_record(&mine, REGION_HOSTS)) == BOX_NONE)
        return id;
    struct box_host *h = &mine.hosts[id];
    h->addr = *a;
    h->name = name;
    atomic_store_explicit(&h->alias, BOX_NONE, memory_order_relaxed);
    h->leak_after =
        options_leak_after(process_options(), a, name == BOX_NONE ? NULL : mine.names[name].text);
    id = index_add(&sites.v.hosts, key, words, id);
    atomic_store_explicit(&mine.hosts[id].ready, 1, memory_order_release);
    return id;
}

uint32_t site_find(uint32_t stack, const struct addr *peer, uint32_t name, uint32_t direction) {
    uint32_t host = direction == CONN_OUTBOUND ? host_find(peer, name) : BOX_NONE;
    uint64_t key[] = {stack, host, direction};
    uint32_t id = index_find(&sites.v.sites, key, 3);
    if (likely(id != INDEX_NONE) || (id = box_record(&mine, REGION_SITES)) == BOX_NONE)
        return id;
    struct box_site *s = &mine.sites[id];
    s->stack = stack;
    s->host = host;
    s->direction = direction;
    id = index_add(&sites.v.sites, key, 3, id);
    atomic_store_explicit(&mine.sites[id].ready, 1, memory_order_release);
    return id;
}

static void add(_Atomic uint64_t *n, uint64_t by) {
    atomic_fetch_add_explicit(n, by, memory_order_relaxed);
}

static struct box_openings *openings_of(struct box_site *s, int32_t thread) {
    return &s->by_thread[(uint32_t)thread % SITE_THREADS];
}

static void note_opening(struct box_openings *o, uint64_t now, int32_t thread) {
    uint32_t n = atomic_load_explicit(&o->count, memory_order_relaxed);
    if (atomic_load_explicit(&o->thread, memory_order_relaxed) != thread) {
        for (unsigned i = 0; i < OPENINGS_KEPT; i++)
            atomic_store_explicit(&o->at[i], 0, memory_order_relaxed);
        atomic_store_explicit(&o->thread, thread, memory_order_relaxed);
    }
    atomic_store_explicit(&o->at[n % OPENINGS_KEPT], now, memory_order_relaxed);
    atomic_store_explicit(&o->count, n + 1, memory_order_release);
}

/* Takes the last one back, if it was that one. */
static void undo_opening(struct box_openings *o, uint64_t when) {
    uint32_t n = atomic_load_explicit(&o->count, memory_order_relaxed) - 1;
    if (atomic_compare_exchange_strong(&o->at[n % OPENINGS_KEPT], &when, 0))
        atomic_store_explicit(&o->count, n, memory_order_relaxed);
}

/* Adds `by` to a counter of the site and to the same one of its host. */
#define COUNT(site, counter, by)                                                                   \
    do {                                                                                           \
        struct box_site *counted = &mine.sites[site];                                              \
        add(&counted->counter, by);                                                                \
        if (counted->host != BOX_NONE)                                                             \
            add(&mine.hosts[counted->host].counter, by);                                           \
    } while (0)

void site_opened(uint32_t site, uint64_t now, int32_t thread) {
    if (site == BOX_NONE)
        return;
    struct box_site *s = &mine.sites[site];
    uint64_t never = 0;
    COUNT(site, opened, 1);
    if (unlikely(!atomic_load_explicit(&s->first_opened, memory_order_relaxed)))
        atomic_compare_exchange_strong(&s->first_opened, &never, now);
    note_opening(&s->openings, now, 0);
    note_opening(openings_of(s, thread), now, thread);
}

void site_count(uint32_t site, enum site_event what) {
    if (site == BOX_NONE)
        return;
    if (what == SITE_FAILED) {
        COUNT(site, failed, 1);
    } else if (what == SITE_UNDONE) {
        /* Its record goes the way of all others and will be counted as closed. */
        COUNT(site, opened, UINT64_MAX);
        COUNT(site, closed, UINT64_MAX);
    } else {
        COUNT(site, closed, 1);
    }
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* How long a connection had lain unused. */
static uint64_t quiet_time(const struct box_conn *c, uint64_t now) {
    uint64_t used = later(later(c->opened, atomic_load(&c->settled)),
                          later(atomic_load(&c->last_in), atomic_load(&c->last_out)));
    return now > used ? now - used : 0;
}

void site_retract(struct box_conn *c, enum site_retraction how) {
    uint64_t reported = atomic_exchange(&c->reported, 0), now = clock_coarse();
    uint32_t site = atomic_load_explicit(&c->site, memory_order_relaxed);
    if (!reported || site == BOX_NONE)
        return;
    struct box_site *s = &mine.sites[site];
    uint64_t at = reported & ~REPORTED_CLASS, quiet = quiet_time(c, now);
    atomic_store(&s->retracted_class, (uint32_t)(reported & REPORTED_CLASS));
    atomic_store(&s->retracted_by_use, how == SITE_RETRACTED_BY_USE);
    atomic_store(&s->retracted_after, now > at ? now - at : 0);
    atomic_store(&s->retracted_at, now);
    if (quiet > atomic_load(&s->quiet_longest))
        atomic_store(&s->quiet_longest, quiet);
    atomic_fetch_add(&s->retracted, 1);
}

static struct box_host *host_of(const struct box_conn *c) {
    uint32_t site = atomic_load_explicit(&c->site, memory_order_relaxed);
    if (c->direction != CONN_OUTBOUND || site == BOX_NONE ||
        mine.sites[site].direction != CONN_OUTBOUND || mine.sites[site].host == BOX_NONE)
        return NULL;
    return &mine.hosts[mine.sites[site].host];
}

/* What was counted for one site and host counts for another. */
static void move(struct box_conn *c, uint32_t from, uint32_t to) {
    struct box_site *s = &mine.sites[from];
    bool failed = atomic_load(&c->state) == CONN_FAILED;
    COUNT(from, opened, UINT64_MAX);
    /* It passed nothing over there (report/verdict.c). */
    undo_opening(&s->openings, c->opened);
    undo_opening(openings_of(s, c->thread), c->opened);
    site_opened(to, c->opened, c->thread);
    if (failed) {
        COUNT(from, failed, UINT64_MAX);
        site_count(to, SITE_FAILED);
    }
    atomic_store_explicit(&c->site, to, memory_order_relaxed);
}

void site_rename(struct box_conn *c, uint32_t name) {
    const struct box_host *h = host_of(c);
    if (!h || name == BOX_NONE || h->name == name ||
        atomic_load_explicit(&c->flags, memory_order_relaxed) & CONN_TUNNEL)
        return;
    uint32_t from = atomic_load_explicit(&c->site, memory_order_relaxed);
    uint32_t to = site_find(mine.sites[from].stack, &c->peer, name, CONN_OUTBOUND);
    if (to == BOX_NONE)
        return;
    move(c, from, to);
    c->leak_after = site_leak_after(&c->peer, name);
}

bool site_needs_no_alias(const struct box_conn *c, const char *name, size_t length) {
    const struct box_host *h = host_of(c);
    if (!h || h->name != BOX_NONE)
        return true;
    uint32_t alias = atomic_load_explicit(&h->alias, memory_order_acquire);
    if (alias == BOX_NONE || alias == HOST_SEVERAL)
        return alias == HOST_SEVERAL;
    const struct box_name *known = &mine.names[alias];
    return known->length == length && memcmp(known->text, name, length) == 0;
}

void site_alias(struct box_conn *c, uint32_t name) {
    struct box_host *h = host_of(c);
    uint32_t none = BOX_NONE;
    if (h && h->name == BOX_NONE && name != BOX_NONE &&
        !atomic_compare_exchange_strong(&h->alias, &none, name) && none != name)
        atomic_store_explicit(&h->alias, HOST_SEVERAL, memory_order_relaxed);
}
