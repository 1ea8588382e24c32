/* Equal stacks are kept once. The look-up is by the raw addresses, which is what a capture has;
 * only a stack never seen before has its addresses translated to module and offset, and is looked
 * up once more by those. After a dlclose() equal addresses may be other functions: then raw
 * addresses are trusted only until the next one. */
#include "stack/stack.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/index.h"
#include "base/live.h"
#include "base/options.h"
#include "base/thread.h"
#include "stack/guard.h"
#include "stack/module.h"
#include "stack/walk.h"
#include "state/mine.h"

/* A thread's captures before libunwind's cache pays for its set-up: 115 to 290 us once against 3 us
 * saved each time. On aarch64 it never does: libunwind (1.6) can not read the unwind information of
 * functions that sign their return address, and its stack breaks off there without a word. */
#if defined(__aarch64__)
enum { CAPTURES_BEFORE_LIBUNWIND = UINT32_MAX };
#else
enum { CAPTURES_BEFORE_LIBUNWIND = 64 };
#endif

enum { RECENT = 1024 };
_Static_assert(BOX_STACKS_MAX <= UINT16_MAX + 1, "a stack's number fits 16 bits");

struct stacks {
    struct index known;              /* by frames, and by raw addresses until the first dlclose() */
    _Atomic uint64_t recent[RECENT]; /* by raw addresses since then */
};
LIVE_TYPE(struct stacks, stacks);
static union live_stacks stacks;

STARTUP static size_t depth_wanted = 32;
STARTUP static unsigned unwinder_wanted;
static _Atomic bool quiet;
static _Atomic uint64_t epoch;

void stack_setup(size_t depth, unsigned unwinder) {
    depth_wanted = depth < BOX_FRAMES_MAX ? depth : BOX_FRAMES_MAX;
    unwinder_wanted = unwinder;
    walk_begin();
}

void stack_begin_process(void) {
    live_register(&stacks, sizeof stacks);
    module_begin_process();
    guard_begin_process();
    struct walk first = {.max = 1}; /* the unwinder's own: it makes a system call */
    walk_glibc(&first);
}

void stack_go_quiet(bool on) {
    atomic_store(&quiet, on);
}

void stack_objects_changed(void) {
    atomic_fetch_add(&epoch, 1);
}

/* libunwind's cache remembers frames by address and reads through what it remembers: after a
 * dlclose() that may lead anywhere (a crash, measured). */
static bool walk_cached(struct walk *w) {
    return atomic_load_explicit(&epoch, memory_order_acquire) == 0 && walk_libunwind(w);
}

/* The last thread that began to load or unload something, and when. */
static struct {
    _Atomic int thread;
    _Atomic uint64_t at;
} loading;

void stack_loading(void) {
    if (atomic_load_explicit(&quiet, memory_order_relaxed))
        return;
    atomic_store_explicit(&loading.at, clock_coarse(), memory_order_relaxed);
    atomic_store_explicit(&loading.thread, (int)sys(SYS_gettid), memory_order_relaxed);
}

/* Another thread may be inside dlopen(), its plugin's constructor waiting for a thread that
 * connects: for us. There is no asking; what began ten seconds ago is taken to be over. */
static bool another_may_be_loading(void) {
    enum { SECONDS = 10 };
    uint64_t at = atomic_load_explicit(&loading.at, memory_order_relaxed);
    return at && clock_coarse() - at < SECONDS * UINT64_C(1000000000) &&
           atomic_load_explicit(&loading.thread, memory_order_relaxed) != (int)sys(SYS_gettid);
}

/* For speed alone libunwind is loaded only where nobody can be waiting for this thread. */
static bool is_worth_loading(void) {
    return self.captures >= CAPTURES_BEFORE_LIBUNWIND &&
           atomic_load_explicit(&epoch, memory_order_acquire) == 0 && !another_may_be_loading();
}

static void walk_auto(struct walk *w) {
    if (self.captures >= CAPTURES_BEFORE_LIBUNWIND && walk_cached(w))
        return;
    walk_glibc(w);
    bool often = is_worth_loading();
    if (w->ends_blind || often)
        walk_load_libunwind(w, often);
    if (w->ends_blind) {
        struct walk deeper = {.max = w->max};
        if (walk_libunwind_steps(&deeper) && deeper.depth > w->depth)
            *w = deeper;
    }
}

static void walk(struct walk *w) {
    if (unwinder_wanted == UNWINDER_GLIBC || atomic_load_explicit(&quiet, memory_order_relaxed)) {
        walk_glibc(w);
    } else if (unwinder_wanted == UNWINDER_AUTO) {
        walk_auto(w);
    } else {
        if (walk_cached(w))
            return;
        walk_glibc(w);
        walk_load_libunwind(w, true);
        if (!walk_cached(w))
            walk_libunwind_steps(w);
    }
}

/* A key's first word: what the others are. */
enum { BY_ADDRESS, BY_FRAME };

/* The record of a stack, by its frames (state/layout.h): one, whatever was unloaded meanwhile. */
static uint32_t stack_of_frames(const uint64_t *key, size_t depth) {
    uint32_t id = index_find(&stacks.v.known, key, depth + 1);
    if (id != INDEX_NONE)
        return id;
    if ((id = box_record(&mine, REGION_STACKS)) == BOX_NONE)
        return id;
    struct box_stack *s = &mine.stacks[id];
    memcpy(s->frames, key + 1, depth * sizeof *key);
    s->depth = (uint32_t)depth;
    id = index_add(&stacks.v.known, key, depth + 1, id);
    atomic_store_explicit(&mine.stacks[id].ready, 1, memory_order_release);
    return id;
}

static uint32_t stack_translated(const uintptr_t *pc, size_t depth) {
    uint64_t key[BOX_FRAMES_MAX + 1] = {BY_FRAME};
    for (size_t i = 0; i < depth; i++)
        key[i + 1] = module_frame(pc[i]);
    return stack_of_frames(key, depth);
}

/* Once something was unloaded, raw addresses are worth remembering for a while only. An entry is
 * the upper 48 bits of a hash of epoch and addresses, and the number. */
static _Atomic uint64_t *remembered(const uintptr_t *pc, size_t depth, uint64_t now,
                                    uint64_t *hash) {
    uint64_t h = now ^ UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < depth; i++) {
        h = (h ^ pc[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    *hash = h & ~(uint64_t)UINT16_MAX;
    return &stacks.v.recent[h % RECENT];
}

static uint32_t stack_intern_recent(const uintptr_t *pc, size_t depth, uint64_t now) {
    uint64_t hash, entry;
    _Atomic uint64_t *place = remembered(pc, depth, now, &hash);
    entry = atomic_load_explicit(place, memory_order_relaxed);
    if (entry && (entry & ~(uint64_t)UINT16_MAX) == hash)
        return (uint32_t)(entry & UINT16_MAX);
    uint32_t id = stack_translated(pc, depth);
    if (id <= UINT16_MAX)
        atomic_store_explicit(place, hash | id, memory_order_relaxed);
    return id;
}

static uint32_t stack_intern(const uintptr_t *pc, size_t depth) {
    uint64_t key[BOX_FRAMES_MAX + 1]; /* not cleared: that takes as long as the look-up */
    uint64_t now = atomic_load_explicit(&epoch, memory_order_acquire);
    if (now)
        return stack_intern_recent(pc, depth, now);
    key[0] = BY_ADDRESS;
    memcpy(key + 1, pc, depth * sizeof *key);
    uint32_t id = index_find(&stacks.v.known, key, depth + 1);
    if (likely(id != INDEX_NONE))
        return id;
    id = stack_translated(pc, depth);
    return id == BOX_NONE ? id : index_add(&stacks.v.known, key, depth + 1, id);
}

static uint32_t capture(size_t depth) {
    struct walk w;
    if (!depth)
        return BOX_NONE;
    walk_prepare(&w, depth);
    walk(&w);
    self.captures++;
    return w.depth ? stack_intern(w.pc, w.depth) : BOX_NONE;
}

uint32_t stack_capture(void) {
    return capture(depth_wanted);
}

uint32_t stack_capture_short(void) {
    return capture(depth_wanted < STACK_SHORT ? depth_wanted : STACK_SHORT);
}

static uint32_t stack_intern_foreign(const struct view *v, const struct box_stack *s) {
    uint64_t key[BOX_FRAMES_MAX + 1] = {BY_FRAME};
    uint32_t depth = view_depth(s);
    for (uint32_t i = 0; i < depth; i++) {
        const struct box_module *m = view_frame(v, s->frames[i], &key[i + 1]);
        if (m)
            key[i + 1] |= module_foreign(m);
    }
    return stack_of_frames(key, depth);
}

uint32_t stack_adopt(const struct view *v, uint32_t stack, bool same_image) {
    const struct box_stack *s = view_stack(v, stack);
    uintptr_t pc[BOX_FRAMES_MAX] = {0};
    if (!s || !view_depth(s))
        return BOX_NONE;
    if (!same_image)
        return stack_intern_foreign(v, s);
    for (uint32_t i = 0; i < view_depth(s); i++) {
        uint64_t at;
        const struct box_module *m = view_frame(v, s->frames[i], &at);
        pc[i] = at + (m ? m->bias : 0);
    }
    return stack_intern(pc, view_depth(s));
}
