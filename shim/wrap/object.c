#include "wrap/object.h"

#include <dlfcn.h>
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERSION_HIDDEN = 0x8000, BITS = sizeof(ElfW(Addr)) * 8 };

/* What the dynamic section of a loaded object leads to (gABI, "Dynamic Section"). */
struct object {
    const ElfW(Sym) * symbols;
    const char *strings, *soname;
    const uint32_t *gnu_hash, *hash;
    const ElfW(Half) * versions;
    const ElfW(Rela) * relocations[2]; /* of data, of calls */
    size_t relocation_bytes[2];
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
    size_t soname = 0;
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        /* The loader has put addresses in place of offsets, but not in the kernel's object. */
        ElfW(Addr) at = d->d_un.d_ptr + (d->d_un.d_ptr < map->l_addr ? map->l_addr : 0);
        const void *p = (const void *)at; // NOLINT(performance-no-int-to-ptr)
        switch (d->d_tag) {
        case DT_SYMTAB: o.symbols = p; break;
        case DT_STRTAB: o.strings = p; break;
        case DT_GNU_HASH: o.gnu_hash = p; break;
        case DT_HASH: o.hash = p; break;
        case DT_VERSYM: o.versions = p; break;
        case DT_SONAME: soname = d->d_un.d_val; break;
        case DT_RELA: o.relocations[0] = p; break;
        case DT_RELASZ: o.relocation_bytes[0] = d->d_un.d_val; break;
        case DT_JMPREL: o.relocations[1] = p; break;
        case DT_PLTRELSZ: o.relocation_bytes[1] = d->d_un.d_val; break;
        default: break;
        }
    }
    o.soname = soname && o.strings ? o.strings + soname : NULL;
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
static bool defines(const struct object *o, uint32_t i, const char *name) {
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
        if ((hash | 1) == (w->gnu_hash | 1) && defines(o, i, w->name))
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
        if (defines(o, i, w->name))
            return &o->symbols[i];
    return NULL;
}

void *object_function(const struct link_map *map, const char *name) {
    const struct object o = object_of(map);
    const struct wanted w = want(name);
    const ElfW(Sym) *s = NULL;
    if (!o.symbols || !o.strings)
        return NULL;
    if (o.gnu_hash)
        s = find_by_gnu_hash(&o, &w);
    else if (o.hash)
        s = find_by_hash(&o, &w);
    if (!s)
        return NULL;
    /* One that is chosen when it is first looked up: none of ours is, in any library so far. */
    if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC)
        return dlsym(RTLD_NEXT, name);
    return (void *)(o.bias + s->st_value); // NOLINT(performance-no-int-to-ptr)
}

bool object_is_symbolic(const struct link_map *map) {
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_SYMBOLIC || (d->d_tag == DT_FLAGS && d->d_un.d_val & DF_SYMBOLIC))
            return true;
    return false;
}

bool object_is_named(const struct link_map *map, const char *name) {
    const struct object o = object_of(map);
    const char *base = map->l_name;
    for (const char *p = map->l_name; *p; p++)
        if (*p == '/')
            base = p + 1;
    return same(base, name) || (o.soname && same(o.soname, name));
}

const char *object_needs(const struct link_map *map, size_t n) {
    const struct object o = object_of(map);
    for (const ElfW(Dyn) *d = map->l_ld; o.strings && d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_NEEDED && n-- == 0)
            return o.strings + d->d_un.d_val;
    return NULL;
}

static bool begins(const char *text, const char *with) {
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

const struct link_map *object_bound_to(const struct link_map *map, const char *prefix,
                                       bool (*is_it)(const struct link_map *)) {
    const struct object o = object_of(map);
    struct dl_find_object there;
    for (int k = 0; k < 2 && o.symbols && o.strings; k++) {
        const ElfW(Rela) *r = o.relocations[k];
        for (size_t i = 0; r && i < o.relocation_bytes[k] / sizeof *r; i++) {
            const ElfW(Sym) *s = &o.symbols[ELF64_R_SYM(r[i].r_info)];
            if (s->st_shndx != SHN_UNDEF || r[i].r_addend ||
                !begins(o.strings + s->st_name, prefix))
                continue;
            void *const *place = (void *const *)(o.bias + r[i].r_offset); // NOLINT
            if (_dl_find_object(*place, &there) == 0 && there.dlfo_link_map != map &&
                is_it(there.dlfo_link_map))
                return there.dlfo_link_map;
        }
    }
    return NULL;
}
