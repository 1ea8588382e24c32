/* The library's own memory: anonymous mappings, never malloc.
 *
 * malloc may be the program's, may be locked by the thread that a signal interrupted, and may call
 * back into what we wrap. */
#ifndef PG_BASE_MEM_H
#define PG_BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A zeroed anonymous mapping, left out of core dumps; NULL when the kernel refuses. Untouched pages
 * cost nothing. Async-signal-safe, as is mem_unmap. */
void *mem_map(size_t size);
/* Whether mem_map refuses from here on: the program is about to install a seccomp filter. */
void mem_refuse(bool on);
void mem_unmap(void *p, size_t size);

/* A bump allocator over mappings, for what lives as long as the process: keys, strings, hash
 * tables. Nothing is ever given back. Without a lock: any thread, async-signal-safe. */
struct arena {
    struct arena_chunk *_Atomic chunk;
};

/* n bytes, 16-aligned, zeroed; NULL when the kernel refuses. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of n bytes of s with a '\0' behind it; NULL when the kernel refuses. */
char *arena_copy(struct arena *a, const char *s, size_t n);

#endif
