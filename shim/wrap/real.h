/* The real functions behind the names that we export: the next ones in the loader's order, so that
 * other preloads after us are called as if we were not there.
 *
 * `real.close(fd)` may be called at any time and anywhere: it is looked up at its first call,
 * without a lock (wrap/next.h). */
#ifndef PG_WRAP_REAL_H
#define PG_WRAP_REAL_H

#include <dirent.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct real {
#define REAL(ret, name, params, args) ret(*name) params;
#define REAL_VOID(name, params, args) void(*name) params;
#define REAL_VA REAL
#include "wrap/real.def"
#undef REAL
#undef REAL_VOID
#undef REAL_VA
};

extern struct real real __attribute__((visibility("hidden")));

/* What the assembly stubs jump to. From the constructor. */
void real_resolve_stubs(void);

#endif
