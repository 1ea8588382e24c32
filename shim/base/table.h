/* uthash, fitted to the guarded process: memory from an arena (never malloc), and no exit() when
 * there is none. Include this instead of uthash.h. The including file defines `table_arena`, an
 * expression for the arena of its tables, before; the lock that guards the table guards the arena.
 */
#ifndef PG_BASE_TABLE_H
#define PG_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) arena_alloc((table_arena), (size))
#define uthash_free(p, size) ((void)(p), (void)(size))
#include <uthash.h>

/* A hash of n 64-bit words. */
static inline uint32_t table_hash(const uint64_t *words, size_t n, uint64_t seed) {
    uint64_t h = seed ^ UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < n; i++) {
        h = (h ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

#endif
