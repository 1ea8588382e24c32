#include "conn/double_close.h"

#include <errno.h>

#include "base/clock.h"
#include "base/index.h"
#include "base/thread.h"
#include "conn/fdtable.h"
#include "conn/record.h"
#include "stack/stack.h"

struct double_closes {
    struct index known; /* by site and the two closing stacks */
};
LIVE_TYPE(struct double_closes, double_closes);
static union live_double_closes double_closes;

void double_close_begin_process(void) {
    live_register(&double_closes, sizeof double_closes);
}

static uint64_t pair(uint32_t high, uint32_t low) {
    return (uint64_t)high << 32 | low;
}

static void store(_Atomic uint64_t *to, uint64_t v) {
    atomic_store_explicit(to, v, memory_order_relaxed);
}

static uint64_t load(_Atomic uint64_t *from) {
    return atomic_load_explicit(from, memory_order_relaxed);
}

uint32_t double_close_note(int fd, uint64_t slot) {
    struct box_conn *c = record_of(slot);
    struct fd_closed *note = fd_closed_note(fd);
    if (!c || !note || c->site == BOX_NONE)
        return BOX_NONE;
    uint32_t stack = stack_capture_short();
    int me = thread_id(mine.header->pid);
    store(&note->before, load(&note->who) >> 32);
    store(&note->who, pair((uint32_t)me, (uint32_t)c->thread));
    store(&note->at, clock_coarse());
    store(&note->what, pair(c->site + 1, stack));
    return stack;
}

/* --- sweeps ----------------------------------------------------------------------------------- */

/* Some numbers are left out: the one that is kept. */
enum { SWEEP_LENGTH = 3, SWEEP_GAP = 16 };

/* What was noted of a run of closes that turns out to be a sweep is taken back. */
static void take_back(struct thread_sweep *s) {
    for (unsigned i = 0; i < 2; i++) {
        if (s->noted[i])
            atomic_fetch_sub(&mine.double_closes[s->noted[i] - 1].times, 1);
        s->noted[i] = 0;
    }
}

void double_close_follow(int fd, const void *caller) {
    struct thread_sweep *s = &self.sweep;
    int step = fd - s->fd;
    bool near = step && step <= SWEEP_GAP && step >= -SWEEP_GAP;
    bool on = caller == s->caller && near && (s->length < 2 || (step > 0) == (s->step > 0));
    s->fd = fd;
    s->step = step;
    s->caller = caller;
    if (!on) {
        s->length = 1;
        s->noted[0] = s->noted[1] = 0;
    } else if (++s->length == SWEEP_LENGTH) {
        take_back(s);
    }
}

/* --- the second close ------------------------------------------------------------------------- */

static uint32_t record_new(int fd, struct fd_closed *note, uint64_t what, uint32_t again) {
    uint32_t i = box_record(&mine, REGION_DOUBLE_CLOSES);
    if (i == BOX_NONE)
        return i;
    struct box_double_close *d = &mine.double_closes[i];
    uint64_t who = load(&note->who);
    d->site = (uint32_t)(what >> 32) - 1;
    d->closed = (uint32_t)what;
    d->again = again;
    d->fd = fd;
    d->opener = (int32_t)who;
    d->closer = (int32_t)(who >> 32);
    d->closer_again = thread_id(mine.header->pid);
    d->closer_had_closed = d->closer != d->opener && load(&note->before) == (uint32_t)d->closer;
    return i;
}

static void add(int fd, struct fd_closed *note, uint64_t what) {
    uint32_t again = stack_capture_short();
    uint64_t key[] = {what, again}, now = clock_coarse();
    uint32_t i = index_find(&double_closes.v.known, key, 2);
    if (i == INDEX_NONE) {
        i = record_new(fd, note, what, again);
        if (i == BOX_NONE)
            return;
        i = index_add(&double_closes.v.known, key, 2, i);
    }
    struct box_double_close *d = &mine.double_closes[i];
    uint64_t at = load(&note->at);
    atomic_fetch_add(&d->times, 1);
    store(&d->last, now);
    store(&d->gap, now > at ? now - at : 0);
    atomic_store_explicit(&d->ready, 1, memory_order_release);
    /* A handler may have come in between, and closed what it likes. */
    unsigned place = self.sweep.length - 1;
    if (place < sizeof self.sweep.noted / sizeof *self.sweep.noted)
        self.sweep.noted[place] = i + 1;
}

void double_close_check(int fd, int result, int error) {
    struct fd_closed *note = fd_closed(fd);
    if (likely(!note))
        return;
    uint64_t what = load(&note->what);
    if (result == 0) /* another file had the number meanwhile, and is closed now */
        store(&note->what, 0);
    else if (error == EBADF && what && self.sweep.length < SWEEP_LENGTH)
        add(fd, note, what);
}
