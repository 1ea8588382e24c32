#include "conn/site.h"

#include <string.h>

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

void site_count(uint32_t site, enum site_event what, uint64_t now) {
    if (site == BOX_NONE)
        return;
    struct box_site *s = &mine.sites[site];
    struct box_host *h = s->host == BOX_NONE ? NULL : &mine.hosts[s->host];
    if (what == SITE_OPENED) {
        add(&s->opened, 1);
        if (h)
            add(&h->opened, 1);
        if (atomic_load_explicit(&s->last_opened, memory_order_relaxed) < now)
            atomic_store_explicit(&s->last_opened, now, memory_order_relaxed);
    } else if (what == SITE_FAILED) {
        add(&s->failed, 1);
        if (h)
            add(&h->failed, 1);
    } else if (what == SITE_UNDONE) {
        /* Its record goes the way of all others and will be counted as closed. */
        add(&s->opened, UINT64_MAX);
        add(&s->closed, UINT64_MAX);
        if (h) {
            add(&h->opened, UINT64_MAX);
            add(&h->closed, UINT64_MAX);
        }
    } else {
        add(&s->closed, 1);
        if (h)
            add(&h->closed, 1);
    }
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
    uint64_t opened = c->opened;
    struct box_site *s = &mine.sites[from];
    struct box_host *h = s->host == BOX_NONE ? NULL : &mine.hosts[s->host];
    bool failed = atomic_load(&c->state) == CONN_FAILED;
    add(&s->opened, UINT64_MAX);
    add(&s->failed, failed ? UINT64_MAX : 0);
    if (h) {
        add(&h->opened, UINT64_MAX);
        add(&h->failed, failed ? UINT64_MAX : 0);
    }
    /* It passed nothing over there (report/verdict.c). */
    atomic_compare_exchange_strong(&s->last_opened, &opened, c->opened_before);
    site_count(to, SITE_OPENED, c->opened);
    if (failed)
        site_count(to, SITE_FAILED, 0);
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

void site_alias(struct box_conn *c, uint32_t name) {
    struct box_host *h = host_of(c);
    uint32_t none = BOX_NONE;
    if (h && h->name == BOX_NONE && name != BOX_NONE &&
        !atomic_compare_exchange_strong(&h->alias, &none, name) && none != name)
        atomic_store_explicit(&h->alias, HOST_SEVERAL, memory_order_relaxed);
}
