/* Which library is a caller bound to? What the loader has bound the caller's other calls of the
 * library to, where it has; else what the caller was linked with; else what comes next in the
 * loader's order. dlsym(RTLD_NEXT) alone finds nothing for what was loaded by a plugin
 * (RTLD_LOCAL), and one fixed library gives one copy's objects to the other. */
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
    void *call[CALLS_MAX]; /* as a struct openssl or gnutls */
};

/* A return address that the library was called from. */
struct caller {
    const struct library *_Atomic library;
    _Atomic uint32_t generation; /* in which it was found */
};

struct call_name {
    const char *name;
    bool wrapped;
};

struct family {
    const char *prefix; /* of its calls */
    const struct call_name *call;
    size_t count;
    void *absent; /* stands in for wrapped calls that no object has */
    struct library *_Atomic libraries;
    struct index callers;
};

static _Atomic uint32_t generation = 1;

void tls_library_objects_changed(void) {
    atomic_fetch_add(&generation, 1);
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

static struct family openssl = {"SSL_",        openssl_call, OPENSSL_CALLS,
                                (void *)fails, NULL,         {{0}, {0}}};
static struct family gnutls = {"gnutls_", gnutls_call, GNUTLS_CALLS, (void *)fails_below_zero,
                               NULL,      {{0}, {0}}};

/* --- a library -------------------------------------------------------------------------------- */

static bool is_ours(const struct link_map *m) {
    return m == next_us();
}

/* An object that makes TLS objects is the library; ours only looks like one. */
static bool has_openssl(const struct link_map *m) {
    return !is_ours(m) && object_function(m, "SSL_new");
}
static bool has_gnutls(const struct link_map *m) {
    return !is_ours(m) && object_function(m, "gnutls_init");
}

/* libssl's calls of libcrypto. */
static void *function_beside(const struct link_map *m, const char *name) {
    void *found = object_function(m, name);
    const char *needed;
    for (size_t i = 0; !found && (needed = object_needs(m, i)); i++)
        for (const struct link_map *o = next_us(); o && !found; o = o->l_next)
            if (object_is_named(o, needed))
                found = object_function(o, name);
    return found;
}

static void fill(struct library *l, const struct family *f, const struct link_map *m) {
    for (size_t i = 0; i < f->count; i++) {
        void *call = m ? function_beside(m, f->call[i].name) : NULL;
        if (!call && f->call[i].wrapped)
            call = f->absent;
        __atomic_store_n(&l->call[i], call, __ATOMIC_RELAXED);
    }
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

/* The record of a loaded library. One that is found again is filled again: after an unloading, what
 * lies at its address may be another file. */
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

struct question {
    struct family *family;
    const struct link_map *caller, *answer;
};

static bool is_it(const struct family *f, const struct link_map *m) {
    return f == &openssl ? has_openssl(m) : has_gnutls(m);
}

static const struct link_map *needed_by(const struct question *q) {
    const struct link_map *first = q->caller;
    const char *needed;
    while (first->l_prev)
        first = first->l_prev;
    for (size_t i = 0; (needed = object_needs(q->caller, i)); i++)
        for (const struct link_map *m = first; m; m = m->l_next)
            if (object_is_named(m, needed) && is_it(q->family, m))
                return m;
    return NULL;
}

static const struct link_map *next_in_order(const struct question *q) {
    for (const struct link_map *m = next_us(); m; m = m->l_next)
        if (is_it(q->family, m))
            return m;
    return NULL;
}

static const struct link_map *answer(const struct question *q) {
    const struct link_map *m = NULL;
    if (q->caller && is_it(q->family, q->caller))
        return q->caller; /* it calls itself */
    if (q->caller)
        m = object_bound_to(q->caller, q->family->prefix,
                            q->family == &openssl ? has_openssl : has_gnutls);
    if (!m && q->caller)
        m = needed_by(q);
    return m ? m : next_in_order(q);
}

/* Called for the first object, with the loader's lock held: no other thread unloads any. */
static int ask(struct dl_phdr_info *info, size_t size, void *arg) {
    struct question *q = arg;
    (void)info;
    (void)size;
    q->answer = answer(q);
    return 1;
}

/* NULL: the caller is ourselves. */
static const struct library *look_up(struct family *f, const void *address) {
    struct dl_find_object o;
    struct question q = {.family = f};
    // NOLINTNEXTLINE(clang-diagnostic-cast-qual)
    if (_dl_find_object((void *)(uintptr_t)address, &o) == 0)
        q.caller = o.dlfo_link_map;
    if (q.caller && is_ours(q.caller))
        return NULL;
    real.dl_iterate_phdr(ask, &q);
    return library_of(f, q.answer);
}

static const struct library *library_of_caller(struct family *f, const void *address) {
    uint64_t key = (uintptr_t)address;
    uint32_t now = atomic_load_explicit(&generation, memory_order_acquire);
    struct caller fresh, *c = index_value(&f->callers, &key, 1);
    if (likely(c && atomic_load_explicit(&c->generation, memory_order_acquire) == now))
        return atomic_load_explicit(&c->library, memory_order_relaxed);
    const struct library *l = NULL;
    KEEP_ERRNO(l = look_up(f, address));
    if (!c) {
        memset(&fresh, 0, sizeof fresh);
        c = index_keep(&f->callers, &key, 1, &fresh, sizeof fresh);
    }
    if (c) {
        atomic_store_explicit(&c->library, l, memory_order_relaxed);
        atomic_store_explicit(&c->generation, now, memory_order_release);
    }
    return l;
}

/* A library may end a call of its own by jumping to another of its exports: that one is called from
 * our wrapper of the first, and is the same library's. */
static const struct library *library_for(struct family *f, const void *address) {
    const struct library *l = library_of_caller(f, address);
    if (unlikely(!l))
        return self.tls_library[f == &gnutls];
    self.tls_library[f == &gnutls] = l;
    return l;
}

const struct openssl *openssl_of(const void *caller) {
    return (const void *)library_for(&openssl, caller)->call;
}

const struct gnutls *gnutls_of(const void *caller) {
    return (const void *)library_for(&gnutls, caller)->call;
}
