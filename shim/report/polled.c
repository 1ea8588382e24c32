#include "report/polled.h"

#include <poll.h>
#include <sys/uio.h>

#include "base/numbers.h"
#include "base/sys.h"

struct polled {
    int tid;
    void (*visit)(int fd, void *arg);
    void *arg;
};

/* By a call that a bad address makes fail: another thread may have returned from its own meanwhile,
 * and its stack may be gone. */
static bool read_memory(int tid, void *to, uint64_t from, size_t n) {
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)from, n}; // NOLINT
    return sys(SYS_process_vm_readv, tid, &here, 1, &there, 1, 0) == (long)n;
}

static void each_of_poll(const struct polled *p, uint64_t at, uint64_t count) {
    enum { AT_ONCE = 64, WANTS_TO_READ = POLLIN | POLLRDNORM | POLLRDHUP };
    struct pollfd set[AT_ONCE];
    count = count < NUMBERS_MAX ? count : 0;
    for (uint64_t i = 0; i < count; i += AT_ONCE) {
        size_t n = count - i < AT_ONCE ? (size_t)(count - i) : AT_ONCE;
        if (!read_memory(p->tid, set, at + i * sizeof *set, n * sizeof *set))
            return;
        for (size_t k = 0; k < n; k++)
            if (set[k].fd >= 0 && set[k].events & WANTS_TO_READ)
                p->visit(set[k].fd, p->arg);
    }
}

static void each_of_select(const struct polled *p, uint64_t at, uint64_t count) {
    enum { BITS = 64 };
    count = at && count < NUMBERS_MAX ? count : 0;
    for (uint64_t first = 0; first < count; first += BITS) {
        uint64_t word;
        if (!read_memory(p->tid, &word, at + first / 8, sizeof word))
            return;
        for (uint64_t fd = first; word && fd < count; fd++, word >>= 1)
            if (word & 1)
                p->visit((int)fd, p->arg);
    }
}

void polled_each(int tid, const struct system_call *c, void (*visit)(int fd, void *arg),
                 void *arg) {
    struct polled p = {.tid = tid, .visit = visit, .arg = arg};
    bool polls = c->number == SYS_ppoll, selects = c->number == SYS_pselect6;
#ifdef SYS_poll
    polls |= c->number == SYS_poll;
    selects |= c->number == SYS_select;
#endif
    if (!polls && !selects)
        return;
    if (polls)
        each_of_poll(&p, c->argument[0], c->argument[1]);
    else
        each_of_select(&p, c->argument[1], c->argument[0]);
}
