/* Walking a directory by raw system calls: no malloc, async-signal-safe. */
#ifndef PG_BASE_DIR_H
#define PG_BASE_DIR_H

#include <stdbool.h>

/* Calls visit for each name in the open directory, "." and ".." included, from its start. False
 * when reading failed. */
bool dir_each(int dir, void (*visit)(const char *name, void *), void *arg);

#endif
