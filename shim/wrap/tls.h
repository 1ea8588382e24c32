/* What the wrappers of the TLS libraries share. A wrapper notes nothing across the real call: it
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
    uint64_t begun;            /* CLOCK_MONOTONIC; 0: not needed */
    uint64_t in, out;          /* its application data so far */
};

/* Before a call that may use the object's connection; the first of the process, perhaps. */
static inline struct tls_call tls_before(const void *object) {
    struct tls_call k = {.object = process_known() ? tls_find(object) : NULL};
    const struct box_tls *t = tls_record(k.object);
    if (t) {
        k.in = atomic_load_explicit(&t->bytes_in, memory_order_relaxed);
        k.out = atomic_load_explicit(&t->bytes_out, memory_order_relaxed);
    }
    if (!tls_is_settled(k.object)) {
        self.io_slot = FD_NONE;
        k.begun = clock_ns(CLOCK_MONOTONIC);
    }
    return k;
}

static inline bool tls_is_counted_in(const struct tls_call *k, const struct box_tls *t) {
    return unlikely(atomic_load_explicit(&t->bytes_in, memory_order_relaxed) != k->in);
}
static inline bool tls_is_counted_out(const struct tls_call *k, const struct box_tls *t) {
    return unlikely(atomic_load_explicit(&t->bytes_out, memory_order_relaxed) != k->out);
}

#endif
