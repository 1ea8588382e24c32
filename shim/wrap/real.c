#include "wrap/real.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/sys.h"
#include "wrap/stubs.h"

/* A call that comes before our constructor: from an initialiser of an object that was loaded with
 * ours. All rows exist in every glibc that has _dl_find_object, which the library needs. */
#define REAL(ret, name, params, args)                                                              \
    static ret early_##name params {                                                               \
        real_resolve();                                                                            \
        return real.name args;                                                                     \
    }
#define REAL_VOID(name, params, args)                                                              \
    static void early_##name params {                                                              \
        real_resolve();                                                                            \
        real.name args;                                                                            \
    }
#define REAL_VA REAL
#define REAL_RAW(ret, name, params, args)                                                          \
    static ret early_##name params {                                                               \
        long r = sys6 args;                                                                        \
        if (r < 0 && r > -4096) {                                                                  \
            errno = (int)-r;                                                                       \
            return -1;                                                                             \
        }                                                                                          \
        return r;                                                                                  \
    }
#include "wrap/real.def"
#undef REAL
#undef REAL_VOID
#undef REAL_RAW

#define REAL(ret, name, params, args) .name = early_##name,
#define REAL_VOID(name, params, args) .name = early_##name,
#define REAL_RAW REAL
struct real real = {
#include "wrap/real.def"
};
#undef REAL
#undef REAL_VOID

void *stub_real_dlopen = (void *)early_dlopen;
void *stub_real_syscall = (void *)early_syscall;

#define REAL(ret, name, params, args) *(void **)&real.name = dlsym(RTLD_NEXT, #name);
#define REAL_VOID(name, params, args) REAL(void, name, params, args)
void real_resolve(void) {
#include "wrap/real.def"
    stub_real_dlopen = (void *)real.dlopen;
    stub_real_syscall = (void *)real.syscall;
}
