/* Key -> value: hash tables that only grow, without a lock.
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

/* Everything here: any thread, async-signal-safe. Keys are 64-bit words. */

/* The value of a key, or NULL. 8-aligned; it stays where it is for good, and what is in it may
 * change (the caller's atomics). */
void *index_value(struct index *x, const uint64_t *key, size_t words);

/* Keeps a copy of `size` bytes as the key's value and returns the one that holds from now on:
 * another one when somebody was faster. NULL: no memory. */
void *index_keep(struct index *x, const uint64_t *key, size_t words, const void *value,
                 size_t size);

/* Where the value is the number of a record: that number, or INDEX_NONE. */
uint32_t index_find(struct index *x, const uint64_t *key, size_t words);
/* Without memory the number is not kept, and returned. */
uint32_t index_add(struct index *x, const uint64_t *key, size_t words, uint32_t number);

/* A text as a key: its words, filled up with zeros. Returns how many words; 0: it has more than
 * `room`, or none. */
size_t index_text_key(uint64_t *key, size_t room, const char *text, size_t n);

#endif
