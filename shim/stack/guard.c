#include "stack/guard.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/sys.h"
#include "base/thread.h"

/* Numbers that no descriptor has (above any fs.nr_open). */
enum { FAKE_READ_END = GUARD_FD, FAKE_WRITE_END };

static _Atomic int inside; /* threads that are walking */
const char *guard_served_from, *guard_served_to;
static _Atomic bool broken;

void guard_begin_process(void) {
    if (atomic_exchange(&inside, 0) > 0)
        atomic_store(&broken, true);
}

void guard_serve(const void *start, const void *end) {
    guard_served_from = start;
    guard_served_to = end;
}

bool guard_enter(void) {
    if (self.in_libunwind || atomic_load(&broken))
        return false;
    atomic_fetch_add(&inside, 1);
    self.in_libunwind = 1;
    return true;
}

void guard_leave(void) {
    self.in_libunwind = 0;
    atomic_fetch_sub(&inside, 1);
}

int guard_pipe2(int fds[2]) {
    fds[0] = FAKE_READ_END;
    fds[1] = FAKE_WRITE_END;
    return 0;
}

static bool is_fake(int fd) {
    return fd == FAKE_READ_END || fd == FAKE_WRITE_END;
}

static long as_libc(long r) {
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

/* libunwind empties its pipe before it tests an address: there is nothing in it. */
ssize_t guard_read(int fd, void *buf, size_t n) {
    return as_libc(is_fake(fd) ? -EAGAIN : sys(SYS_read, fd, buf, n));
}

/* Writing one byte (through syscall() in 1.6.2) is libunwind's test whether an address can be read.
 */
ssize_t guard_write(const void *buf) {
    return as_libc(sys_can_read(buf) ? 1 : -EFAULT);
}

int guard_close(int fd) {
    return is_fake(fd) ? 0 : (int)as_libc(sys(SYS_close, fd));
}

/* libunwind's callback data begins with the address that it looks for (struct dwarf_callback_data,
 * unchanged since 0.99). _dl_find_object answers for it without a lock. Were the layout another one
 * day, the look-up would find nothing or the wrong object, the callback would refuse it, and stacks
 * would be shorter: a test sees to it. */
int guard_dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data) {
    struct dl_find_object object;
    void *pc;
    memcpy(&pc, data, sizeof pc);
    if (_dl_find_object(pc, &object) != 0)
        return 0;
    const ElfW(Ehdr) *e = object.dlfo_map_start;
    if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
        return 0;
    struct dl_phdr_info info = {
        .dlpi_addr = object.dlfo_link_map->l_addr,
        .dlpi_name = object.dlfo_link_map->l_name,
        .dlpi_phdr = (const ElfW(Phdr) *)(const void *)((const char *)e + e->e_phoff),
        .dlpi_phnum = e->e_phnum,
    };
    return callback(&info, offsetof(struct dl_phdr_info, dlpi_adds), data);
}
