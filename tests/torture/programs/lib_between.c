/* Stands between programs and libssl, as libraries do that keep the keys of sessions. */
#include <dlfcn.h>

#include "torture.h"

#include <openssl/ssl.h>

static unsigned calls;

unsigned between_calls(void);
unsigned between_calls(void) {
    return calls;
}

SSL *SSL_new(SSL_CTX *ctx) {
    SSL *(*next)(SSL_CTX *) = dlsym(RTLD_NEXT, "SSL_new");
    calls++;
    return next(ctx);
}

int SSL_read(SSL *s, void *buf, int n) {
    int (*next)(SSL *, void *, int) = dlsym(RTLD_NEXT, "SSL_read");
    calls++;
    return next(s, buf, n);
}

int SSL_write(SSL *s, const void *buf, int n) {
    int (*next)(SSL *, const void *, int) = dlsym(RTLD_NEXT, "SSL_write");
    calls++;
    return next(s, buf, n);
}
