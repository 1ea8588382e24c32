#include "conn/site.h"

#include "base/live.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/thread.h"
#include "conn/process.h"
#include "state/mine.h"

#define table_arena (&sites.v.arena)
#include "base/table.h"

struct known {
    UT_hash_handle hh;
    uint32_t id;
    uint64_t key[3];
};

struct sites {
    struct lock lock;
    struct arena arena;
    struct known *hosts; /* by address */
    struct known *sites; /* by stack, host and direction */
};
LIVE_TYPE(struct sites, sites);
static union live_sites sites;

_Static_assert(sizeof(struct addr) == sizeof((struct known *)0)->key, "an address is a key");

void site_begin_process(void) {
    live_register(&sites, sizeof sites);
}

static struct known *find(struct known *table, const uint64_t key[3], uint32_t hash) {
    struct known *k;
    HASH_FIND_BYHASHVALUE(hh, table, key, sizeof k->key, hash, k);
    return k;
}

static void remember(struct known **table, const uint64_t key[3], uint32_t hash, uint32_t id) {
    struct known *k = arena_alloc(&sites.v.arena, sizeof *k);
    if (!k || id == BOX_NONE)
        return;
    k->id = id;
    memcpy(k->key, key, sizeof k->key);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *table, k->key, sizeof k->key, hash, k);
}

static uint32_t host_record(const struct addr *a) {
    uint32_t id = box_record(&mine, REGION_HOSTS);
    if (id == BOX_NONE)
        return id;
    struct box_host *h = &mine.hosts[id];
    h->addr = *a;
    h->leak_after = options_leak_after(process_options(), a, NULL);
    atomic_store_explicit(&h->ready, 1, memory_order_release);
    return id;
}

static uint32_t host_find(const struct addr *a) {
    uint64_t key[3];
    memcpy(key, a, sizeof key);
    uint32_t hash = table_hash(key, 3, 0);
    struct known *k = find(sites.v.hosts, key, hash);
    if (k)
        return k->id;
    uint32_t id = host_record(a);
    remember(&sites.v.hosts, key, hash, id);
    return id;
}

static uint32_t site_record(uint32_t stack, uint32_t host, uint32_t direction) {
    uint32_t id = box_record(&mine, REGION_SITES);
    if (id == BOX_NONE)
        return id;
    struct box_site *s = &mine.sites[id];
    s->stack = stack;
    s->host = host;
    s->direction = direction;
    atomic_store_explicit(&s->ready, 1, memory_order_release);
    return id;
}

static uint32_t site_known_or_new(uint32_t stack, uint32_t host, uint32_t direction) {
    uint64_t key[3] = {stack, host, direction};
    uint32_t hash = table_hash(key, 3, 1);
    struct known *k = find(sites.v.sites, key, hash);
    if (k)
        return k->id;
    uint32_t id = site_record(stack, host, direction);
    remember(&sites.v.sites, key, hash, id);
    return id;
}

/* Without the lock: one host is to have one record, whoever asks. */
static uint32_t host_scan(const struct addr *a) {
    uint32_t n = atomic_load(&mine.header->region[REGION_HOSTS].count);
    for (uint32_t i = 0; i < n; i++)
        if (atomic_load_explicit(&mine.hosts[i].ready, memory_order_acquire) &&
            addr_equal(&mine.hosts[i].addr, a))
            return i;
    return host_record(a);
}

uint32_t site_find(uint32_t stack, const struct addr *peer, uint32_t direction) {
    bool inbound = direction == CONN_INBOUND;
    if (!lock_take(&sites.v.lock, thread_id(mine.header->pid)))
        return site_record(stack, inbound ? BOX_NONE : host_scan(peer), direction);
    uint32_t host = inbound ? BOX_NONE : host_find(peer);
    uint32_t id = site_known_or_new(stack, host, direction);
    lock_drop(&sites.v.lock);
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
