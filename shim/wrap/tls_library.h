/* The TLS libraries that the program has loaded, and which of them a call is for. Nothing is loaded
 * by us, and several copies of one library each serve their own objects. */
#ifndef PG_WRAP_TLS_LIBRARY_H
#define PG_WRAP_TLS_LIBRARY_H

#include "conn/tls.h"
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

/* The real functions for a call on an object: those of the library that made it. `object`: an SSL
 * or SSL_CTX; `o`: what is noted of it, or NULL; `caller`: who asks, for libraries whose objects do
 * not tell, and for none. Wrapped calls are never NULL: without a library they are functions that
 * fail. What we ask may be NULL: the library does not have it. No lock; any thread; keeps errno. */
const struct openssl *openssl_for(struct tls_object *o, const void *object, const void *caller);

/* Is it a library of these calls that calls from there? */
bool openssl_calls_itself(const void *caller);
bool gnutls_calls_itself(const void *caller);

/* GnuTLS's sessions do not tell: `o`, else the caller. */
const struct gnutls *gnutls_for(struct tls_object *o, const void *caller);

/* Objects are about to be unloaded, and were: addresses may be another's now. */
void tls_library_objects_changed(void);

/* From the constructor: the objects that are loaded by now stay. */
void tls_library_started(void);

#endif
