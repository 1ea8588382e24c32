/* Records that are used again (struct box_life): whose they are, and the free ones. Lock-free; any
 * thread, async-signal-safe. */
#ifndef PG_CONN_RECYCLE_H
#define PG_CONN_RECYCLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "state/mine.h"

/* The free records of a region: a stack of indices. Stands in live memory (base/live.h). The head
 * counts its changes in the upper half, so that a head taken, pushed and seen again is not mistaken
 * for an unchanged one; low half: index + 1, 0: none. */
struct recycler {
    _Atomic uint64_t head;
};

/* A record that nobody holds: a free one, or a new one; BOX_NONE when the region is full. */
uint32_t recycle_take(struct recycler *r, unsigned region);
void recycle_give(struct recycler *r, unsigned region, uint32_t i);

static inline uint64_t life_word(uint32_t seq, uint32_t holders) {
    return (uint64_t)seq << 32 | holders;
}

/* The seqlock of state/layout.h, for whoever owns a record that nobody holds: odd from here ... */
static inline void life_write(struct box_life *l) {
    uint32_t seq = (uint32_t)(atomic_load_explicit(&l->word, memory_order_relaxed) >> 32);
    atomic_store_explicit(&l->word, life_word(seq + 1, 0), memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

/* ... to here; returns the new even number. */
static inline uint32_t life_written(struct box_life *l, uint32_t holders) {
    uint32_t seq = (uint32_t)(atomic_load_explicit(&l->word, memory_order_relaxed) >> 32) + 1;
    atomic_store_explicit(&l->word, life_word(seq, holders), memory_order_release);
    return seq;
}

/* Adds `by` to the holders, if it is still that life and somebody holds it. Returns the holders
 * before; 0: it is over. */
uint32_t life_count(struct box_life *l, uint32_t seq, int by);
/* Sets one bit of the holders, if it is still that life and somebody holds it; the same. The bit is
 * the caller's only if it was not set before. */
uint32_t life_join(struct box_life *l, uint32_t seq, uint32_t bit);
/* Takes one bit off the holders; the same. */
uint32_t life_drop(struct box_life *l, uint32_t seq, uint32_t bit);

#endif
