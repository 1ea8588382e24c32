#include "report/facts.h"

#include <linux/tcp.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

const char *tcp_state_name(unsigned state) {
    static const char *const name[] = {"unknown",    "established", "syn-sent",  "syn-recv",
                                       "fin-wait-1", "fin-wait-2",  "time-wait", "closed",
                                       "close-wait", "last-ack",    "listen",    "closing"};
    return name[state < sizeof name / sizeof *name ? state : 0];
}

const char *tls_version_name(unsigned version) {
    static const char *const name[] = {"SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
    unsigned minor = version - 0x0300;
    return minor < sizeof name / sizeof *name ? name[minor] : NULL;
}

bool facts_begin(struct facts *f, const struct view *v) {
    memset(f, 0, sizeof *f);
    f->view = v;
    f->now = clock_ns(CLOCK_MONOTONIC);
    f->room = v->count[REGION_CONNS];
    size_t most = (size_t)f->room + v->count[REGION_TLS];
    size_t numbers = (size_t)f->room + v->count[REGION_USES];
    size_t index = (numbers * sizeof *f->by_conn + 63) & ~(size_t)63;
    f->map_size = index + (most + 1) * sizeof *f->fact;
    f->map = mem_map(f->map_size);
    if (!f->map)
        return false;
    f->by_conn = f->map;
    f->by_use = f->by_conn + f->room;
    memset(f->by_conn, 0xff, numbers * sizeof *f->by_conn);
    f->fact = (struct fact *)(void *)((char *)f->map + index);
    return true;
}

void facts_free(struct facts *f) {
    mem_unmap(f->map, f->map_size);
    memset(f, 0, sizeof *f);
}

static uint64_t get(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

static uint32_t get32(const _Atomic uint32_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

static void copy_tls(struct fact_tls *x, const struct box_tls *t) {
    x->opened = t->opened;
    x->closed = get(&t->closed);
    x->freed = get(&t->freed);
    x->begun = get(&t->begun);
    x->done = get(&t->done);
    x->last_in = get(&t->last_in);
    x->wire_in = get(&t->wire_in);
    x->wire_out = get(&t->wire_out);
    x->bytes_in = get(&t->bytes_in);
    x->bytes_out = get(&t->bytes_out);
    x->site = get32(&t->site);
    x->name = get32(&t->name);
    x->cipher = get32(&t->cipher);
    x->alpn = get32(&t->alpn);
    x->closing_stack = get32(&t->closing_stack);
    x->freeing_stack = get32(&t->freeing_stack);
    x->pending = get32(&t->pending);
    x->holders = get32(&t->life.holders);
    x->version = atomic_load_explicit(&t->version, memory_order_relaxed);
    x->flags = atomic_load_explicit(&t->flags, memory_order_relaxed);
    x->made_by = t->made_by;
}

/* False: nobody holds the record, or it changed lives meanwhile. */
static bool copy_tls_steady(struct fact_tls *x, const struct box_tls *t) {
    for (int tries = 0; tries < 3; tries++) {
        uint32_t before = atomic_load_explicit(&t->life.seq, memory_order_acquire);
        copy_tls(x, t);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(&t->life.seq, memory_order_relaxed) == before)
            return x->holders != 0;
    }
    return false;
}

/* The TLS record that a connection's names, if it is still that life of it. */
static void take_tls(struct fact *x, const struct view *v, uint64_t record) {
    const struct box_tls *t = record ? view_tls(v, (uint32_t)record - 1) : NULL;
    x->has_tls = t && get32(&t->life.seq) == record >> 32 && copy_tls_steady(&x->tls, t);
}

/* The exchange of a link, if it is that connection's still. */
static bool copy_http(struct fact *x, const struct view *v, uint32_t link, uint64_t conn) {
    const struct box_http *h = link ? view_http(v, (link & ~HTTP_OVER) - 1) : NULL;
    for (int tries = 0; h && tries < 3; tries++) {
        uint32_t before = atomic_load_explicit(&h->life.seq, memory_order_acquire);
        x->http = h->http;
        bool is_its = get(&h->conn) == conn;
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(&h->life.seq, memory_order_relaxed) == before)
            return is_its;
    }
    return false;
}

static void take_http(struct fact *x, const struct view *v, const struct box_conn *c) {
    uint64_t conn = (uint64_t)x->seq << 32 | (x->record + 1);
    x->has_http = copy_http(x, v, get32(&c->http[HTTP_IN_TLS]), conn) ||
                  copy_http(x, v, get32(&c->http[HTTP_PLAIN]), conn);
}

static void copy_use(struct fact_use *to, const struct conn_use *u) {
    to->stack = get32(&u->stack);
    to->call = get32(&u->call);
}

static void copy(struct fact *x, const struct box_conn *c) {
    memset(x, 0, sizeof *x);
    x->id = c->id;
    x->inode = c->inode;
    x->peer = c->peer;
    x->opened = c->opened;
    x->settled = get(&c->settled);
    x->last_in = get(&c->last_in);
    x->last_out = get(&c->last_out);
    x->eof_at = get(&c->eof_at);
    x->shut_at = get(&c->shut_at);
    x->bytes_in = get(&c->bytes_in);
    x->calls_in = get(&c->calls_in);
    x->bytes_out = get(&c->bytes_out);
    x->calls_out = get(&c->calls_out);
    x->leak_after = c->leak_after;
    x->site = get32(&c->site);
    x->thread = c->thread;
    x->error = atomic_load_explicit(&c->error, memory_order_relaxed);
    x->state = atomic_load_explicit(&c->state, memory_order_relaxed);
    x->direction = c->direction;
    x->flags = atomic_load_explicit(&c->flags, memory_order_relaxed);
    x->reported = get(&c->reported);
    x->waits_since = get(&c->waits_since);
    copy_use(&x->used_in, &c->used_in);
    copy_use(&x->used_out, &c->used_out);
    x->next = UINT32_MAX;
}

/* The record may be recycled while it is copied: in our own process nothing holds it still. */
static bool copy_steady(struct fact *x, const struct box_conn *c) {
    for (int tries = 0; tries < 3; tries++) {
        uint32_t before = atomic_load_explicit(&c->life.seq, memory_order_acquire);
        copy(x, c);
        x->seq = before;
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(&c->life.seq, memory_order_relaxed) == before)
            return x->state == CONN_CONNECTING || x->state == CONN_ESTABLISHED ||
                   x->state == CONN_FAILED;
    }
    return false;
}

/* Chains it to the others of its call site. */
static void add_to_use(struct facts *f, uint32_t i) {
    struct fact *x = &f->fact[i];
    const struct box_site *s = view_site(f->view, x->site);
    x->use = s ? get32(&s->use) - 1 : BOX_NONE;
    const struct box_use *u = view_use(f->view, x->use);
    if (!u || u->site != x->site) {
        x->use = BOX_NONE;
        return;
    }
    x->next_of_use = f->by_use[x->use];
    f->by_use[x->use] = i;
}

struct fact *facts_of(struct facts *f, uint32_t conn) {
    if (conn >= f->room)
        return NULL;
    if (f->by_conn[conn] != UINT32_MAX)
        return &f->fact[f->by_conn[conn]];
    const struct box_conn *c = view_conn(f->view, conn);
    struct fact *x = &f->fact[f->count];
    if (!c || !copy_steady(x, c))
        return NULL;
    x->record = conn;
    take_tls(x, f->view, get(&c->tls));
    take_http(x, f->view, c);
    f->by_conn[conn] = f->count++;
    add_to_use(f, f->by_conn[conn]);
    return x;
}

/* Not one that lives on: its connection is just being closed, or it went elsewhere. */
static bool is_orphan(const struct fact_tls *t) {
    return t->holders == TLS_HELD_BY_OBJECT && t->closed && !t->freed &&
           !(t->flags & (TLS_MOVED | TLS_HANDED | TLS_ENDS_UNSEEN));
}

void facts_add_orphans(struct facts *f) {
    for (uint32_t i = 0; i < f->view->count[REGION_TLS]; i++) {
        struct fact *x = &f->fact[f->count];
        memset(x, 0, sizeof *x);
        if (!copy_tls_steady(&x->tls, view_tls(f->view, i)) || !is_orphan(&x->tls))
            continue;
        const struct box_site *s = view_site(f->view, x->tls.site);
        x->is_orphan = x->has_tls = true;
        x->direction = s && s->direction == CONN_INBOUND ? CONN_INBOUND : CONN_OUTBOUND;
        x->opened = x->tls.opened;
        x->site = x->tls.site;
        x->use = BOX_NONE;
        x->next = UINT32_MAX;
        f->count++;
    }
}

void facts_drop_last(struct facts *f, uint32_t conn) {
    const struct fact *x = &f->fact[--f->count];
    f->by_conn[conn] = UINT32_MAX;
    if (x->use != BOX_NONE)
        f->by_use[x->use] = x->next_of_use;
}

void fact_add_fd(struct fact *x, int fd) {
    if (x->fd_count < FACT_FDS)
        x->fds[x->fd_count] = fd;
    x->fd_count++;
}

void fact_set_tcp(struct fact *x, uint8_t tcp) {
    x->tcp = tcp;
    if (x->state == CONN_CONNECTING && tcp != TCP_UNKNOWN && tcp != TCP_IS_SYN_SENT &&
        tcp != TCP_IS_CLOSE)
        x->state = CONN_ESTABLISHED;
}

/* Have bytes gone by unseen? SYN and FIN count as bytes, once they are through (RFC 9293, 3.4). */
static bool is_used_unseen(const struct fact *x, const struct tcp_info *i) {
    enum { FIN = 1, SYN_AND_FIN = 2 };
    uint64_t heard = i->tcpi_bytes_received, waits = x->unread;
    return (heard > waits && heard - waits > x->bytes_in + FIN) ||
           i->tcpi_bytes_acked > x->bytes_out + SYN_AND_FIN;
}

static uint64_t ms_before(uint64_t now, uint32_t ms) {
    uint64_t ns = ms * UINT64_C(1000000);
    return now > ns ? now - ns : 1;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

enum { TICK_NS = 10000000 }; /* no clock of ours is further behind (time(7)) */

void fact_take_info(struct fact *x, const struct tcp_info *i, uint64_t now) {
    uint64_t received = ms_before(now, i->tcpi_last_data_recv);
    x->silent_ms = i->tcpi_last_ack_recv;
    if (is_used_unseen(x, i)) {
        uint64_t sent = ms_before(now, i->tcpi_last_data_sent);
        x->unseen_use = received > sent ? received : sent;
        x->has_http = false;
    }
    /* An earlier look may have seen it wait already. */
    bool waited = x->waits_since > later(x->opened, x->last_in) + TICK_NS;
    x->waits_since = !x->unread                            ? 0
                     : waited && x->waits_since < received ? x->waits_since
                                                           : received;
}

bool fact_tls_is_known(const struct fact *x) {
    return x->has_tls && (x->tls.flags & TLS_DONE || x->tls.begun);
}

bool fact_tls_counts_in(const struct fact *x) {
    return x->tls.flags & TLS_COUNTED_IN || x->bytes_in <= x->tls.wire_in;
}

bool fact_tls_counts_out(const struct fact *x) {
    return x->tls.flags & TLS_COUNTED_OUT || x->bytes_out <= x->tls.wire_out;
}

bool fact_is_handed(const struct fact *x) {
    return x->flags & (CONN_INHERITED | CONN_BY_EXEC | CONN_RECEIVED);
}

uint64_t fact_last_use(const struct fact *x) {
    uint64_t in = later(x->last_in, x->has_tls ? x->tls.last_in : 0);
    return later(later(x->opened, x->settled), later(x->unseen_use, later(in, x->last_out)));
}
