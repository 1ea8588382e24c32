#include "stack/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#include "base/index.h"
#include "base/live.h"
#include "stack/names.h"
#include "state/mine.h"

struct modules {
    struct index known; /* by what key_of() gathers */
};
LIVE_TYPE(struct modules, modules);
static union live_modules modules;

void module_begin_process(void) {
    live_register(&modules, sizeof modules);
}

static void copy_path(struct box_module *m, const struct link_map *map) {
    const char *path = map->l_name[0] ? map->l_name : mine.header->program;
    size_t n = strnlen(path, sizeof m->path - 1);
    memcpy(m->path, path, n);
    m->path[n] = '\0';
}

/* The build id of an object as it is mapped; 0: none. */
static size_t build_id_of(const struct dl_find_object *o, uint8_t id[20]) {
    const char *image = o->dlfo_map_start;
    uint64_t size = (uint64_t)((const char *)o->dlfo_map_end - image);
    const ElfW(Ehdr) *e = o->dlfo_map_start;
    if (size < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 ||
        e->e_phoff + (uint64_t)e->e_phnum * sizeof(ElfW(Phdr)) > size)
        return 0;
    const ElfW(Phdr) *p = (const void *)(image + e->e_phoff);
    size_t found = 0;
    for (unsigned i = 0; i < e->e_phnum && !found; i++) {
        uint64_t at = o->dlfo_link_map->l_addr + p[i].p_vaddr - (uint64_t)(uintptr_t)image;
        if (p[i].p_type == PT_NOTE && at < size && p[i].p_memsz <= size - at)
            found = names_build_id(image + at, p[i].p_memsz, id);
    }
    return found;
}

/* What tells an object from another one, or another version of it, that was loaded at the addresses
 * of one that is gone. */
enum { KEY_WORDS = 7 };

static uint64_t hash_text(const char *s) {
    uint64_t h = 0;
    for (; *s; s++)
        h = h * 31 + (unsigned char)*s;
    return h;
}

static void key_of(const struct dl_find_object *o, uint64_t key[KEY_WORDS]) {
    memset(key, 0, KEY_WORDS * sizeof *key);
    key[0] = (uint64_t)(uintptr_t)o->dlfo_map_start;
    key[1] = (uint64_t)(uintptr_t)o->dlfo_map_end;
    key[2] = build_id_of(o, (uint8_t *)&key[3]);
    key[6] = hash_text(o->dlfo_link_map->l_name);
}

static uint32_t module_add(const struct dl_find_object *o) {
    uint32_t i = box_record(&mine, REGION_MODULES);
    if (i == BOX_NONE)
        return i;
    struct box_module *m = &mine.modules[i];
    m->start = (uint64_t)(uintptr_t)o->dlfo_map_start;
    m->end = (uint64_t)(uintptr_t)o->dlfo_map_end;
    m->bias = o->dlfo_link_map->l_addr;
    copy_path(m, o->dlfo_link_map);
    m->build_id_size = (uint32_t)build_id_of(o, m->build_id);
    return i;
}

/* Is this record the object that is mapped there now? */
static bool same_object(const struct box_module *m, const struct dl_find_object *o) {
    const char *name = o->dlfo_link_map->l_name;
    uint8_t id[20];
    return atomic_load_explicit(&m->ready, memory_order_acquire) &&
           m->start == (uint64_t)(uintptr_t)o->dlfo_map_start &&
           m->end == (uint64_t)(uintptr_t)o->dlfo_map_end &&
           (!name[0] || strncmp(m->path, name, sizeof m->path - 1) == 0) &&
           build_id_of(o, id) == m->build_id_size && memcmp(id, m->build_id, m->build_id_size) == 0;
}

bool module_is_loaded(const struct box_module *m) {
    struct dl_find_object o;
    void *start = (void *)(uintptr_t)m->start; // NOLINT(performance-no-int-to-ptr)
    return _dl_find_object(start, &o) == 0 && same_object(m, &o);
}

static uint32_t module_of(const struct dl_find_object *o) {
    uint64_t key[KEY_WORDS];
    key_of(o, key);
    uint32_t i = index_find(&modules.v.known, key, KEY_WORDS);
    if (i != INDEX_NONE || (i = module_add(o)) == BOX_NONE)
        return i;
    i = index_add(&modules.v.known, key, KEY_WORDS, i);
    atomic_store_explicit(&mine.modules[i].ready, 1, memory_order_release);
    return i;
}

uint64_t module_frame(uintptr_t pc) {
    struct dl_find_object o;
    if (_dl_find_object((void *)pc, &o) != 0) // NOLINT(performance-no-int-to-ptr)
        return pc & FRAME_ADDRESS_MASK;
    uint32_t i = module_of(&o);
    if (i == BOX_NONE)
        return pc & FRAME_ADDRESS_MASK;
    return (uint64_t)(i + 1) << FRAME_MODULE_SHIFT |
           ((pc - mine.modules[i].bias) & FRAME_ADDRESS_MASK);
}

uint64_t module_foreign(const struct box_module *theirs) {
    uint64_t key[KEY_WORDS] = {0, 0, theirs->build_id_size};
    memcpy(&key[3], theirs->build_id, sizeof theirs->build_id);
    key[6] = hash_text(theirs->path);
    uint32_t i = index_find(&modules.v.known, key, KEY_WORDS);
    if (i == INDEX_NONE && (i = box_record(&mine, REGION_MODULES)) != BOX_NONE) {
        struct box_module *m = &mine.modules[i];
        memcpy(m->path, theirs->path, sizeof m->path);
        memcpy(m->build_id, theirs->build_id, sizeof m->build_id);
        m->build_id_size = theirs->build_id_size;
        i = index_add(&modules.v.known, key, KEY_WORDS, i);
        atomic_store_explicit(&mine.modules[i].ready, 1, memory_order_release);
    }
    return i == BOX_NONE ? 0 : (uint64_t)(i + 1) << FRAME_MODULE_SHIFT;
}
