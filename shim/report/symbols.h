/* Names for the frames of a report: each module's symbol table is opened once a report. */
#ifndef PG_REPORT_SYMBOLS_H
#define PG_REPORT_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "state/view.h"

struct symbols {
    const struct view *view;
    /* Of the process's own modules: is it mapped, so that its image can stand in for its file?
     * NULL: they are another process's. */
    bool (*is_loaded)(const struct box_module *);
    struct module_names *module;
    size_t map_size;
};

struct frame_name {
    const char *function;          /* NULL: unknown */
    uint64_t offset;               /* into the function */
    const char *module;            /* path, NULL: code of no file */
    uint64_t address;              /* in the module, or absolute without one */
    const struct box_module *file; /* the module's record, or NULL */
};

/* Async-signal-safe. Without memory all functions are unknown. */
void symbols_begin(struct symbols *s, const struct view *v,
                   bool (*is_loaded)(const struct box_module *));
void symbols_find(struct symbols *s, uint64_t frame, struct frame_name *name);
void symbols_free(struct symbols *s);

#endif
