/* What the threads of a process say of its connections, by a /proc that the tests make up. */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "base/sys.h"
#include "report/threads.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)
#define PID 4211

static char proc[64], pid[80];
static struct box box;
static struct view view;
static struct report r;
static uint32_t site;

/* --- the made-up /proc ------------------------------------------------------------------------ */

static void put(const char *text, const char *name, int thread) {
    char path[128];
    snprintf(path, sizeof path, "%s/task/%d/%s", proc, thread, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void thread_in(int thread, const char *call) {
    char path[128], stat[128];
    snprintf(path, sizeof path, "%s/task/%d", proc, thread);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/task/%d/fdinfo", proc, thread);
    mkdir(path, 0700);
    snprintf(stat, sizeof stat, "%d (a) Z 9 (b) S 1 2 3 0 -1 4 5 6 7 8 9 1 1 1 20 0 3 0 77",
             thread);
    put(stat, "stat", thread);
    put("pos:\t0\nflags:\t02\n", "fdinfo/3", thread);
    put("pos:\t0\nflags:\t02004002\n", "fdinfo/4", thread);
    put(call, "syscall", thread);
}

/* A call with the descriptor as its first argument. */
static const char *in(long number, int fd) {
    static char line[4][128];
    static unsigned next;
    char *to = line[next++ % 4];
    snprintf(to, sizeof *line, "%ld 0x%x 0x7f01 0x64 0x0 0x0 0x0 0x7ffe 0x7f02\n", number, fd);
    return to;
}

static const char poll_call[] = "7 0x7ffe 0x1 0xffffffff 0x0 0x0 0x0 0x7ffe 0x7f02\n";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* --- facts ------------------------------------------------------------------------------------ */

/* Two connections that have waited for an answer for leak_after, with descriptors 3 and 4. */
static int fresh(void **state) {
    char path[80];
    (void)state;
    support_mkdir(proc);
    snprintf(pid, sizeof pid, "..%s", proc);
    snprintf(path, sizeof path, "%s/task", proc);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/fdinfo", proc);
    mkdir(path, 0700);
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    uint32_t host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    uint32_t stack = synthetic_stack(&box, 1, (uint64_t)0x1000);
    site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    for (int i = 0; i < 2; i++) {
        struct box_conn *c = synthetic_conn(&box, site, NOW - 2 * LEAK_AFTER);
        c->inode = 100 + (uint64_t)i;
        c->last_out = NOW - LEAK_AFTER;
        c->bytes_out = 10;
    }
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void look(void) {
    threads_look(&r.facts, pid, NULL);
}

static struct fact *fact(unsigned i) {
    return &r.facts.fact[i];
}

static void assert_blocked(unsigned i, int thread, enum blocked_call call) {
    assert_int_equal(fact(i)->blocked_thread, thread);
    assert_int_equal(fact(i)->blocked_call, call);
}

/* --- threads and openers ---------------------------------------------------------------------- */

static void threads_are_counted(void **state) {
    (void)state;
    thread_in(PID, poll_call);
    look();
    assert_int_equal(r.facts.threads, 3);
    assert_false(r.facts.blocked_unknown);
}

static void a_first_thread_that_has_ended_is_none(void **state) {
    (void)state;
    thread_in(PID, poll_call);
    put("4211 (a) S (b) Z 1 2 3 0 -1 4 5 6 7 8 9 1 1 1 20 0 3 0 77", "stat", PID);
    fact(1)->thread = 4212;
    thread_in(4212, poll_call);
    look();
    assert_int_equal(r.facts.threads, 2);
    assert_true(fact(0)->opener_gone);
    assert_false(fact(1)->opener_gone);
}

static void an_opener_that_is_not_there_is_gone(void **state) {
    (void)state;
    thread_in(PID, poll_call);
    fact(1)->thread = 4213;
    look();
    assert_false(fact(0)->opener_gone);
    assert_true(fact(1)->opener_gone);
    fact(1)->inode = 0; /* under a seccomp filter: its thread's number is made up */
    look();
    assert_false(fact(1)->opener_gone);
}

static void without_proc_nothing_is_said(void **state) {
    (void)state;
    snprintf(pid, sizeof pid, "../nowhere");
    look();
    assert_int_equal(r.facts.threads, 0);
    assert_false(fact(0)->opener_gone);
    assert_blocked(0, 0, BLOCKED_NOT);
    assert_true(r.facts.blocked_unknown);
}

/* Seen from outside its container. */
static void numbers_of_another_namespace_are_translated(void **state) {
    (void)state;
    fact(0)->thread = 7;
    fact(1)->thread = 8;
    thread_in(9001, poll_call);
    put("Name:\ta\nNStgid:\t9001\t4211\nNSpid:\t9001\t4211\nNSpgid:\t1\t1\n", "status", 9001);
    thread_in(9002, in(SYS_recvfrom, 3));
    put("Name:\ta\nNStgid:\t9001\t4211\nNSpid:\t9002\t12\t7\nNSpgid:\t1\t1\n", "status", 9002);
    look();
    assert_false(fact(0)->opener_gone);
    assert_true(fact(1)->opener_gone);
    assert_blocked(0, 7, BLOCKED_RECV);
}

static void numbers_that_can_not_be_translated_say_nothing_of_openers(void **state) {
    (void)state;
    thread_in(9001, in(SYS_read, 3));
    look();
    assert_int_equal(r.facts.threads, 0);
    assert_false(fact(0)->opener_gone);
    assert_blocked(0, 9001, BLOCKED_READ); /* as whoever looks can find it */
}

/* --- threads that wait ------------------------------------------------------------------------ */

static void a_thread_in_a_read_is_found_by_its_descriptor(void **state) {
    (void)state;
    thread_in(PID, poll_call);
    thread_in(4212, in(SYS_read, 3));
    look();
    assert_blocked(0, 4212, BLOCKED_READ);
    assert_blocked(1, 0, BLOCKED_NOT);
    assert_false(r.facts.blocked_unknown);
}

static void of_several_threads_the_lowest_is_named(void **state) {
    (void)state;
    thread_in(PID, poll_call);
    thread_in(4214, in(SYS_read, 3));
    thread_in(4212, in(SYS_recvfrom, 3));
    thread_in(4213, in(SYS_read, 3));
    look();
    assert_blocked(0, 4212, BLOCKED_RECV);
}

static void any_of_its_descriptors_will_do(void **state) {
    (void)state;
    fact_add_fd(fact(1), 9);
    thread_in(PID, in(SYS_read, 9));
    put("pos:\t0\nflags:\t02\n", "fdinfo/9", PID);
    look();
    assert_blocked(1, PID, BLOCKED_READ);
}

static void a_non_blocking_socket_blocks_nobody(void **state) {
    (void)state;
    thread_in(PID, in(SYS_read, 4));
    look();
    assert_blocked(1, 0, BLOCKED_NOT);
}

static void what_was_used_lately_is_not_looked_at(void **state) {
    (void)state;
    thread_in(PID, in(SYS_read, 3));
    fact(0)->last_out = NOW - LEAK_AFTER + 1;
    look();
    assert_blocked(0, 0, BLOCKED_NOT);
    fact(0)->last_out = NOW - LEAK_AFTER;
    look();
    assert_blocked(0, PID, BLOCKED_READ);
}

static void a_descriptor_of_no_connection_is_nobodys(void **state) {
    (void)state;
    thread_in(PID, in(SYS_read, 0));
    thread_in(4212, in(SYS_read, -1));
    thread_in(4213, in(SYS_read, INT32_MAX));
    look();
    assert_blocked(0, 0, BLOCKED_NOT);
    assert_blocked(1, 0, BLOCKED_NOT);
}

static void a_thread_that_ends_meanwhile_is_passed_by(void **state) {
    char path[128];
    (void)state;
    thread_in(PID, poll_call);
    thread_in(4212, poll_call);
    snprintf(path, sizeof path, "%s/task/4212/syscall", proc);
    unlink(path);
    look();
    assert_false(r.facts.blocked_unknown);
}

/* --- where it can not be told ----------------------------------------------------------------- */

/* A directory can be opened and not read, as the file without the permission. */
static void forbid(int thread) {
    char path[128];
    snprintf(path, sizeof path, "%s/task/%d/syscall", proc, thread);
    unlink(path);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/fdinfo/3", proc);
    FILE *f = fopen(path, "w");
    fputs("pos:\t0\nflags:\t02\n", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/fdinfo/4", proc);
    f = fopen(path, "w");
    fputs("pos:\t0\nflags:\t04002\n", f);
    fclose(f);
}

static bool is_unknown(void) {
    r.facts.blocked_unknown = false;
    look();
    return r.facts.blocked_unknown;
}

static void what_can_not_be_looked_at_is_unknown_where_it_matters(void **state) {
    (void)state;
    thread_in(PID, "");
    forbid(PID);
    struct fact *x = fact(0), was = *x;
    assert_true(is_unknown()); /* by the first: the second is non-blocking */
    x->last_in = x->last_out + 1;
    assert_false(is_unknown()); /* no answer is due */
    *x = was;
    x->flags = CONN_READ_TIMED;
    assert_false(is_unknown());
    x->flags = CONN_WRITE_TIMED;
    assert_true(is_unknown());
    x->flags = CONN_INHERITED;
    assert_false(is_unknown());
    *x = was;
    x->direction = CONN_INBOUND;
    assert_false(is_unknown());
    *x = was;
    x->last_out = NOW - 1;
    assert_false(is_unknown());
    *x = was;
    x->state = CONN_CONNECTING;
    x->tcp = TCP_IS_SYN_SENT;
    assert_true(is_unknown());
    x->flags = CONN_WRITE_TIMED;
    assert_false(is_unknown());
}

static void a_kernel_without_such_files_is_told_from_one_without_such_threads(void **state) {
    char path[128];
    (void)state;
    thread_in(PID, "");
    forbid(PID);
    snprintf(path, sizeof path, "%s/task/%d/syscall", proc, PID);
    rmdir(path);
    assert_true(is_unknown());
    thread_in(4212, poll_call);
    assert_false(is_unknown());
}

/* --- this very process ------------------------------------------------------------------------ */

static pthread_barrier_t told;

static void *tells_its_id(void *tid) {
    *(int *)tid = (int)sys(SYS_gettid);
    pthread_barrier_wait(&told);
    pthread_barrier_wait(&told);
    return NULL;
}

static void ones_own_threads_are_found(void **state) {
    (void)state;
    pthread_t t;
    int tid = 0;
    if (support_is_emulated())
        skip(); /* the emulator has threads of its own */
    pthread_barrier_init(&told, NULL, 2);
    assert_int_equal(pthread_create(&t, NULL, tells_its_id, &tid), 0);
    pthread_barrier_wait(&told);
    box.header->pid = getpid();
    snprintf(pid, sizeof pid, "self");
    fact(0)->thread = getpid();
    fact(1)->thread = tid;
    look();
    assert_int_equal(r.facts.threads, 2);
    assert_false(fact(0)->opener_gone || fact(1)->opener_gone);
    assert_false(r.facts.blocked_unknown);
    pthread_barrier_wait(&told);
    assert_int_equal(pthread_join(t, NULL), 0);
    /* pthread_join() returns a moment before the thread is gone. */
    for (int i = 0; i < 10000 && !fact(1)->opener_gone; i++)
        look();
    r.facts.threads = 0;
    look();
    assert_int_equal(r.facts.threads, 1);
    assert_true(fact(1)->opener_gone);
    assert_false(fact(0)->opener_gone);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(threads_are_counted),
        TEST(a_first_thread_that_has_ended_is_none),
        TEST(an_opener_that_is_not_there_is_gone),
        TEST(without_proc_nothing_is_said),
        TEST(numbers_of_another_namespace_are_translated),
        TEST(numbers_that_can_not_be_translated_say_nothing_of_openers),
        TEST(a_thread_in_a_read_is_found_by_its_descriptor),
        TEST(of_several_threads_the_lowest_is_named),
        TEST(any_of_its_descriptors_will_do),
        TEST(a_non_blocking_socket_blocks_nobody),
        TEST(what_was_used_lately_is_not_looked_at),
        TEST(a_descriptor_of_no_connection_is_nobodys),
        TEST(a_thread_that_ends_meanwhile_is_passed_by),
        TEST(what_can_not_be_looked_at_is_unknown_where_it_matters),
        TEST(a_kernel_without_such_files_is_told_from_one_without_such_threads),
        TEST(ones_own_threads_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
