/* Descriptor -> connection: a two-level array of atomic words, no lock.
 *
 * A slot holds 0 (nothing known), FD_TCP (a TCP socket that is not connected yet; FD_TCP_SHARED
 * when it was duplicated; with the flags in the upper half that its record will begin with), or a
 * connection's record and the generation in which it was entered. The whole table is wiped in
 * forked children (base/live.h). */
#ifndef PG_CONN_FDTABLE_H
#define PG_CONN_FDTABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/live.h"
#include "base/sys.h"
#include "state/mine.h"

enum { FD_PAGE = 1024, FD_PAGES = 4096, FD_MAX = FD_PAGE * FD_PAGES };

/* The last connection that was closed under a number, for those who close it again. `what` is one
 * word, so that what belongs together is read together. */
struct fd_closed {
    _Atomic uint64_t what;   /* site of the connection + 1, << 32 | closing stack; 0: nothing */
    _Atomic uint64_t who;    /* closing thread << 32 | opening thread */
    _Atomic uint64_t at;     /* CLOCK_MONOTONIC */
    _Atomic uint64_t before; /* closing thread of the number's connection before that one */
};

struct fd_page {
    _Atomic uint64_t slot[FD_PAGE];
    struct fd_closed closed[FD_PAGE];
};
struct fd_table {
    struct fd_page *_Atomic page[FD_PAGES];
};
LIVE_TYPE(struct fd_table, fd_table);
extern union live_fd_table fd_table __attribute__((visibility("hidden")));

#define FD_NONE UINT64_C(0)
#define FD_TCP ((uint64_t)UINT32_MAX)
#define FD_TCP_SHARED (FD_TCP - 1)

/* A slot that names record `index` in the life that `seq` counts. */
static inline uint64_t slot_of(uint32_t index, uint32_t seq) {
    return (uint64_t)seq << 32 | (index + 1);
}
static inline bool slot_is_conn(uint64_t slot) {
    return (uint32_t)slot - 1 < BOX_CONNS_MAX;
}
static inline uint32_t slot_index(uint64_t slot) {
    return (uint32_t)slot - 1;
}
static inline uint32_t slot_seq(uint64_t slot) {
    return (uint32_t)(slot >> 32);
}
/* FD_TCP or FD_TCP_SHARED, with any flags. */
static inline bool slot_is_tcp(uint64_t slot) {
    return (uint32_t)slot >= (uint32_t)FD_TCP_SHARED;
}
static inline bool slot_is_shared_tcp(uint64_t slot) {
    return (uint32_t)slot == (uint32_t)FD_TCP_SHARED;
}
static inline uint16_t slot_flags(uint64_t slot) {
    return slot_is_tcp(slot) ? (uint16_t)(slot >> 32) : 0;
}
static inline uint64_t slot_with_flags(uint64_t slot, uint16_t flags) {
    return (uint32_t)slot | (uint64_t)flags << 32;
}

/* The slot of a descriptor; FD_NONE for any number that has none. The whole cost of a read or write
 * on an untracked descriptor. Async-signal-safe. */
static inline uint64_t fd_get(int fd) {
    unsigned p = (unsigned)fd / FD_PAGE;
    if (unlikely(p >= FD_PAGES))
        return FD_NONE;
    struct fd_page *page = atomic_load_explicit(&fd_table.v.page[p], memory_order_acquire);
    if (!page)
        return FD_NONE;
    return atomic_load_explicit(&page->slot[(unsigned)fd % FD_PAGE], memory_order_acquire);
}

/* The connection's record behind a descriptor, or NULL. */
static inline struct box_conn *fd_conn(int fd) {
    uint64_t slot = fd_get(fd);
    return likely(!slot_is_conn(slot)) ? NULL : &mine.conns[slot_index(slot)];
}

/* What was closed under a number last; NULL when nothing ever was. */
static inline struct fd_closed *fd_closed(int fd) {
    unsigned p = (unsigned)fd / FD_PAGE;
    if (unlikely(p >= FD_PAGES))
        return NULL;
    struct fd_page *page = atomic_load_explicit(&fd_table.v.page[p], memory_order_acquire);
    if (!page)
        return NULL;
    struct fd_closed *c = &page->closed[(unsigned)fd % FD_PAGE];
    return atomic_load_explicit(&c->what, memory_order_relaxed) ? c : NULL;
}

/* Where to note it, NULL for a number without a slot. */
struct fd_closed *fd_closed_note(int fd);
/* The numbers stand for something else from here on. */
void fd_closed_clear(unsigned first, unsigned last);

/* Puts a slot in place and returns what was there. Storing where nothing is and nothing was costs
 * no memory. False through *ok when there is no memory for the page; nothing was stored then. */
uint64_t fd_put(int fd, uint64_t slot, bool *ok);
/* Has memory for the slots of the first n descriptors. */
void fd_table_reserve(unsigned n);
/* Takes a slot out. */
uint64_t fd_take(int fd);
/* Takes out that very slot; false when another one is there. */
bool fd_take_if(int fd, uint64_t slot);
/* Puts another one in the place of that very slot; the same. */
bool fd_change(int fd, uint64_t slot, uint64_t to);
/* Stores `slot` if the descriptor's slot is empty; false when it is not. */
bool fd_put_back(int fd, uint64_t slot);

/* Calls visit for every descriptor in [first, last] that has a slot. Async-signal-safe. */
void fd_each(unsigned first, unsigned last, void (*visit)(int fd, uint64_t slot, void *),
             void *arg);

/* In a forked child, before it records anything: starts with an empty table and hands out the
 * connections that the parent's held. What `visit` returns is the child's slot. No other thread of
 * the child sees one of the parent's. */
void fd_table_inherit(uint64_t (*visit)(int fd, uint64_t parents_slot, void *), void *arg);

#endif
