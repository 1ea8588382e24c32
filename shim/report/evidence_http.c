/* Why, where HTTP tells it. */
#include "report/evidence.h"
#include "report/findings.h"

static uint64_t get(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

void evidence_request(struct out *o, unsigned method, const char path[HTTP_PATH_MAX]) {
    out_strs(o, http_method_name(method), *path ? " " : "", NULL);
    for (size_t i = 0; i < HTTP_PATH_MAX && path[i]; i++)
        out_char(o, path[i] <= ' ' || path[i] == 0x7f ? '?' : path[i]);
}

/* --- connections ------------------------------------------------------------------------------ */

void evidence_of_body_unread(struct out *o, const struct report *r, const struct group *g) {
    uint64_t waiting = 0, last = 0;
    bool all_bodies = true, all_closed = true;
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next) {
        const struct fact *x = &r->facts.fact[i];
        uint64_t used = fact_last_use(x);
        waiting += fact_bytes_waiting(x);
        last = used > last ? used : last;
        all_bodies &= fact_http_phase(x) == HTTP_RESPONSE_BODY;
        all_closed &= x->tcp == TCP_IS_CLOSE_WAIT;
    }
    out_bytes(o, waiting);
    out_str(o, all_bodies ? " of response body never read" : " of the response never read");
    out_str(o, "; not touched for ");
    out_duration(o, since(r->facts.now, last));
    if (all_closed)
        out_str(o, "; the peer has closed");
}

void evidence_of_exchange(struct out *o, const struct report *r, const struct group *g) {
    for (uint32_t i = g->first; i != UINT32_MAX; i = r->facts.fact[i].next)
        if (fact_http_phase(&r->facts.fact[i]) != HTTP_COMPLETE)
            return;
    out_str(o, "; its last response was read from the connection to its end");
}

/* --- call sites ------------------------------------------------------------------------------- */

const char *const evidence_ends[USE_ENDS] = {
    [USE_REQUEST_CLOSE] = "request-close",
    [USE_RESPONSE_CLOSE] = "response-close",
    [USE_SERVER_CLOSED] = "server-closed",
    [USE_UNDRAINED] = "undrained",
    [USE_UNUSED] = "unused",
    [USE_UNANSWERED] = "unanswered",
    [USE_FAILED] = "failed",
};

static const char *const why[USE_ENDS] = {
    [USE_REQUEST_CLOSE] = "the request said close",
    [USE_RESPONSE_CLOSE] = "the response said close",
    [USE_SERVER_CLOSED] = "the server closed it while it lay idle",
    [USE_UNDRAINED] = "closed before the response was read to its end",
    [USE_UNUSED] = "closed by the program, though it could have been used again",
    [USE_UNANSWERED] = "closed before a response came",
    [USE_FAILED] = "broken off",
};

static void write_reason(struct out *o, bool *any, const char *text, uint64_t n) {
    if (!n)
        return;
    out_strs(o, *any ? ", " : "; they ended because: ", text, " (", NULL);
    out_u64(o, n);
    out_char(o, ')');
    *any = true;
}

static void write_share(struct out *o, uint64_t n, const struct box_use *u) {
    uint64_t all = get(&u->conns);
    out_u64(o, n);
    out_str(o, " of ");
    out_u64(o, all > n ? all : n);
}

void evidence_of_churn(struct out *o, const struct report *r, const struct group *g) {
    const struct box_use *u = view_use(r->facts.view, g->use);
    bool any = false;
    write_share(o, g->count, u);
    out_str(o, " could have been spared: another one from here had just ended");
    for (int i = 0; i < USE_ENDS; i++)
        write_reason(o, &any, why[i], get(&u->ended[i]));
    if (g->kept) {
        out_str(o, "; kept open and not used again (");
        out_u64(o, g->kept);
        out_char(o, ')');
    }
}

void evidence_of_undrained(struct out *o, const struct report *r, const struct group *g) {
    const struct box_use *u = view_use(r->facts.view, g->use);
    uint64_t read = get(&u->undrained_read), left = get(&u->undrained_left);
    write_share(o, g->count, u);
    out_str(o, g->count == 1 ? " was closed before its response was read to its end: "
                             : " were closed before their response was read to its end, the last "
                               "one: ");
    evidence_request(o, atomic_load_explicit(&u->undrained_method, memory_order_relaxed),
                     u->undrained_path);
    out_str(o, ", ");
    out_bytes(o, read);
    if (left) {
        out_str(o, " of ");
        out_bytes(o, read + left);
    }
    out_str(o, " read");
}

static void write_idle_closed(struct out *o, const struct idle_closed *c) {
    out_str(o, "the server closed ");
    out_count(o, c->count, "connection");
    out_str(o, " that lay idle here, after ");
    out_duration(o, c->least); /* when the program noticed, the soonest */
    out_str(o, " at most");
}

void evidence_of_server_idle(struct out *o, const struct report *r, const struct group *g) {
    const struct box_use *u = view_use(r->facts.view, g->use);
    struct idle_closed c = finding_idle_closed(&r->facts, g->use);
    uint64_t stale = get(&u->stale);
    uint32_t announced = atomic_load_explicit(&u->keep_alive, memory_order_relaxed);
    if (c.count)
        write_idle_closed(o, &c);
    if (stale) {
        out_str(o, c.count ? "; " : "");
        out_count(o, stale, "request");
        out_str(o, stale == 1 ? " was sent on one that had rested, and met its end"
                              : " were sent on ones that had rested, and met their end");
    }
    if (announced) {
        out_str(o, "; it announces to keep them for ");
        out_duration(o, announced * UINT64_C(1000000000));
    }
}
