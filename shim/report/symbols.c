#include "report/symbols.h"

#include <string.h>

#include "base/mem.h"
#include "stack/names.h"

struct module_names {
    enum { UNTRIED, OPENED, NOT_TO_BE_HAD } state;
    struct names names;
};

void symbols_begin(struct symbols *s, const struct view *v,
                   bool (*is_loaded)(const struct box_module *)) {
    s->view = v;
    s->is_loaded = is_loaded;
    s->map_size = (v->count[REGION_MODULES] + 1) * sizeof *s->module;
    s->module = mem_map(s->map_size);
}

void symbols_free(struct symbols *s) {
    for (uint32_t i = 0; s->module && i < s->view->count[REGION_MODULES]; i++)
        if (s->module[i].state == OPENED)
            names_close(&s->module[i].names);
    mem_unmap(s->module, s->map_size);
    s->module = NULL;
}

/* The image as the loader mapped it: for the vDSO, and for files that are gone or replaced. */
static bool open_loaded(const struct symbols *s, struct names *n, const struct box_module *m) {
    const void *start = (const void *)(uintptr_t)m->start; // NOLINT(performance-no-int-to-ptr)
    return s->is_loaded && s->is_loaded(m) && names_open_loaded(n, start, m->end - m->start) == 0;
}

static struct names *names_of(struct symbols *s, const struct box_module *m) {
    if (!s->module)
        return NULL;
    struct module_names *n = &s->module[m - s->view->modules];
    if (n->state == UNTRIED) {
        bool ok = names_open(&n->names, m->path, m->build_id, m->build_id_size) == 0 ||
                  open_loaded(s, &n->names, m);
        n->state = ok ? OPENED : NOT_TO_BE_HAD;
    }
    return n->state == OPENED ? &n->names : NULL;
}

void symbols_find(struct symbols *s, uint64_t frame, struct frame_name *name) {
    memset(name, 0, sizeof *name);
    const struct box_module *m = view_frame(s->view, frame, &name->address);
    if (!m)
        return;
    name->module = m->path;
    name->file = m;
    struct names *n = names_of(s, m);
    if (n)
        name->function = names_find(n, name->address, &name->offset);
}
