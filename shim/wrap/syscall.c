/* syscall() with a number that concerns descriptors: libuv closes every socket this way, jemalloc
 * reads its configuration so. The call itself stays the program's raw one: unlike the functions, it
 * is no cancellation point. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "conn/timeout.h"
#include "stack/guard.h"
#include "wrap/connect.h"
#include "wrap/dup.h"
#include "wrap/io.h"
#include "wrap/stubs.h"

struct around {
    struct attempt attempt;
    struct shutting shutting;
    uint64_t slot; /* what is read or written */
};

static void before(long nr, struct around *k, long a, long b, long c) {
    switch (nr) { // NOLINTBEGIN(performance-no-int-to-ptr): the kernel's convention
    case SYS_close_range:
        if (range_closes((unsigned)a, (unsigned)b, (unsigned)c) && process_known())
            conn_forget_range((unsigned)a, (unsigned)b);
        break;
    case SYS_connect:
        connect_before(&k->attempt, (int)a, (const struct sockaddr *)b, (socklen_t)c);
        break;
    case SYS_seccomp: KEEP_ERRNO(process_go_quiet()); break;
    case SYS_shutdown: k->shutting = traffic_shutting((int)a, (int)b); break;
    case SYS_read: k->slot = io_slot((int)a); break;
    case SYS_write: k->slot = io_writing((int)a); break;
    default: break;
    } // NOLINTEND(performance-no-int-to-ptr)
}

static void after(long nr, const struct around *k, long a, long b, long c, long r) {
    switch (nr) {
    case SYS_socket: socket_after((int)r, (int)a, (int)b, (int)c); break;
    case SYS_connect: connect_after(&k->attempt, (int)a, (int)r); break;
    case SYS_accept:
    case SYS_accept4: accept_after((int)r, NULL, 0); break;
    case SYS_shutdown: traffic_shut(&k->shutting, (int)b, (int)r); break;
    case SYS_dup: dup_after((int)a, (int)r); break;
    case SYS_fcntl:
        if (b == F_DUPFD || b == F_DUPFD_CLOEXEC)
            dup_after((int)a, (int)r);
        break;
    case SYS_read: io_read(k->slot, r, (void *)b, (size_t)c); break;         // NOLINT
    case SYS_write: io_wrote(k->slot, r, (const void *)b, (size_t)c); break; // NOLINT
    default: break;
    }
}

/* seccomp(2): its other operations only ask. */
static long filter(long nr, long op, long flags, long arg, long d, long e) {
    bool went = false;
    if (nr == SYS_prctl || op == SECCOMP_SET_MODE_STRICT || op == SECCOMP_SET_MODE_FILTER)
        KEEP_ERRNO(went = process_go_quiet());
    long r = real.syscall(nr, op, flags, arg, d, e, 0);
    if (went && r < 0)
        process_stay_loud();
    return r;
}

static long closed(int fd, const void *caller) {
    if (!process_known())
        return real.syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    uint64_t was = conn_close(fd, caller);
    long r = real.syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    KEEP_ERRNO(conn_closed(fd, was, (int)r, kept_errno));
    return r;
}

long stub_syscall(long nr, long a, long b, long c, long d, long e, long f) {
    if (nr == SYS_write && GUARD_IS_CALLED())
        return guard_write((const void *)b); // NOLINT(performance-no-int-to-ptr)
    bool over = nr == SYS_dup3;
#ifdef SYS_dup2
    over |= nr == SYS_dup2;
#endif
    if (over) {
        uint64_t taken = dup_over_before((int)a, (int)b);
        return dup_over_after((int)a, (int)b, taken, (int)real.syscall(nr, a, b, c, d, e, f));
    }
    if (nr == SYS_close)
        return closed((int)a, __builtin_return_address(0));
    if (nr == SYS_seccomp || (nr == SYS_prctl && a == PR_SET_SECCOMP))
        return filter(nr, a, b, c, d, e);
    struct around k;
    before(nr, &k, a, b, c);
    long r = real.syscall(nr, a, b, c, d, e, f);
    after(nr, &k, a, b, c, r);
    if (nr == SYS_setsockopt && r == 0)
        timeout_set((int)a, (int)b, (int)c, (const void *)d, (socklen_t)e); // NOLINT
    return r;
}
