/* dlsym() takes the loader's lock, which a forked child may find taken for ever, and costs every
 * exec 20 us for the pages that it touches. The objects that a program starts with are never
 * unloaded and libc is among them, so their symbol tables can be read as they lie there (gABI,
 * "Hash Table"; the GNU hash table as in glibc's elf/dl-lookup.c). */
#include "wrap/next.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

enum { VERSION_HIDDEN = 0x8000, BITS = sizeof(ElfW(Addr)) * 8 };

struct object {
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash, *hash;
    const ElfW(Half) * versions;
    ElfW(Addr) bias;
};

struct wanted {
    const char *name;
    uint32_t gnu_hash, hash;
};

static struct wanted want(const char *name) {
    struct wanted w = {.name = name, .gnu_hash = 5381};
    for (const unsigned char *s = (const unsigned char *)name; *s; s++) {
        w.gnu_hash = w.gnu_hash * 33 + *s;
        w.hash = (w.hash << 4) + *s;
        w.hash = (w.hash ^ (w.hash & 0xf0000000) >> 24) & 0x0fffffff;
    }
    return w;
}

static struct object object_of(const struct link_map *map) {
    struct object o = {.bias = map->l_addr};
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        /* The loader has put addresses in place of offsets, but not in the kernel's object. */
        ElfW(Addr) at = d->d_un.d_ptr + (d->d_un.d_ptr < map->l_addr ? map->l_addr : 0);
        const void *p = (const void *)at; // NOLINT(performance-no-int-to-ptr)
        if (d->d_tag == DT_SYMTAB)
            o.symbols = p;
        else if (d->d_tag == DT_STRTAB)
            o.strings = p;
        else if (d->d_tag == DT_GNU_HASH)
            o.gnu_hash = p;
        else if (d->d_tag == DT_HASH)
            o.hash = p;
        else if (d->d_tag == DT_VERSYM)
            o.versions = p;
    }
    return o;
}

/* Not strcmp(): that may be a sanitizer's, which is not ready before its own constructor. */
static bool same(const char *a, const char *b) {
    for (; *a == *b; a++, b++)
        if (!*a)
            return true;
    return false;
}

/* Symbol i defines the function, in the version that new programs are linked to. */
static bool is_it(const struct object *o, uint32_t i, const char *name) {
    const ElfW(Sym) *s = &o->symbols[i];
    return s->st_shndx != SHN_UNDEF && s->st_value &&
           !(o->versions && o->versions[i] & VERSION_HIDDEN) && same(o->strings + s->st_name, name);
}

static const ElfW(Sym) * find_by_gnu_hash(const struct object *o, const struct wanted *w) {
    const uint32_t *h = o->gnu_hash;
    uint32_t buckets = h[0], first = h[1], words = h[2], shift = h[3];
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(const void *)&h[4];
    const uint32_t *bucket = (const uint32_t *)(const void *)&bloom[words];
    ElfW(Addr) word = bloom[w->gnu_hash / BITS % words];
    if (!(word >> w->gnu_hash % BITS & word >> (w->gnu_hash >> shift) % BITS & 1) || !buckets)
        return NULL;
    uint32_t i = bucket[w->gnu_hash % buckets];
    const uint32_t *chain = &bucket[buckets];
    for (; i >= first; i++) {
        uint32_t hash = chain[i - first];
        if ((hash | 1) == (w->gnu_hash | 1) && is_it(o, i, w->name))
            return &o->symbols[i];
        if (hash & 1)
            break;
    }
    return NULL;
}

static const ElfW(Sym) * find_by_hash(const struct object *o, const struct wanted *w) {
    uint32_t buckets = o->hash[0];
    const uint32_t *bucket = &o->hash[2], *chain = &bucket[buckets];
    for (uint32_t i = buckets ? bucket[w->hash % buckets] : 0; i; i = chain[i])
        if (is_it(o, i, w->name))
            return &o->symbols[i];
    return NULL;
}

static void *find_in(const struct link_map *map, const struct wanted *w) {
    const ElfW(Sym) *s = NULL;
    struct object o = object_of(map);
    if (!o.symbols || !o.strings)
        return NULL;
    if (o.gnu_hash)
        s = find_by_gnu_hash(&o, w);
    else if (o.hash)
        s = find_by_hash(&o, w);
    if (!s)
        return NULL;
    /* One that is chosen when it is first looked up: none of ours is, in any libc so far. */
    if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC)
        return dlsym(RTLD_NEXT, w->name);
    return (void *)(o.bias + s->st_value); // NOLINT(performance-no-int-to-ptr)
}

void *next_function(const char *name) {
    struct dl_find_object us;
    struct wanted w = want(name);
    if (_dl_find_object((void *)__ehdr_start, &us) != 0) // NOLINT(clang-diagnostic-cast-qual)
        return NULL;
    void *found = NULL;
    for (const struct link_map *m = us.dlfo_link_map->l_next; m && !found; m = m->l_next)
        found = find_in(m, &w);
    return found;
}
