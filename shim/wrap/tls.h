/* What the wrappers of the TLS libraries share. A wrapper holds nothing across the real call: it
 * may be left by a cancellation, an exception or longjmp(). Calls nest (a library calls its own
 * exports, and a TLS connection may run inside of another): what is noted is the same when it is
 * noted twice, and bytes are counted by the innermost call: the outer one finds the count moved. */
#ifndef PG_WRAP_TLS_H
#define PG_WRAP_TLS_H

#include "conn/tls.h"
#include "wrap/tls_library.h"

/* Between the two sides of a call on an object. */
struct tls_call {
    struct tls_object *object; /* NULL: nothing noted of it */
    uint64_t begun;            /* CLOCK_MONOTONIC; 0: not now */
    uint64_t in, out;          /* its application data so far */
    const void *box;           /* the process's state file; NULL: it has none yet */
    bool open;                 /* there is something to learn */
};

/* Before a call that may use the object's connection; the first of the process, perhaps. */
static inline struct tls_call tls_before(struct tls_object *o) {
    struct tls_call k = {.object = o, .open = !tls_is_settled(o)};
    k.box = process_known() ? mine.header : NULL;
    const struct box_tls *t = tls_record(o);
    if (t) {
        k.in = atomic_load_explicit(&t->bytes_in, memory_order_relaxed);
        k.out = atomic_load_explicit(&t->bytes_out, memory_order_relaxed);
    }
    if (unlikely(k.open)) {
        self.io_slot = self.io_tls_slot = FD_NONE;
        self.io_watched = 1;
    }
    return k;
}

/* This is a child that was forked inside of the call, by a callback: the object is its parent's. */
static inline bool tls_forked(const struct tls_call *k) {
    return k->box && (!process_known() || k->box != mine.header);
}

/* Ticks of the processor's counter may be forbidden with the system calls (prctl(2),
 * PR_SET_SECCOMP). */
static inline uint64_t tls_clock(void) {
    return process_is_quiet() ? clock_coarse() : clock_ns(CLOCK_MONOTONIC);
}

static inline bool tls_is_counted_in(const struct tls_call *k, const struct box_tls *t) {
    return unlikely(atomic_load_explicit(&t->bytes_in, memory_order_relaxed) != k->in);
}
static inline bool tls_is_counted_out(const struct tls_call *k, const struct box_tls *t) {
    return unlikely(atomic_load_explicit(&t->bytes_out, memory_order_relaxed) != k->out);
}

#endif
