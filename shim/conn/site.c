#include "conn/site.h"

#include <string.h>

#include "base/index.h"
#include "base/live.h"
#include "base/options.h"
#include "conn/process.h"
#include "state/mine.h"

struct sites {
    struct index hosts; /* by address */
    struct index sites; /* by stack, host and direction */
};
LIVE_TYPE(struct sites, sites);
static union live_sites sites;

enum { ADDR_WORDS = sizeof(struct addr) / sizeof(uint64_t) };
_Static_assert(sizeof(struct addr) % sizeof(uint64_t) == 0, "an address is a key");

void site_begin_process(void) {
    live_register(&sites, sizeof sites);
}

/* A record is shown to readers when it is the one that holds: of two threads that meet a host for
 * the first time at once, one leaves a record that nobody sees. */
static uint32_t host_find(const struct addr *a) {
    uint64_t key[ADDR_WORDS];
    memcpy(key, a, sizeof key);
    uint32_t id = index_find(&sites.v.hosts, key, ADDR_WORDS);
    if (likely(id != INDEX_NONE) || (id = box_record(&mine, REGION_HOSTS)) == BOX_NONE)
        return id;
    struct box_host *h = &mine.hosts[id];
    h->addr = *a;
    h->leak_after = options_leak_after(process_options(), a, NULL);
    id = index_add(&sites.v.hosts, key, ADDR_WORDS, id);
    atomic_store_explicit(&mine.hosts[id].ready, 1, memory_order_release);
    return id;
}

uint32_t site_find(uint32_t stack, const struct addr *peer, uint32_t direction) {
    uint32_t host = direction == CONN_OUTBOUND ? host_find(peer) : BOX_NONE;
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
