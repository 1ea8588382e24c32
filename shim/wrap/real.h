/* The real functions behind the names that we export: the next ones in the loader's order, so that
 * other preloads after us are called as if we were not there.
 *
 * `real.close(fd)` may be called at any time and anywhere: it is looked up at its first call,
 * without a lock (wrap/next.h). */
#ifndef PG_WRAP_REAL_H
#define PG_WRAP_REAL_H

#include <dirent.h>
#include <link.h>
#include <netdb.h>
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

/* Two calls that the constructor makes, libc's own: a sanitizer's are not ready before its
 * constructor, which comes after ours. */
int real_sigaction_of_libc(int sig, const struct sigaction *act, struct sigaction *old);
int real_on_exit(void (*handler)(int status, void *arg), void *arg);

/* What the assembly stubs jump to. From the constructor. */
void real_resolve_stubs(void);

#endif
