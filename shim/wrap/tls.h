/* What the wrappers of the TLS libraries share. A wrapper notes nothing across the real call: it
 * may be left by a cancellation, an exception or longjmp(). Calls nest (a library calls its own
 * exports, and a TLS connection may run inside of another): what is noted is the same when it is
 * noted twice, and only calls that never call each other count bytes. */
#ifndef PG_WRAP_TLS_H
#define PG_WRAP_TLS_H

#include "conn/tls.h"
#include "wrap/tls_library.h"

/* Between the two sides of a call on an object. */
struct tls_call {
    struct tls_object *object; /* NULL: nothing noted of it */
    uint64_t begun;            /* CLOCK_MONOTONIC; 0: not needed */
    bool known;                /* the process has connections */
};

/* Before a call that may use the object's connection. */
static inline struct tls_call tls_before(const void *object) {
    struct tls_call k = {.known = process_known()};
    if (!k.known)
        return k;
    k.object = tls_find(object);
    if (!tls_is_settled(k.object)) {
        self.io_slot = FD_NONE;
        k.begun = clock_ns(CLOCK_MONOTONIC);
    }
    return k;
}

#endif
