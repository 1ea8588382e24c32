/* The files behind code addresses, as records of the state file. */
#ifndef PG_STACK_MODULE_H
#define PG_STACK_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "state/layout.h"

/* Readies the table of a process. */
void module_begin_process(void);

/* The frame (state/layout.h) for a code address: its module, recorded at first sight, and the
 * address inside it; the plain address where no module covers it. Any thread,
 * async-signal-safe, without the loader's locks. */
uint64_t module_frame(uintptr_t pc);

/* The same for a module of another process's state file, as the upper bits of a frame; 0: no room.
 */
uint64_t module_foreign(const struct box_module *theirs);

/* Is the object of this record (of this process's box) mapped at this moment? Async-signal-safe. */
bool module_is_loaded(const struct box_module *m);

#endif
