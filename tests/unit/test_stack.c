/* Capturing and interning stacks: both ways of walking, deep stacks, signal handlers that interrupt
 * a walk, unloaded objects, threads, and what libunwind must not do to the program.
 *
 * The stacks come from stack_fixture.c, built here as a shared object. STACK_FIXTURE names the
 * source when the test does not run from the top of the repository, CC the compiler. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "support.h"

#include "base/options.h"
#include "report/symbols.h"
#include "stack/guard.h"
#include "stack/module.h"
#include "stack/stack.h"
#include "stack/walk.h"
#include "state/mine.h"
#include "wrap/real.h"

enum { THREADS = 8 };

typedef uint32_t capture(void);

static char dir[64], object[128], seen[128];

static struct fixture {
    void *handle;
    uint32_t (*outer)(capture *), (*other)(capture *), (*middle)(capture *);
    uint32_t (*deep)(capture *, unsigned);
} fixture;

static void fixture_load(void) {
    fixture.handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!fixture.handle)
        fail_msg("%s", dlerror());
    *(void **)&fixture.outer = dlsym(fixture.handle, "fixture_outer");
    *(void **)&fixture.other = dlsym(fixture.handle, "fixture_other");
    *(void **)&fixture.middle = dlsym(fixture.handle, "fixture_middle");
    *(void **)&fixture.deep = dlsym(fixture.handle, "fixture_deep");
    assert_true(fixture.outer && fixture.other && fixture.middle && fixture.deep);
}

/* --- looking at stacks
 * ---------------------------------------------------------------------------- */

static struct view view;
static struct symbols symbols;

static const struct box_stack *stack_of(uint32_t id) {
    view_own(&view, &mine);
    const struct box_stack *s = view_stack(&view, id);
    if (!s)
        fail_msg("no stack %u", id);
    return s;
}

/* The names of the frames, innermost first, up to the first without one: "a b c". */
static const char *names_of(uint32_t id) {
    static char text[4096];
    const struct box_stack *s = stack_of(id);
    size_t n = 0;
    symbols_begin(&symbols, &view, module_is_loaded);
    text[0] = '\0';
    for (uint32_t i = 0; i < view_depth(s); i++) {
        struct frame_name name;
        symbols_find(&symbols, s->frames[i], &name);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "",
                              name.function ? name.function : "?");
    }
    symbols_free(&symbols);
    return text;
}

static void assert_begins(uint32_t id, const char *want) {
    const char *names = names_of(id);
    if (strncmp(names, want, strlen(want)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", names, want);
}

/* As readers see them. */
static uint32_t stacks(void) {
    uint32_t handed_out = atomic_load(&mine.header->region[REGION_STACKS].count), n = 0;
    for (uint32_t i = 0; i < handed_out; i++)
        n += atomic_load(&mine.stacks[i].ready);
    return n;
}

/* --- a process for each test
 * ----------------------------------------------------------------------- */

static void begin(unsigned unwinder, size_t depth) {
    stack_setup(depth, unwinder);
    walk_load_libunwind(&(struct walk){.max = 1}, true);
}

/* The interned stacks are of one process, whose box this is; all tests share it. */
static int fresh(void **state) {
    (void)state;
    stack_setup(32, UNWINDER_AUTO);
    return 0;
}

static uint32_t by_glibc(capture *f) {
    begin(UNWINDER_GLIBC, 32);
    return fixture.outer(f);
}

static uint32_t by_libunwind(capture *f) {
    begin(UNWINDER_LIBUNWIND, 32);
    return fixture.outer(f);
}

/* --- frames
 * ------------------------------------------------------------------------------------------ */

static void a_stack_is_the_calling_functions_innermost_first(void **state) {
    (void)state;
    assert_begins(by_glibc(stack_capture), "fixture_inner fixture_middle fixture_outer ");
    assert_begins(by_libunwind(stack_capture), "fixture_inner fixture_middle fixture_outer ");
}

static uint32_t both[2];

/* One call site for both ways, so that every frame must be equal. */
static void both_ways_give_the_same_frames(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(i ? UNWINDER_LIBUNWIND : UNWINDER_GLIBC, 64);
        both[i] = fixture.outer(stack_capture);
    }
    assert_int_equal(both[0], both[1]);
    assert_true(view_depth(stack_of(both[0])) > 4); /* on through cmocka and libc */
    assert_non_null(strstr(names_of(both[0]), "__libc_start_main"));
}

static uint32_t capture_by_steps(void) {
    struct walk w = {.max = 64};
    CHECK(walk_libunwind_steps(&w));
    struct walk v = {.max = 64};
    CHECK(walk_libunwind(&v));
    CHECK(w.depth == v.depth);
    CHECK(memcmp(w.pc, v.pc, w.depth * sizeof *w.pc) == 0);
    CHECK(w.depth > 4);
    return 0;
}

static void walking_step_by_step_gives_the_same_frames(void **state) {
    (void)state;
    begin(UNWINDER_LIBUNWIND, 32);
    fixture.outer(capture_by_steps);
}

static void a_frame_lies_inside_its_calling_instruction(void **state) {
    (void)state;
    Dl_info info;
    uint64_t address;
    const struct box_stack *s = stack_of(by_glibc(stack_capture));
    const struct box_module *m = view_frame(&view, s->frames[0], &address);
    assert_non_null(m);
    assert_string_equal(m->path, object);
    assert_int_equal(dladdr((void *)(uintptr_t)(m->bias + address), &info), 1);
    assert_string_equal(info.dli_sname, "fixture_inner");
    assert_ptr_equal(info.dli_fbase, m->start);
    assert_true(m->build_id_size > 0);
}

static void a_deep_stack_is_cut_at_stack_depth(void **state) {
    (void)state;
    static const size_t depth[] = {1, 2, 7, 32, 63, 64, 1000};
    for (size_t i = 0; i < sizeof depth / sizeof *depth; i++)
        for (unsigned unwinder = UNWINDER_LIBUNWIND; unwinder <= UNWINDER_GLIBC; unwinder++) {
            begin(unwinder, depth[i]);
            const struct box_stack *s = stack_of(fixture.deep(stack_capture, 500));
            assert_int_equal(s->depth, depth[i] < BOX_FRAMES_MAX ? depth[i] : BOX_FRAMES_MAX);
            assert_begins(fixture.deep(stack_capture, 500), "fixture_deep");
        }
}

static void depth_zero_turns_capture_off(void **state) {
    (void)state;
    uint32_t before = stacks();
    begin(UNWINDER_AUTO, 0);
    assert_int_equal(fixture.outer(stack_capture), BOX_NONE);
    assert_int_equal(stacks(), before);
}

static void a_quiet_process_still_captures(void **state) {
    (void)state;
    stack_go_quiet(true);
    uint32_t id = by_libunwind(stack_capture);
    assert_begins(id, "fixture_inner fixture_middle fixture_outer ");
}

/* --- interning
 * ---------------------------------------------------------------------------------------- */

static void equal_stacks_share_a_record_and_different_ones_do_not(void **state) {
    (void)state;
    uint32_t id[3], before = stacks();
    begin(UNWINDER_AUTO, 3); /* of no other test: none of these is known yet */
    for (int i = 0; i < 3; i++)
        id[i] = fixture.outer(stack_capture);
    assert_int_equal(id[0], id[1]);
    assert_int_equal(id[0], id[2]);
    assert_int_equal(stacks(), before + 1);
    assert_int_not_equal(fixture.other(stack_capture), id[0]);
    assert_int_not_equal(fixture.middle(stack_capture), id[0]);
    assert_int_equal(stacks(), before + 3);
}

static void a_stack_that_is_a_beginning_of_another_is_its_own(void **state) {
    (void)state;
    begin(UNWINDER_GLIBC, 4);
    uint32_t shorter = fixture.outer(stack_capture);
    begin(UNWINDER_GLIBC, 5);
    uint32_t longer = fixture.outer(stack_capture);
    assert_int_not_equal(shorter, longer);
    assert_int_equal(view_depth(stack_of(shorter)), 4);
    assert_int_equal(view_depth(stack_of(longer)), 5);
}

static void after_objects_changed_the_same_stack_is_the_same(void **state) {
    (void)state;
    uint32_t id[2];
    begin(UNWINDER_GLIBC, 32);
    for (int i = 0; i < 2; i++) {
        id[i] = fixture.outer(stack_capture);
        stack_objects_changed();
    }
    assert_int_equal(id[0], id[1]);
}

/* What lies at the addresses of an unloaded object is another one. */
static void an_object_loaded_in_anothers_place_is_a_module_of_its_own(void **state) {
    (void)state;
    char copy[160], line[320];
    uint64_t address;
    snprintf(copy, sizeof copy, "%s/copy.so", dir);
    snprintf(line, sizeof line, "cp %s %s", object, copy);
    assert_int_equal(system(line), 0);
    begin(UNWINDER_GLIBC, 32);
    struct fixture was = fixture;
    uint32_t id[2];
    for (int i = 0; i < 2; i++) {
        char own[200];
        snprintf(own, sizeof own, "%s%s", copy, i ? "2" : "");
        if (i)
            assert_int_equal(rename(copy, own), 0);
        void *h = dlopen(own, RTLD_NOW | RTLD_LOCAL);
        assert_non_null(h);
        *(void **)&fixture.outer = dlsym(h, "fixture_outer");
        id[i] = fixture.outer(stack_capture);
        assert_string_equal(view_frame(&view, stack_of(id[i])->frames[0], &address)->path, own);
        assert_begins(id[i], "fixture_inner fixture_middle fixture_outer ");
        dlclose(h);
    }
    fixture = was;
    assert_int_not_equal(id[0], id[1]);
}

/* --- what libunwind must not do
 * --------------------------------------------------------------------- */

static void libunwind_opens_no_descriptor(void **state) {
    (void)state;
    begin(UNWINDER_LIBUNWIND, 32);
    unsigned before = support_entries("/proc/self/fd");
    for (int i = 0; i < 200; i++) {
        stack_objects_changed();
        assert_int_not_equal(fixture.deep(stack_capture, (unsigned)i + 1), BOX_NONE);
    }
    fixture.outer(capture_by_steps);
    assert_int_equal(support_entries("/proc/self/fd"), before);
}

static int object_seen(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    snprintf(seen, sizeof seen, "%s", info->dlpi_name);
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return 77;
    return 1;
}

static void under_guard_one_object_is_shown_the_right_one(void **state) {
    (void)state;
    void *pc = NULL;
    *(uint32_t(**)(capture *))(void *)&pc = fixture.outer;
    assert_true(guard_enter());
    assert_int_equal(guard_dl_iterate_phdr(object_seen, &pc), 77);
    void *nowhere = (void *)16;
    int none = guard_dl_iterate_phdr(object_seen, &nowhere);
    guard_leave();
    assert_string_equal(seen, object);
    assert_int_equal(none, 0);
}

static void under_guard_memory_is_tested_without_a_pipe(void **state) {
    (void)state;
    int fds[2] = {-1, -1};
    char c = 0;
    assert_true(guard_enter());
    int made = guard_pipe2(fds);
    ssize_t good = guard_write(&c), bad = guard_write((void *)4096);
    int error = errno;
    ssize_t empty = guard_read(fds[0], &c, 1);
    int closed = guard_close(fds[0]) | guard_close(fds[1]);
    bool again = guard_enter();
    guard_leave();
    assert_int_equal(made, 0);
    assert_int_equal(good, 1);
    assert_int_equal(bad, -1);
    assert_int_equal(error, EFAULT);
    assert_int_equal(empty, -1);
    assert_int_equal(closed, 0);
    assert_false(again); /* not twice in one thread */
    assert_true(fds[0] > 1 << 28 && fds[1] > 1 << 28);
}

/* --- signal handlers
 * -------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled, written_wrong;
static int pipe_fds[2];

static void capture_in_handler(int sig) {
    (void)sig;
    fixture.other(stack_capture);
    handled = handled + 1;
}

/* The self-pipe trick: each byte is an event that a program waits for. */
static void write_in_handler(int sig) {
    (void)sig;
    int saved = errno;
    if (write(pipe_fds[1], "!", 1) != 1)
        written_wrong = written_wrong + 1;
    handled = handled + 1;
    errno = saved;
}

static void every_millisecond(void (*handler)(int), unsigned unwinder, int times) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval tick = {{0, 1000}, {0, 1000}}, off = {0};
    begin(unwinder, 32);
    handled = 0;
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    for (unsigned i = 0; handled < times; i++) {
        uint32_t id = fixture.deep(stack_capture, i % 20 + 1);
        if (id == BOX_NONE) /* an interrupted look-up may find the table full, and nothing else */
            CHECK(stacks() == mine.header->region[REGION_STACKS].capacity);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    act.sa_handler = SIG_DFL;
    sigaction(SIGALRM, &act, NULL);
}

static void
a_handler_that_captures_in_the_middle_of_a_capture_neither_hangs_nor_crashes(void **state) {
    (void)state;
    every_millisecond(capture_in_handler, UNWINDER_AUTO, 400);
    every_millisecond(capture_in_handler, UNWINDER_LIBUNWIND, 400);
    every_millisecond(capture_in_handler, UNWINDER_GLIBC, 200);
    assert_begins(by_libunwind(stack_capture), "fixture_inner fixture_middle fixture_outer ");
}

static void what_a_handler_writes_in_the_middle_of_a_walk_arrives(void **state) {
    (void)state;
    static char all[1000];
    assert_int_equal(pipe(pipe_fds), 0);
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    every_millisecond(write_in_handler, UNWINDER_LIBUNWIND, 300);
    ssize_t n = read(pipe_fds[0], all, sizeof all);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    assert_int_equal(written_wrong, 0);
    assert_int_equal(n, handled);
}

/* The same without chance: inside the guard, as a handler there would find it. */
static void descriptors_of_the_programs_work_under_guard(void **state) {
    (void)state;
    int fds[2];
    char c = 0;
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    assert_true(guard_enter());
    ssize_t out = write(fds[1], "!?", 2), in = read(fds[0], &c, 1);
    int closed = close(fds[0]) | close(fds[1]);
    guard_leave();
    assert_int_equal(out, 2);
    assert_int_equal(in, 1);
    assert_int_equal(c, '!');
    assert_int_equal(closed, 0);
}

/* --- threads
 * ---------------------------------------------------------------------------------------- */

static pthread_barrier_t together;

struct thread {
    pthread_t id;
    uint32_t outer, other;
    bool differed;
};

static void *capture_often(void *arg) {
    struct thread *t = arg;
    pthread_barrier_wait(&together);
    t->outer = fixture.outer(stack_capture);
    t->other = fixture.other(stack_capture);
    for (int i = 0; i < 2000; i++) {
        t->differed |= fixture.outer(stack_capture) != t->outer;
        t->differed |= fixture.deep(stack_capture, (unsigned)(i % 30 + 1)) == BOX_NONE;
    }
    return NULL;
}

/* The two calls above stand at different places, and so do the frames below the fixture's. */
static void eight_threads_share_what_is_equal(void **state) {
    (void)state;
    static struct thread t[THREADS];
    uint32_t before = stacks();
    begin(UNWINDER_AUTO, 32);
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i].id, NULL, capture_often, &t[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i].id, NULL);
    pthread_barrier_destroy(&together);
    for (int i = 0; i < THREADS; i++) {
        assert_false(t[i].differed);
        assert_int_equal(t[i].outer, t[0].outer);
        assert_int_equal(t[i].other, t[0].other);
    }
    assert_begins(t[0].other, "fixture_inner fixture_middle fixture_other");
    assert_int_equal(stacks(), before + 2 + 30);
}

/* --- set-up
 * ----------------------------------------------------------------------------------------- */

static int build(void) {
    const char *source = getenv("STACK_FIXTURE"), *cc = getenv("CC");
    char line[1024];
    snprintf(object, sizeof object, "%s/fixture.so", dir);
    snprintf(line, sizeof line,
             "%s -O2 -fomit-frame-pointer -fPIC -shared -Wl,--build-id=sha1 -o %s %s",
             cc ? cc : "cc", object, source ? source : "tests/unit/stack_fixture.c");
    return system(line);
}

static int setup(void **state) {
    (void)state;
    struct box_setup s = {.state_dir = "off", .program = "p", .suppressions = ""};
    support_mkdir(dir);
    if (build() != 0 || !box_create(&mine, &s, support_complain))
        return -1;
    stack_begin_process();
    fixture_load();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_stack_is_the_calling_functions_innermost_first),
        TEST(both_ways_give_the_same_frames),
        TEST(walking_step_by_step_gives_the_same_frames),
        TEST(a_frame_lies_inside_its_calling_instruction),
        TEST(a_deep_stack_is_cut_at_stack_depth),
        TEST(depth_zero_turns_capture_off),
        TEST(equal_stacks_share_a_record_and_different_ones_do_not),
        TEST(a_stack_that_is_a_beginning_of_another_is_its_own),
        TEST(after_objects_changed_the_same_stack_is_the_same),
        TEST(an_object_loaded_in_anothers_place_is_a_module_of_its_own),
        TEST(libunwind_opens_no_descriptor),
        TEST(under_guard_one_object_is_shown_the_right_one),
        TEST(under_guard_memory_is_tested_without_a_pipe),
        TEST(descriptors_of_the_programs_work_under_guard),
        TEST(what_a_handler_writes_in_the_middle_of_a_walk_arrives),
        TEST(a_handler_that_captures_in_the_middle_of_a_capture_neither_hangs_nor_crashes),
        TEST(eight_threads_share_what_is_equal),
        TEST(a_quiet_process_still_captures),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
