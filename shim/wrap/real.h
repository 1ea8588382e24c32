/* The real functions behind the names that we export: the next ones in the loader's order, so that
 * other preloads after us are called as if we were not there.
 *
 * `real.close(fd)` may be called at any time: until the constructor has run, a pointer leads to a
 * function that looks all of them up first. */
#ifndef PG_WRAP_REAL_H
#define PG_WRAP_REAL_H

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct real {
#define REAL(ret, name, params, args) ret(*name) params;
#define REAL_VOID(name, params, args) void(*name) params;
#define REAL_VA REAL
#define REAL_RAW REAL
#include "wrap/real.def"
#undef REAL
#undef REAL_VOID
#undef REAL_VA
#undef REAL_RAW
};

extern struct real real __attribute__((visibility("hidden")));

/* Looks every row up. From the constructor; harmless when called again. */
void real_resolve(void);

#endif
