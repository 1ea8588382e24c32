/* libunwind is opened by dlopen and RTLD_LOCAL, never linked: linked, it would take over the
 * program's C++ exceptions. It runs under stack/guard.c, which answers what it asks of libc. */
#include "stack/walk.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include <unwind.h>

#include "base/thread.h"
#include "stack/guard.h"
#include "stack/names.h"
#include "wrap/real.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/* Of the compiler's unwinder (libgcc's unwind-dw2-fde.h, which is not installed): the unwind
 * information for an address, NULL when there is none. */
struct dwarf_eh_bases {
    void *tbase, *dbase, *func;
};
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases); // NOLINT

static bool is_ours(uintptr_t pc) {
    return pc >= (uintptr_t)__ehdr_start && pc < (uintptr_t)_end;
}

/* Keeps a frame unless it is ours. False: the walk is full. */
static bool keep(struct walk *w, uintptr_t pc) {
    if (is_ours(pc))
        return true;
    if (w->depth < w->max)
        w->pc[w->depth++] = pc;
    return w->depth < w->max;
}

static _Unwind_Reason_Code glibc_frame(struct _Unwind_Context *context, void *arg) {
    struct walk *w = arg;
    int before = 0;
    uintptr_t ip = _Unwind_GetIPInfo(context, &before);
    w->in_handler |= before != 0;
    if (ip == 0)
        return _URC_END_OF_STACK;
    return keep(w, ip - (before ? 0 : 1)) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void walk_glibc(struct walk *w) {
    w->depth = 0;
    w->in_handler = false;
    _Unwind_Backtrace(glibc_frame, w);
    struct dwarf_eh_bases bases;
    w->ends_blind = w->depth > 0 && w->depth < w->max &&
                    !_Unwind_Find_FDE((void *)w->pc[w->depth - 1], &bases); // NOLINT
}

#define UNW_TEXT_(x) #x
#define UNW_TEXT(x) UNW_TEXT_(x)

/* unw_getcontext is a function of the library on x86-64; on aarch64 it is a macro of instructions
 * in place, and the library has none to look up. */
#if defined(__x86_64__)
#define FIND_GETCONTEXT(h)                                                                         \
    (lib.getcontext = (int (*)(unw_context_t *))dlsym(h, UNW_TEXT(UNW_ARCH_OBJ(getcontext))))
#define GETCONTEXT(context) lib.getcontext(context)
#else
#define FIND_GETCONTEXT(h) true
#define GETCONTEXT(context) unw_getcontext(context)
#endif

static struct {
    _Atomic int state;
    int (*backtrace)(void **, int);
    int (*getcontext)(unw_context_t *);
    int (*init_local)(unw_cursor_t *, unw_context_t *);
    int (*step)(unw_cursor_t *);
    int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
    int (*is_signal_frame)(unw_cursor_t *);
} lib;

/* Everything or nothing: libunwind is never called without its guard. */
static bool load(void) {
    /* Under ThreadSanitizer libunwind's per-thread cleanup runs after the sanitizer's and crashes.
     */
    if (dlsym(RTLD_DEFAULT, "__tsan_init"))
        return false;
    void *h = real.dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (!h)
        return false;
    bool has_context = FIND_GETCONTEXT(h);
    lib.init_local =
        (int (*)(unw_cursor_t *, unw_context_t *))dlsym(h, UNW_TEXT(UNW_OBJ(init_local)));
    lib.step = (int (*)(unw_cursor_t *))dlsym(h, UNW_TEXT(UNW_OBJ(step)));
    lib.get_reg = (int (*)(unw_cursor_t *, int, unw_word_t *))dlsym(h, UNW_TEXT(UNW_OBJ(get_reg)));
    lib.is_signal_frame = (int (*)(unw_cursor_t *))dlsym(h, UNW_TEXT(UNW_OBJ(is_signal_frame)));
    lib.backtrace = (int (*)(void **, int))dlsym(h, "unw_backtrace");
    /* libunwind brings liblzma along: names.c unpacks .gnu_debugdata with it. */
    names_set_xz(dlsym(h, "lzma_stream_buffer_decode"));
    struct dl_find_object object;
    if (!has_context || !lib.init_local || !lib.step || !lib.get_reg || !lib.is_signal_frame ||
        !lib.backtrace || _dl_find_object((void *)lib.step, &object) != 0)
        return false;
    guard_serve(object.dlfo_map_start, object.dlfo_map_end);
    return true;
}

enum { NOT_TRIED, LOADING, LOADED, NOT_TO_BE_HAD };

/* The first process, where no fork() can have left the loader locked. */
STARTUP static int first_pid;

void walk_begin(void) {
    first_pid = (int)sys(SYS_getpid);
}

/* A handler may have interrupted the loader or malloc. The walk tells, when it saw the whole stack;
 * where it did not (code without unwind information, more frames than are kept), a thread that
 * blocks no signal is taken not to be in one: handlers run with their own signal blocked. Nor
 * before libc's own initialiser has run (a function of .preinit_array connects): what is loaded
 * then would be initialised before it. */
static bool may_load(const struct walk *w) {
    uint64_t blocked = 1;
    if (w->in_handler || !environ || (int)sys(SYS_getpid) != first_pid)
        return false;
    if (!w->ends_blind && w->depth < w->max)
        return true;
    return sys(SYS_rt_sigprocmask, 0, 0, &blocked, 8) == 0 && blocked == 0;
}

static bool loaded(void) {
    return atomic_load_explicit(&lib.state, memory_order_acquire) == LOADED;
}

/* A thread's first cached walk allocates its thread-local memory. */
static void enter_thread(void) {
    void *pc[2];
    if (!guard_enter())
        return;
    lib.backtrace(pc, 2);
    guard_leave();
    self.has_libunwind = 1;
}

void walk_load_libunwind(const struct walk *w, bool cached) {
    int state = atomic_load_explicit(&lib.state, memory_order_acquire);
    bool load_it = state == NOT_TRIED, enter_it = cached && !self.has_libunwind;
    if ((!load_it && !(enter_it && state == LOADED)) || !may_load(w))
        return;
    uint64_t all = ~UINT64_C(0), before = 0;
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    if (load_it && atomic_compare_exchange_strong(&lib.state, &state, LOADING))
        atomic_store_explicit(&lib.state, load() ? LOADED : NOT_TO_BE_HAD, memory_order_release);
    if (enter_it && loaded())
        enter_thread();
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
}

/* The return address, whether libunwind gives that or one inside the calling instruction: on
 * aarch64 its fast way does the one and its slow way the other, and one call site must have one
 * address. */
static uintptr_t behind_call(uintptr_t pc) {
#if defined(__aarch64__)
    pc = (pc + 3) & ~(uintptr_t)3;
#endif
    return pc;
}

bool walk_libunwind(struct walk *w) {
    if (!self.has_libunwind || !guard_enter())
        return false;
    void *pc[64 + 8]; /* some frames are ours */
    int n = lib.backtrace(pc, (int)(w->max + 8));
    guard_leave();
    w->depth = 0;
    for (int i = 0; i < n && keep(w, behind_call((uintptr_t)pc[i]) - 1); i++)
        ;
    return w->depth > 0;
}

/* Is it code of the object that is mapped at `start`, of any one where that is NULL? */
static bool is_code_of(uintptr_t pc, const void *start) {
    struct dl_find_object o;
    void *at = (void *)pc; // NOLINT(performance-no-int-to-ptr)
    return _dl_find_object(at, &o) == 0 && (!start || o.dlfo_map_start == start);
}

/* The walk may step over the end of the stack: what calls libc's outermost function (which calls
 * main()) from no file is no caller, and another address each time. */
static void drop_what_is_no_caller(struct walk *w) {
    struct dl_find_object libc;
    if (w->depth < 2 || w->depth == w->max || is_code_of(w->pc[w->depth - 1], NULL) ||
        _dl_find_object((void *)(uintptr_t)gnu_get_libc_version, &libc) != 0) // NOLINT
        return;
    if (is_code_of(w->pc[w->depth - 2], libc.dlfo_map_start))
        w->depth--;
}

bool walk_libunwind_steps(struct walk *w) {
    if (!loaded() || !guard_enter())
        return false;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip;
    size_t steps = 0;
    w->depth = 0;
    GETCONTEXT(&context);
    if (lib.init_local(&cursor, &context) == 0) {
        do {
            if (lib.get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0)
                break;
            bool interrupted = lib.is_signal_frame(&cursor) > 0;
            if (!keep(w, ip - (interrupted ? 0 : 1)))
                break;
        } while (lib.step(&cursor) > 0 && ++steps < 2 * w->max);
    }
    drop_what_is_no_caller(w);
    guard_leave();
    return w->depth > 0;
}
