#include "report/findings.h"

#include <string.h>

enum { CLASSES = 3 }; /* findings that one call site can have */

uint32_t findings_most(const struct facts *f) {
    return CLASSES * f->view->count[REGION_USES];
}

static uint64_t get(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t at_least_one(uint64_t n) {
    return n ? n : 1;
}

static void add(struct groups *g, const struct facts *f, uint32_t use, enum verdict verdict,
                uint64_t count, uint64_t last) {
    const struct box_site *s = view_site(f->view, view_use(f->view, use)->site);
    struct group *n = &g->group[g->count++];
    memset(n, 0, sizeof *n);
    n->verdict = (uint8_t)verdict;
    n->use = use;
    n->stack = s->stack;
    n->host_id = view_host(f->view, s->host) ? s->host : BOX_NONE;
    n->first = n->last = UINT32_MAX;
    n->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    n->oldest = n->last_at = last;
}

/* Has it done one exchange or more, and rests? */
static bool rests(const struct fact *x) {
    return x->direction == CONN_OUTBOUND && fact_http_phase(x) == HTTP_COMPLETE &&
           !http_closes(&x->http);
}

/* Of each fact of a call site: there are many of both, and all of the one for each of the other is
 * more than a report has time for. */
#define EACH_OF_USE(f, x, i, use)                                                                  \
    for (uint32_t i = (f)->by_use[use]; i != UINT32_MAX && ((x) = &(f)->fact[i], true);            \
         i = (x)->next_of_use)

/* --- churn ------------------------------------------------------------------------------------ */

/* Left open after its only exchange, while others were opened. */
static uint32_t count_kept(const struct facts *f, uint32_t use, uint64_t *last) {
    const struct fact *x;
    uint32_t n = 0;
    EACH_OF_USE(f, x, i, use) {
        if (!rests(x) || http_requests(&x->http) != 1 || !fact_is_open(x) ||
            !fact_passed_over(f, x, fact_leak_after(f, x)))
            continue;
        n++;
        *last = x->opened > *last ? x->opened : *last;
    }
    return n;
}

static void add_churn(struct groups *g, const struct facts *f, uint32_t use) {
    const struct box_use *u = view_use(f->view, use);
    uint64_t last = get(&u->last_spared), spared = get(&u->spared);
    uint32_t kept = count_kept(f, use, &last);
    uint64_t n = spared + kept;
    if (n < at_least_one(f->view->header->churn_min) || 2 * n < get(&u->conns))
        return;
    add(g, f, use, VERDICT_CHURN, n, last);
    g->group[g->count - 1].kept = kept;
}

/* --- the others ------------------------------------------------------------------------------- */

static void add_undrained(struct groups *g, const struct facts *f, uint32_t use) {
    const struct box_use *u = view_use(f->view, use);
    uint64_t n = get(&u->undrained);
    if (n >= at_least_one(f->view->header->undrained_min))
        add(g, f, use, VERDICT_CLOSED_UNDRAINED, n, get(&u->last_undrained));
}

/* One that the server has closed and the program still keeps. */
static bool is_idle_closed(const struct fact *x) {
    return rests(x) && !x->shut_at && (x->tcp == TCP_IS_CLOSE_WAIT || x->tcp == TCP_IS_LAST_ACK);
}

struct idle_closed finding_idle_closed(const struct facts *f, uint32_t use) {
    enum { LEAST_NS = 100000000 }; /* as conn/use.c has it: what is closed at once was not idle */
    const struct box_use *u = view_use(f->view, use);
    struct idle_closed c = {get(&u->idle_closed), get(&u->idle_least), get(&u->last_idle_closed)};
    const struct fact *x;
    EACH_OF_USE(f, x, i, use) {
        uint64_t age = fact_peer_closed_age(x, f->now);
        uint64_t idle = since(since(f->now, fact_last_use(x)), age);
        if (!is_idle_closed(x) || !age || idle < LEAST_NS)
            continue;
        c.count++;
        c.least = idle < c.least ? idle : c.least;
        c.last = f->now - age > c.last ? f->now - age : c.last;
    }
    return c;
}

static void add_server_idle(struct groups *g, const struct facts *f, uint32_t use) {
    const struct box_use *u = view_use(f->view, use);
    struct idle_closed c = finding_idle_closed(f, use);
    uint64_t stale = get(&u->stale), last_stale = get(&u->last_stale);
    /* A server that ends them at once has no idle limit, though a client may pause now and then. */
    if (stale <= get(&u->lost) && c.count < at_least_one(f->view->header->mismatch_min))
        return;
    add(g, f, use, VERDICT_SERVER_IDLE, c.count + stale, c.last > last_stale ? c.last : last_stale);
}

void findings_add(struct groups *g, const struct facts *f) {
    for (uint32_t i = 0; i < f->view->count[REGION_USES]; i++) {
        const struct box_use *u = view_use(f->view, i);
        if (!u || !view_site(f->view, u->site))
            continue;
        add_undrained(g, f, i);
        add_churn(g, f, i);
        add_server_idle(g, f, i);
    }
}
