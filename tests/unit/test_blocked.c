/* System calls that wait for a connection: as /proc tells of them, and as the registers do that a
 * signal handler is given. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "support.h"

#include "base/proc.h"
#include "base/sys.h"
#include "report/blocked.h"
#include "report/interrupted.h"

/* --- lines of /proc/PID/task/TID/syscall ------------------------------------------------------ */

static void a_line_has_a_number_and_six_arguments(void **state) {
    (void)state;
    struct system_call c;
    assert_true(system_call_parse(&c, "45 0x3 0x7fc7cde41000 0x20000 0x40 0x0 0xffffffffffffffff "
                                      "0x7ffe3d550728 0x7fc7cdfba2ad\n"));
    assert_int_equal(c.number, 45);
    assert_int_equal(c.argument[0], 3);
    assert_int_equal(c.argument[1], 0x7fc7cde41000);
    assert_int_equal(c.argument[3], 0x40);
    assert_int_equal(c.argument[5], UINT64_MAX);
}

static void a_thread_that_runs_or_waits_elsewhere_is_in_none(void **state) {
    (void)state;
    struct system_call c;
    assert_true(system_call_parse(&c, "running\n"));
    assert_int_equal(c.number, -1);
    assert_true(system_call_parse(&c, "-1 0x7ffe3d550728 0x7fc7cdfba2ad\n"));
    assert_int_equal(c.number, -1);
}

static void anything_else_is_no_such_line(void **state) {
    (void)state;
    static const char *const line[] = {
        "", "\n", "x", "45", "45 0x3 0x1 0x2 0x3 0x4", "45 3 - 1 2 3 4"};
    struct system_call c;
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        assert_false(system_call_parse(&c, line[i]));
        assert_int_equal(c.number, -1);
    }
}

/* --- what waits ------------------------------------------------------------------------------- */

static enum blocked_call blocks(long number, uint64_t third, uint64_t fourth, uint64_t fifth) {
    struct system_call c = {number, {7, 0x1000, third, fourth, fifth, 0}};
    int fd = -1;
    enum blocked_call call = system_call_blocks(&c, &fd);
    if (call != BLOCKED_NOT)
        assert_int_equal(fd, 7);
    return call;
}

static void connect_and_reads_wait(void **state) {
    (void)state;
    assert_int_equal(blocks(SYS_connect, 16, 0, 0), BLOCKED_CONNECT);
    assert_int_equal(blocks(SYS_read, 100, 0, 0), BLOCKED_READ);
    assert_int_equal(blocks(SYS_readv, 2, 0, 0), BLOCKED_READV);
    assert_int_equal(blocks(SYS_recvfrom, 100, MSG_PEEK, 0), BLOCKED_RECV);
    assert_int_equal(blocks(SYS_recvfrom, 100, 0, 0x2000), BLOCKED_RECVFROM);
    assert_int_equal(blocks(SYS_recvmsg, MSG_WAITALL, MSG_DONTWAIT, 0), BLOCKED_RECVMSG);
    assert_int_equal(blocks(SYS_recvmmsg, MSG_DONTWAIT, 0, 0), BLOCKED_RECVMMSG);
}

static void what_need_not_wait_and_other_calls_do_not(void **state) {
    (void)state;
    assert_int_equal(blocks(SYS_recvfrom, 100, MSG_DONTWAIT, 0), BLOCKED_NOT);
    assert_int_equal(blocks(SYS_recvmsg, MSG_DONTWAIT | MSG_PEEK, 0, 0), BLOCKED_NOT);
    assert_int_equal(blocks(SYS_recvmmsg, 1, MSG_DONTWAIT, 0), BLOCKED_NOT);
    assert_int_equal(blocks(SYS_write, 100, 0, 0), BLOCKED_NOT);
    assert_int_equal(blocks(SYS_ppoll, 1, 0, 0), BLOCKED_NOT);
    assert_int_equal(blocks(-1, 0, 0, 0), BLOCKED_NOT);
}

/* --- what a signal interrupts ----------------------------------------------------------------- */

static int listener, fd, peer;
static struct sockaddr_in at;
static volatile sig_atomic_t came, seen;
static struct system_call interrupted;

/* The peer answers when the handler has seen the call. */
static void on_signal(int sig, siginfo_t *info, void *context) {
    struct system_call c;
    (void)sig;
    (void)info;
    came++;
    if (seen || !interrupted_call(&c, context) || c.argument[0] != (uint64_t)fd)
        return;
    interrupted = c;
    seen++;
    sys(SYS_sendto, peer, "x", 1, 0, NULL, 0);
}

static void handle(int flags) {
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    came = seen = 0;
    assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
}

/* Sends signals until one of them has found the call. */
static void *signals(void *main_thread) {
    for (int i = 0; i < 10000 && !seen; i++) {
        pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
        usleep(1000);
    }
    if (!seen) /* let it go on */
        sys(SYS_sendto, peer, "x", 1, 0, NULL, 0);
    return NULL;
}

static ssize_t by_read(char *buf) {
    return read(fd, buf, 8);
}
static ssize_t by_readv(char *buf) {
    struct iovec v = {buf, 8};
    return readv(fd, &v, 1);
}
static ssize_t by_recv(char *buf) {
    return recv(fd, buf, 8, MSG_NOSIGNAL);
}
static ssize_t by_recvfrom(char *buf) {
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    return recvfrom(fd, buf, 8, 0, (struct sockaddr *)&from, &len);
}
static ssize_t by_recvmsg(char *buf) {
    struct iovec v = {buf, 8};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return recvmsg(fd, &m, 0);
}
static ssize_t by_recvmmsg(char *buf) {
    struct iovec v = {buf, 8};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1;
}

static void a_read_that_is_begun_again_is_seen(void **state) {
    (void)state;
    static const struct {
        ssize_t (*read)(char *);
        enum blocked_call call;
    } way[] = {{by_read, BLOCKED_READ},       {by_readv, BLOCKED_READV},
               {by_recv, BLOCKED_RECV},       {by_recvfrom, BLOCKED_RECVFROM},
               {by_recvmsg, BLOCKED_RECVMSG}, {by_recvmmsg, BLOCKED_RECVMMSG}};
    pthread_t own = pthread_self(), other;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        char buf[8] = "";
        int on = -1;
        handle(SA_RESTART);
        assert_int_equal(pthread_create(&other, NULL, signals, &own), 0);
        assert_int_equal(way[i].read(buf), 1);
        assert_int_equal(pthread_join(other, NULL), 0);
        assert_int_equal(seen, 1);
        assert_int_equal(system_call_blocks(&interrupted, &on), way[i].call);
        assert_int_equal(on, fd);
    }
}

/* Waits until the thread is asleep in its read, interrupts it once, and lets it go on. */
static void *interrupts_once(void *arg) {
    const int *tid = arg;
    char name[PROC_THREAD], line[192];
    struct system_call c = {.number = -1};
    int on;
    proc_thread(name, "self", *tid);
    for (int i = 0; i < 10000 && (c.number < 0 || system_call_blocks(&c, &on) == BLOCKED_NOT);
         i++) {
        usleep(1000);
        if (proc_read(name, "/syscall", -1, line, sizeof line) <= 0 || !system_call_parse(&c, line))
            break;
    }
    sys(SYS_tgkill, getpid(), *tid, SIGUSR1);
    for (int i = 0; i < 10000 && !came; i++)
        usleep(1000);
    return NULL;
}

static void a_read_that_fails_with_eintr_is_not_seen(void **state) {
    (void)state;
    pthread_t other;
    char buf[8];
    int tid = (int)sys(SYS_gettid);
    if (support_is_emulated()) /* /proc tells of the emulator's own calls */
        skip();
    handle(0);
    assert_int_equal(pthread_create(&other, NULL, interrupts_once, &tid), 0);
    assert_int_equal(recv(fd, buf, sizeof buf, 0), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(came, 1);
    assert_int_equal(seen, 0);
}

static void *sends_one(void *main_thread) {
    pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
    return NULL;
}

static void a_thread_that_computes_is_in_no_call(void **state) {
    (void)state;
    pthread_t own = pthread_self(), other;
    handle(SA_RESTART);
    assert_int_equal(pthread_create(&other, NULL, sends_one, &own), 0);
    while (!came)
        ;
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(seen, 0);
}

/* Code that may be run and not be read is left alone. */
static void an_address_that_can_not_be_read_is_in_no_call(void **state) {
    (void)state;
    struct system_call c;
    ucontext_t u;
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 2; i++) {
        memset(&u, 0, sizeof u);
#if defined(__x86_64__)
        u.uc_mcontext.gregs[REG_RIP] = i ? (greg_t)page : 0;
#elif defined(__aarch64__)
        u.uc_mcontext.pc = i ? (uint64_t)page : 0;
#endif
        assert_false(interrupted_call(&c, &u));
    }
    munmap(page, 4096);
}

static int setup(void **state) {
    (void)state;
    listener = support_listener(&at);
    fd = (int)sys(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sys(SYS_connect, fd, &at, sizeof at), 0);
    peer = support_accept(listener);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_a_number_and_six_arguments),
        cmocka_unit_test(a_thread_that_runs_or_waits_elsewhere_is_in_none),
        cmocka_unit_test(anything_else_is_no_such_line),
        cmocka_unit_test(connect_and_reads_wait),
        cmocka_unit_test(what_need_not_wait_and_other_calls_do_not),
        cmocka_unit_test(a_read_that_is_begun_again_is_seen),
        cmocka_unit_test(a_read_that_fails_with_eintr_is_not_seen),
        cmocka_unit_test(a_thread_that_computes_is_in_no_call),
        cmocka_unit_test(an_address_that_can_not_be_read_is_in_no_call),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
