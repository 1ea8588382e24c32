/* A checked view of a state file: the process's own, or a copy of another's.
 *
 * Whatever the bytes are, nothing read through these functions leads outside the copy: counts are
 * cut to what is there, indices are checked at each step, texts end in '\0'. */
#ifndef PG_STATE_VIEW_H
#define PG_STATE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/box.h"
#include "state/layout.h"

struct view {
    const struct box_header *header;
    const struct box_module *modules;
    const struct box_name *names;
    const struct box_host *hosts;
    const struct box_stack *stacks;
    const struct box_site *sites;
    const struct box_conn *conns;
    const struct box_tls *tls;
    const struct box_http *http;
    const struct box_use *uses;
    const struct box_double_close *double_closes;
    uint32_t count[REGION_COUNT];
    void *copy; /* of view_read: one mapping, freed by view_free */
    size_t copy_size;
};

/* Of the process's own box: nothing is copied. Async-signal-safe. */
void view_own(struct view *v, const struct box *b);

enum view_error {
    VIEW_OK,
    VIEW_UNFINISHED,    /* its process is setting it up */
    VIEW_NOT_A_BOX,     /* too short, or no state file at all */
    VIEW_OTHER_VERSION, /* of another version of the library */
    VIEW_GARBLED,       /* the header contradicts itself or the file's size */
    VIEW_UNREADABLE,    /* reading failed */
};

/* Copies the file behind fd. What is recycled is copied twice and kept only where both copies are
 * of one and the same life (others have an odd number). The caller frees it with view_free. */
enum view_error view_read(struct view *v, int fd);
void view_free(struct view *v);
const char *view_error_text(enum view_error e);

/* Records by index; NULL for BOX_NONE, an index that is not there, or a record that was not
 * finished. */
const struct box_module *view_module(const struct view *v, uint32_t i);
const struct box_name *view_name(const struct view *v, uint32_t i);
const struct box_host *view_host(const struct view *v, uint32_t i);
const struct box_stack *view_stack(const struct view *v, uint32_t i);
const struct box_site *view_site(const struct view *v, uint32_t i);
const struct box_conn *view_conn(const struct view *v, uint32_t i);
const struct box_tls *view_tls(const struct view *v, uint32_t i);
const struct box_http *view_http(const struct view *v, uint32_t i);
const struct box_use *view_use(const struct view *v, uint32_t i);
const struct box_double_close *view_double_close(const struct view *v, uint32_t i);

/* The frames of a stack that are there: at most BOX_FRAMES_MAX, whatever its depth field says. */
uint32_t view_depth(const struct box_stack *s);
/* The module of a frame, or NULL for plain addresses; *address is the address in it. */
const struct box_module *view_frame(const struct view *v, uint64_t frame, uint64_t *address);

#endif
