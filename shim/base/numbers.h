/* A set of numbers below four million, for those that the kernel gives: descriptors and thread ids
 * (PID_MAX_LIMIT). One bit each, in a mapping of which only the pages are there that were touched.
 * Async-signal-safe. */
#ifndef PG_BASE_NUMBERS_H
#define PG_BASE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum { NUMBERS_MAX = 1 << 22 };

struct numbers {
    uint64_t *bits; /* NULL: an empty set that takes none */
};

static inline bool numbers_begin(struct numbers *n) {
    n->bits = mem_map(NUMBERS_MAX / 8);
    return n->bits != NULL;
}

static inline void numbers_free(struct numbers *n) {
    mem_unmap(n->bits, NUMBERS_MAX / 8);
    n->bits = NULL;
}

static inline void numbers_add(struct numbers *n, int number) {
    if (n->bits && number >= 0 && number < NUMBERS_MAX)
        n->bits[number / 64] |= UINT64_C(1) << (number % 64);
}

static inline bool numbers_has(const struct numbers *n, int number) {
    return n->bits && number >= 0 && number < NUMBERS_MAX &&
           (n->bits[number / 64] >> (number % 64) & 1);
}

#endif
