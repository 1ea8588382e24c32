/* The stacks of a JSON report: each once, with a number that others refer to. */
#include "base/mem.h"
#include "report/fingerprint.h"
#include "report/json.h"
#include "report/stacks.h"

/* --- which ------------------------------------------------------------------------------------ */

static void want(struct json_report *w, uint32_t stack) {
    if (view_stack(w->r->facts.view, stack))
        w->stack[stack].wanted = true;
}

static void want_shown(struct json_report *w, const struct shown_stack *s, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        want(w, s[i].stack);
}

/* Equal stacks may stand in two records: that of a connection need not be its group's. */
static void want_of_group(struct json_report *w, const struct group *g) {
    struct shown_stack shown[STACKS_SHOWN];
    want_shown(w, shown, stacks_of_group(shown, w->r, g));
    for (uint32_t i = g->first; i != UINT32_MAX; i = w->r->facts.fact[i].next) {
        const struct box_site *s = view_site(w->r->facts.view, w->r->facts.fact[i].site);
        struct shown_stack used = stack_of_last_use(&w->r->facts.fact[i]);
        want(w, used.stack);
        if (s)
            want(w, s->stack);
    }
}

static void want_of_process(struct json_report *w) {
    const struct view *v = w->r->facts.view;
    struct shown_stack shown[STACKS_SHOWN];
    for (uint32_t i = 0; i < v->count[REGION_DOUBLE_CLOSES]; i++) {
        const struct box_double_close *d = view_double_close(v, i);
        if (d && report_shows_double_close(w->r, &w->symbols, d))
            want_shown(w, shown, stacks_of_double_close(shown, w->r, d));
    }
    for (uint32_t i = 0; i < v->count[REGION_SITES]; i++) {
        const struct box_site *s = view_site(v, i);
        if (s && atomic_load(&s->retracted))
            want_shown(w, shown, stack_of_site(shown, w->r, s));
    }
    if (report_shows_exhausted(w->r))
        want_shown(w, shown, stacks_of_exhausted(shown, w->r));
}

void json_stacks_begin(struct json_report *w) {
    w->stack_size = (w->r->facts.view->count[REGION_STACKS] + 1) * sizeof *w->stack;
    w->stack = mem_map(w->stack_size);
    if (!w->stack)
        return;
    for (uint32_t i = 0; i < w->r->groups.count; i++)
        want_of_group(w, &w->r->groups.group[i]);
    want_of_process(w);
}

void json_stacks_free(struct json_report *w) {
    mem_unmap(w->stack, w->stack_size);
    w->stack = NULL;
}

/* --- what ------------------------------------------------------------------------------------- */

static void write_build_id(struct json *j, const struct box_module *m) {
    struct json_part part;
    struct out *o = json_text_begin(&part, j, "build_id");
    for (uint32_t i = 0; i < m->build_id_size; i++) {
        out_char(o, "0123456789abcdef"[m->build_id[i] >> 4]);
        out_char(o, "0123456789abcdef"[m->build_id[i] & 15]);
    }
    json_text_end(&part);
}

static void write_frame(struct json *j, const struct frame_name *n) {
    json_open(j, NULL, '{');
    if (n->function) {
        json_text(j, "function", n->function);
        json_u64(j, "function_offset", n->offset);
    }
    if (n->module)
        json_text(j, "module", n->module);
    json_u64(j, n->module ? "offset" : "address", n->address);
    if (n->file && n->file->build_id_size)
        write_build_id(j, n->file);
    json_close(j, '}');
}

static void write_stack(struct json_report *w, uint32_t stack) {
    const struct box_stack *s = view_stack(w->r->facts.view, stack);
    struct frame_name n;
    uint64_t fingerprint = FINGERPRINT_START;
    char text[FINGERPRINT_TEXT];
    struct json *j = &w->j;
    json_open(j, NULL, '{');
    json_u64(j, "id", stack);
    json_open(j, "frames", '[');
    for (uint32_t i = 0; i < view_depth(s); i++) {
        symbols_find(&w->symbols, s->frames[i], &n);
        fingerprint = fingerprint_add_frame(fingerprint, &n);
        write_frame(j, &n);
    }
    json_close(j, ']');
    json_text(j, "fingerprint", fingerprint_text(fingerprint, text));
    json_close(j, '}');
    if (w->stack)
        w->stack[stack].fingerprint = fingerprint;
}

void json_stacks(struct json_report *w) {
    json_open(&w->j, "stacks", '[');
    for (uint32_t i = 0; i < w->r->facts.view->count[REGION_STACKS]; i++)
        if (view_stack(w->r->facts.view, i) && (!w->stack || w->stack[i].wanted))
            write_stack(w, i);
    json_close(&w->j, ']');
}

uint64_t json_stack_fingerprint(struct json_report *w, uint32_t stack) {
    const struct box_stack *s = view_stack(w->r->facts.view, stack);
    uint64_t fingerprint = FINGERPRINT_START;
    struct frame_name n;
    if (w->stack)
        return w->stack[stack].fingerprint;
    for (uint32_t i = 0; s && i < view_depth(s); i++) {
        symbols_find(&w->symbols, s->frames[i], &n);
        fingerprint = fingerprint_add_frame(fingerprint, &n);
    }
    return fingerprint;
}
