#include "conn/record.h"

#include "base/clock.h"
#include "base/thread.h"
#include "conn/exchange.h"
#include "conn/recycle.h"
#include "conn/site.h"
#include "conn/tls.h"

struct records {
    struct recycler recycler;
    _Atomic uint64_t last_id;
};
LIVE_TYPE(struct records, records);
static union live_records records;

void record_begin_process(void) {
    live_register(&records, sizeof records);
}

static void store(_Atomic uint64_t *to, uint64_t v) {
    atomic_store_explicit(to, v, memory_order_relaxed);
}

static void clear_use(struct conn_use *u) {
    atomic_store_explicit(&u->stack, BOX_NONE, memory_order_relaxed);
    atomic_store_explicit(&u->call, 0, memory_order_relaxed);
}

static void clear_counters(struct box_conn *c) {
    clear_use(&c->used_in);
    clear_use(&c->used_out);
    store(&c->reported, 0);
    store(&c->waits_since, 0);
    store(&c->bytes_in, 0);
    store(&c->calls_in, 0);
    store(&c->last_in, 0);
    store(&c->eof_at, 0);
    store(&c->bytes_out, 0);
    store(&c->calls_out, 0);
    store(&c->last_out, 0);
    store(&c->shut_at, 0);
}

static uint32_t fill(struct box_conn *c, const struct record_facts *f, uint64_t now) {
    life_write(&c->life);
    c->direction = f->direction;
    atomic_store_explicit(&c->flags, f->flags, memory_order_relaxed);
    atomic_store_explicit(&c->fd, f->fd, memory_order_relaxed);
    c->id = 1 + atomic_fetch_add_explicit(&records.v.last_id, 1, memory_order_relaxed);
    c->inode = f->inode;
    atomic_store_explicit(&c->site, f->site, memory_order_relaxed);
    c->thread = thread_id(mine.header->pid);
    c->peer = *f->peer;
    c->opened = now;
    c->leak_after = f->leak_after;
    store(&c->tls, 0);
    for (int i = 0; i < HTTP_LAYERS; i++)
        atomic_store_explicit(&c->http[i], 0, memory_order_relaxed);
    atomic_store_explicit(&c->error, 0, memory_order_relaxed);
    store(&c->settled, f->state == CONN_ESTABLISHED ? now : 0);
    clear_counters(c);
    atomic_store_explicit(&c->state, f->state, memory_order_relaxed);
    return life_written(&c->life, 1);
}

uint64_t record_open(const struct record_facts *f) {
    uint32_t i = recycle_take(&records.v.recycler, REGION_CONNS);
    if (i == BOX_NONE)
        return FD_NONE;
    uint64_t now = clock_coarse();
    uint32_t seq = fill(&mine.conns[i], f, now);
    site_opened(f->site, now, mine.conns[i].thread);
    return slot_of(i, seq);
}

struct box_conn *record_of(uint64_t slot) {
    if (!slot_is_conn(slot))
        return NULL;
    struct box_conn *c = &mine.conns[slot_index(slot)];
    return atomic_load_explicit(&c->life.seq, memory_order_acquire) == slot_seq(slot) ? c : NULL;
}

bool record_is_open(uint64_t slot) {
    uint64_t now = atomic_load(&mine.conns[slot_index(slot)].life.word);
    return now >> 32 == slot_seq(slot) && (uint32_t)now != 0;
}

bool record_share(uint64_t slot) {
    return slot_is_conn(slot) &&
           life_count(&mine.conns[slot_index(slot)].life, slot_seq(slot), 1) > 0;
}

static void record_free(struct box_conn *c, uint64_t slot, uint32_t closing_stack) {
    if (unlikely(atomic_load_explicit(&c->reported, memory_order_relaxed)))
        site_retract(c, SITE_RETRACTED_BY_CLOSE);
    exchange_closed(c, slot, closing_stack);
    site_count(atomic_load_explicit(&c->site, memory_order_relaxed), SITE_CLOSED);
    if (unlikely(atomic_load_explicit(&c->tls, memory_order_relaxed)))
        tls_closed(c, closing_stack);
    life_write(&c->life);
    atomic_store_explicit(&c->state, CONN_FREE, memory_order_relaxed);
    life_written(&c->life, 0);
    recycle_give(&records.v.recycler, REGION_CONNS, slot_index(slot));
}

void record_close(uint64_t slot, int fd, uint32_t closing_stack) {
    struct box_conn *c = record_of(slot);
    if (!c)
        return;
    int32_t first = fd;
    atomic_compare_exchange_strong(&c->fd, &first, -1);
    if (life_count(&c->life, slot_seq(slot), -1) == 1)
        record_free(c, slot, closing_stack);
}
