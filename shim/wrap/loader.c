/* dlclose, and what libunwind asks for (dlopen is in the stubs). */
#include "stack/guard.h"
#include "stack/stack.h"
#include "wrap/stubs.h"
#include "wrap/tls_library.h"
#include "wrap/wrap.h"

void stub_enter_dlopen(void) {
    KEEP_ERRNO(stack_loading());
}

EXPORT int dlclose(void *handle) {
    KEEP_ERRNO(stack_loading());
    stack_objects_changed();
    int r = real.dlclose(handle);
    stack_objects_changed();
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
