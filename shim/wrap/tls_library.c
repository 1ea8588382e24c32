/* Which library is a call for? Not the one that comes next: dlsym(RTLD_NEXT) finds nothing for what
 * was loaded by a plugin (RTLD_LOCAL), and gives one copy's objects to the other. Not the caller's
 * either, in general: a return address lies, for calls that are a function's last are jumps.
 *
 * The object itself tells: among its first words is a pointer to its methods, which lie in the
 * library that made it. Where that is not so (GnuTLS), it is what the loader has bound the caller's
 * other calls of the library to, else the first one that the program started with, else what the
 * caller was linked with.
 *
 * No lock is taken: the loader's may be held for ever in a forked child, or by a thread that waits
 * for us. What a caller is bound to can not go while it calls, nor can what the program has started
 * with. */
#include "wrap/tls_library.h"

#include <string.h>

#include "base/index.h"
#include "wrap/next.h"
#include "wrap/object.h"

enum { CALLS_MAX = 64 };

struct library {
    struct library *next;
    ElfW(Addr) bias;
    const ElfW(Dyn) * dynamic;
    bool is_symbolic;
    _Atomic uint32_t generation; /* in which it was filled */
    void *call[CALLS_MAX];       /* as a struct openssl or gnutls */
};

struct call_name {
    const char *name;
    bool wrapped;
};

struct family {
    const char *prefix;          /* of its calls */
    const char *maker, *another; /* that a library has; preloads that wrap it rarely have both */
    const struct call_name *call;
    size_t count;
    struct library *_Atomic libraries;
    const void *absent[CALLS_MAX]; /* in place of what nobody has */
};

static _Atomic uint32_t generation = 1;
static const struct link_map *last_at_start;

void tls_library_objects_changed(void) {
    atomic_fetch_add(&generation, 1);
}

void tls_library_started(void) {
    const struct link_map *m = next_us();
    while (m && m->l_next)
        m = m->l_next;
    last_at_start = m;
}

/* --- the families ----------------------------------------------------------------------------- */

#define TLS(ret, name, params, args) {#name, true},
#define TLS_VOID(name, params, args) {#name, true},
#define TLS_ASK(ret, name, params) {#name, false},
static const struct call_name openssl_call[] = {
#include "wrap/openssl.def"
};
static const struct call_name gnutls_call[] = {
#include "wrap/gnutls.def"
};
#undef TLS
#undef TLS_VOID
#undef TLS_ASK

/* A weak reference to a library that is not there was bound to us. */
static long fails(void) {
    return 0;
}
static long fails_below_zero(void) {
    return -1;
}

enum {
    OPENSSL_CALLS = sizeof openssl_call / sizeof *openssl_call,
    GNUTLS_CALLS = sizeof gnutls_call / sizeof *gnutls_call,
};
_Static_assert(sizeof(struct openssl) == OPENSSL_CALLS * sizeof(void *), "pointers alone");
_Static_assert(sizeof(struct gnutls) == GNUTLS_CALLS * sizeof(void *), "pointers alone");
_Static_assert(sizeof openssl_call / sizeof *openssl_call <= CALLS_MAX, "room for all calls");

#define TLS(ret, name, params, args) (void *)fails,
#define TLS_VOID(name, params, args) (void *)fails,
#define TLS_ASK(ret, name, params) NULL,
static struct family openssl = {"SSL_",
                                "SSL_new",
                                "SSL_get_shutdown",
                                openssl_call,
                                OPENSSL_CALLS,
                                NULL,
                                {
#include "wrap/openssl.def"
                                }};
#undef TLS
#undef TLS_VOID
#define TLS(ret, name, params, args) (void *)fails_below_zero,
#define TLS_VOID(name, params, args) (void *)fails_below_zero,
static struct family gnutls = {"gnutls_",
                               "gnutls_init",
                               "gnutls_protocol_get_version",
                               gnutls_call,
                               GNUTLS_CALLS,
                               NULL,
                               {
#include "wrap/gnutls.def"
                               }};
#undef TLS
#undef TLS_VOID
#undef TLS_ASK

/* --- a library -------------------------------------------------------------------------------- */

/* Other preloads wrap some of its calls, as we do. */
static bool is_library(const struct family *f, const struct link_map *m) {
    return m != next_us() && object_function(m, f->maker) && object_function(m, f->another);
}
static bool is_openssl(const struct link_map *m) {
    return is_library(&openssl, m);
}
static bool is_gnutls(const struct link_map *m) {
    return is_library(&gnutls, m);
}
static bool is_any(const struct link_map *m) {
    (void)m;
    return true;
}

/* Another preload's, behind us in the loader's order and before all libraries. */
static void *between(const struct family *f, const char *name) {
    const struct link_map *us = next_us();
    for (const struct link_map *m = us ? us->l_next : NULL; m && m != last_at_start;
         m = m->l_next) {
        if (is_library(f, m))
            return NULL;
        void *found = object_function(m, name);
        if (found)
            return found;
    }
    return NULL;
}

/* libssl's calls of libcrypto. */
static void *function_beside(const struct link_map *m, const char *name) {
    void *found = object_function(m, name);
    const struct link_map *crypto = found ? NULL : object_bound_to(m, "BIO_", is_any);
    return crypto ? object_function(crypto, name) : found;
}

/* Without a library: whoever has the call. */
static void fill(struct library *l, const struct family *f, const struct link_map *m) {
    uint32_t now = atomic_load(&generation);
    if (m && atomic_load_explicit(&l->generation, memory_order_acquire) == now)
        return;
    for (size_t i = 0; i < f->count; i++) {
        const struct call_name *c = &f->call[i];
        const void *call = c->wrapped ? between(f, c->name) : NULL;
        if (!call && m)
            call = function_beside(m, c->name);
        if (!call && !m && c->wrapped)
            call = next_function(c->name);
        __atomic_store_n(&l->call[i], (void *)(uintptr_t)(call ? call : f->absent[i]), // NOLINT
                         __ATOMIC_RELAXED);
    }
    l->is_symbolic = m && object_is_symbolic(m);
    atomic_store_explicit(&l->generation, now, memory_order_release);
}

/* Without memory (under a seccomp filter) a library must still be found. */
static struct library *library_new(void) {
    static struct library spare[4];
    static struct arena arena;
    static _Atomic uint32_t used;
    uint32_t i = atomic_fetch_add(&used, 1);
    if (i < sizeof spare / sizeof *spare)
        return &spare[i];
    atomic_fetch_sub(&used, 1);
    return arena_alloc(&arena, sizeof(struct library));
}

/* The calls of a loaded library, or of none. One that is found again is filled again: after an
 * unloading, what lies at its address may be another file. */
static const struct library *library_of(struct family *f, const struct link_map *m) {
    ElfW(Addr) bias = m ? m->l_addr : 0;
    const ElfW(Dyn) *dynamic = m ? m->l_ld : NULL;
    struct library *first = atomic_load_explicit(&f->libraries, memory_order_acquire);
    for (struct library *l = first; l; l = l->next)
        if (l->bias == bias && l->dynamic == dynamic) {
            fill(l, f, m);
            return l;
        }
    struct library *l = library_new();
    if (!l)
        return first;
    l->bias = bias;
    l->dynamic = dynamic;
    fill(l, f, m);
    l->next = first;
    while (!atomic_compare_exchange_weak(&f->libraries, &l->next, l))
        ;
    return l;
}

/* --- whose is it? ----------------------------------------------------------------------------- */

static const struct link_map *object_at(const void *address) {
    struct dl_find_object o;
    void *at = (void *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
    return _dl_find_object(at, &o) == 0 ? o.dlfo_link_map : NULL;
}

/* Where the pointer to its methods stands: word 0 in an SSL_CTX of OpenSSL 1.1, LibreSSL and
 * BoringSSL, 1 in one of OpenSSL 3 and in an SSL of 1.1 to 3.1, 2 in one of OpenSSL 3.2. */
enum { WORDS = 4 };
static const struct link_map *maker_of(const void *object, unsigned *at) {
    const void *const *word = object;
    for (*at = 0; *at < WORDS; ++*at) {
        const struct link_map *m = word[*at] ? object_at(word[*at]) : NULL;
        if (m && is_openssl(m))
            return m;
    }
    return NULL;
}

static const struct link_map *first_at_start(const struct family *f) {
    for (const struct link_map *m = next_us(); m; m = m == last_at_start ? NULL : m->l_next)
        if (is_library(f, m))
            return m;
    return NULL;
}

static const struct link_map *needed_by(const struct family *f, const struct link_map *caller) {
    const struct link_map *first = caller;
    const char *needed;
    while (first->l_prev)
        first = first->l_prev;
    for (size_t i = 0; (needed = object_needs(caller, i)); i++)
        for (const struct link_map *m = first; m; m = m->l_next)
            if (object_is_named(m, needed) && is_library(f, m))
                return m;
    return NULL;
}

static const struct link_map *library_of_caller(const struct family *f, const void *address) {
    const struct link_map *caller = object_at(address), *m = NULL;
    if (caller && is_library(f, caller))
        return caller; /* it calls itself */
    if (caller && caller != next_us())
        m = object_bound_to(caller, f->prefix, f == &openssl ? is_openssl : is_gnutls);
    if (!m)
        m = first_at_start(f);
    return m || !caller ? m : needed_by(f, caller);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool is_fresh(const struct tls_object *o) {
    return o && atomic_load_explicit(&o->generation, memory_order_acquire) ==
                    atomic_load_explicit(&generation, memory_order_relaxed);
}

static void note(struct tls_object *o, const struct library *l, const void *method, unsigned at) {
    if (!o)
        return;
    uint32_t now = atomic_load(&generation);
    atomic_store_explicit(&o->calls, l->call, memory_order_relaxed);
    atomic_store_explicit(&o->method, method, memory_order_relaxed);
    atomic_store_explicit(&o->method_at, at, memory_order_relaxed);
    atomic_store_explicit(&o->library_is_symbolic, l->is_symbolic, memory_order_relaxed);
    atomic_store_explicit(&o->generation, now, memory_order_release);
}

static const struct library *find_openssl(struct tls_object *o, const void *object,
                                          const void *caller) {
    unsigned at = 0;
    const struct link_map *made_by = object ? maker_of(object, &at) : NULL, *m = made_by;
    if (!m)
        m = library_of_caller(&openssl, caller);
    const struct library *l = library_of(&openssl, m);
    if (m && object) /* one that does not tell: as long as its first word stays */
        note(o, l, ((const void *const *)object)[made_by ? at : 0], made_by ? at : 0);
    return l;
}

const struct openssl *openssl_for(struct tls_object *o, const void *object, const void *caller) {
    /* The address may be another library's object by now, made by a call that we did not see. */
    if (likely(is_fresh(o) &&
               ((const void *const *)
                    object)[atomic_load_explicit(&o->method_at, memory_order_relaxed)] ==
                   atomic_load_explicit(&o->method, memory_order_relaxed)))
        return atomic_load_explicit(&o->calls, memory_order_relaxed);
    const struct library *l;
    KEEP_ERRNO(l = find_openssl(o, object, caller));
    return (const void *)l->call;
}

bool openssl_calls_itself(const void *caller) {
    const struct link_map *m = object_at(caller);
    return m && (m == next_us() || is_openssl(m));
}

bool gnutls_calls_itself(const void *caller) {
    const struct link_map *m = object_at(caller);
    return m && (m == next_us() || is_gnutls(m));
}

const struct gnutls *gnutls_for(struct tls_object *o, const void *caller) {
    if (likely(is_fresh(o)))
        return atomic_load_explicit(&o->calls, memory_order_relaxed);
    const struct library *l;
    KEEP_ERRNO({
        const struct link_map *m = library_of_caller(&gnutls, caller);
        l = library_of(&gnutls, m);
        if (m)
            note(o, l, NULL, 0);
    });
    return (const void *)l->call;
}
