#include "conn/record.h"

#include "base/clock.h"
#include "base/thread.h"
#include "conn/site.h"

/* Free records: a stack of indices. The head counts its changes in the upper half, so that a head
 * taken, pushed and seen again is not mistaken for an unchanged one. */
struct records {
    _Atomic uint64_t free_head; /* low half: index + 1, 0: none */
    _Atomic uint64_t last_id;
};
LIVE_TYPE(struct records, records);
static union live_records records;

void record_begin_process(void) {
    live_register(&records, sizeof records);
}

static uint32_t free_pop(void) {
    uint64_t head = atomic_load_explicit(&records.v.free_head, memory_order_acquire);
    while ((uint32_t)head) {
        uint32_t i = (uint32_t)head - 1;
        uint32_t next = atomic_load_explicit(&mine.conns[i].next_free, memory_order_relaxed);
        uint64_t after = ((head >> 32) + 1) << 32 | next;
        if (atomic_compare_exchange_weak(&records.v.free_head, &head, after))
            return i;
    }
    return BOX_NONE;
}

static void free_push(uint32_t i) {
    uint64_t head = atomic_load_explicit(&records.v.free_head, memory_order_relaxed);
    uint64_t after;
    do {
        atomic_store_explicit(&mine.conns[i].next_free, (uint32_t)head, memory_order_relaxed);
        after = ((head >> 32) + 1) << 32 | (i + 1);
    } while (!atomic_compare_exchange_weak(&records.v.free_head, &head, after));
}

static uint64_t life_of(uint32_t seq, uint32_t descriptors) {
    return (uint64_t)seq << 32 | descriptors;
}

/* The seqlock of state/layout.h, for whoever owns a record that no descriptor refers to: odd from
 * here ... */
static void write_begin(struct box_conn *c) {
    uint32_t seq = (uint32_t)(atomic_load_explicit(&c->life, memory_order_relaxed) >> 32);
    atomic_store_explicit(&c->life, life_of(seq + 1, 0), memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

/* ... to here; returns the new even number. */
static uint32_t write_end(struct box_conn *c, uint32_t descriptors) {
    uint32_t seq = (uint32_t)(atomic_load_explicit(&c->life, memory_order_relaxed) >> 32) + 1;
    atomic_store_explicit(&c->life, life_of(seq, descriptors), memory_order_release);
    return seq;
}

static void store(_Atomic uint64_t *to, uint64_t v) {
    atomic_store_explicit(to, v, memory_order_relaxed);
}

static void clear_counters(struct box_conn *c) {
    store(&c->bytes_in, 0);
    store(&c->calls_in, 0);
    store(&c->last_in, 0);
    store(&c->eof_at, 0);
    store(&c->bytes_out, 0);
    store(&c->calls_out, 0);
    store(&c->last_out, 0);
    store(&c->shut_at, 0);
}

static uint32_t fill(struct box_conn *c, const struct record_facts *f) {
    uint64_t now = clock_coarse();
    write_begin(c);
    c->direction = f->direction;
    atomic_store_explicit(&c->flags, f->flags, memory_order_relaxed);
    atomic_store_explicit(&c->fd, f->fd, memory_order_relaxed);
    c->id = 1 + atomic_fetch_add_explicit(&records.v.last_id, 1, memory_order_relaxed);
    c->inode = f->inode;
    c->site = f->site;
    c->thread = thread_id(mine.header->pid);
    c->peer = *f->peer;
    c->opened = now;
    atomic_store_explicit(&c->error, 0, memory_order_relaxed);
    store(&c->settled, f->state == CONN_ESTABLISHED ? now : 0);
    clear_counters(c);
    atomic_store_explicit(&c->state, f->state, memory_order_relaxed);
    return write_end(c, 1);
}

uint64_t record_open(const struct record_facts *f) {
    uint32_t i = free_pop();
    if (i == BOX_NONE)
        i = box_record(&mine, REGION_CONNS);
    if (i == BOX_NONE)
        return FD_NONE;
    site_count(f->site, SITE_OPENED, clock_coarse());
    return slot_of(i, fill(&mine.conns[i], f));
}

struct box_conn *record_of(uint64_t slot) {
    if (!slot_is_conn(slot))
        return NULL;
    struct box_conn *c = &mine.conns[slot_index(slot)];
    return atomic_load_explicit(&c->seq, memory_order_acquire) == slot_seq(slot) ? c : NULL;
}

/* Changes the number of descriptors by one, if the slot's life is not over. Returns the number
 * before, 0: it is over. */
static uint32_t count_descriptor(uint64_t slot, int by) {
    if (!slot_is_conn(slot))
        return 0;
    _Atomic uint64_t *life = &mine.conns[slot_index(slot)].life;
    uint64_t now = atomic_load(life);
    do {
        if (now >> 32 != slot_seq(slot) || (uint32_t)now == 0)
            return 0;
    } while (!atomic_compare_exchange_weak(life, &now, now + (uint64_t)(int64_t)by));
    return (uint32_t)now;
}

bool record_share(uint64_t slot) {
    return count_descriptor(slot, 1) > 0;
}

static void record_free(struct box_conn *c, uint32_t i) {
    site_count(c->site, SITE_CLOSED, 0);
    write_begin(c);
    atomic_store_explicit(&c->state, CONN_FREE, memory_order_relaxed);
    write_end(c, 0);
    free_push(i);
}

void record_release(uint64_t slot, int fd) {
    struct box_conn *c = record_of(slot);
    if (!c)
        return;
    int32_t first = fd;
    atomic_compare_exchange_strong(&c->fd, &first, -1);
    if (count_descriptor(slot, -1) == 1)
        record_free(c, slot_index(slot));
}
