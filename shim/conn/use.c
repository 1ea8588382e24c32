#include "conn/use.h"

#include <string.h>

#include "conn/process.h"
#include "state/box.h"

static void add(_Atomic uint64_t *n, uint64_t by) {
    atomic_fetch_add_explicit(n, by, memory_order_relaxed);
}

static void store(_Atomic uint64_t *to, uint64_t v) {
    atomic_store_explicit(to, v, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

static uint32_t new_use(uint32_t site) {
    atomic_fetch_add(&process_busy, 1);
    uint32_t i = box_record(&mine, REGION_USES);
    atomic_fetch_sub(&process_busy, 1);
    if (i == BOX_NONE)
        return i;
    struct box_use *u = &mine.uses[i];
    u->site = site;
    store(&u->idle_least, UINT64_MAX);
    atomic_store_explicit(&u->closing_stack, BOX_NONE, memory_order_relaxed);
    atomic_store_explicit(&u->undrained_stack, BOX_NONE, memory_order_relaxed);
    return i;
}

/* The site's record; of two threads that are first at once, one leaves a record that nobody sees.
 * NULL: there is no room. */
static struct box_use *use_of_site(uint32_t site) {
    if (site == BOX_NONE)
        return NULL;
    _Atomic uint32_t *link = &mine.sites[site].use;
    uint32_t use = atomic_load_explicit(link, memory_order_acquire), none = 0;
    if (!use) {
        uint32_t i = new_use(site);
        if (i == BOX_NONE)
            return NULL;
        use = atomic_compare_exchange_strong(link, &none, i + 1) ? i + 1 : none;
        atomic_store_explicit(&mine.uses[use - 1].ready, 1, memory_order_release);
    }
    return &mine.uses[use - 1];
}

/* Ended ones stand in for the idle connections of a pool: each can be followed by one. */
static bool follows_another(struct box_use *u, uint64_t opened) {
    uint64_t ended = load(&u->last_ended), within = process_options()->churn_within;
    uint32_t spare = atomic_load(&u->spare);
    if (!ended || ended > opened)
        return false;
    if (opened - ended > within) {
        atomic_store(&u->spare, 0);
        return false;
    }
    while (spare)
        if (atomic_compare_exchange_weak(&u->spare, &spare, spare - 1))
            return true;
    return false;
}

void use_begun(const struct box_conn *c) {
    struct box_use *u = use_of_site(atomic_load_explicit(&c->site, memory_order_relaxed));
    if (!u)
        return;
    add(&u->conns, 1);
    if (follows_another(u, c->opened)) {
        add(&u->spared, 1);
        store(&u->last_spared, c->opened);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The server closes an idle connection after some time; one that is closed at once was not idle. */
enum { IDLE_LEAST_NS = 100000000, STALE_MOST_NS = 1000000000 };

static enum use_end end_of_complete(const struct use_of_conn *u) {
    unsigned closes = http_closes(u->http);
    if (closes & (HTTP_CLOSE_REQUEST | HTTP_OLD_REQUEST))
        return USE_REQUEST_CLOSE;
    if (closes)
        return USE_RESPONSE_CLOSE;
    return u->ended_by_peer ? USE_SERVER_CLOSED : USE_UNUSED;
}

/* This process has closed it inside of an exchange, which may go on in another one. */
static enum use_end end_inside(const struct use_of_conn *u, enum use_end end) {
    return u->shared ? USE_ENDS : end;
}

static enum use_end end_of(const struct use_of_conn *u) {
    switch (http_phase(u->http)) {
    case HTTP_COMPLETE: return end_of_complete(u);
    case HTTP_RESPONSE_HEAD:
    case HTTP_RESPONSE_BODY:
        return u->broken || http_cut(u->http, HTTP_RESPONSE_BYTES) ? USE_FAILED
                                                                   : end_inside(u, USE_UNDRAINED);
    case HTTP_SENDING:
    case HTTP_WAITING: return u->gone ? USE_FAILED : end_inside(u, USE_UNANSWERED);
    default: return USE_ENDS; /* not HTTP/1.x any more */
    }
}

/* More of the response was to come for certain: a length, or the rest of a chunk. A stream of
 * events that is closed between two of them was read to its end. */
static bool has_more(const struct use_of_conn *u, struct http_body *body) {
    *body = http_body(u->http, HTTP_RESPONSE_BYTES);
    return body->left > 0;
}

static void note_undrained(struct box_use *use, const struct use_of_conn *u) {
    struct http_body body;
    if (!has_more(u, &body))
        return;
    store(&use->undrained_read, body.read);
    store(&use->undrained_left, body.framing == HTTP_BY_LENGTH ? body.left : 0);
    atomic_store_explicit(&use->undrained_stack, u->closing_stack, memory_order_relaxed);
    atomic_store_explicit(&use->undrained_method, u->http->method, memory_order_relaxed);
    memcpy(use->undrained_path, u->http->path, sizeof use->undrained_path);
    store(&use->last_undrained, u->now);
    add(&use->undrained, 1);
}

static void note_idle_closed(struct box_use *use, const struct use_of_conn *u) {
    uint64_t least = load(&use->idle_least);
    if (u->idle < IDLE_LEAST_NS)
        return;
    while (u->idle < least)
        if (atomic_compare_exchange_weak(&use->idle_least, &least, u->idle))
            break;
    store(&use->last_idle_closed, u->now);
    add(&use->idle_closed, 1);
}

/* A request on a connection that had answered before and lain idle since met its end, and met it at
 * once: a server that takes its time has begun to answer. */
static void note_stale(struct box_use *use, const struct use_of_conn *u) {
    if (!u->ended_by_peer || u->waited > STALE_MOST_NS || !http_responses(u->http))
        return;
    if (u->rested < IDLE_LEAST_NS) {
        add(&use->lost, 1);
        return;
    }
    store(&use->last_stale, u->now);
    add(&use->stale, 1);
}

void use_ended(uint32_t site, const struct use_of_conn *u) {
    struct box_use *use = use_of_site(site);
    enum use_end end = end_of(u);
    if (!use || end == USE_ENDS)
        return;
    uint32_t requests = http_requests(u->http);
    add(&use->ended[end], 1);
    add(&use->requests, requests);
    add(&use->reused, requests > 1);
    if (u->http->keep_alive)
        atomic_store_explicit(&use->keep_alive, u->http->keep_alive, memory_order_relaxed);
    if (end == USE_UNDRAINED)
        note_undrained(use, u);
    else if (end == USE_SERVER_CLOSED)
        note_idle_closed(use, u);
    else if (end == USE_FAILED && http_phase(u->http) <= HTTP_WAITING)
        note_stale(use, u);
    struct http_body body;
    bool answered = http_responses(u->http) > 0;
    if (!answered && (end != USE_UNDRAINED || !has_more(u, &body)))
        return; /* it could not have been used for another one */
    atomic_store_explicit(&use->closing_stack, u->closing_stack, memory_order_relaxed);
    store(&use->last_ended, u->now);
    atomic_fetch_add(&use->spare, 1);
}
