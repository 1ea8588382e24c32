#include "conn/tls.h"

#include <string.h>

#include "base/index.h"
#include "base/live.h"
#include "conn/exchange.h"
#include "conn/name.h"
#include "conn/process.h"
#include "conn/record.h"
#include "conn/recycle.h"
#include "conn/site.h"
#include "stack/stack.h"

/* Freed so long after its socket (or after leak_after, if that is less), an object was not just
 * next in line. */
enum { LATE_NS = 1000000000 };

struct tls_table {
    struct recycler recycler;
    struct index objects; /* address -> struct tls_object */
};
LIVE_TYPE(struct tls_table, tls_table);
static union live_tls_table table;

void tls_begin_process(void) {
    live_register(&table, sizeof table);
}

struct tls_object *tls_find(const void *object) {
    uint64_t key = (uintptr_t)object;
    return index_value(&table.v.objects, &key, 1);
}

struct tls_object *tls_note(const void *object) {
    uint64_t key = (uintptr_t)object;
    struct tls_object none, *o = index_value(&table.v.objects, &key, 1);
    if (o)
        return o;
    memset(&none, 0, sizeof none);
    return index_keep(&table.v.objects, &key, 1, &none, sizeof none);
}

/* Its end may pass us by: nothing is concluded from not having seen it. */
static bool ends_unseen(const struct tls_object *o) {
    return atomic_load(&o->library_is_symbolic) || !atomic_load(&o->was_made);
}

/* --- records ---------------------------------------------------------------------------------- */

static struct box_tls *record_at(uint64_t record) {
    struct box_tls *t = &mine.tls[(uint32_t)record - 1];
    return record && atomic_load_explicit(&t->life.seq, memory_order_acquire) == record >> 32
               ? t
               : NULL;
}

/* Lets go of a record; the last one gives it back. */
static void drop(struct box_tls *t, uint64_t record, uint32_t bit) {
    if (life_drop(&t->life, (uint32_t)(record >> 32), bit) != bit)
        return;
    life_write(&t->life);
    life_written(&t->life, 0);
    recycle_give(&table.v.recycler, REGION_TLS, (uint32_t)record - 1);
}

static void fill(struct box_tls *t, const struct box_conn *c, uint64_t slot,
                 enum tls_library library, bool ends_unseen) {
    t->made_by = library;
    t->conn = slot;
    t->opened = c->opened;
    uint16_t handed = atomic_load(&c->flags) & (CONN_INHERITED | CONN_BY_EXEC | CONN_RECEIVED);
    atomic_store_explicit(
        &t->flags, (uint16_t)((handed ? TLS_HANDED : 0) | (ends_unseen ? TLS_ENDS_UNSEEN : 0)),
        memory_order_relaxed);
    atomic_store_explicit(&t->version, 0, memory_order_relaxed);
    atomic_store_explicit(&t->site, atomic_load(&c->site), memory_order_relaxed);
    _Atomic uint32_t *none[] = {&t->name, &t->cipher, &t->alpn, &t->closing_stack,
                                &t->freeing_stack};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        atomic_store_explicit(none[i], BOX_NONE, memory_order_relaxed);
    _Atomic uint64_t *zero[] = {&t->closed,    &t->freed,   &t->begun,   &t->done,    &t->bytes_in,
                                &t->bytes_out, &t->last_in, &t->wire_in, &t->wire_out};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
        atomic_store_explicit(zero[i], 0, memory_order_relaxed);
    atomic_store_explicit(&t->pending, 0, memory_order_relaxed);
    atomic_store_explicit(&t->spoken, 0, memory_order_relaxed);
}

static uint64_t record_new(const struct tls_object *o, const struct box_conn *c, uint64_t slot,
                           enum tls_library library) {
    uint32_t i = recycle_take(&table.v.recycler, REGION_TLS);
    if (i == BOX_NONE)
        return 0;
    struct box_tls *t = &mine.tls[i];
    life_write(&t->life);
    fill(t, c, slot, library, ends_unseen(o));
    uint32_t seq = life_written(&t->life, TLS_HELD_BY_OBJECT | TLS_HELD_BY_CONN);
    return (uint64_t)seq << 32 | (i + 1);
}

/* --- an object's life ------------------------------------------------------------------------- */

static void set_state(struct tls_object *o, uint32_t state) {
    uint32_t before = atomic_exchange_explicit(&o->state, state, memory_order_relaxed);
    int change = !!(state & OBJECT_MEMORY) - !!(before & OBJECT_MEMORY);
    if (change)
        atomic_fetch_add_explicit(&mine.header->tls_unmapped, (uint32_t)change,
                                  memory_order_relaxed);
}

/* The program has come back to an object whose socket it had closed well before. */
static void note_late(const struct box_tls *t) {
    uint64_t closed = atomic_load(&t->closed), now = clock_coarse();
    uint64_t leak_after = process_options()->leak_after, late = LATE_NS;
    uint32_t site = atomic_load(&t->site);
    late = leak_after < late ? leak_after : late;
    if (closed && now - closed >= late && site != BOX_NONE)
        atomic_fetch_add_explicit(&mine.sites[site].tls_freed_late, 1, memory_order_relaxed);
}

/* It is no longer on its connection; that may go on without it. */
static void leave(struct tls_object *o) {
    uint64_t record = atomic_exchange(&o->record, 0);
    struct box_tls *t = record_at(record);
    if (t) {
        note_late(t);
        atomic_fetch_or(&t->flags, TLS_MOVED);
        drop(t, record, TLS_HELD_BY_OBJECT);
    }
}

static void forget_name(struct tls_object *o) {
    atomic_store_explicit(&o->name, 0, memory_order_relaxed);
}

static void forget(struct tls_object *o) {
    atomic_store_explicit(&o->references, 0, memory_order_relaxed);
    forget_name(o);
    set_state(o, 0);
}

void tls_made(const void *object) {
    struct tls_object *o = tls_find(object);
    if (!o)
        return;
    atomic_store(&o->generation, 0);
    atomic_store(&o->references, 0);
    atomic_store(&o->asked, NULL);
    atomic_store(&o->was_made, false);
    if (!process_known())
        return;
    leave(o);
    forget(o);
}

void tls_made_by_program(struct tls_object *o) {
    if (o)
        atomic_store(&o->was_made, true);
}

void tls_referenced(const void *object) {
    struct tls_object *o = tls_note(object);
    if (o)
        atomic_fetch_add(&o->references, 1);
}

static void note_freed(struct box_tls *t) {
    note_late(t);
    if (!atomic_load(&t->closed))
        atomic_store(&t->freeing_stack, stack_capture_short());
    atomic_store(&t->freed, clock_coarse());
}

void tls_freeing(struct tls_object *o) {
    uint32_t more = atomic_load(&o->references);
    while (more)
        if (atomic_compare_exchange_weak(&o->references, &more, more - 1))
            return;
    atomic_store(&o->asked, NULL);
    if (!process_known())
        return;
    uint64_t record = atomic_exchange(&o->record, 0);
    struct box_tls *t = record_at(record);
    if (t) {
        if (!(atomic_load(&t->flags) & TLS_MOVED))
            note_freed(t);
        drop(t, record, TLS_HELD_BY_OBJECT);
    }
    forget(o);
    /* What a callback does with it while it is freed is its own end. */
    set_state(o, OBJECT_ELSEWHERE);
}

void tls_moved(struct tls_object *o) {
    struct box_tls *t = tls_record(o);
    if (t)
        atomic_fetch_or(&t->flags, TLS_MOVED);
    set_state(o, 0);
}

void tls_cleared(struct tls_object *o) {
    leave(o);
    forget_name(o);
    set_state(o, 0);
}

/* --- its connection --------------------------------------------------------------------------- */

/* The record takes the place of what was on the connection before. */
static void put_on(struct box_conn *c, uint64_t slot, struct tls_object *o, uint64_t record) {
    uint64_t old = atomic_exchange(&c->tls, record);
    struct box_tls *t = record_at(old);
    if (record_of(slot) != c) { /* another thread has closed it meanwhile */
        uint64_t mine_still = record;
        if (atomic_compare_exchange_strong(&c->tls, &mine_still, old))
            drop(record_at(record), record, TLS_HELD_BY_CONN);
        drop(record_at(record), record, TLS_HELD_BY_OBJECT);
        return;
    }
    atomic_store(&o->record, record);
    if (t) {
        atomic_fetch_or(&t->flags, TLS_MOVED);
        drop(t, old, TLS_HELD_BY_CONN);
    }
}

static bool is_taken(const struct box_conn *c) {
    struct box_tls *t = record_at(atomic_load(&c->tls));
    return t && atomic_load(&t->life.holders) & TLS_HELD_BY_OBJECT &&
           !(atomic_load(&t->flags) & TLS_MOVED);
}

/* An object keeps its connection, even a closed one, until it is given a transport: its
 * descriptor's number may be another connection's. One that was given the same transport again is
 * where it was. */
static bool stays(struct tls_object *o, uint64_t slot) {
    struct box_tls *t = tls_record(o);
    if (!t)
        return false;
    if (!(atomic_load(&t->flags) & TLS_MOVED))
        return true;
    if (t->conn != slot)
        return false;
    atomic_fetch_and(&t->flags, (uint16_t)~TLS_MOVED);
    return true;
}

void tls_tie(struct tls_object *o, uint64_t slot, enum tls_library library) {
    struct box_conn *c = record_of(slot);
    if (!c || stays(o, slot) || is_taken(c))
        return;
    leave(o);
    uint64_t record = record_new(o, c, slot, library);
    if (!record)
        return;
    const char *asked = atomic_load(&o->asked);
    uint32_t name = atomic_load(&o->name);
    if (!name && asked)
        atomic_store(&o->name, name = name_of_host(asked, strlen(asked)) + 1);
    if (name) {
        site_rename(c, name - 1);
        atomic_store(&record_at(record)->name, name - 1);
        atomic_store(&record_at(record)->site, atomic_load(&c->site));
    }
    put_on(c, slot, o, record);
}

void tls_untied(struct tls_object *o, uint32_t state) {
    const struct box_tls *t = tls_record(o);
    if (t && !(atomic_load(&t->flags) & TLS_MOVED))
        return;
    leave(o);
    if (state != OBJECT_MEMORY || !ends_unseen(o))
        set_state(o, state);
    else
        set_state(o, OBJECT_ELSEWHERE); /* it could not be counted out again */
}

void tls_closed(struct box_conn *c, uint32_t closing_stack) {
    uint64_t record = atomic_exchange(&c->tls, 0);
    struct box_tls *t = record_at(record);
    if (!t)
        return;
    atomic_store(&t->site, atomic_load(&c->site));
    atomic_store(&t->closing_stack, closing_stack);
    atomic_store(&t->closed, clock_coarse());
    drop(t, record, TLS_HELD_BY_CONN);
}

/* --- what is known of it ---------------------------------------------------------------------- */

void tls_begun(struct tls_object *o, uint64_t when) {
    struct box_tls *t = tls_record(o);
    uint64_t never = 0;
    if (t && when)
        atomic_compare_exchange_strong(&t->begun, &never, when);
}

static struct box_conn *conn_of(const struct box_tls *t) {
    return record_of(t->conn);
}

void tls_named(struct tls_object *o, const char *name) {
    struct box_tls *t = tls_record(o);
    const struct box_conn *on = t ? conn_of(t) : NULL;
    bool theirs = on && on->direction == CONN_INBOUND;
    size_t n = name ? strlen(name) : 0;
    uint32_t id = theirs ? name_from_peer(name, n) : name_of_host(name, n);
    atomic_store(&o->name, id + 1);
    if (!t)
        return;
    atomic_store(&t->name, id);
    struct box_conn *c = conn_of(t);
    if (c) {
        site_rename(c, id);
        atomic_store(&t->site, atomic_load(&c->site));
    }
}

void tls_done(struct tls_object *o, const struct tls_said *said) {
    struct box_tls *t = tls_record(o);
    if (!t)
        return;
    atomic_store(&t->version, said->version);
    if (said->cipher)
        atomic_store(&t->cipher, name_find(said->cipher, strlen(said->cipher)));
    atomic_store(&t->alpn, said->alpn ? name_find(said->alpn, said->alpn_length) : BOX_NONE);
    uint64_t never = 0;
    struct tls_wire w = tls_wire(t);
    bool first = atomic_compare_exchange_strong(&t->done, &never, said->when);
    if (first) {
        atomic_store_explicit(&t->wire_in, w.in, memory_order_relaxed);
        atomic_store_explicit(&t->wire_out, w.out, memory_order_relaxed);
    }
    if (first && !said->timed)
        atomic_store(&t->begun, 0);
    atomic_fetch_or(&t->flags, (uint16_t)(TLS_DONE | (first && said->resumed ? TLS_RESUMED : 0)));
    set_state(o, OBJECT_DONE);
}

/* --- what is said inside of it -----------------------------------------------------------------
 */

void tls_spoke_first(struct box_tls *t, const void *buf, size_t n) {
    struct box_conn *c = conn_of(t);
    if (!c)
        return;
    bool unheard = !atomic_load_explicit(&t->bytes_in, memory_order_relaxed);
    struct exchange_bytes b = {HTTP_IN_TLS, HTTP_REQUEST_BYTES, &BYTES(buf, n), buf && unheard, n};
    exchange_begin(c, t->conn, &b);
    bool http = atomic_load(&c->http[HTTP_IN_TLS]);
    atomic_store_explicit(&t->spoken, http, memory_order_relaxed);
}

void tls_spoke(struct box_tls *t, enum http_way way, const void *buf, size_t n) {
    struct box_conn *c = conn_of(t);
    struct iovec v = BYTES(buf, n);
    struct exchange_bytes b = {HTTP_IN_TLS, way, &v, buf != NULL, n};
    if (!c)
        return;
    exchange_fed(c, t->conn, &b);
    uint32_t link = atomic_load_explicit(&c->http[HTTP_IN_TLS], memory_order_relaxed);
    if (!link || link & HTTP_OVER)
        atomic_store_explicit(&t->spoken, 0, memory_order_relaxed);
}

void tls_said_bye(struct box_tls *t) {
    struct box_conn *c = conn_of(t);
    if (c && !(atomic_load(&t->flags) & (TLS_NOTIFY_SENT | TLS_NOTIFY_CAME)))
        traffic_ends(c);
    tls_flag(t, TLS_NOTIFY_SENT);
}

void tls_notified(struct box_tls *t) {
    struct box_conn *c = conn_of(t);
    tls_flag(t, TLS_NOTIFY_CAME);
    if (c)
        exchange_end(c, t->conn, HTTP_IN_TLS, HTTP_RESPONSE_BYTES);
}
