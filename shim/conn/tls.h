/* TLS objects (SSL *, gnutls_session_t) and the connections that they are used on.
 *
 * The wrappers of the TLS libraries tell this room what was called and what the library says; which
 * connection an object is on comes from the library's own descriptor, or from what the wrappers of
 * reads and writes have seen inside the call (self.io_slot). No lock, no allocation but for the
 * first sight of an address; any thread. All but the inline functions want a process that is known
 * (process_known()). */
#ifndef PG_CONN_TLS_H
#define PG_CONN_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/conn.h"
#include "conn/record.h"
#include "conn/traffic.h"

/* What is known of the object at an address. The address may be another object's later; this stays.
 */
struct tls_object {
    _Atomic uint64_t record;     /* its box_tls: seq << 32 | index + 1; 0: none */
    _Atomic uint32_t references; /* beyond the first one */
    _Atomic uint32_t name;       /* the server name that was asked for: its record + 1 */
    _Atomic uint32_t state;      /* OBJECT_* */
    const char *_Atomic asked;   /* the name, where the process was not known yet */
    /* Of wrap/tls_library.c: the calls of the library that made it, and how to tell that it is the
     * same one still. */
    const void *_Atomic calls, *_Atomic method;
    _Atomic uint32_t method_at, generation;
    _Atomic bool library_is_symbolic; /* it may free the object without a call that we see */
    _Atomic bool was_made;            /* by a call of the program's that we saw */
};
enum {
    OBJECT_DONE = 1,      /* on a connection, and its handshake is known to be over */
    OBJECT_ELSEWHERE = 2, /* on a descriptor that is no TCP connection */
    OBJECT_MEMORY = 4,    /* reads and writes memory: its connection can not be known */
};

void tls_begin_process(void);

/* NULL: nothing was noted of the address yet. These two can be asked of any process. */
struct tls_object *tls_find(const void *object);
/* Notes it; NULL: no memory. */
struct tls_object *tls_note(const void *object);

/* Nothing is to be learned any more: the common case of every call. */
static inline bool tls_is_settled(const struct tls_object *o) {
    return o && atomic_load_explicit(&o->state, memory_order_relaxed);
}

/* Its record, NULL: it is on no connection. */
static inline struct box_tls *tls_record(const struct tls_object *o) {
    uint64_t r = o ? atomic_load_explicit(&o->record, memory_order_relaxed) : 0;
    struct box_tls *t = &mine.tls[(uint32_t)r - 1];
    return r && atomic_load_explicit(&t->life.seq, memory_order_acquire) == r >> 32 ? t : NULL;
}

/* --- its life --------------------------------------------------------------------------------- */

/* A new object has this address: what was noted of an earlier one is over. */
void tls_made(const void *object);
/* The program itself made it by a call that we see: so it will be freed, if it is. */
void tls_made_by_program(struct tls_object *o);
void tls_referenced(const void *object);
/* One reference is about to go, with the last one the object. BEFORE the real call: the address may
 * be handed out again at once. These three: of any process. */
void tls_freeing(struct tls_object *o);
/* It was given a transport: the same one, or another. */
void tls_moved(struct tls_object *o);
/* It was made ready for another connection. */
void tls_cleared(struct tls_object *o);

/* --- its connection --------------------------------------------------------------------------- */

/* It is used on the connection of `slot`: noted if the object is on none, and the connection has no
 * other that is alive (TLS inside of TLS). */
void tls_tie(struct tls_object *o, uint64_t slot, enum tls_library library);
/* OBJECT_ELSEWHERE or OBJECT_MEMORY, whose number the report tells. */
void tls_untied(struct tls_object *o, uint32_t state);

/* The connection is being closed by the call of that stack (BOX_NONE: unknown). */
void tls_closed(struct box_conn *c, uint32_t closing_stack);

/* --- what is known of it ---------------------------------------------------------------------- */

/* The handshake began at that time (CLOCK_MONOTONIC), if that is not known yet. */
void tls_begun(struct tls_object *o, uint64_t when);
/* The server name was set, or found out; NULL: there is none. */
void tls_named(struct tls_object *o, const char *name);

/* What the library says when the handshake is over; texts may be NULL. */
struct tls_said {
    const char *cipher, *alpn;
    size_t alpn_length;
    uint64_t when; /* CLOCK_MONOTONIC */
    uint16_t version;
    bool resumed;
    bool timed; /* the last call waited for nothing else */
};
void tls_done(struct tls_object *o, const struct tls_said *said);

/* Application data: the first of an object that writes some, and what is said in HTTP. */
void tls_spoke_first(struct box_tls *t, const void *buf, size_t n);
void tls_spoke(struct box_tls *t, enum http_way way, const void *buf, size_t n);
/* A close_notify has gone; the peer's has come. */
void tls_said_bye(struct box_tls *t);
void tls_notified(struct box_tls *t);

/* Sets a flag that is set most of the time: TLS_NOTIFY_SENT, TLS_NOTIFY_CAME, TLS_COUNTED_IN. */
static inline void tls_flag(struct box_tls *t, uint16_t flag) {
    if (unlikely(!(atomic_load_explicit(&t->flags, memory_order_relaxed) & flag)))
        atomic_fetch_or(&t->flags, flag);
}

/* n bytes of application data were read into buf (NULL: not the program's memory), and `pending`
 * can be read without the connection. */
static inline void tls_took(struct box_tls *t, const void *buf, size_t n, int pending) {
    tls_flag(t, TLS_COUNTED_IN);
    if (unlikely(atomic_load_explicit(&t->spoken, memory_order_relaxed)))
        tls_spoke(t, HTTP_RESPONSE_BYTES, buf, n);
    traffic_add(&t->bytes_in, n);
    atomic_store_explicit(&t->last_in, clock_coarse(), memory_order_relaxed);
    atomic_store_explicit(&t->pending, pending > 0 ? (uint32_t)pending : 0, memory_order_relaxed);
}

/* n bytes of application data were written, from buf (NULL: not the program's memory). */
static inline void tls_gave(struct box_tls *t, const void *buf, size_t n) {
    tls_flag(t, TLS_COUNTED_OUT);
    if (unlikely(!atomic_load_explicit(&t->bytes_out, memory_order_relaxed)))
        tls_spoke_first(t, buf, n);
    if (unlikely(atomic_load_explicit(&t->spoken, memory_order_relaxed)))
        tls_spoke(t, HTTP_REQUEST_BYTES, buf, n);
    traffic_add(&t->bytes_out, n);
}

/* The connection's bytes so far; zeros without one. */
struct tls_wire {
    uint64_t in, out;
};
static inline struct tls_wire tls_wire(const struct box_tls *t) {
    const struct box_conn *c = t ? record_of(t->conn) : NULL;
    struct tls_wire w = {0, 0};
    if (c) {
        w.in = atomic_load_explicit(&c->bytes_in, memory_order_relaxed);
        w.out = atomic_load_explicit(&c->bytes_out, memory_order_relaxed);
    }
    return w;
}

/* Can what the library calls the end be the peer's close_notify? Not where the connection itself
 * has ended, as far as it was read, nor before the handshake is done, nor after a fatal alert. */
static inline bool tls_may_be_notified(const struct box_tls *t) {
    const struct box_conn *c = record_of(t->conn);
    uint16_t flags = atomic_load_explicit(&t->flags, memory_order_relaxed);
    return c && !(atomic_load_explicit(&c->flags, memory_order_relaxed) & CONN_PEER_EOF) &&
           (flags & (TLS_DONE | TLS_BROKEN)) == TLS_DONE;
}

#endif
