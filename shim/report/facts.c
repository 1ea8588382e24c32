#include "report/facts.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

const char *tcp_state_name(unsigned state) {
    static const char *const name[] = {"unknown",    "established", "syn-sent",  "syn-recv",
                                       "fin-wait-1", "fin-wait-2",  "time-wait", "closed",
                                       "close-wait", "last-ack",    "listen",    "closing"};
    return name[state < sizeof name / sizeof *name ? state : 0];
}

bool facts_begin(struct facts *f, const struct view *v) {
    memset(f, 0, sizeof *f);
    f->view = v;
    f->now = clock_ns(CLOCK_MONOTONIC);
    f->room = v->count[REGION_CONNS];
    size_t index = ((size_t)f->room * sizeof *f->by_conn + 63) & ~(size_t)63;
    f->map_size = index + ((size_t)f->room + 1) * sizeof *f->fact;
    f->map = mem_map(f->map_size);
    if (!f->map)
        return false;
    f->by_conn = f->map;
    memset(f->by_conn, 0xff, (size_t)f->room * sizeof *f->by_conn);
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
    x->bytes_in = get(&c->bytes_in);
    x->calls_in = get(&c->calls_in);
    x->bytes_out = get(&c->bytes_out);
    x->calls_out = get(&c->calls_out);
    x->site = c->site;
    x->thread = c->thread;
    x->error = atomic_load_explicit(&c->error, memory_order_relaxed);
    x->state = atomic_load_explicit(&c->state, memory_order_relaxed);
    x->direction = c->direction;
    x->flags = atomic_load_explicit(&c->flags, memory_order_relaxed);
    x->next = UINT32_MAX;
}

/* The record may be recycled while it is copied: in our own process nothing holds it still. */
static bool copy_steady(struct fact *x, const struct box_conn *c) {
    for (int tries = 0; tries < 3; tries++) {
        uint32_t before = atomic_load_explicit(&c->seq, memory_order_acquire);
        copy(x, c);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(&c->seq, memory_order_relaxed) == before)
            return x->state == CONN_CONNECTING || x->state == CONN_ESTABLISHED ||
                   x->state == CONN_FAILED;
    }
    return false;
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
    f->by_conn[conn] = f->count++;
    return x;
}

void facts_drop_last(struct facts *f, uint32_t conn) {
    f->by_conn[conn] = UINT32_MAX;
    f->count--;
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

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

uint64_t fact_last_use(const struct fact *x) {
    return later(later(x->opened, x->settled), later(x->last_in, x->last_out));
}
