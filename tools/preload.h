/* The library that is preloaded: where it is, and its place among other preloaded ones. */
#ifndef PG_TOOLS_PRELOAD_H
#define PG_TOOLS_PRELOAD_H

#include <linux/limits.h>

/* The library to preload: `file` if that is not NULL, else the one beside the command's own binary
 * (a build tree), else ../lib/poolguard/libpoolguard.so from there. Its absolute path into `path`.
 * NULL, or what is wrong with the file that `path` names. */
const char *library_find(char path[PATH_MAX], const char *file);

/* The value of LD_PRELOAD with the library before all others but the runtime of AddressSanitizer,
 * which refuses to run when it is not the first. `old` may be NULL. The caller frees it; NULL: no
 * memory. */
char *preload_list(const char *old, const char *library);

#endif
