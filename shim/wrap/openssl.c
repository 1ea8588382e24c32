/* OpenSSL (and what has its calls: LibreSSL, BoringSSL, AWS-LC, ...): SSL objects. */
#include "wrap/openssl_learn.h"

#define TLS(ret, name, params, args) EXPORT ret name params;
#define TLS_VOID(name, params, args) EXPORT void name params;
#define TLS_ASK(ret, name, params)
#include "wrap/openssl.def"
#undef TLS
#undef TLS_VOID
#undef TLS_ASK

/* What is noted of the object, and its library's calls. */
#define LIBRARY                                                                                    \
    struct tls_object *o = tls_find(s);                                                            \
    const struct openssl *lib = openssl_for(o, s, __builtin_return_address(0))

enum {
    SET_TLSEXT_HOSTNAME = 55,
    SENT_SHUTDOWN = 1,
    ERROR_SSL = 1,
    ERROR_ZERO_RETURN = 6,
};

/* --- an object's life ------------------------------------------------------------------------- */

EXPORT SSL *SSL_new(SSL_CTX *ctx) {
    const void *caller = __builtin_return_address(0);
    const struct openssl *lib = openssl_for(NULL, ctx, caller);
    SSL *s = lib->SSL_new(ctx);
    if (s)
        BOOKKEEPING({
            tls_made(s);
            openssl_for(tls_note(s), s, caller);
            if (!openssl_calls_itself(caller))
                tls_made_by_program(tls_find(s));
        });
    return s;
}

EXPORT int SSL_up_ref(SSL *s) {
    LIBRARY;
    int r = lib->SSL_up_ref(s);
    if (r == 1)
        BOOKKEEPING(tls_referenced(s));
    return r;
}

/* One that is in the middle of a handshake gets a reference more instead of a copy. */
EXPORT SSL *SSL_dup(SSL *s) {
    LIBRARY;
    SSL *r = lib->SSL_dup(s);
    BOOKKEEPING(if (r == s && r && process_ready()) tls_referenced(r); else if (r) tls_made(r));
    return r;
}

EXPORT void SSL_free(SSL *s) {
    LIBRARY;
    if (o)
        BOOKKEEPING(tls_freeing(o));
    lib->SSL_free(s);
}

/* A handshake begins with one of the library's own. */
EXPORT int SSL_clear(SSL *s) {
    LIBRARY;
    bool theirs = o && openssl_calls_itself(__builtin_return_address(0));
    int r = lib->SSL_clear(s);
    BOOKKEEPING(if (o && !theirs && process_known()) tls_cleared(o));
    return r;
}

/* --- its transport and its name --------------------------------------------------------------- */

static void moved(struct tls_object *o) {
    if (o && process_known())
        BOOKKEEPING(tls_moved(o));
}

EXPORT int SSL_set_fd(SSL *s, int fd) {
    LIBRARY;
    int r = lib->SSL_set_fd(s, fd);
    moved(o);
    return r;
}

EXPORT int SSL_set_rfd(SSL *s, int fd) {
    LIBRARY;
    int r = lib->SSL_set_rfd(s, fd);
    moved(o);
    return r;
}

EXPORT int SSL_set_wfd(SSL *s, int fd) {
    LIBRARY;
    int r = lib->SSL_set_wfd(s, fd);
    moved(o);
    return r;
}

EXPORT void SSL_set_bio(SSL *s, BIO *in, BIO *out) {
    LIBRARY;
    lib->SSL_set_bio(s, in, out);
    moved(o);
}

EXPORT void SSL_set0_rbio(SSL *s, BIO *in) {
    LIBRARY;
    lib->SSL_set0_rbio(s, in);
    moved(o);
}

EXPORT void SSL_set0_wbio(SSL *s, BIO *out) {
    LIBRARY;
    lib->SSL_set0_wbio(s, out);
    moved(o);
}

EXPORT long SSL_ctrl(SSL *s, int cmd, long n, void *p) {
    LIBRARY;
    long r = lib->SSL_ctrl(s, cmd, n, p);
    if (unlikely(cmd == SET_TLSEXT_HOSTNAME) && r == 1 && process_known())
        BOOKKEEPING(if (o || (o = tls_note(s))) tls_named(o, p));
    return r;
}

/* --- the handshake ---------------------------------------------------------------------------- */

/* One that succeeds on a settled object was a renegotiation. */
static void shook(const struct openssl *lib, const SSL *s, const struct tls_call *k, int r) {
    const struct box_tls *t = openssl_after(lib, s, k, true);
    if (t && r == 1 && !k->open)
        BOOKKEEPING(openssl_say_done(lib, s, k->object, true));
}

EXPORT int SSL_connect(SSL *s) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_connect(s);
    shook(lib, s, &k, r);
    return r;
}

EXPORT int SSL_accept(SSL *s) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_accept(s);
    shook(lib, s, &k, r);
    return r;
}

EXPORT int SSL_do_handshake(SSL *s) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_do_handshake(s);
    shook(lib, s, &k, r);
    return r;
}

/* --- data ------------------------------------------------------------------------------------- */

/* Was the end of the data the peer's close_notify? A fatal alert is none, and an end of the
 * connection is none, though the library may be told to take it for one
 * (SSL_OP_IGNORE_UNEXPECTED_EOF). */
static void ended(const struct openssl *lib, const SSL *s, struct box_tls *t, int r) {
    int error = lib->SSL_get_error ? lib->SSL_get_error(s, r) : 0;
    tls_flag(t, TLS_COUNTED_IN);
    if (error == ERROR_SSL) /* from here on it says ZERO_RETURN, too */
        tls_flag(t, TLS_BROKEN);
    if (error == ERROR_ZERO_RETURN && tls_may_be_notified(t))
        tls_notified(t);
}

static int pending(const struct openssl *lib, const SSL *s) {
    return lib->SSL_pending ? lib->SSL_pending(s) : 0;
}

/* After a read that returned r and gave n bytes. */
static void took(const struct openssl *lib, const SSL *s, const struct tls_call *k, int r,
                 const void *buf, size_t n) {
    struct box_tls *t = openssl_after(lib, s, k, false);
    if (unlikely(!t) || tls_is_counted_in(k, t))
        return;
    if (likely(r > 0))
        tls_took(t, buf, n, pending(lib, s));
    else
        KEEP_ERRNO(ended(lib, s, t, r));
}

static void gave(const struct openssl *lib, const SSL *s, const struct tls_call *k, const void *buf,
                 size_t n) {
    struct box_tls *t = openssl_after(lib, s, k, true);
    if (likely(t && n > 0) && !tls_is_counted_out(k, t))
        KEEP_ERRNO(tls_gave(t, buf, n));
}

EXPORT int SSL_read(SSL *s, void *buf, int n) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_read(s, buf, n);
    took(lib, s, &k, r, buf, r > 0 ? (size_t)r : 0);
    return r;
}

EXPORT int SSL_read_ex(SSL *s, void *buf, size_t n, size_t *done) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_read_ex(s, buf, n, done);
    took(lib, s, &k, r, buf, r == 1 ? *done : 0);
    return r;
}

EXPORT int SSL_read_early_data(SSL *s, void *buf, size_t n, size_t *done) {
    enum { READ_EARLY_DATA_SUCCESS = 1 };
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_read_early_data(s, buf, n, done);
    took(lib, s, &k, r, buf, r == READ_EARLY_DATA_SUCCESS ? *done : 0);
    return r;
}

EXPORT int SSL_peek(SSL *s, void *buf, int n) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_peek(s, buf, n);
    took(lib, s, &k, r, NULL, 0);
    return r;
}

EXPORT int SSL_peek_ex(SSL *s, void *buf, size_t n, size_t *done) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_peek_ex(s, buf, n, done);
    took(lib, s, &k, r, NULL, 0);
    return r;
}

EXPORT int SSL_write(SSL *s, const void *buf, int n) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_write(s, buf, n);
    gave(lib, s, &k, buf, r > 0 ? (size_t)r : 0);
    return r;
}

EXPORT int SSL_write_ex(SSL *s, const void *buf, size_t n, size_t *done) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_write_ex(s, buf, n, done);
    gave(lib, s, &k, buf, r == 1 ? *done : 0);
    return r;
}

EXPORT int SSL_write_ex2(SSL *s, const void *buf, size_t n, uint64_t flags, size_t *done) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_write_ex2(s, buf, n, flags, done);
    gave(lib, s, &k, buf, r == 1 ? *done : 0);
    return r;
}

EXPORT int SSL_write_early_data(SSL *s, const void *buf, size_t n, size_t *done) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    int r = lib->SSL_write_early_data(s, buf, n, done);
    gave(lib, s, &k, buf, r == 1 ? *done : 0);
    return r;
}

EXPORT ssize_t SSL_sendfile(SSL *s, int fd, off_t at, size_t n, int flags) {
    LIBRARY;
    struct tls_call k = openssl_before(lib, s, o);
    ssize_t r = lib->SSL_sendfile(s, fd, at, n, flags);
    gave(lib, s, &k, NULL, r > 0 ? (size_t)r : 0);
    return r;
}

/* An object that is told to be quiet about it (SSL_set_quiet_shutdown) says that close_notify went
 * and came; the connection knows better. */
EXPORT int SSL_shutdown(SSL *s) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    struct tls_wire was = tls_wire(tls_record(k.object));
    int r = lib->SSL_shutdown(s);
    struct box_tls *t = openssl_after(lib, s, &k, false);
    struct tls_wire is = tls_wire(t);
    if (t && lib->SSL_get_shutdown && lib->SSL_get_shutdown(s) & SENT_SHUTDOWN && is.out > was.out)
        tls_said_bye(t);
    if (t && r == 1 && is.in > was.in && tls_may_be_notified(t))
        tls_notified(t);
    return r;
}
