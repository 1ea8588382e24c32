/* Sorting in place: heap sort, without recursion, without memory, never slow. Async-signal-safe. */
#ifndef PG_BASE_SORT_H
#define PG_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/* n elements of `size` bytes, so that none stands behind one that it is `before`. Not stable. */
void sort_heap(void *base, size_t n, size_t size, bool (*before)(const void *, const void *));

#endif
