#include "wrap/real.h"

#include "wrap/next.h"
#include "wrap/stubs.h"

/* Each pointer leads at first to a function that looks the real one up, and then to that: a program
 * that makes none of the calls pays for none. All rows exist in every glibc that has
 * _dl_find_object, which the library needs. */
#define LOOK_UP(name) __atomic_store_n((void **)&real.name, next_function(#name), __ATOMIC_RELAXED)
#define REAL(ret, name, params, args)                                                              \
    static ret first_##name params {                                                               \
        LOOK_UP(name);                                                                             \
        return real.name args;                                                                     \
    }
#define REAL_VOID(name, params, args)                                                              \
    static void first_##name params {                                                              \
        LOOK_UP(name);                                                                             \
        real.name args;                                                                            \
    }
#define REAL_VA REAL
#include "wrap/real.def"
#undef REAL
#undef REAL_VOID

#define REAL(ret, name, params, args) .name = first_##name,
#define REAL_VOID(name, params, args) .name = first_##name,
struct real real = {
#include "wrap/real.def"
};
#undef REAL
#undef REAL_VOID

/* Until the constructor has run. */
void *stub_real_dlopen = (void *)first_dlopen;
void *stub_real_syscall = (void *)first_syscall;

void real_resolve_stubs(void) {
    *(void **)&real.dlopen = stub_real_dlopen = next_function("dlopen");
    *(void **)&real.syscall = stub_real_syscall = next_function("syscall");
}

int real_sigaction_of_libc(int sig, const struct sigaction *act, struct sigaction *old) {
    int (*call)(int, const struct sigaction *, struct sigaction *) = next_function("__sigaction");
    return call(sig, act, old);
}

int real_on_exit(void (*handler)(int, void *), void *arg) {
    int (*call)(void (*)(int, void *), void *) = next_function("on_exit");
    return call(handler, arg);
}
