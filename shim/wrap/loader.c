/* dlclose, and what libunwind asks for (dlopen is in the stubs). */
#include <stddef.h>

#include "stack/guard.h"
#include "stack/stack.h"
#include "wrap/stubs.h"
#include "wrap/tls_library.h"
#include "wrap/wrap.h"

void stub_enter_dlopen(void) {
    KEEP_ERRNO(stack_loading());
}

static int take_unloadings(struct dl_phdr_info *info, size_t size, void *subs) {
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
        *(unsigned long long *)subs = info->dlpi_subs;
    return 1;
}

/* How often an object was unloaded so far. */
static unsigned long long unloadings(void) {
    unsigned long long subs = 0;
    real.dl_iterate_phdr(take_unloadings, &subs);
    return subs;
}

EXPORT int dlclose(void *handle) {
    KEEP_ERRNO(stack_loading());
    unsigned long long before = unloadings();
    stack_objects_changed();
    int r = real.dlclose(handle);
    stack_objects_changed();
    if (unloadings() != before)
        tls_library_objects_changed();
    return r;
}

EXPORT int pipe2(int fds[2], int flags) {
    return GUARD_IS_CALLED() ? guard_pipe2(fds) : real.pipe2(fds, flags);
}

EXPORT int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data) {
    if (GUARD_IS_CALLED())
        return guard_dl_iterate_phdr(callback, data);
    return real.dl_iterate_phdr(callback, data);
}
