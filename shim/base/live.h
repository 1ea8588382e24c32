/* State that belongs to one process and must not be inherited by a forked child.
 *
 * A child of fork() shares the parent's state file: one counted byte there would falsify the
 * parent's records. So everything that leads to it (descriptor table, hash heads, locks) stands in
 * memory that the kernel zeroes in the child (MADV_WIPEONFORK, Linux 4.14): whoever forked, and
 * however (fork, _Fork, a raw system call), the child starts knowing nothing, at no cost, and sets
 * itself up at its first event. */
#ifndef PG_BASE_LIVE_H
#define PG_BASE_LIVE_H

#include <stddef.h>

#include "base/sys.h"

enum { LIVE_PAGE = PAGE_LARGEST };

/* Declares union live_NAME: a `type v` padded to whole pages, for an object in .bss that
 * live_register can take. */
#define LIVE_TYPE(type, name)                                                                      \
    union live_##name {                                                                            \
        type v;                                                                                    \
        char pages[(sizeof(type) + LIVE_PAGE - 1) / LIVE_PAGE * LIVE_PAGE];                        \
    } __attribute__((aligned(LIVE_PAGE)))

/* Has the kernel zero the object in forked children; where it cannot (an emulator), fork handlers
 * do. Call once for each object, before it holds anything. */
void live_register(void *object, size_t size);

#endif
