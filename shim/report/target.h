/* Where a report goes: stderr, or a file named by a pattern. Async-signal-safe. */
#ifndef PG_REPORT_TARGET_H
#define PG_REPORT_TARGET_H

#include <stdbool.h>

/* Once, from the constructor: remembers what stderr is. The pattern is kept. */
void target_setup(const char *pattern);
void target_stderr_moved(void);

/* A descriptor to write a report to, or -1 when there is no safe place. `program` is its name, for
 * %e. *close_it: give it back to target_close. */
int target_open(const char *program, bool *close_it);
void target_close(int fd);

#endif
