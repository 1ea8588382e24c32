/* What goes over a connection: bytes, ends and errors, as the wrappers of reads and writes tell it.
 * Most descriptors are no connection's and end at one array load. All of it keeps errno; any
 * thread, async-signal-safe. */
#ifndef PG_CONN_TRAFFIC_H
#define PG_CONN_TRAFFIC_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/thread.h"
#include "conn/exchange.h"
#include "conn/fdtable.h"

/* Once, with the least time after which a report calls one leaked: a connection that is used again
 * after that time had lain idle, for who wants to know where it is used. */
void traffic_setup(uint64_t leak_after);

/* Plain load and store, no locked instruction: two threads that read one connection at once may
 * lose a count; none of the programs that matter do. */
static inline void traffic_add(_Atomic uint64_t *n, uint64_t by) {
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* While self.io_watched, the connections that the calling thread reads and writes are noted: how a
 * TLS object is tied to the connection that it is used on (wrap/tls.h). io_slot is the only one
 * that was used, io_tls_slot the only one that a write to began with a TLS record (RFC 8446, 5.1).
 */
#define IO_SEVERAL FD_TCP

/* After a read on the connection that asked for some bytes and returned n, into the first of these
 * (count 0: not into the program's memory). These three: nothing if that life of the record is
 * over. */
void traffic_read_on(uint64_t slot, ssize_t n, const struct iovec *iov, size_t count);

/* Before a write on the connection of that slot: another thread may read the answer before this one
 * comes back from the call. */
static inline void traffic_writing(uint64_t slot) {
    exchange_writing(&mine.conns[slot_index(slot)], slot);
}

/* After a write on the connection that returned n, from the first of these. */
void traffic_wrote_on(uint64_t slot, ssize_t n, const struct iovec *iov, size_t count);

/* After n bytes were taken for a connection that may not be established yet. */
void traffic_wrote_early(int fd, size_t n, const struct iovec *iov, size_t count);

/* Around shutdown(fd, how): BEFORE it, for a read of another thread's that it wakes up must not
 * take the end for the peer's; and after it. */
struct shutting {
    uint64_t slot;
    uint16_t flags; /* what a failure takes back */
};
struct shutting traffic_shutting(int fd, int how);
void traffic_shut(const struct shutting *k, int how, int result);

/* The program has said that it ends: noted if it is the first of both to do so, as far as it can
 * know. */
void traffic_ends(struct box_conn *c);

#endif
