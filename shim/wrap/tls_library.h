/* The TLS libraries that the program has loaded, and which of them a caller is bound to. Nothing is
 * loaded by us, and several copies of one library each serve their own callers. */
#ifndef PG_WRAP_TLS_LIBRARY_H
#define PG_WRAP_TLS_LIBRARY_H

#include "wrap/wrap.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_cipher_st SSL_CIPHER;
typedef struct bio_st BIO;
typedef struct gnutls_session *gnutls_session_t;
struct gnutls_datum { /* gnutls_datum_t */
    unsigned char *data;
    unsigned size;
};

#define TLS(ret, name, params, args) ret(*name) params;
#define TLS_VOID(name, params, args) void(*name) params;
#define TLS_ASK(ret, name, params) ret(*name) params;
struct openssl {
#include "wrap/openssl.def"
};
struct gnutls {
#include "wrap/gnutls.def"
};
#undef TLS
#undef TLS_VOID
#undef TLS_ASK

/* The real functions of the library that a call from this return address is meant for. Wrapped ones
 * are never NULL: without a library they are functions that fail. What we ask may be NULL: the
 * library does not have it. Any thread; keeps errno. */
const struct openssl *openssl_of(const void *caller);
const struct gnutls *gnutls_of(const void *caller);

/* Objects were unloaded: a caller's address may be another's now. */
void tls_library_objects_changed(void);

#endif
