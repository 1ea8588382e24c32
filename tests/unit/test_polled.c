/* What a thread in poll() or select() waits for, read from the memory of real threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#include "base/sys.h"
#include "report/polled.h"

static int seen[16];
static unsigned count;

static void visit(int fd, void *arg) {
    (void)arg;
    if (count < sizeof seen / sizeof *seen)
        seen[count++] = fd;
}

static unsigned look(long number, const void *at, uint64_t n, int tid) {
    struct system_call c = {.number = number};
    bool polls = number == SYS_ppoll;
    c.argument[polls ? 0 : 1] = (uintptr_t)at;
    c.argument[polls ? 1 : 0] = n;
    count = 0;
    polled_each(tid, &c, visit, NULL);
    return count;
}

static void what_is_waited_for_to_be_read_is_told(void **state) {
    (void)state;
    struct pollfd p[] = {{3, POLLIN, 0}, {4, POLLOUT, 0}, {-1, POLLIN, 0}, {70, POLLRDHUP, 0}};
    fd_set set;
    int tid = (int)sys(SYS_gettid);
    assert_int_equal(look(SYS_ppoll, p, 4, tid), 2);
    assert_int_equal(seen[0], 3);
    assert_int_equal(seen[1], 70);
    FD_ZERO(&set);
    FD_SET(5, &set);
    FD_SET(64, &set);
    FD_SET(70, &set);
    assert_int_equal(look(SYS_pselect6, &set, 70, tid), 2);
    assert_int_equal(seen[0], 5);
    assert_int_equal(seen[1], 64);
    assert_int_equal(look(SYS_read, p, 4, tid), 0);
}

static void what_leads_nowhere_tells_nothing(void **state) {
    (void)state;
    struct pollfd p = {3, POLLIN, 0};
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int tid = (int)sys(SYS_gettid);
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(munmap(page + 4096, 4096), 0);
    memcpy(page + 4096 - sizeof p, &p, sizeof p);
    assert_int_equal(look(SYS_ppoll, page + 4096 - sizeof p, 1, tid), 1);
    assert_int_equal(look(SYS_ppoll, page + 4096 - sizeof p, 2, tid), 0);
    assert_int_equal(look(SYS_ppoll, (void *)UINTPTR_MAX, 100, tid), 0); // NOLINT
    assert_int_equal(look(SYS_ppoll, &p, UINT64_MAX, tid), 0);
    assert_int_equal(look(SYS_pselect6, NULL, 100, tid), 0);
    assert_int_equal(look(SYS_pselect6, page + 4096 - 8, UINT64_MAX, tid), 0);
    assert_int_equal(munmap(page, 4096), 0);
}

static void *looks_alone(void *first) {
    struct pollfd p = {3, POLLIN, 0};
    pthread_join(*(pthread_t *)first, NULL);
    /* The first thread ends for the kernel a moment later than for pthread_join(). */
    for (struct timespec ms = {0, 1000000}; look(SYS_ppoll, &p, 1, (int)getpid());
         nanosleep(&ms, 0))
        ;
    _exit(look(SYS_ppoll, &p, 1, (int)sys(SYS_gettid)) == 1 ? 0 : 1);
}

static void first_thread(void *unused) {
    pthread_t first = pthread_self(), second;
    (void)unused;
    CHECK(pthread_create(&second, NULL, looks_alone, &first) == 0);
    pthread_exit(NULL);
}

/* Its id leads to no memory any more, but those of the others do. */
static void a_process_whose_first_thread_has_ended_is_read(void **state) {
    (void)state;
    support_in_child(first_thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_waited_for_to_be_read_is_told),
        cmocka_unit_test(what_leads_nowhere_tells_nothing),
        cmocka_unit_test(a_process_whose_first_thread_has_ended_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
