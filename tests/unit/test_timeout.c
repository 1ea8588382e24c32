/* SO_RCVTIMEO and SO_SNDTIMEO as the record has them, which must be as the kernel has them,
 * whenever they are set: before the socket is connected, while it is, by any of its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support.h"

#include "conn/fdtable.h"
#include "conn/process.h"
#include "conn/timeout.h"
#include "stack/stack.h"

static char dir[64];
static struct options options;
static int listener, refusing;
static struct sockaddr_in at, nowhere;

enum { SO_RCVTIMEO_OTHER = 66, SO_SNDTIMEO_OTHER = 67 };

static int tcp(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static void dial(int fd) {
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    sys(SYS_close, support_accept(listener));
}

static void set(int fd, int name, long seconds, long us) {
    struct timeval t = {.tv_sec = seconds, .tv_usec = us};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, name, &t, sizeof t), 0);
}

/* The record has exactly these, and so has the kernel. */
static void assert_timed(int fd, unsigned flags) {
    const struct box_conn *c = fd_conn(fd);
    assert_non_null(c);
    assert_int_equal(c->flags & TIMEOUT_FLAGS, flags);
    assert_int_equal(timeout_flags_of(fd), flags);
}

static void a_connection_has_none_until_one_is_set(void **state) {
    (void)state;
    int fd = tcp();
    dial(fd);
    assert_timed(fd, 0);
    set(fd, SO_RCVTIMEO, 5, 0);
    assert_timed(fd, CONN_READ_TIMED);
    set(fd, SO_SNDTIMEO, 0, 1000);
    assert_timed(fd, CONN_READ_TIMED | CONN_WRITE_TIMED);
    set(fd, SO_RCVTIMEO, 0, 0);
    assert_timed(fd, CONN_WRITE_TIMED);
    set(fd, SO_SNDTIMEO, 0, 0);
    assert_timed(fd, 0);
    close(fd);
}

static void both_numbers_of_an_option_are_one(void **state) {
    (void)state;
    if (support_is_emulated()) /* it knows only one */
        skip();
    int fd = tcp();
    dial(fd);
    set(fd, SO_RCVTIMEO_OTHER, 5, 0);
    set(fd, SO_SNDTIMEO_OTHER, 5, 0);
    assert_timed(fd, CONN_READ_TIMED | CONN_WRITE_TIMED);
    set(fd, SO_RCVTIMEO, 0, 0);
    assert_timed(fd, CONN_WRITE_TIMED);
    close(fd);
}

static void what_was_set_before_connecting_is_known_after(void **state) {
    (void)state;
    int fd = tcp();
    set(fd, SO_RCVTIMEO, 5, 0);
    set(fd, SO_SNDTIMEO, 5, 0);
    set(fd, SO_RCVTIMEO, 0, 0);
    assert_null(fd_conn(fd));
    dial(fd);
    assert_timed(fd, CONN_WRITE_TIMED);
    close(fd);
    fd = tcp(); /* the same number, another socket */
    dial(fd);
    assert_timed(fd, 0);
    close(fd);
}

static void a_connect_that_failed_and_one_that_was_undone_keep_them(void **state) {
    (void)state;
    int fd = tcp();
    set(fd, SO_RCVTIMEO, 5, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&nowhere, sizeof nowhere), -1);
    assert_timed(fd, CONN_READ_TIMED);
    dial(fd);
    assert_timed(fd, CONN_READ_TIMED);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    assert_int_equal(connect(fd, &none, sizeof none), 0);
    assert_null(fd_conn(fd));
    set(fd, SO_SNDTIMEO, 5, 0);
    dial(fd);
    assert_timed(fd, CONN_READ_TIMED | CONN_WRITE_TIMED);
    close(fd);
}

static void any_descriptor_of_the_socket_sets_them(void **state) {
    (void)state;
    int fd = tcp();
    set(fd, SO_SNDTIMEO, 5, 0);
    int other = dup(fd);
    set(other, SO_RCVTIMEO, 5, 0);
    dial(fd);
    assert_ptr_equal(fd_conn(fd), fd_conn(other));
    assert_timed(fd, CONN_READ_TIMED | CONN_WRITE_TIMED);
    set(other, SO_SNDTIMEO, 0, 0);
    assert_timed(fd, CONN_READ_TIMED);
    close(fd);
    close(other);
}

static void a_raw_call_sets_them_too(void **state) {
    (void)state;
    struct timeval t = {.tv_sec = 5};
    int fd = tcp();
    dial(fd);
    assert_int_equal(syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    assert_timed(fd, CONN_READ_TIMED);
    close(fd);
}

/* A time of the kernel's LONG_MAX ticks or more is none, and a negative one is read back as 0. */
static void what_the_kernel_takes_for_none_is_none(void **state) {
    (void)state;
    int fd = tcp();
    dial(fd);
    set(fd, SO_RCVTIMEO, LONG_MAX, 0);
    set(fd, SO_SNDTIMEO, -1, 0);
    assert_timed(fd, 0);
    close(fd);
}

static void other_options_and_failed_calls_change_nothing(void **state) {
    (void)state;
    struct timeval t = {.tv_sec = 5}, wrong = {.tv_usec = 5000000};
    int fd = tcp(), one = 1;
    dial(fd);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, SO_RCVTIMEO, &t, 0), -1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t - 1), -1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong), -1);
    assert_int_equal(errno, EDOM);
    assert_int_equal(setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), -1);
    assert_timed(fd, 0);
    close(fd);
}

static void child(void *arg) {
    int fd = *(int *)arg;
    CHECK(process_ready());
    CHECK(fd_conn(fd) && (fd_conn(fd)->flags & TIMEOUT_FLAGS) == CONN_READ_TIMED);
    CHECK(fd_conn(fd)->flags & CONN_INHERITED);
}

static void an_inherited_connection_has_what_its_socket_has(void **state) {
    (void)state;
    int fd = tcp();
    dial(fd);
    set(fd, SO_RCVTIMEO, 5, 0);
    support_in_child(child, &fd);
    close(fd);
}

/* socket() was not seen; the timeout was set by who knows what. */
static void a_socket_whose_making_was_not_seen_is_asked(void **state) {
    (void)state;
    struct timeval t = {.tv_sec = 5};
    int fd = (int)sys(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sys(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
    dial(fd);
    assert_timed(fd, CONN_WRITE_TIMED);
    close(fd);
}

static int setup(void **state) {
    (void)state;
    support_mkdir(dir);
    options_defaults(&options);
    options.state_dir = dir;
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, NULL);
    refusing = support_refusing(&nowhere);
    listener = support_listener(&at);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_none_until_one_is_set),
        cmocka_unit_test(both_numbers_of_an_option_are_one),
        cmocka_unit_test(what_was_set_before_connecting_is_known_after),
        cmocka_unit_test(a_connect_that_failed_and_one_that_was_undone_keep_them),
        cmocka_unit_test(any_descriptor_of_the_socket_sets_them),
        cmocka_unit_test(a_raw_call_sets_them_too),
        cmocka_unit_test(what_the_kernel_takes_for_none_is_none),
        cmocka_unit_test(other_options_and_failed_calls_change_nothing),
        cmocka_unit_test(an_inherited_connection_has_what_its_socket_has),
        cmocka_unit_test(a_socket_whose_making_was_not_seen_is_asked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
