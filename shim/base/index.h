/* Key -> number of a record: hash tables that only grow, without a lock.
 *
 * Keys are kept for good, so a chain changes only at its head, by one compare-and-swap: a thread
 * that is stopped anywhere, and a signal handler that jumps out of the middle, leave a table that
 * all others can use. Of two threads that add one key at once the first wins; what the other one
 * prepared is left unused. */
#ifndef PG_BASE_INDEX_H
#define PG_BASE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum { INDEX_CHAINS = 8192 };
#define INDEX_NONE UINT32_MAX

struct index_entry;

/* Zeroed: empty. */
struct index {
    struct arena arena;
    struct index_entry *_Atomic chain[INDEX_CHAINS];
};

/* The number that is kept for a key of 64-bit words, or INDEX_NONE. Any thread, async-signal-safe,
 * as is index_add. */
uint32_t index_find(struct index *x, const uint64_t *key, size_t words);

/* Keeps a number for the key and returns the one that holds from now on: another one when somebody
 * was faster. Without memory it is not kept, and returned. */
uint32_t index_add(struct index *x, const uint64_t *key, size_t words, uint32_t number);

#endif
