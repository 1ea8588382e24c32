/* What a report says of the process as a whole, not of one connection. */
#include <string.h>

#include "report/text.h"

static void write_exhausted(struct writer *w) {
    const struct box_header *h = w->r->facts.view->header;
    uint64_t times = atomic_load(&h->exhausted);
    if (!times || suppress_find(w->r->suppressions, SUPPRESS_CLASS, "fd-exhausted"))
        return;
    const char *why = strerrordesc_np(atomic_load(&h->exhausted_errno));
    out_char(w->o, '\n');
    write_mark(w);
    out_strs(w->o, verdict_class[VERDICT_FD_EXHAUSTED].title, ": socket() or accept() failed ",
             NULL);
    out_count(w->o, times, "time");
    out_str(w->o, ", last ");
    out_duration(w->o, since(w->r->facts.now, atomic_load(&h->exhausted_at)));
    out_strs(w->o, " ago: ", why ? why : "no descriptor left", "\n", NULL);
    uint32_t stack = atomic_load(&h->exhausted_stack);
    if (view_stack(w->r->facts.view, stack)) {
        out_str(w->o, "  last asked for:\n");
        write_stack(w, stack, "socket or accept");
    }
    out_strs(w->o, "  to do: ", verdict_class[VERDICT_FD_EXHAUSTED].todo, "\n", NULL);
}

/* Who closed what, when two threads were at it. */
static void write_closers(struct writer *w, const struct box_double_close *d) {
    struct out *o = w->o;
    out_str(o, "  closed by thread ");
    out_i64(o, d->closer);
    out_str(o, ", and again ");
    out_duration(o, atomic_load_explicit(&d->gap, memory_order_relaxed));
    out_str(o, " later by thread ");
    out_i64(o, d->closer_again);
    if (d->closer_had_closed) {
        out_str(o, "; it was opened by thread ");
        out_i64(o, d->opener);
        out_str(o, ", and thread ");
        out_i64(o, d->closer);
        out_str(o, " had closed the connection that had this descriptor before: it closed that one "
                   "twice and hit another");
    }
    out_char(o, '\n');
}

static void write_double_close(struct writer *w, const struct box_double_close *d) {
    const struct view *v = w->r->facts.view;
    const struct box_site *s = view_site(v, d->site);
    const struct box_host *h = s ? view_host(v, s->host) : NULL;
    uint64_t times = atomic_load_explicit(&d->times, memory_order_relaxed);
    struct group g = {
        .verdict = VERDICT_DOUBLE_CLOSE, .stack = d->again, .host_id = h ? s->host : BOX_NONE};
    char text[HOST_TEXT];
    if (!times || report_suppression(w->r, &w->symbols, &g))
        return;
    out_char(w->o, '\n');
    write_mark(w);
    out_strs(w->o, verdict_class[VERDICT_DOUBLE_CLOSE].title, ": fd ", NULL);
    out_i64(w->o, d->fd);
    if (h)
        out_strs(w->o, ", a connection to ", host_text(v, s->host, text), NULL);
    out_str(w->o, ", closed twice; ");
    out_count(w->o, times, "time");
    out_str(w->o, ", last ");
    out_duration(w->o, since(w->r->facts.now, atomic_load(&d->last)));
    out_str(w->o, " ago\n");
    write_closers(w, d);
    write_titled_stack(w, "opened", s ? s->stack : BOX_NONE,
                       s && s->direction == CONN_INBOUND ? "accept" : "connect");
    write_titled_stack(w, "closed", d->closed, "close");
    write_titled_stack(w, "closed again", d->again, "close");
    out_strs(w->o, "  to do: ", verdict_class[VERDICT_DOUBLE_CLOSE].todo, "\n", NULL);
}

void write_of_process(struct writer *w) {
    const struct view *v = w->r->facts.view;
    for (uint32_t i = 0; i < v->count[REGION_DOUBLE_CLOSES]; i++)
        if (view_double_close(v, i))
            write_double_close(w, view_double_close(v, i));
    write_exhausted(w);
}

static void write_unknown(struct writer *w) {
    const struct view *v = w->r->facts.view;
    uint64_t dropped = 0;
    for (int i = 0; i < REGION_COUNT; i++)
        dropped += atomic_load(&v->header->region[i].dropped);
    if (w->r->facts.unseen) {
        out_str(w->o, "\nnot seen being opened: ");
        out_count(w->o, w->r->facts.unseen, "TCP connection");
        out_str(w->o, " (opened by raw system calls)\n");
    }
    if (w->r->facts.watch_unknown)
        out_str(w->o,
                "\nits epoll sets could not be looked at (no descriptor left, or no /proc): what "
                "they may watch is not called leaked\n");
    if (w->r->facts.holes & FACT_HOLE_URING)
        out_str(w->o,
                "\nit has an io_uring: what is opened, used or closed through it is not seen\n");
    if (w->r->facts.holes & FACT_HOLE_NAMESPACE)
        out_str(w->o, "\nit has loaded objects into a namespace of their own (dlmopen): what they "
                      "open is not seen being opened\n");
    uint32_t unmapped = atomic_load(&v->header->tls_unmapped);
    if (unmapped) {
        out_str(w->o, "\nTLS through memory: ");
        out_count(w->o, unmapped, "TLS object");
        out_str(w->o, " whose connections are not known to the TLS library (memory BIO): those are "
                      "reported as TCP\n");
    }
    if (dropped) {
        out_str(w->o, "\nthe tables were full: ");
        out_count(w->o, dropped, "record");
        out_str(w->o, " could not be kept\n");
    }
    if (!w->r->is_loaded && atomic_load(&v->header->flags) & BOX_PARTLY_PRIVATE)
        out_str(w->o, "\nincomplete: the state file's file system was full; a report on the signal "
                      "has everything\n");
}

static void write_suppressed(struct writer *w) {
    bool any = false;
    for (struct suppression *s = w->r->suppressions; s; s = s->next) {
        static const char *const word[] = {"leak:", "host:", "class:"};
        if (!s->used)
            continue;
        out_str(w->o, any ? ", " : "\nsuppressed by ");
        out_str(w->o, word[s->kind]);
        out_clean(w->o, s->pattern);
        any = true;
    }
    if (any) {
        out_str(w->o, ": ");
        out_count(w->o, w->r->suppressed, "connection");
        out_char(w->o, '\n');
    }
}

void write_notes(struct writer *w) {
    write_unknown(w);
    write_suppressed(w);
}
