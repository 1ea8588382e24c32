/* What is learned of an SSL object before and after a call on it, until it is settled. */
#ifndef PG_WRAP_OPENSSL_LEARN_H
#define PG_WRAP_OPENSSL_LEARN_H

#include "wrap/tls.h"

/* Before a call that does the handshake if that is due. */
void openssl_open(const struct openssl *lib, const SSL *s, struct tls_call *k);
/* After any call: the object's record, NULL when it has none. `timed`: the call waited for nothing
 * but the handshake. Keeps errno, as do the inline ones. */
struct box_tls *openssl_learn(const struct openssl *lib, const SSL *s, const struct tls_call *k,
                              bool timed);
/* The handshake is over, or another one is. */
void openssl_say_done(const struct openssl *lib, const SSL *s, struct tls_object *o, bool timed);

static inline struct tls_call openssl_before(const struct openssl *lib, const SSL *s,
                                             struct tls_object *o) {
    struct tls_call k = tls_before(o);
    if (unlikely(k.open))
        openssl_open(lib, s, &k);
    return k;
}

/* Reads wait for data too: they do not tell how long the handshake took. */
static inline struct box_tls *openssl_after(const struct openssl *lib, const SSL *s,
                                            const struct tls_call *k, bool timed) {
    if (unlikely(tls_forked(k)))
        return NULL;
    return likely(!k->open) ? tls_record(k->object) : openssl_learn(lib, s, k, timed);
}

#endif
