/* What a report says of the process as a whole, not of one connection. */
#include "report/evidence.h"
#include "report/notes.h"
#include "report/text.h"
#include "report/todo.h"

static void write_head(struct writer *w, enum verdict verdict) {
    out_char(w->o, '\n');
    write_mark(w);
    out_strs(w->o, verdict_class[verdict].title, ": ", NULL);
}

static void write_rest(struct writer *w, const char *todo, const struct shown_stack *stack,
                       unsigned stacks) {
    for (unsigned i = 0; i < stacks; i++)
        write_stack(w, &stack[i]);
    out_strs(w->o, "  to do: ", todo, "\n", NULL);
}

static void write_exhausted(struct writer *w) {
    struct shown_stack stack[STACKS_SHOWN];
    write_head(w, VERDICT_FD_EXHAUSTED);
    evidence_of_exhausted(w->o, w->r);
    out_char(w->o, '\n');
    write_rest(w, todo_text(VERDICT_FD_EXHAUSTED, LANGUAGE_C), stack,
               stacks_of_exhausted(stack, w->r));
}

static void write_double_close(struct writer *w, const struct box_double_close *d) {
    const struct view *v = w->r->facts.view;
    const struct box_site *s = view_site(v, d->site);
    struct shown_stack stack[STACKS_SHOWN];
    char text[HOST_TEXT];
    write_head(w, VERDICT_DOUBLE_CLOSE);
    out_str(w->o, "fd ");
    out_i64(w->o, d->fd);
    if (s && view_host(v, s->host))
        out_strs(w->o, ", a connection to ", host_text(v, s->host, text), NULL);
    out_str(w->o, ", closed twice; ");
    out_count(w->o, atomic_load_explicit(&d->times, memory_order_relaxed), "time");
    out_str(w->o, ", last ");
    out_duration(w->o, since(w->r->facts.now, atomic_load(&d->last)));
    out_str(w->o, " ago\n  ");
    evidence_of_double_close(w->o, d);
    out_char(w->o, '\n');
    write_rest(w, todo_of_stack(VERDICT_DOUBLE_CLOSE, v, s ? s->stack : BOX_NONE), stack,
               stacks_of_double_close(stack, w->r, d));
}

/* The class of what was reported; a word that is not known may stand in a file. */
static void write_retraction(struct writer *w, const struct box_site *s) {
    uint32_t n = atomic_load(&s->retracted);
    struct shown_stack stack;
    char text[HOST_TEXT];
    out_char(w->o, '\n');
    write_mark(w);
    out_strs(w->o, "RETRACTED ", report_retracted_class(s), ": ", NULL);
    out_count(w->o, n, "connection");
    if (view_host(w->r->facts.view, s->host))
        out_strs(w->o, " to ", host_text(w->r->facts.view, s->host, text), NULL);
    out_str(w->o, ", last ");
    out_duration(w->o, since(w->r->facts.now, atomic_load(&s->retracted_at)));
    out_str(w->o, " ago\n  ");
    evidence_of_retraction(w->o, w->r, s);
    out_char(w->o, '\n');
    if (stack_of_site(&stack, w->r, s))
        write_stack(w, &stack);
}

void write_retractions(struct writer *w) {
    const struct view *v = w->r->facts.view;
    for (uint32_t i = 0; i < v->count[REGION_SITES]; i++) {
        const struct box_site *s = view_site(v, i);
        if (s && atomic_load(&s->retracted))
            write_retraction(w, s);
    }
}

void write_of_process(struct writer *w) {
    const struct view *v = w->r->facts.view;
    for (uint32_t i = 0; i < v->count[REGION_DOUBLE_CLOSES]; i++) {
        const struct box_double_close *d = view_double_close(v, i);
        if (d && report_shows_double_close(w->r, &w->symbols, d))
            write_double_close(w, d);
    }
    if (report_shows_exhausted(w->r))
        write_exhausted(w);
}

void write_notes(struct writer *w) {
    for (unsigned i = 0; i < NOTES; i++)
        if (note_applies(w->r, i)) {
            out_char(w->o, '\n');
            note_write(w->o, w->r, i);
            out_char(w->o, '\n');
        }
}
