#include "conn/traffic.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/process.h"
#include "conn/record.h"
#include "conn/site.h"
#include "stack/stack.h"

static uint64_t load(const _Atomic uint64_t *v) {
    return atomic_load_explicit(v, memory_order_relaxed);
}

/* --- who uses what ---------------------------------------------------------------------------- */

static uint64_t io_met(uint64_t before, uint64_t slot) {
    return before == FD_NONE || before == slot ? slot : IO_SEVERAL;
}

static inline void met(uint64_t slot) {
    if (unlikely(self.io_watched))
        self.io_slot = io_met(self.io_slot, slot);
}

/* `first`: of a write that took n bytes; NULL: they were not in the program's memory. */
static void met_write(uint64_t slot, const struct iovec *first, size_t n) {
    enum { TYPE_FIRST = 20, TYPE_LAST = 23, MAJOR = 3, MINOR_LAST = 4, HEAD = 3 };
    const uint8_t *b = first ? first->iov_base : NULL;
    met(slot);
    if (b && n >= HEAD && first->iov_len >= HEAD && b[0] >= TYPE_FIRST && b[0] <= TYPE_LAST &&
        b[1] == MAJOR && b[2] <= MINOR_LAST)
        self.io_tls_slot = io_met(self.io_tls_slot, slot);
}

/* --- use after a rest ------------------------------------------------------------------------- */

enum { REST_NS = 1000000000 };
static uint64_t rest = REST_NS;

void traffic_setup(uint64_t leak_after) {
    rest = leak_after < REST_NS ? leak_after : REST_NS;
}

/* The first read or write of all, or the first after a rest: of those the stack is kept, and a
 * connection that was called leaked is none. */
static void stirred(struct box_conn *c, struct conn_use *u, uint64_t calls) {
    int saved = errno;
    atomic_fetch_add(&process_busy, 1);
    if (unlikely(load(&c->reported)))
        site_retract(c, SITE_RETRACTED_BY_USE);
    atomic_store_explicit(&u->stack, stack_capture(), memory_order_relaxed);
    atomic_store_explicit(&u->call, (uint32_t)calls + 1, memory_order_relaxed);
    atomic_fetch_sub(&process_busy, 1);
    errno = saved;
}

/* --- errors and ends -------------------------------------------------------------------------- */

/* Errors after which the connection is dead (tcp(7), ip(7)). */
static bool is_fatal(int error) {
    return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == ECONNREFUSED ||
           error == ECONNABORTED || error == EHOSTUNREACH || error == ENETUNREACH;
}

static void failed(struct box_conn *c, int error) {
    if (!is_fatal(error))
        return;
    if (atomic_load(&c->state) == CONN_CONNECTING) {
        conn_settle(c, CONN_FAILED, error);
        return;
    }
    atomic_store_explicit(&c->error, error, memory_order_relaxed);
    if (error != EPIPE)
        atomic_fetch_or(&c->flags, CONN_RESET);
}

/* A side that the program itself has shut reads as ended, whatever the peer does. */
static void came_to_end(struct box_conn *c, uint64_t slot) {
    if (atomic_load(&c->flags) & CONN_SHUT_READ ||
        atomic_fetch_or(&c->flags, CONN_PEER_EOF) & CONN_PEER_EOF)
        return;
    atomic_store_explicit(&c->eof_at, clock_coarse(), memory_order_relaxed);
    for (enum http_layer layer = HTTP_PLAIN; layer < HTTP_LAYERS; layer++)
        exchange_end(c, slot, layer, HTTP_RESPONSE_BYTES);
}

void traffic_ends(struct box_conn *c) {
    uint64_t never = 0;
    if (!(atomic_load(&c->flags) & (CONN_PEER_EOF | CONN_RESET)))
        atomic_compare_exchange_strong(&c->shut_at, &never, clock_coarse());
}

static uint16_t flags_of_shut(int how) {
    switch (how) {
    case SHUT_RD: return CONN_SHUT_READ;
    case SHUT_WR: return CONN_SHUT_WRITE;
    case SHUT_RDWR: return CONN_SHUT_READ | CONN_SHUT_WRITE;
    default: return 0;
    }
}

struct shutting traffic_shutting(int fd, int how) {
    struct shutting k = {.slot = fd_get(fd)};
    struct box_conn *c = record_of(k.slot);
    if (!c)
        return k;
    uint16_t flags = flags_of_shut(how);
    k.flags = (uint16_t)(flags & ~atomic_fetch_or(&c->flags, flags));
    return k;
}

void traffic_shut(const struct shutting *k, int how, int result) {
    struct box_conn *c = record_of(k->slot);
    if (!c)
        return;
    if (result != 0) {
        atomic_fetch_and(&c->flags, (uint16_t)~k->flags);
        return;
    }
    traffic_ends(c);
    if (how != SHUT_RD)
        exchange_end(c, k->slot, HTTP_PLAIN, HTTP_REQUEST_BYTES);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static inline void settle(struct box_conn *c) {
    if (unlikely(atomic_load_explicit(&c->state, memory_order_relaxed) == CONN_CONNECTING))
        conn_settle(c, CONN_ESTABLISHED, 0);
}

void traffic_read_on(uint64_t slot, ssize_t n, const struct iovec *iov, size_t count) {
    struct box_conn *c = record_of(slot);
    if (unlikely(!c))
        return;
    met(slot);
    if (unlikely(n <= 0)) {
        if (n < 0)
            failed(c, errno);
        else
            came_to_end(c, slot);
        return;
    }
    uint64_t now = clock_coarse();
    if (unlikely(now - load(&c->last_in) >= rest))
        stirred(c, &c->used_in, load(&c->calls_in));
    struct exchange_bytes b = {HTTP_PLAIN, HTTP_RESPONSE_BYTES, iov, count, (size_t)n};
    exchange_fed(c, slot, &b);
    traffic_add(&c->bytes_in, (uint64_t)n);
    traffic_add(&c->calls_in, 1);
    atomic_store_explicit(&c->last_in, now, memory_order_relaxed);
    settle(c);
}

static void count_out(struct box_conn *c, uint64_t slot, size_t n, const struct iovec *iov,
                      size_t count) {
    struct exchange_bytes b = {HTTP_PLAIN, HTTP_REQUEST_BYTES, iov, count, n};
    uint64_t now = clock_coarse();
    if (unlikely(!load(&c->bytes_out)) && n)
        exchange_begin(c, slot, &b);
    if (unlikely(now - load(&c->last_out) >= rest))
        stirred(c, &c->used_out, load(&c->calls_out));
    exchange_fed(c, slot, &b);
    traffic_add(&c->bytes_out, n);
    traffic_add(&c->calls_out, 1);
    atomic_store_explicit(&c->last_out, now, memory_order_relaxed);
}

void traffic_wrote_on(uint64_t slot, ssize_t n, const struct iovec *iov, size_t count) {
    struct box_conn *c = record_of(slot);
    if (unlikely(!c))
        return;
    if (unlikely(self.io_watched))
        met_write(slot, n > 0 && count ? iov : NULL, n > 0 ? (size_t)n : 0);
    if (unlikely(n <= 0))
        exchange_wrote_nothing(c, slot);
    if (unlikely(n < 0)) {
        failed(c, errno);
        return;
    }
    count_out(c, slot, (size_t)n, iov, count);
    settle(c);
}

void traffic_wrote_early(int fd, size_t n, const struct iovec *iov, size_t count) {
    uint64_t slot = fd_get(fd);
    if (!slot_is_conn(slot))
        return;
    met(slot);
    count_out(&mine.conns[slot_index(slot)], slot, n, iov, count);
}
