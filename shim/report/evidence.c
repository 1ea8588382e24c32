#include "report/evidence.h"

#include <string.h>

#include "report/blocked.h"

/* --- of several connections ------------------------------------------------------------------- */

/* The time since the last of a group's. */
static void write_least(struct out *o, const struct report *r, const struct group *g,
                        uint64_t (*when)(const struct fact *)) {
    uint64_t last = 0;
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next) {
        uint64_t at = when(&r->facts.fact[i]);
        last = at > last ? at : last;
    }
    out_duration(o, since(r->facts.now, last));
}

static uint64_t freed_at(const struct fact *x) {
    return x->tls.freed;
}
static uint64_t closed_at(const struct fact *x) {
    return x->tls.closed;
}
static uint64_t begun_at(const struct fact *x) {
    return x->tls.begun;
}

/* --- groups ----------------------------------------------------------------------------------- */

/* How long ago the peers of all of a group closed, at least; 0: not known of each. */
static uint64_t least_closed_age(const struct report *r, const struct group *g) {
    uint64_t least = UINT64_MAX;
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next) {
        uint64_t age = fact_peer_closed_age(&r->facts.fact[i], r->facts.now);
        least = age < least ? age : least;
    }
    return least;
}

static void write_peer_closed(struct out *o, const struct report *r, const struct group *g) {
    const struct fact *x = &r->facts.fact[g->first];
    uint64_t age = least_closed_age(r, g);
    bool by_peer = x->tcp != TCP_IS_CLOSE || (x->flags & CONN_PEER_EOF);
    out_str(o, x->flags & CONN_RESET ? "the connection was reset"
               : by_peer             ? "the peer has closed"
                                     : "the connection is dead (reset, or timed out)");
    if (age) {
        out_str(o, " (at least ");
        out_duration(o, age);
        out_str(o, " ago)");
    }
    out_str(o, ", the program has not; not touched for ");
    write_least(o, r, g, fact_last_use);
    if (g->unread) {
        out_str(o, "; unread ");
        out_bytes(o, g->unread);
    }
    evidence_of_exchange(o, r, g);
}

static void write_connect_failed(struct out *o, const struct report *r, const struct group *g) {
    const struct fact *x = &r->facts.fact[g->first];
    const char *name = x->error ? strerrordesc_np(x->error) : NULL;
    out_str(o, "connect() failed");
    if (name)
        out_strs(o, " (", name, ")", NULL);
    out_str(o, ", the descriptor is still open after ");
    write_least(o, r, g, fact_last_use);
}

static void write_never_closed(struct out *o, const struct report *r, const struct group *g) {
    const struct box_site *s = view_site(r->facts.view, r->facts.fact[g->first].site);
    out_str(o, "not touched for ");
    write_least(o, r, g, fact_last_use);
    if (!s)
        return;
    out_str(o, ", while the same place opened others: ");
    out_u64(o, atomic_load_explicit(&s->opened, memory_order_relaxed));
    out_str(o, " in all, ");
    out_u64(o, atomic_load_explicit(&s->closed, memory_order_relaxed));
    out_str(o, " closed");
    evidence_of_exchange(o, r, g);
}

static void write_open_at_exit(struct out *o, const struct report *r, const struct group *g) {
    (void)r;
    (void)g;
    out_str(o, "open when the program ended");
}

static void write_exec_inherited(struct out *o, const struct report *r, const struct group *g) {
    out_str(o, "open without FD_CLOEXEC when this program was started by exec(), which has not "
               "touched it for ");
    write_least(o, r, g, fact_last_use);
}

static void write_inherited(struct out *o, const struct report *r, const struct group *g) {
    unsigned flags = r->facts.fact[g->first].flags;
    out_str(o, flags & CONN_RECEIVED  ? "received from another process (SCM_RIGHTS)"
               : flags & CONN_BY_EXEC ? "open before this program was started by exec()"
                                      : "opened by the parent process, before fork()");
}

static void write_tls_freed(struct out *o, const struct report *r, const struct group *g) {
    bool one = g->count == 1;
    out_str(o, one ? "the TLS object was freed " : "the TLS objects were freed at least ");
    write_least(o, r, g, freed_at);
    out_str(o, one ? " ago and the socket not used since" : " ago and the sockets not used since");
}

static void write_tls_orphan(struct out *o, const struct report *r, const struct group *g) {
    bool one = g->count == 1;
    out_str(o, one ? "its socket was closed " : "their sockets were closed at least ");
    write_least(o, r, g, closed_at);
    out_str(o, one ? " ago, it was never freed" : " ago, they were never freed");
}

static void write_tls_handshake(struct out *o, const struct report *r, const struct group *g) {
    out_str(o, g->count == 1 ? "the TLS handshake began " : "the last TLS handshake began ");
    write_least(o, r, g, begun_at);
    out_str(o, g->count == 1 ? " ago and has not finished" : " ago, none has finished");
}

/* How many of a group's threads are in that call. */
static uint32_t count_in(const struct report *r, const struct group *g, unsigned call) {
    uint32_t n = 0;
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next)
        n += r->facts.fact[i].blocked_call == call;
    return n;
}

/* The call that all of a group's threads are in, or in what kinds of calls they are. */
static void write_calls(struct out *o, const struct report *r, const struct group *g) {
    unsigned call = r->facts.fact[g->first].blocked_call;
    if (count_in(r, g, call) == g->count)
        out_strs(o, blocked_call_name(call), "()", NULL);
    else
        out_str(o, count_in(r, g, BLOCKED_CONNECT) ? "connect() and reads" : "reads");
}

/* Several. Since when a thread is in a read nobody knows; it is in a connect() since that began. */
static void write_several_waits(struct out *o, const struct report *r, const struct group *g) {
    bool connecting = count_in(r, g, BLOCKED_CONNECT) == g->count;
    out_u64(o, g->count);
    out_strs(o, connecting ? " threads have been" : " threads are", " blocked in ", NULL);
    write_calls(o, r, g);
    out_str(o, connecting ? " for at least " : ", nothing came for at least ");
    write_least(o, r, g, fact_last_use);
    out_str(o, ", no timeout is set");
}

/* What a read waits for. One that wants all or nothing (MSG_WAITALL) may hold what has come. */
static void write_answer_due(struct out *o, const struct report *r, const struct group *g) {
    const struct fact *x = &r->facts.fact[g->first];
    enum http_phase phase = fact_http_phase(x);
    bool begun = phase == HTTP_RESPONSE_HEAD || phase == HTTP_RESPONSE_BODY;
    bool asked = !begun && !x->unseen_use;
    out_str(o, begun ? "the answer stopped " : asked ? "asked " : "nothing came for ");
    write_least(o, r, g, fact_last_use);
    out_str(o, begun ? " ago; " : asked ? " ago, nothing came; " : "; ");
}

static void write_no_timeout(struct out *o, const struct report *r, const struct group *g) {
    const struct fact *x = &r->facts.fact[g->first];
    bool connecting = x->blocked_call == BLOCKED_CONNECT;
    if (g->count > 1) {
        write_several_waits(o, r, g);
        return;
    }
    if (!connecting)
        write_answer_due(o, r, g);
    out_str(o, "thread ");
    out_i64(o, x->blocked_thread);
    out_strs(o, connecting ? " has been" : " is", " blocked in ",
             blocked_call_name(x->blocked_call), "()", NULL);
    if (connecting) {
        out_str(o, " for ");
        write_least(o, r, g, fact_last_use);
    }
    out_str(o, connecting ? ", no timeout is set" : " and no timeout is set");
}

static evidence_writer *const evidence[VERDICT_COUNT] = {
    [VERDICT_BODY_UNREAD] = evidence_of_body_unread,
    [VERDICT_CLOSED_UNDRAINED] = evidence_of_undrained,
    [VERDICT_CHURN] = evidence_of_churn,
    [VERDICT_SERVER_IDLE] = evidence_of_server_idle,
    [VERDICT_TLS_FREED] = write_tls_freed,
    [VERDICT_TLS_ORPHAN] = write_tls_orphan,
    [VERDICT_TLS_HANDSHAKE] = write_tls_handshake,
    [VERDICT_NO_TIMEOUT] = write_no_timeout,
    [VERDICT_PEER_CLOSED] = write_peer_closed,
    [VERDICT_NEVER_CLOSED] = write_never_closed,
    [VERDICT_CONNECT_FAILED] = write_connect_failed,
    [VERDICT_OPEN_AT_EXIT] = write_open_at_exit,
    [VERDICT_INHERITED] = write_inherited,
    [VERDICT_EXEC_INHERITED] = write_exec_inherited,
};

bool evidence_is_known(const struct group *g) {
    return evidence[g->verdict] != NULL;
}

void evidence_of_group(struct out *o, const struct report *r, const struct group *g) {
    evidence[g->verdict](o, r, g);
}

/* --- places that were wrongly said to leak ---------------------------------------------------- */

void evidence_of_retraction(struct out *o, const struct report *r, const struct box_site *s) {
    uint64_t n = atomic_load(&s->retracted), leak_after = r->facts.view->header->leak_after;
    const struct box_host *h = view_host(r->facts.view, s->host);
    leak_after = h ? h->leak_after : leak_after;
    uint64_t raised = site_raised_leak_after(s, leak_after);
    out_str(o, n == 1 ? "was reported as leaked, " : "were reported as leaked, the last one ");
    out_str(o, atomic_load(&s->retracted_by_use) ? "used again after " : "closed after ");
    out_duration(o, atomic_load(&s->retracted_after));
    if (raised > leak_after) {
        out_str(o, "; what this place opens is now given ");
        out_duration(o, raised);
    }
}

/* --- the process ------------------------------------------------------------------------------ */

void evidence_of_double_close(struct out *o, const struct box_double_close *d) {
    out_str(o, "closed by thread ");
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
}

void evidence_of_exhausted(struct out *o, const struct report *r) {
    const struct box_header *h = r->facts.view->header;
    const char *why = strerrordesc_np(atomic_load(&h->exhausted_errno));
    out_str(o, "socket() or accept() failed ");
    out_count(o, atomic_load(&h->exhausted), "time");
    out_str(o, ", last ");
    out_duration(o, since(r->facts.now, atomic_load(&h->exhausted_at)));
    out_strs(o, " ago: ", why ? why : "no descriptor left", NULL);
}
