/* GnuTLS: sessions. */
#include <string.h>

#include "conn/name.h"
#include "wrap/tls.h"

#define TLS(ret, name, params, args) EXPORT ret name params;
#define TLS_VOID(name, params, args) EXPORT void name params;
#define TLS_ASK(ret, name, params)
#include "wrap/gnutls.def"
#undef TLS
#undef TLS_VOID
#undef TLS_ASK

#define LIBRARY                                                                                    \
    struct tls_object *o = tls_find(s);                                                            \
    const struct gnutls *lib = gnutls_for(o, __builtin_return_address(0))

enum { NAME_DNS = 1, SHUT_BOTH = 0 };

/* --- what the library says -------------------------------------------------------------------- */

/* gnutls_protocol_t -> the number on the wire. */
static uint16_t version(const struct gnutls *lib, gnutls_session_t s) {
    static const uint16_t wire[] = {0, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304};
    int v = lib->gnutls_protocol_get_version ? lib->gnutls_protocol_get_version(s) : 0;
    return v > 0 && (size_t)v < sizeof wire / sizeof *wire ? wire[v] : 0;
}

static const char *cipher(const struct gnutls *lib, gnutls_session_t s) {
    if (lib->gnutls_ciphersuite_get)
        return lib->gnutls_ciphersuite_get(s);
    if (lib->gnutls_cipher_get && lib->gnutls_cipher_get_name)
        return lib->gnutls_cipher_get_name(lib->gnutls_cipher_get(s));
    return NULL;
}

/* What the client asked for, for a server to see. */
static void name_of_client(const struct gnutls *lib, gnutls_session_t s, struct tls_object *o) {
    char name[BOX_NAME_MAX];
    size_t n = sizeof name - 1;
    unsigned type = 0;
    if (!lib->gnutls_server_name_get || lib->gnutls_server_name_get(s, name, &n, &type, 0) != 0 ||
        type != NAME_DNS || n >= sizeof name)
        return;
    name[n] = '\0';
    tls_named(o, name);
}

static void say_done(const struct gnutls *lib, gnutls_session_t s, struct tls_object *o) {
    struct gnutls_datum alpn = {NULL, 0};
    struct tls_said said = {
        .cipher = cipher(lib, s), .version = version(lib, s), .when = tls_clock(), .timed = true};
    if (lib->gnutls_alpn_get_selected_protocol &&
        lib->gnutls_alpn_get_selected_protocol(s, &alpn) == 0) {
        said.alpn = (const char *)alpn.data;
        said.alpn_length = alpn.size;
    }
    said.resumed = lib->gnutls_session_is_resumed && lib->gnutls_session_is_resumed(s);
    if (!atomic_load_explicit(&o->name, memory_order_relaxed))
        name_of_client(lib, s, o);
    tls_done(o, &said);
}

/* --- the connection --------------------------------------------------------------------------- */

/* Before a handshake, which may never come back. What the program has given for its transport is a
 * descriptor, or a pointer of its own. */
static void tie_early(const struct gnutls *lib, gnutls_session_t s, struct tls_call *k) {
    uintptr_t given =
        lib->gnutls_transport_get_ptr ? (uintptr_t)lib->gnutls_transport_get_ptr(s) : FD_MAX;
    uint64_t slot = given < FD_MAX ? fd_get((int)given) : FD_NONE;
    if (!slot_is_conn(slot) || (!k->object && !(k->object = tls_note(s))))
        return;
    tls_tie(k->object, slot, TLS_GNUTLS);
    tls_begun(k->object, k->begun);
}

/* Only a handshake that has succeeded says that it is over. */
static void learn(const struct gnutls *lib, gnutls_session_t s, const struct tls_call *k,
                  bool done) {
    struct tls_object *o = k->object;
    if (!o && !(o = tls_note(s)))
        return;
    if (slot_is_conn(self.io_tls_slot))
        tls_tie(o, self.io_tls_slot, TLS_GNUTLS);
    else if (done && !tls_record(o) && self.io_slot == FD_NONE)
        tls_untied(o, OBJECT_ELSEWHERE);
    tls_begun(o, k->begun);
    if (done && tls_record(o))
        say_done(lib, s, o);
}

static struct box_tls *after(const struct gnutls *lib, gnutls_session_t s, const struct tls_call *k,
                             bool done) {
    if (unlikely(tls_forked(k)))
        return NULL;
    if (likely(!k->open) && !done)
        return tls_record(k->object);
    if (process_known())
        BOOKKEEPING(learn(lib, s, k, done));
    self.io_watched = 0;
    return process_known() ? tls_record(tls_find(s)) : NULL;
}

/* --- a session's life ------------------------------------------------------------------------- */

EXPORT int gnutls_init(gnutls_session_t *s, unsigned flags) {
    const void *caller = __builtin_return_address(0);
    const struct gnutls *lib = gnutls_for(NULL, caller);
    int r = lib->gnutls_init(s, flags);
    if (r == 0)
        BOOKKEEPING({
            tls_made(*s);
            gnutls_for(tls_note(*s), caller);
            if (!gnutls_calls_itself(caller))
                tls_made_by_program(tls_find(*s));
        });
    return r;
}

EXPORT void gnutls_deinit(gnutls_session_t s) {
    LIBRARY;
    if (o)
        BOOKKEEPING(tls_freeing(o));
    lib->gnutls_deinit(s);
}

/* The library does not tell a client what name it has set. */
static void named(struct tls_object *o, const char *text, size_t n) {
    char name[BOX_NAME_MAX];
    if (!o || n >= sizeof name)
        return;
    memcpy(name, text, n);
    name[n] = '\0';
    if (process_known())
        tls_named(o, name);
    else
        atomic_store(&o->asked, name_keep(name, n));
}

EXPORT int gnutls_server_name_set(gnutls_session_t s, int type, const void *name, size_t n) {
    LIBRARY;
    int r = lib->gnutls_server_name_set(s, type, name, n);
    if (r == 0 && type == NAME_DNS && name)
        BOOKKEEPING(named(tls_note(s), name, n));
    return r;
}

EXPORT int gnutls_handshake(gnutls_session_t s) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    k.begun = k.open ? tls_clock() : 0;
    if (k.open && process_known())
        BOOKKEEPING(tie_early(lib, s, &k));
    int r = lib->gnutls_handshake(s);
    after(lib, s, &k, r == 0);
    return r;
}

/* --- data ------------------------------------------------------------------------------------- */

static void took(const struct gnutls *lib, gnutls_session_t s, const struct tls_call *k,
                 const void *buf, size_t n, ssize_t r) {
    struct box_tls *t = after(lib, s, k, r > 0 && k->open);
    if (unlikely(!t) || tls_is_counted_in(k, t))
        return;
    if (likely(r > 0))
        tls_took(t, buf, (size_t)r,
                 lib->gnutls_record_check_pending ? (int)lib->gnutls_record_check_pending(s) : 0);
    else if (r == 0 && n > 0)
        tls_notified(t);
}

static void gave(const struct gnutls *lib, gnutls_session_t s, const struct tls_call *k,
                 const void *buf, ssize_t r) {
    struct box_tls *t = after(lib, s, k, r > 0 && k->open);
    if (likely(t && r > 0) && !tls_is_counted_out(k, t))
        KEEP_ERRNO(tls_gave(t, buf, (size_t)r));
}

EXPORT ssize_t gnutls_record_recv(gnutls_session_t s, void *buf, size_t n) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_recv(s, buf, n);
    took(lib, s, &k, buf, n, r);
    return r;
}

EXPORT ssize_t gnutls_record_recv_seq(gnutls_session_t s, void *buf, size_t n,
                                      unsigned char *sequence) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_recv_seq(s, buf, n, sequence);
    took(lib, s, &k, buf, n, r);
    return r;
}

/* Into memory of the library's, which the program looks at. */
EXPORT ssize_t gnutls_record_recv_packet(gnutls_session_t s, void *packet) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_recv_packet(s, packet);
    took(lib, s, &k, NULL, 1, r);
    return r;
}

/* What came with the handshake: it is over, or this would not be given out. */
EXPORT ssize_t gnutls_record_recv_early_data(gnutls_session_t s, void *buf, size_t n) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_recv_early_data(s, buf, n);
    if (r > 0)
        took(lib, s, &k, buf, n, r);
    return r;
}

EXPORT ssize_t gnutls_record_send(gnutls_session_t s, const void *buf, size_t n) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_send(s, buf, n);
    gave(lib, s, &k, buf, r);
    return r;
}

EXPORT ssize_t gnutls_record_send2(gnutls_session_t s, const void *buf, size_t n, size_t pad,
                                   unsigned flags) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_send2(s, buf, n, pad, flags);
    gave(lib, s, &k, buf, r);
    return r;
}

EXPORT ssize_t gnutls_record_send_file(gnutls_session_t s, int fd, off_t *at, size_t n) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    ssize_t r = lib->gnutls_record_send_file(s, fd, at, n);
    gave(lib, s, &k, NULL, r);
    return r;
}

/* What was corked was counted when it was given. */
EXPORT int gnutls_record_uncork(gnutls_session_t s, unsigned flags) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    int r = lib->gnutls_record_uncork(s, flags);
    struct box_tls *t = after(lib, s, &k, false);
    if (t && tls_is_counted_out(&k, t))
        atomic_store_explicit(&t->bytes_out, k.out, memory_order_relaxed);
    return r;
}

EXPORT int gnutls_bye(gnutls_session_t s, int how) {
    LIBRARY;
    struct tls_call k = tls_before(o);
    struct tls_wire was = tls_wire(tls_record(k.object));
    int r = lib->gnutls_bye(s, how);
    struct box_tls *t = after(lib, s, &k, false);
    if (t && tls_wire(t).out > was.out)
        tls_said_bye(t);
    if (t && r == 0 && how == SHUT_BOTH && tls_may_be_notified(t))
        tls_notified(t);
    return r;
}
