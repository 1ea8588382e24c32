#include "report/verdict.h"

#include "report/blocked.h"
#include "report/language.h"

const struct verdict_class verdict_class[VERDICT_COUNT] = {
    [VERDICT_TLS_FREED] = {"tls-split", KIND_LEAK, "LEAK tls-split"},
    [VERDICT_TLS_ORPHAN] = {"tls-split", KIND_LEAK, "LEAK tls-split"},
    [VERDICT_BODY_UNREAD] = {"body-unread", KIND_LEAK, "LEAK body-unread"},
    [VERDICT_PEER_CLOSED] = {"peer-closed", KIND_LEAK, "LEAK peer-closed"},
    [VERDICT_NEVER_CLOSED] = {"never-closed", KIND_LEAK, "LEAK never-closed"},
    [VERDICT_CONNECT_FAILED] = {"connect-failed", KIND_LEAK, "LEAK connect-failed"},
    [VERDICT_EXEC_INHERITED] = {"exec-inherited", KIND_LEAK, "LEAK exec-inherited"},
    [VERDICT_CLOSED_UNDRAINED] = {"closed-undrained", KIND_WASTE, "WASTE closed-undrained"},
    [VERDICT_CHURN] = {"churn", KIND_WASTE, "WASTE churn"},
    [VERDICT_SERVER_IDLE] = {"server-idle-mismatch", KIND_RISK, "RISK server-idle-mismatch"},
    [VERDICT_NO_TIMEOUT] = {"no-timeout", KIND_RISK, "RISK no-timeout"},
    [VERDICT_DOUBLE_CLOSE] = {"double-close", KIND_RISK, "RISK double-close"},
    [VERDICT_FD_EXHAUSTED] = {"fd-exhausted", KIND_RISK, "RISK fd-exhausted"},
    [VERDICT_TLS_HANDSHAKE] = {"tls-handshake", KIND_RISK, "RISK tls-handshake"},
    [VERDICT_OPEN_AT_EXIT] = {"open-at-exit", KIND_RISK, "RISK open-at-exit"},
    [VERDICT_OPEN] = {"open", KIND_PLAIN, "OPEN"},
    [VERDICT_INHERITED] = {"inherited", KIND_PLAIN, "INHERITED"},
    [VERDICT_INBOUND] = {"inbound", KIND_PLAIN, "INBOUND"},
    [VERDICT_NOT_OPEN] = {"not-open", KIND_PLAIN, ""},
};

/* A call site that opens another connection while this one has lain idle for a tenth of leak_after
 * passed this one over. A pool that opens its first few at once is not meant by that. */
enum { PASSED_OVER_SHARE = 10, STANDARD_MOST = 2 };
/* One that was taken up again after its first exchange, whose end is seen or likely, has a pool or
 * an owner that knows it: that must have passed it over many times. */
enum { PASSES = 1, PASSES_OF_KEPT = OPENINGS_KEPT - 1, WRITES_OF_KEPT = 4 };

/* A place that was wrong twice is given half as much again as it needed. */
enum { RETRACTIONS = 2 };

bool fact_is_open(const struct fact *x) {
    return x->tcp != TCP_UNKNOWN && x->tcp != TCP_IS_CLOSE && x->tcp != TCP_IS_LISTEN;
}

enum http_phase fact_http_phase(const struct fact *x) {
    return x->has_http ? http_phase(&x->http) : HTTP_NOT_HTTP;
}

/* In the middle of an exchange of HTTP/1.x, or of what it was handed over to (a WebSocket): as long
 * as it is quiet, it is the peer who is waited for. */
static bool in_exchange(const struct fact *x) {
    enum http_phase phase = fact_http_phase(x);
    return (phase >= HTTP_SENDING && phase <= HTTP_RESPONSE_BODY) ||
           (phase == HTTP_HANDED_OVER && x->http.method != HTTP_CONNECT);
}

bool fact_awaits_answer(const struct fact *x) {
    if (fact_http_phase(x) == HTTP_COMPLETE)
        return false;
    if (in_exchange(x))
        return fact_http_phase(x) != HTTP_HANDED_OVER;
    return x->last_out > x->last_in ||
           (x->last_out == x->last_in && x->bytes_in == 0 && x->bytes_out > 0);
}

bool fact_waits(const struct fact *x) {
    return x->state == CONN_CONNECTING || fact_awaits_answer(x);
}

bool fact_in_use(const struct fact *x) {
    if (x->state == CONN_CONNECTING || in_exchange(x))
        return true;
    /* What waits on a connection at rest is no answer: a session ticket (RFC 8446, 4.6.1). */
    return fact_awaits_answer(x) || (x->unread > 0 && fact_http_phase(x) != HTTP_COMPLETE);
}

uint32_t fact_bytes_waiting(const struct fact *x) {
    return x->unread + (x->has_tls && !x->tls.freed ? x->tls.pending : 0);
}

uint64_t fact_peer_closed_age(const struct fact *x, uint64_t now) {
    uint64_t by_read = x->eof_at ? since(now, x->eof_at) : 0;
    /* The last packet of a half-closed connection is the FIN or came after it. A reset is no packet
     * in this sense. */
    bool by_fin = x->tcp == TCP_IS_CLOSE_WAIT || x->tcp == TCP_IS_LAST_ACK;
    uint64_t by_packet = by_fin ? (uint64_t)x->silent_ms * 1000000 : 0;
    return by_read > by_packet ? by_read : by_packet;
}

/* The peer's FIN or RST is here and the program still holds the descriptor. A set that listens for
 * its end would have told the program; it may be about to act. */
static bool peer_closed(const struct fact *x, uint64_t now, uint64_t leak_after,
                        bool watch_unknown) {
    bool gone = x->tcp == TCP_IS_CLOSE_WAIT || x->tcp == TCP_IS_LAST_ACK ||
                (x->tcp == TCP_IS_CLOSE && x->state == CONN_ESTABLISHED);
    if (!gone || ((x->watched || watch_unknown) && x->tcp == TCP_IS_CLOSE_WAIT))
        return false;
    uint64_t age = fact_peer_closed_age(x, now);
    /* Without a time (another kernel's tables): for as long as it was not used. Of a dead
     * connection the first look at it notes the time (report/inside.c); until then it is in doubt.
     */
    bool long_enough = age ? age >= leak_after : x->tcp != TCP_IS_CLOSE;
    return since(now, fact_last_use(x)) >= leak_after && long_enough;
}

static bool connect_failed(const struct fact *x, uint64_t now, uint64_t leak_after) {
    bool failed =
        x->state == CONN_FAILED || (x->state == CONN_CONNECTING && x->tcp == TCP_IS_CLOSE);
    return failed && x->tcp == TCP_IS_CLOSE && since(now, fact_last_use(x)) >= leak_after;
}

/* How long what has come waits for the program; what its TLS object holds it was given with the
 * last read. */
static uint64_t waiting_time(const struct facts *f, const struct fact *x) {
    bool in_object = fact_bytes_waiting(x) > x->unread;
    uint64_t then = in_object ? x->tls.last_in : x->waits_since;
    return then ? since(f->now, then) : 0;
}

/* An answer has begun to come, its end was not read, and what has come waits. Not in an epoll set:
 * one that is told of edges only may hold its reader back (epoll(7)). */
static bool body_unread(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    enum http_phase phase = fact_http_phase(x);
    return phase >= HTTP_WAITING && phase <= HTTP_RESPONSE_BODY && !x->watched &&
           !f->watch_unknown && waiting_time(f, x) >= leak_after &&
           since(f->now, fact_last_use(x)) >= leak_after;
}

/* Were so many connections opened at least `share` after `used`? */
static bool opened_since(const struct box_openings *o, uint64_t used, uint64_t share, uint32_t n) {
    uint32_t count = atomic_load_explicit(&o->count, memory_order_acquire);
    uint64_t at = atomic_load_explicit(&o->at[(count - n) % OPENINGS_KEPT], memory_order_relaxed);
    return count >= n && at > used && at - used >= share;
}

/* Can whoever opens at this place be taken for the one who holds it? Threads may each have a
 * connection of their own. */
static bool holder_is_any(const struct facts *f, const struct fact *x, const struct box_site *s) {
    uint64_t opened = atomic_load_explicit(&s->opened, memory_order_relaxed);
    uint64_t closed = atomic_load_explicit(&s->closed, memory_order_relaxed);
    return x->opener_gone || (f->threads && opened > closed && opened - closed > f->threads);
}

static bool is_kept(const struct fact *x) {
    enum http_phase phase = fact_http_phase(x);
    if (phase >= HTTP_SENDING && phase <= HTTP_COMPLETE)
        return http_requests(&x->http) > 1;
    return x->calls_out >= WRITES_OF_KEPT || x->unseen_use;
}

static bool is_quiet_there(const struct facts *f, const struct fact *x, uint32_t site,
                           uint64_t leak_after) {
    return x->site == site && !x->is_orphan && fact_is_open(x) &&
           since(f->now, fact_last_use(x)) >= leak_after;
}

/* The first one that the place opened, and the only one of its that lies idle: a connection that is
 * kept, and others that come and go beside it. What leaks grows. */
static bool is_kept_beside_others(const struct facts *f, const struct fact *x,
                                  const struct box_site *s, uint64_t leak_after) {
    uint64_t first = atomic_load_explicit(&s->first_opened, memory_order_relaxed);
    if (atomic_load_explicit(&s->closed, memory_order_relaxed) == 0 || x->opened != first)
        return false;
    for (uint32_t i = 0; i < f->count; i++)
        if (&f->fact[i] != x && is_quiet_there(f, &f->fact[i], x->site, leak_after))
            return false;
    return true;
}

bool fact_passed_over(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    const struct box_site *s = view_site(f->view, x->site);
    if (!s || is_kept_beside_others(f, x, s, leak_after))
        return false;
    uint64_t used = fact_last_use(x), share = leak_after / PASSED_OVER_SHARE;
    uint32_t passes = is_kept(x) ? PASSES_OF_KEPT : PASSES;
    const struct box_openings *its = &s->by_thread[(uint32_t)x->thread % SITE_THREADS];
    if (atomic_load_explicit(&its->thread, memory_order_relaxed) == x->thread &&
        opened_since(its, used, share, passes))
        return true;
    return holder_is_any(f, x, s) && opened_since(&s->openings, used, share, passes);
}

static bool never_closed(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    uint64_t used = fact_last_use(x);
    if (x->state != CONN_ESTABLISHED || !fact_is_open(x) || since(f->now, used) < leak_after)
        return false;
    /* Somebody waits for it: a slow query, a long poll, an event loop, a thread of its own. */
    if (fact_awaits_answer(x) || in_exchange(x) || x->watched || f->watch_unknown ||
        x->blocked_thread)
        return false;
    return fact_passed_over(f, x, leak_after);
}

/* Not what was put on the standard descriptors, not what the new program has touched: that was
 * given to it on purpose. */
static bool exec_inherited(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    if (!(x->flags & CONN_BY_EXEC) || x->direction != CONN_OUTBOUND ||
        !view_site(f->view, x->site) || x->calls_in || x->calls_out || x->watched ||
        !fact_is_open(x))
        return false;
    for (uint32_t i = 0; i < x->fd_count && i < FACT_FDS; i++)
        if (x->fds[i] <= STANDARD_MOST)
            return false;
    return since(f->now, x->opened) >= leak_after;
}

/* Freed, and not used in plain since (after a STARTTLS in reverse). */
static bool tls_freed(const struct fact *x, uint64_t now, uint64_t leak_after) {
    const struct fact_tls *t = &x->tls;
    return x->has_tls && t->freed && !(t->flags & TLS_MOVED) && fact_last_use(x) <= t->freed &&
           x->tcp != TCP_UNKNOWN && since(now, t->freed) >= leak_after;
}

/* Not where a garbage collector will free it, nor where the program has been seen to come back to
 * such objects by itself. */
static bool tls_orphaned(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    const struct box_site *s = view_site(f->view, x->site);
    if (since(f->now, x->tls.closed) < leak_after ||
        (s && atomic_load_explicit(&s->tls_freed_late, memory_order_relaxed)))
        return false;
    return !language_collects(language_of_stack(f->view, s ? s->stack : BOX_NONE)) &&
           !language_collects(language_of_stack(f->view, x->tls.closing_stack));
}

static bool tls_handshake(const struct fact *x, uint64_t now, uint64_t leak_after) {
    const struct fact_tls *t = &x->tls;
    return x->has_tls && t->begun && !(t->flags & (TLS_DONE | TLS_MOVED)) && !t->freed &&
           fact_is_open(x) && since(now, t->begun) >= leak_after;
}

uint64_t site_raised_leak_after(const struct box_site *s, uint64_t leak_after) {
    uint64_t quiet = atomic_load_explicit(&s->quiet_longest, memory_order_relaxed);
    uint64_t raised = quiet + quiet / 2;
    bool often = atomic_load_explicit(&s->retracted, memory_order_relaxed) >= RETRACTIONS;
    return often && raised > leak_after ? raised : leak_after;
}

/* A thread waits for it in a blocking call that nothing but the peer will end. */
static bool no_timeout(const struct facts *f, const struct fact *x, uint64_t leak_after) {
    bool connecting = x->blocked_call == BLOCKED_CONNECT;
    return x->blocked_thread && connecting == (x->state == CONN_CONNECTING) && fact_waits(x) &&
           !x->unread && !blocked_is_timed(x) && since(f->now, fact_last_use(x)) >= leak_after;
}

uint64_t fact_leak_after(const struct facts *f, const struct fact *x) {
    const struct box_site *s = view_site(f->view, x->site);
    const struct box_host *h = s ? view_host(f->view, s->host) : NULL;
    uint64_t leak_after = h ? h->leak_after : f->view->header->leak_after;
    if (x->leak_after)
        leak_after = x->leak_after;
    return s ? site_raised_leak_after(s, leak_after) : leak_after;
}

static enum verdict judge(const struct facts *f, const struct fact *x, bool at_exit) {
    uint64_t leak_after = fact_leak_after(f, x);
    if (x->is_orphan)
        return tls_orphaned(f, x, leak_after) ? VERDICT_TLS_ORPHAN : VERDICT_NOT_OPEN;
    bool handed = fact_is_handed(x);
    if (!handed && tls_freed(x, f->now, leak_after))
        return VERDICT_TLS_FREED;
    if (x->direction == CONN_INBOUND && tls_handshake(x, f->now, leak_after))
        return VERDICT_TLS_HANDSHAKE;
    if (x->direction == CONN_INBOUND)
        return fact_is_open(x) ? VERDICT_INBOUND : VERDICT_NOT_OPEN;
    if (exec_inherited(f, x, leak_after))
        return VERDICT_EXEC_INHERITED;
    if (handed)
        return fact_is_open(x) ? VERDICT_INHERITED : VERDICT_NOT_OPEN;
    if (body_unread(f, x, leak_after))
        return VERDICT_BODY_UNREAD;
    if (peer_closed(x, f->now, leak_after, f->watch_unknown))
        return VERDICT_PEER_CLOSED;
    if (connect_failed(x, f->now, leak_after))
        return VERDICT_CONNECT_FAILED;
    if (never_closed(f, x, leak_after))
        return VERDICT_NEVER_CLOSED;
    if (!fact_is_open(x))
        return VERDICT_NOT_OPEN;
    if (tls_handshake(x, f->now, leak_after))
        return VERDICT_TLS_HANDSHAKE;
    if (no_timeout(f, x, leak_after))
        return VERDICT_NO_TIMEOUT;
    return at_exit ? VERDICT_OPEN_AT_EXIT : VERDICT_OPEN;
}

void verdict_judge(struct facts *f, bool at_exit) {
    for (uint32_t i = 0; i < f->count; i++)
        f->fact[i].verdict = (uint8_t)judge(f, &f->fact[i], at_exit);
}
