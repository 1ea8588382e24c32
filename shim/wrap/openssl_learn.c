/* What is learned of an SSL object: its connection, and what the library says of it. */
#include "wrap/openssl_learn.h"

#include <string.h>

enum { NAMETYPE_HOST_NAME = 0 };

/* --- what the library says -------------------------------------------------------------------- */

/* Memory and pairs of memory are known by name: libcurl's own method has the type of memory, and
 * stands for a socket. */
static bool is_through_memory(const struct openssl *lib, const SSL *s) {
    const BIO *b = lib->SSL_get_rbio && lib->BIO_method_name ? lib->SSL_get_rbio(s) : NULL;
    const char *name = b ? lib->BIO_method_name(b) : NULL;
    return name && (strcmp(name, "memory buffer") == 0 || strcmp(name, "BIO pair") == 0 ||
                    strcmp(name, "secure memory buffer") == 0);
}

/* Some libraries can not be asked. */
static bool tells_done(const struct openssl *lib) {
    return lib->SSL_is_init_finished || lib->SSL_state;
}

static bool is_done(const struct openssl *lib, const SSL *s) {
    enum { STATE_OK = 3 };
    if (lib->SSL_is_init_finished)
        return lib->SSL_is_init_finished(s) == 1;
    return lib->SSL_state && lib->SSL_state(s) == STATE_OK;
}

void openssl_say_done(const struct openssl *lib, const SSL *s, struct tls_object *o, bool timed) {
    struct tls_said said = {.timed = timed, .when = tls_clock()};
    const SSL_CIPHER *c = lib->SSL_get_current_cipher ? lib->SSL_get_current_cipher(s) : NULL;
    unsigned n = 0;
    if (c && lib->SSL_CIPHER_get_name)
        said.cipher = lib->SSL_CIPHER_get_name(c);
    if (lib->SSL_get0_alpn_selected)
        lib->SSL_get0_alpn_selected(s, (const unsigned char **)(const void **)&said.alpn, &n);
    said.alpn_length = n;
    said.version = lib->SSL_version ? (uint16_t)lib->SSL_version(s) : 0;
    said.resumed = lib->SSL_session_reused && lib->SSL_session_reused(s);
    if (lib->SSL_get_servername)
        tls_named(o, lib->SSL_get_servername(s, NAMETYPE_HOST_NAME));
    tls_done(o, &said);
}

/* --- the connection --------------------------------------------------------------------------- */

/* The descriptor that the library names, or -1. Without a BIO the question itself would leave an
 * error in the program's queue. */
static int fd_of(const struct openssl *lib, const SSL *s) {
    bool has_bio = lib->SSL_get_rbio && lib->SSL_get_rbio(s);
    return has_bio && lib->SSL_get_fd ? lib->SSL_get_fd(s) : -1;
}

/* Before a call that does the handshake if that is due: a blocking one may never come back. */
static void tie_early(const struct openssl *lib, const SSL *s, struct tls_call *k) {
    int fd = fd_of(lib, s);
    uint64_t slot = fd >= 0 ? fd_get(fd) : FD_NONE;
    if (!slot_is_conn(slot) || (!k->object && !(k->object = tls_note(s))))
        return;
    tls_tie(k->object, slot, TLS_OPENSSL);
    tls_begun(k->object, k->begun);
    if (lib->SSL_get_servername && !atomic_load_explicit(&k->object->name, memory_order_relaxed))
        tls_named(k->object, lib->SSL_get_servername(s, NAMETYPE_HOST_NAME));
}

void openssl_open(const struct openssl *lib, const SSL *s, struct tls_call *k) {
    if (is_done(lib, s))
        return;
    k->begun = tells_done(lib) ? tls_clock() : 0;
    if (process_known())
        BOOKKEEPING(tie_early(lib, s, k));
}

/* After it. A descriptor's number alone proves nothing: it may have been closed, and be another's.
 * A connection that a callback has used is not the object's: without a descriptor, it must have
 * been written TLS. */
static void tie_late(const struct openssl *lib, const SSL *s, struct tls_object *o) {
    int fd = fd_of(lib, s);
    uint64_t slot = fd >= 0 ? fd_get(fd) : self.io_tls_slot;
    bool used = fd >= 0 ? slot == self.io_slot || slot == self.io_tls_slot : true;
    if (slot_is_conn(slot) && used)
        tls_tie(o, slot, TLS_OPENSSL);
    else if (fd >= 0 && !slot_is_conn(slot) && is_done(lib, s))
        tls_untied(o, OBJECT_ELSEWHERE);
}

static void learn(const struct openssl *lib, const SSL *s, const struct tls_call *k, bool timed) {
    struct tls_object *o = k->object ? k->object : tls_note(s);
    if (!o)
        return;
    if (is_through_memory(lib, s)) {
        tls_untied(o, OBJECT_MEMORY);
        return;
    }
    tie_late(lib, s, o);
    tls_begun(o, k->begun);
    if (!atomic_load_explicit(&o->name, memory_order_relaxed) && lib->SSL_get_servername)
        tls_named(o, lib->SSL_get_servername(s, NAMETYPE_HOST_NAME));
    if (is_done(lib, s) && tls_record(o))
        openssl_say_done(lib, s, o, timed);
}

struct box_tls *openssl_learn(const struct openssl *lib, const SSL *s, const struct tls_call *k,
                              bool timed) {
    if (process_known())
        BOOKKEEPING(learn(lib, s, k, timed));
    self.io_watched = 0;
    return process_known() ? tls_record(tls_find(s)) : NULL;
}
