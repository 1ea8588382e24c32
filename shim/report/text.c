/* The report as people read it: who leaks first, then what else is open, each finding with the
 * stack that opened it and every connection on a line of its own. */
#include <string.h>

#include "report/blocked.h"
#include "report/evidence.h"
#include "report/text.h"
#include "report/todo.h"

enum { FDS_SHOWN = 16 };

void write_mark(struct writer *w) {
    out_str(w->o, "==");
    out_u64(w->o, (uint64_t)w->r->facts.view->header->pid);
    out_str(w->o, "== ");
}

/* --- head ----------------------------------------------------------------------------------- */

static void write_head(struct writer *w) {
    write_mark(w);
    out_str(w->o, "poolguard: ");
    out_clean(w->o, base_name(w->r->facts.view->header->program));
    out_str(w->o, ": ");
    out_count(w->o, w->r->open, w->r->ended ? "connection" : "open connection");
    if (w->r->ended)
        out_str(w->o, atomic_load(&w->r->facts.view->header->flags) & BOX_EXECED
                          ? " open when the process started another program"
                          : " open when the process ended");
    out_str(w->o, ", ");
    out_u64(w->o, w->r->leaked);
    out_str(w->o, " leaked\n");
}

/* --- groups --------------------------------------------------------------------------------- */

static void write_frame(struct writer *w, uint32_t number, uint64_t frame) {
    struct frame_name n;
    symbols_find(&w->symbols, frame, &n);
    out_str(w->o, "    #");
    out_u64(w->o, number);
    out_char(w->o, ' ');
    if (n.function) {
        out_clean(w->o, n.function);
        out_char(w->o, '+');
        out_hex(w->o, n.offset);
    } else {
        out_hex(w->o, n.address);
    }
    if (n.module) {
        out_str(w->o, " (");
        out_clean(w->o, n.module);
        out_char(w->o, '+');
        out_hex(w->o, n.address);
        out_char(w->o, ')');
    } else {
        out_str(w->o, " (code of no file, as made at run time)");
    }
    out_char(w->o, '\n');
}

/* The call itself stands first, as in every debugger; our own frames are left out. */
void write_stack(struct writer *w, const struct shown_stack *shown) {
    const struct box_stack *s = view_stack(w->r->facts.view, shown->stack);
    out_strs(w->o, "  ", shown->title, ":\n    #0 ", shown->call, NULL);
    if (shown->nth) {
        out_str(w->o, " ");
        out_u64(w->o, shown->nth);
        out_str(w->o, " of ");
        out_u64(w->o, shown->of);
    }
    out_char(w->o, '\n');
    for (uint32_t i = 0; i < view_depth(s); i++)
        write_frame(w, i + 1, s->frames[i]);
}

static void write_fds(struct out *o, const struct fact *x) {
    out_str(o, "    fd ");
    for (uint32_t i = 0; i < x->fd_count && i < FACT_FDS; i++) {
        if (i)
            out_char(o, ',');
        out_i64(o, x->fds[i]);
    }
    if (x->fd_count > FACT_FDS)
        out_str(o, ",...");
    if (!x->fd_count)
        out_char(o, '-');
}

static void write_traffic(struct out *o, const char *way, uint64_t bytes, uint64_t calls,
                          const char *call) {
    out_strs(o, "  ", way, " ", NULL);
    out_bytes(o, bytes);
    out_str(o, " in ");
    out_count(o, calls, call);
}

static void write_connection(struct writer *w, const struct fact *x) {
    char text[ADDR_TEXT];
    struct out *o = w->o;
    uint64_t now = w->r->facts.now;
    write_fds(o, x);
    out_strs(o, "  ", addr_text(&x->local, text), NULL);
    out_strs(o, " -> ", addr_text(&x->peer, text), "  ", tcp_state_name(x->tcp), "  age ", NULL);
    out_duration(o, since(now, x->opened));
    out_str(o, "  idle ");
    out_duration(o, since(now, fact_last_use(x)));
    write_traffic(o, "in", x->bytes_in, x->calls_in, "read");
    write_traffic(o, "out", x->bytes_out, x->calls_out, "write");
    if (x->unread) {
        out_str(o, "  unread ");
        out_bytes(o, x->unread);
    }
    if (x->flags & CONN_SHUT_WRITE)
        out_str(o, "  shut for writing");
    if (x->flags & CONN_PASSED)
        out_str(o, "  sent to another process");
    out_str(o, "  thread ");
    out_i64(o, x->thread);
    if (x->verdict == VERDICT_NO_TIMEOUT) {
        out_str(o, "  blocked: thread ");
        out_i64(o, x->blocked_thread);
        out_strs(o, " in ", blocked_call_name(x->blocked_call), "()", NULL);
    }
    out_char(o, '\n');
    write_tls(w, x);
    write_http(w, x);
}

static void write_group_fds(struct writer *w, const struct group *g) {
    uint32_t shown = 0, i = g->first;
    out_str(w->o, "; fds");
    for (; i != UINT32_MAX && shown < FDS_SHOWN; i = w->r->facts.fact[i].next) {
        const struct fact *x = &w->r->facts.fact[i];
        for (uint32_t k = 0; k < x->fd_count && k < FACT_FDS && shown < FDS_SHOWN; k++, shown++) {
            out_char(w->o, ' ');
            out_i64(w->o, x->fds[k]);
        }
    }
    if (i != UINT32_MAX)
        out_str(w->o, " ...");
}

static void write_group_head(struct writer *w, const struct group *g) {
    char text[HOST_TEXT];
    const struct verdict_class *c = &verdict_class[g->verdict];
    bool orphans = g->verdict == VERDICT_TLS_ORPHAN;
    write_mark(w);
    if (g->suppressed)
        out_strs(w->o, "SUPPRESSED ", c->name, ": ", NULL);
    else
        out_strs(w->o, c->title, ": ", NULL);
    out_count(w->o, g->count, orphans ? "TLS object" : "connection");
    if (orphans)
        out_str(w->o, g->count == 1 ? " of a closed connection" : " of closed connections");
    if (g->host_id != BOX_NONE || g->host.family != ADDR_NONE)
        out_strs(w->o, " to ", group_host_text(w->r->facts.view, g, text), NULL);
    out_str(w->o, group_is_of_site(g) ? ", last " : ", oldest ");
    out_duration(w->o, since(w->r->facts.now, g->oldest));
    out_str(w->o, group_is_of_site(g) ? " ago\n" : "\n");
}

static void write_group(struct writer *w, const struct group *g) {
    const char *todo = todo_of_stack(g->verdict, w->r->facts.view, g->stack);
    struct out *o = w->o;
    out_char(o, '\n');
    write_group_head(w, g);
    bool listed = g->verdict != VERDICT_TLS_ORPHAN && !group_is_of_site(g);
    if (evidence_is_known(g)) {
        out_str(o, "  ");
        evidence_of_group(o, w->r, g);
        if (listed)
            write_group_fds(w, g);
        out_char(o, '\n');
    }
    struct shown_stack stack[STACKS_SHOWN];
    unsigned stacks = stacks_of_group(stack, w->r, g);
    for (unsigned i = 0; i < stacks; i++)
        write_stack(w, &stack[i]);
    if (listed)
        out_str(o, "  connections:\n");
    for (uint32_t i = g->first; listed && i != UINT32_MAX; i = w->r->facts.fact[i].next)
        write_connection(w, &w->r->facts.fact[i]);
    if (todo && !g->suppressed)
        out_strs(o, "  to do: ", todo, "\n", NULL);
}

static void write_summary(struct writer *w) {
    out_str(w->o, "\nSUMMARY: poolguard: ");
    if (w->r->leaked) {
        out_count(w->o, w->r->leaked, "leaked connection");
        out_str(w->o, " in ");
        out_count(w->o, w->r->leak_places, "place");
    }
    if (w->r->tls_leaked) {
        out_str(w->o, w->r->leaked ? ", " : "");
        out_count(w->o, w->r->tls_leaked, "leaked TLS object");
        out_str(w->o, " in ");
        out_count(w->o, w->r->tls_places, "place");
    }
    if (!report_leaks(w->r)) {
        out_str(w->o, "no leaks, ");
        out_count(w->o, w->r->open, "open connection");
    }
    out_char(w->o, '\n');
}

void report_write_text(struct report *r, struct out *o) {
    struct writer w = {.r = r, .o = o};
    symbols_begin(&w.symbols, r->facts.view, r->is_loaded);
    write_head(&w);
    report_write_hosts(r, o);
    uint32_t i = 0;
    for (; i < r->groups.count && r->groups.group[i].verdict < VERDICT_DOUBLE_CLOSE; i++)
        write_group(&w, &r->groups.group[i]);
    write_of_process(&w);
    write_retractions(&w);
    for (; i < r->groups.count; i++)
        write_group(&w, &r->groups.group[i]);
    write_notes(&w);
    write_summary(&w);
    symbols_free(&w.symbols);
    out_flush(o);
}
