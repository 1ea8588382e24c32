#include "conn/timeout.h"

#include <string.h>
#include <sys/time.h>

#include "conn/fdtable.h"
#include "conn/process.h"

/* The kernel takes what is longer for no timeout at all; and how long that is depends on its HZ. */
enum { HZ_MOST = 1000 };
#define FOR_EVER (INT64_MAX / HZ_MOST - 1)

/* 0: none (socket(7)). Negative ones are the kernel's 0 as well. */
static bool is_timed(const struct timeval *t) {
    return t->tv_sec >= 0 && t->tv_sec < FOR_EVER && (t->tv_sec > 0 || t->tv_usec > 0);
}

static uint16_t flag_of(int fd, int name, uint16_t flag) {
    struct timeval t = {0};
    socklen_t n = sizeof t;
    return sys(SYS_getsockopt, fd, SOL_SOCKET, name, &t, &n) == 0 && is_timed(&t) ? flag : 0;
}

uint16_t timeout_flags_of(int fd) {
    if (process_is_quiet())
        return 0;
    return flag_of(fd, SO_RCVTIMEO, CONN_READ_TIMED) | flag_of(fd, SO_SNDTIMEO, CONN_WRITE_TIMED);
}

/* The options have two numbers each: one for either size of time_t, which is one size here. */
static uint16_t flag_named(int level, int name) {
    enum { RCVTIMEO_NEW = 66, SNDTIMEO_NEW = 67 };
    if (level != SOL_SOCKET)
        return 0;
    switch (name) {
    case SO_RCVTIMEO:
    case RCVTIMEO_NEW: return CONN_READ_TIMED;
    case SO_SNDTIMEO:
    case SNDTIMEO_NEW: return CONN_WRITE_TIMED;
    default: return 0;
    }
}

static uint64_t changed(uint64_t slot, uint16_t flag, bool on) {
    uint16_t flags = slot_flags(slot);
    return slot_with_flags(slot, (uint16_t)(on ? flags | flag : flags & ~flag));
}

/* Before the socket is connected, the flags stand in its slot. */
static void note(int fd, uint16_t flag, bool on) {
    uint64_t slot = fd_get(fd);
    while (slot_is_tcp(slot) && !fd_change(fd, slot, changed(slot, flag, on)))
        slot = fd_get(fd);
    struct box_conn *c = fd_conn(fd);
    if (c && on)
        atomic_fetch_or(&c->flags, flag);
    else if (c)
        atomic_fetch_and(&c->flags, (uint16_t)~flag);
}

void timeout_set(int fd, int level, int name, const void *value, socklen_t len) {
    uint16_t flag = flag_named(level, name);
    struct timeval t;
    if (likely(!flag) || len < sizeof t || !process_known())
        return;
    memcpy(&t, value, sizeof t);
    note(fd, flag, is_timed(&t));
}
