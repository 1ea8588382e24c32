#include "conn/exchange.h"

#include <string.h>

#include "base/clock.h"
#include "base/live.h"
#include "conn/name.h"
#include "conn/process.h"
#include "conn/record.h"
#include "conn/recycle.h"
#include "conn/site.h"
#include "conn/use.h"
#include "http/socks.h"

struct exchanges {
    struct recycler recycler;
};
LIVE_TYPE(struct exchanges, exchanges);
static union live_exchanges exchanges;

void exchange_begin_process(void) {
    live_register(&exchanges, sizeof exchanges);
}

static uint64_t load(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

/* --- records ---------------------------------------------------------------------------------- */

static void clear(struct box_http *h, uint64_t slot, bool counted) {
    life_write(&h->life);
    atomic_store_explicit(&h->conn, slot, memory_order_relaxed);
    _Atomic uint64_t *zero[] = {&h->last_fed, &h->rested, &h->ended_at};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
        atomic_store_explicit(zero[i], 0, memory_order_relaxed);
    atomic_store_explicit(&h->counted, counted, memory_order_relaxed);
    atomic_store_explicit(&h->named, 0, memory_order_relaxed);
    atomic_store_explicit(&h->forks, 0, memory_order_relaxed);
    memset(&h->http, 0, sizeof h->http);
    life_written(&h->life, HTTP_HELD_BY_CONN);
}

static uint32_t link_of(const struct box_http *h) {
    return (uint32_t)(h - mine.http) + 1;
}

/* Lets go of a record; the last one gives it back. A thread that never comes back from feeding it
 * (cancelled, or jumped out of by a handler) keeps it for good. */
static void let_go(struct box_http *h, uint32_t seq, uint32_t bit) {
    if (life_drop(&h->life, seq, bit) != bit)
        return;
    life_write(&h->life);
    life_written(&h->life, 0);
    recycle_give(&exchanges.v.recycler, REGION_HTTP, link_of(h) - 1);
}

static bool is_counted(const struct box_http *h) {
    return h && atomic_load_explicit(&h->counted, memory_order_relaxed);
}

/* The record of a link, if it is that connection's. */
static struct box_http *record_at(uint32_t link, uint64_t slot) {
    uint32_t own = link & ~HTTP_OVER;
    struct box_http *h = own ? &mine.http[own - 1] : NULL;
    return h && atomic_load(&h->conn) == slot ? h : NULL;
}

static struct box_http *record_on(const struct box_conn *c, uint64_t slot, enum http_layer layer) {
    return record_at(atomic_load(&c->http[layer]), slot);
}

/* Of all who want to take it off its connection, one does; until then the record is in no other
 * life, and no other connection's link names it. */
static void take_off(struct box_http *h, struct box_conn *c, uint64_t slot, enum http_layer layer) {
    uint32_t own = link_of(h), link = own;
    if (!atomic_compare_exchange_strong(&h->conn, &slot, 0))
        return;
    while ((link & ~HTTP_OVER) == own && !atomic_compare_exchange_weak(&c->http[layer], &link, 0))
        ;
    let_go(h, atomic_load(&h->life.seq), HTTP_HELD_BY_CONN);
}

static void drop(struct box_conn *c, uint64_t slot, enum http_layer layer) {
    struct box_http *h = record_on(c, slot, layer);
    if (h)
        take_off(h, c, slot, layer);
}

static void put_on(struct box_conn *c, uint64_t slot, enum http_layer layer, bool counted) {
    uint32_t none = 0;
    atomic_fetch_add(&process_busy, 1);
    uint32_t i = recycle_take(&exchanges.v.recycler, REGION_HTTP);
    atomic_fetch_sub(&process_busy, 1);
    if (i == BOX_NONE) {
        atomic_compare_exchange_strong(&c->http[layer], &none, HTTP_OVER);
        return;
    }
    struct box_http *h = &mine.http[i];
    clear(h, slot, counted);
    /* Another thread was first, or has closed it meanwhile. */
    if (!atomic_compare_exchange_strong(&c->http[layer], &none, i + 1) || !record_is_open(slot))
        take_off(h, c, slot, layer);
}

/* --- feeding ---------------------------------------------------------------------------------- */

/* The first of the bytes, as far as they lie in one piece; of size 0: they were not seen. */
static struct iovec first_piece(const struct exchange_bytes *b) {
    struct iovec v = {NULL, 0};
    for (size_t i = 0; i < b->count && !v.iov_len; i++)
        v = b->iov[i];
    v.iov_len = v.iov_len < b->n ? v.iov_len : b->n;
    return v;
}

static bool may_be_request(const struct iovec *first) {
    const char *c = first->iov_base;
    return first->iov_len && *c >= 'A' && *c <= 'Z';
}

void exchange_prepare(struct box_conn *c, uint64_t slot) {
    if (c->direction == CONN_OUTBOUND && !load(&c->bytes_in) &&
        !atomic_load_explicit(&c->http[HTTP_PLAIN], memory_order_relaxed))
        put_on(c, slot, HTTP_PLAIN, false);
}

/* In plain it may be there: exchange_prepare. A server that speaks first speaks something else; or
 * its answer was read already, and nobody was there to hear it. */
static void begin_request(struct box_conn *c, uint64_t slot, enum http_layer layer, bool counted) {
    bool unheard = layer == HTTP_IN_TLS || !load(&c->bytes_in);
    if (unheard && !atomic_load_explicit(&c->http[layer], memory_order_relaxed))
        put_on(c, slot, layer, counted);
}

void exchange_begin(struct box_conn *c, uint64_t slot, const struct exchange_bytes *b) {
    if (c->direction != CONN_OUTBOUND || !b->n)
        return;
    struct iovec first = first_piece(b);
    bool counted = b->layer == HTTP_IN_TLS && is_counted(record_on(c, slot, b->layer));
    if (b->layer == HTTP_IN_TLS || !may_be_request(&first))
        drop(c, slot, b->layer); /* of another TLS object, or prepared in vain */
    if (may_be_request(&first))
        begin_request(c, slot, b->layer, counted);
    else if (b->layer == HTTP_PLAIN && socks_asks(first.iov_base, first.iov_len))
        atomic_fetch_or(&c->flags, CONN_TUNNEL);
}

static void feed(struct box_http *h, const struct exchange_bytes *b) {
    const struct iovec *v = b->iov;
    size_t left = b->n;
    for (size_t i = 0; i < b->count && left; i++) {
        size_t n = v[i].iov_len < left ? v[i].iov_len : left;
        http_feed(&h->http, b->way, v[i].iov_base, n);
        left -= n;
    }
    http_skip(&h->http, b->way, left);
}

/* There is one, and it was not cut. */
static bool host_is_whole(const struct http_observer *o) {
    return o->host_length && o->host_length < HTTP_HOST_MAX - 1;
}

/* The length of a Host field's name; "[::1]:80" keeps its brackets (RFC 3986, 3.2.2). */
static size_t without_port(const char *host) {
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    return strcspn(bracket ? bracket : host, ":") + (size_t)((bracket ? bracket : host) - host);
}

static void take_host(struct box_conn *c, const char *host, size_t length) {
    if (likely(site_needs_no_alias(c, host, length)))
        return;
    atomic_fetch_add(&process_busy, 1);
    site_alias(c, name_from_peer(host, length));
    atomic_fetch_sub(&process_busy, 1);
}

/* Whom a request is for, once its head is complete. */
static void take_names(struct box_conn *c, struct box_http *h) {
    const struct http_observer *o = &h->http;
    uint32_t requests = http_requests(o);
    if (atomic_load_explicit(&h->named, memory_order_relaxed) == requests || !http_head_is_done(o))
        return;
    atomic_store_explicit(&h->named, requests, memory_order_relaxed);
    if (o->method == HTTP_CONNECT) {
        atomic_fetch_or(&c->flags, CONN_TUNNEL);
    } else if (host_is_whole(o) && !http_is_to_proxy(o)) {
        take_host(c, o->host, without_port(o->host));
    }
}

/* A connection counts once for the site that opened it, in this process, at its first request to
 * its server. */
static void count(const struct box_conn *c, uint64_t slot, struct box_http *h) {
    uint16_t handed = CONN_INHERITED | CONN_BY_EXEC | CONN_RECEIVED;
    if (is_counted(h) || !http_is_seen(&h->http) || h->http.method == HTTP_CONNECT ||
        atomic_load_explicit(&c->flags, memory_order_relaxed) & handed)
        return;
    bool counted = is_counted(record_on(c, slot, HTTP_PLAIN));
    if (!atomic_exchange(&h->counted, 1) && !counted)
        use_begun(c);
}

/* What only requests tell. */
static void after_request(struct box_conn *c, uint64_t slot, struct box_http *h,
                          enum http_layer layer) {
    if (layer == HTTP_PLAIN || !(atomic_load(&c->flags) & CONN_TUNNEL))
        take_names(c, h);
    count(c, slot, h);
}

/* Clocks of two threads may differ by a tick. */
static uint64_t between(uint64_t then, uint64_t now) {
    return then && now > then ? now - then : 0;
}

/* A record that a thread is at. */
struct feeding {
    struct box_http *h;
    uint32_t seq, bit;
};

/* The connection's record, for this thread alone until `leave`; false: there is none, or another
 * thread has it. */
static bool enter(struct feeding *k, const struct box_conn *c, uint64_t slot, enum http_layer layer,
                  enum http_way way) {
    k->h = record_on(c, slot, layer);
    if (!k->h)
        return false;
    k->seq = atomic_load(&k->h->life.seq);
    k->bit = (uint32_t)HTTP_HELD_BY_FEED << way;
    if (atomic_load(&k->h->conn) != slot)
        return false;
    uint32_t before = life_join(&k->h->life, k->seq, k->bit);
    if (before & k->bit)
        http_give_up(&k->h->http);
    return before && !(before & k->bit);
}

static void leave(const struct feeding *k, struct box_conn *c, uint64_t slot,
                  enum http_layer layer) {
    enum http_phase phase = http_phase(&k->h->http);
    uint32_t link = link_of(k->h);
    if (phase == HTTP_NOT_HTTP)
        take_off(k->h, c, slot, layer);
    else if (phase >= HTTP_HANDED_OVER)
        atomic_compare_exchange_strong(&c->http[layer], &link, link | HTTP_OVER);
    let_go(k->h, k->seq, k->bit);
}

/* Goes up with each. */
static uint32_t messages(const struct http_observer *o) {
    return http_requests(o) + http_responses(o);
}

static uint32_t forks_so_far(void) {
    return (uint32_t)load(&mine.header->forks);
}

/* A request begins, after the last one's response. */
static void before_request(struct box_http *h, uint64_t now) {
    enum http_phase phase = http_phase(&h->http);
    if (phase == HTTP_COMPLETE)
        atomic_store_explicit(&h->rested, between(load(&h->last_fed), now), memory_order_relaxed);
    if (phase == HTTP_COMPLETE || phase == HTTP_IDLE)
        atomic_store_explicit(&h->forks, forks_so_far(), memory_order_relaxed);
}

void exchange_feed(struct box_conn *c, uint64_t slot, const struct exchange_bytes *b) {
    struct feeding k;
    if (!b->n || !enter(&k, c, slot, b->layer, b->way))
        return;
    uint64_t now = clock_coarse();
    uint32_t before = messages(&k.h->http);
    if (b->way == HTTP_REQUEST_BYTES)
        before_request(k.h, now);
    feed(k.h, b);
    if (http_phase(&k.h->http) != HTTP_COMPLETE || messages(&k.h->http) != before)
        atomic_store_explicit(&k.h->last_fed, now, memory_order_relaxed);
    if (b->way == HTTP_REQUEST_BYTES) {
        http_expect(&k.h->http, false);
        after_request(c, slot, k.h, b->layer);
    }
    leave(&k, c, slot, b->layer);
}

void exchange_expect(struct box_conn *c, uint64_t slot) {
    struct box_http *h = record_on(c, slot, HTTP_PLAIN);
    if (h)
        http_expect(&h->http, true);
}

void exchange_expected(struct box_conn *c, uint64_t slot) {
    struct box_http *h = record_on(c, slot, HTTP_PLAIN);
    if (h)
        http_expect(&h->http, false);
    if (!load(&c->bytes_out))
        drop(c, slot, HTTP_PLAIN); /* it was prepared for that write */
}

void exchange_end(struct box_conn *c, uint64_t slot, enum http_layer layer, enum http_way way) {
    struct feeding k;
    uint64_t never = 0;
    if (!enter(&k, c, slot, layer, way))
        return;
    http_end(&k.h->http, way);
    if (way == HTTP_RESPONSE_BYTES)
        atomic_compare_exchange_strong(&k.h->ended_at, &never, clock_coarse());
    leave(&k, c, slot, layer);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The innermost one. */
static struct box_http *innermost(const struct box_conn *c, uint64_t slot) {
    struct box_http *h = record_on(c, slot, HTTP_IN_TLS);
    return h ? h : record_on(c, slot, HTTP_PLAIN);
}

bool exchange_is_open(const struct box_conn *c, uint64_t slot) {
    const struct box_http *h = innermost(c, slot);
    uint16_t known = CONN_RESET | CONN_SHUT_WRITE;
    return h && http_phase(&h->http) == HTTP_COMPLETE && !http_closes(&h->http) &&
           !(atomic_load_explicit(&c->flags, memory_order_relaxed) & known) && !load(&h->ended_at);
}

void exchange_ended_at(struct box_conn *c, uint64_t slot, uint64_t when) {
    struct box_http *h = innermost(c, slot);
    if (h)
        atomic_store_explicit(&h->ended_at, when, memory_order_relaxed);
}

/* So long before the program's own end, the peer's was no answer to it. */
enum { ANSWER_NS = 100000000 };

/* What came after the program's own end is the answer to it. */
static bool ended_first(const struct box_conn *c, uint64_t eof) {
    uint64_t shut = load(&c->shut_at);
    return !shut || between(eof, shut) >= ANSWER_NS;
}

static struct use_of_conn use_of(const struct box_conn *c, const struct box_http *h) {
    uint16_t flags = atomic_load_explicit(&c->flags, memory_order_relaxed);
    uint64_t ended = load(&h->ended_at), now = clock_coarse();
    bool broken = flags & CONN_RESET || atomic_load_explicit(&c->error, memory_order_relaxed);
    bool gone = broken || ended;
    return (struct use_of_conn){
        .http = &h->http,
        .broken = broken,
        .gone = gone,
        .shared = flags & CONN_PASSED ||
                  atomic_load_explicit(&h->forks, memory_order_relaxed) != forks_so_far(),
        .ended_by_peer = gone && ended_first(c, ended),
        .idle = between(load(&h->last_fed), ended),
        .rested = load(&h->rested),
        .waited = between(load(&c->last_out), ended ? ended : now),
        .now = now,
    };
}

/* Another process that was sent the connection goes on with it. */
static bool is_passed(const struct box_conn *c) {
    return atomic_load_explicit(&c->flags, memory_order_relaxed) & CONN_PASSED;
}

void exchange_closed(struct box_conn *c, uint64_t slot, uint32_t closing_stack) {
    struct box_http *h = innermost(c, slot);
    if (is_counted(h) && !is_passed(c)) {
        struct use_of_conn u = use_of(c, h);
        u.closing_stack = closing_stack;
        use_ended(atomic_load(&c->site), &u);
    }
    drop(c, slot, HTTP_PLAIN);
    drop(c, slot, HTTP_IN_TLS);
}
