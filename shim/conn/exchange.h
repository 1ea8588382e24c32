/* What HTTP/1.x says on outbound connections: the bytes that go each way are shown to an observer
 * (http/http.h), whose record hangs on the connection. Plain bytes and those inside of TLS have one
 * each: a connection to a proxy speaks both.
 *
 * A connection whose first bytes are no request has no record, and its bytes are not looked at
 * again. Two threads that feed one way at once end the observing: their bytes have no order. No
 * lock; any thread; async-signal-safe; may make a system call at the first bytes of a connection
 * only. */
#ifndef PG_CONN_EXCHANGE_H
#define PG_CONN_EXCHANGE_H

#include <stddef.h>
#include <sys/uio.h>

#include "base/sys.h"
#include "state/mine.h"

void exchange_begin_process(void);

/* One buffer as a vector; nobody writes to it. */
#define BYTES(buf, n)                                                                              \
    ((struct iovec){((union {                                                                      \
                        const void *from;                                                          \
                        void *to;                                                                  \
                    }){(buf)})                                                                     \
                        .to,                                                                       \
                    (n)})

/* Bytes of one way: n of them, in the order of the vector; what it does not hold was not in the
 * program's memory. */
struct exchange_bytes {
    enum http_layer layer;
    enum http_way way;
    const struct iovec *iov;
    size_t count, n;
};

/* Before the first bytes that the program says in plain: their answer may be read before they are
 * known. */
void exchange_prepare(struct box_conn *c, uint64_t slot);
/* The first bytes that the program says on that layer: a request, perhaps. */
void exchange_begin(struct box_conn *c, uint64_t slot, const struct exchange_bytes *b);

void exchange_feed(struct box_conn *c, uint64_t slot, const struct exchange_bytes *b);

/* After bytes went by. The whole cost for what is no HTTP. */
static inline void exchange_fed(struct box_conn *c, uint64_t slot, const struct exchange_bytes *b) {
    uint32_t link = atomic_load_explicit(&c->http[b->layer], memory_order_relaxed);
    if (unlikely(link) && !(link & HTTP_OVER))
        exchange_feed(c, slot, b);
}

/* A write in plain is about to begin, whose bytes are fed when it is through; and it wrote none. */
void exchange_expect(struct box_conn *c, uint64_t slot);
void exchange_expected(struct box_conn *c, uint64_t slot);
static inline void exchange_writing(struct box_conn *c, uint64_t slot) {
    if (unlikely(!atomic_load_explicit(&c->bytes_out, memory_order_relaxed)))
        exchange_prepare(c, slot);
    uint32_t link = atomic_load_explicit(&c->http[HTTP_PLAIN], memory_order_relaxed);
    if (unlikely(link) && !(link & HTTP_OVER))
        exchange_expect(c, slot);
}
static inline void exchange_wrote_nothing(struct box_conn *c, uint64_t slot) {
    if (unlikely(atomic_load_explicit(&c->http[HTTP_PLAIN], memory_order_relaxed)))
        exchange_expected(c, slot);
}

/* The stream of one way has ended in good order. */
void exchange_end(struct box_conn *c, uint64_t slot, enum http_layer layer, enum http_way way);

/* It could be used again, as far as the program can know: whether the peer has closed it is for the
 * kernel to say; and the peer had, then. */
bool exchange_is_open(const struct box_conn *c, uint64_t slot);
void exchange_ended_at(struct box_conn *c, uint64_t slot, uint64_t when);

/* The connection is being closed by the call of that stack (BOX_NONE: unknown): what became of its
 * exchange is counted for its site. */
void exchange_closed(struct box_conn *c, uint64_t slot, uint32_t closing_stack);

#endif
