/* The life of a connection, through the wrappers (which the test links, so its own calls go through
 * them) and real loopback sockets. What must not be seen is done by raw system calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "support.h"

#include "conn/conn.h"
#include "conn/process.h"
#include "conn/record.h"
#include "stack/stack.h"
#include "state/place.h"
#include "state/view.h"
#include "wrap/real.h"

static char dir[64];
static struct options options;
static int listener, refusing, silent;
static struct sockaddr_in at, nowhere, deaf;

/* --- helpers ------------------------------------------------------------------------------------
 */

static uint32_t records(void) {
    return atomic_load(&mine.header->region[REGION_CONNS].count);
}

static uint32_t live_records(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < records(); i++)
        n += atomic_load(&mine.conns[i].state) != CONN_FREE ||
             atomic_load(&mine.conns[i].life.holders) != 0;
    return n;
}

static int dial(int fd, const struct sockaddr_in *to) {
    return connect(fd, (const struct sockaddr *)to, sizeof *to);
}

static int tcp(int flags) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    assert_true(fd >= 0);
    return fd;
}

/* An established connection, and its other end. */
static int connected(int *peer) {
    int fd = tcp(0);
    assert_int_equal(dial(fd, &at), 0);
    *peer = support_accept(listener);
    return fd;
}

static void raw_close(int fd) {
    sys(SYS_close, fd);
}

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    assert_int_equal(poll(&p, 1, 10000), 1);
}

static struct box_site *site_of(const struct box_conn *c) {
    assert_int_not_equal(c->site, BOX_NONE);
    return &mine.sites[c->site];
}

static struct box_host *host_of(const struct box_conn *c) {
    assert_int_not_equal(site_of(c)->host, BOX_NONE);
    return &mine.hosts[site_of(c)->host];
}

/* The record behind fd, which must be a connection's. */
static struct box_conn *conn_at(int fd) {
    struct box_conn *c = fd_conn(fd);
    assert_non_null(c);
    assert_ptr_equal(record_of(fd_get(fd)), c);
    assert_int_equal(atomic_load(&c->life.seq) % 2, 0);
    return c;
}

static void assert_state(int fd, int state, uint32_t descriptors) {
    struct box_conn *c = conn_at(fd);
    assert_int_equal(atomic_load(&c->state), state);
    assert_int_equal(atomic_load(&c->life.holders), descriptors);
}

static void assert_untracked(int fd) {
    assert_false(slot_is_conn(fd_get(fd)));
}

static void close_left_over(int fd, uint64_t slot, void *unused) {
    (void)slot;
    (void)unused;
    close(fd);
}

/* Cleans up, so that the next test begins with none. */
static int nothing_leaked(void **state) {
    (void)state;
    uint32_t n = process_known() ? live_records() : 0;
    if (!n)
        return 0;
    print_error("%u records leaked\n", n);
    fd_each(0, FD_MAX - 1, close_left_over, NULL);
    for (uint32_t i = 0; i < records(); i++) {
        atomic_store(&mine.conns[i].state, CONN_FREE);
        atomic_store(&mine.conns[i].life.holders, 0);
    }
    return -1;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static void a_blocking_connect_is_established(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_state(fd, CONN_ESTABLISHED, 1);
    struct box_conn *c = conn_at(fd);
    assert_int_equal(c->direction, CONN_OUTBOUND);
    assert_int_equal(c->fd, fd);
    assert_int_equal(c->inode, st.st_ino);
    assert_int_equal(c->thread, gettid());
    assert_int_equal(c->peer.family, ADDR_V4);
    assert_int_equal(c->peer.port, ntohs(at.sin_port));
    assert_true(c->opened != 0 && c->settled >= c->opened);
    assert_true(addr_equal(&host_of(c)->addr, &c->peer));
    assert_int_equal(host_of(c)->leak_after, options.leak_after);
    uint64_t closed = site_of(c)->closed;
    close(fd);
    assert_int_equal(atomic_load(&c->state), CONN_FREE);
    assert_int_equal(site_of(c)->closed, closed + 1);
    raw_close(peer);
}

static void a_refused_connect_is_failed_while_its_descriptor_is_open(void **state) {
    (void)state;
    int fd = tcp(0);
    assert_int_equal(dial(fd, &nowhere), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_state(fd, CONN_FAILED, 1);
    struct box_conn *c = conn_at(fd);
    assert_int_equal(c->error, ECONNREFUSED);
    assert_true(c->settled != 0);
    assert_int_equal(site_of(c)->failed, 1);
    assert_int_equal(host_of(c)->failed, 1);
    close(fd);
    assert_int_equal(atomic_load(&c->state), CONN_FREE);
    assert_int_equal(site_of(c)->opened, site_of(c)->closed);
}

static void a_failed_connect_tried_again_is_another_connection(void **state) {
    (void)state;
    int fd = tcp(0);
    assert_int_equal(dial(fd, &nowhere), -1);
    uint64_t id = conn_at(fd)->id;
    assert_int_equal(dial(fd, &at), 0);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_not_equal(conn_at(fd)->id, id);
    assert_int_equal(conn_at(fd)->peer.port, ntohs(at.sin_port));
    assert_int_equal(live_records(), 1);
    close(fd);
    raw_close(support_accept(listener));
}

static void a_non_blocking_connect_is_connecting_until_data_flows(void **state) {
    (void)state;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &at), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_state(fd, CONN_CONNECTING, 1);
    assert_int_equal(conn_at(fd)->settled, 0);
    wait_for(fd, POLLOUT);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_true(conn_at(fd)->settled != 0);
    close(fd);
    raw_close(support_accept(listener));
}

static void a_connect_under_way_that_is_refused_shows_at_the_first_read(void **state) {
    (void)state;
    char c;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &nowhere), -1);
    assert_int_equal(errno, EINPROGRESS);
    wait_for(fd, POLLOUT);
    assert_int_equal(read(fd, &c, 1), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_state(fd, CONN_FAILED, 1);
    assert_int_equal(conn_at(fd)->error, ECONNREFUSED);
    close(fd);
}

/* A server whose queue is full does not answer: the attempt stays under way. */
static void asking_again_while_under_way_changes_nothing(void **state) {
    (void)state;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &deaf), -1);
    assert_int_equal(errno, EINPROGRESS);
    uint64_t slot = fd_get(fd);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dial(fd, &deaf), -1);
        assert_int_equal(errno, EALREADY);
        assert_int_equal(fd_get(fd), slot);
        assert_state(fd, CONN_CONNECTING, 1);
    }
    close(fd);
}

/* Linux says 0 to the first connect() after the attempt succeeded, then EISCONN. */
static void asking_a_second_time_settles_the_same_connection(void **state) {
    (void)state;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &at), -1);
    uint64_t slot = fd_get(fd), opened = host_of(conn_at(fd))->opened;
    wait_for(fd, POLLOUT);
    assert_int_equal(dial(fd, &at), 0);
    assert_int_equal(fd_get(fd), slot);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_equal(dial(fd, &at), -1);
    assert_int_equal(errno, EISCONN);
    assert_int_equal(fd_get(fd), slot);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_equal(host_of(conn_at(fd))->opened, opened);
    close(fd);
    raw_close(support_accept(listener));
}

static void being_told_of_a_connection_that_stands_already_settles_it(void **state) {
    (void)state;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &at), -1);
    wait_for(fd, POLLOUT);
    assert_int_equal(sys(SYS_connect, fd, &at, sizeof at), 0); /* the one 0, unseen */
    assert_state(fd, CONN_CONNECTING, 1);
    assert_int_equal(dial(fd, &at), -1);
    assert_int_equal(errno, EISCONN);
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
    raw_close(support_accept(listener));
}

/* The same 0, after data has settled the connection already. */
static void asking_a_second_time_after_data_is_the_same_connection(void **state) {
    (void)state;
    int fd = tcp(SOCK_NONBLOCK);
    assert_int_equal(dial(fd, &at), -1);
    wait_for(fd, POLLOUT);
    assert_int_equal(write(fd, "x", 1), 1);
    uint64_t slot = fd_get(fd);
    assert_int_equal(dial(fd, &at), 0);
    uint64_t after = fd_get(fd);
    close(fd);
    raw_close(support_accept(listener));
    assert_int_equal(after, slot);
}

static void a_call_that_attempts_nothing_is_no_connection(void **state) {
    (void)state;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    six.sin6_addr.s6_addr[15] = 1;
    int fd = tcp(0);
    assert_int_equal(connect(fd, (struct sockaddr *)&six, sizeof six), -1);
    assert_int_equal(errno, EAFNOSUPPORT);
    assert_untracked(fd);
    for (uint32_t i = 0; i < mine.header->region[REGION_HOSTS].count; i++)
        if (mine.hosts[i].addr.family == ADDR_V6) {
            assert_int_equal(mine.hosts[i].opened, 0);
            assert_int_equal(mine.hosts[i].closed, 0);
        }
    assert_int_equal(dial(fd, &at), 0); /* and it can still become one */
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
    raw_close(support_accept(listener));
}

static void wrong_arguments_give_the_kernels_answer(void **state) {
    (void)state;
    struct sockaddr_in to = at;
    int fd = tcp(0);
    assert_int_equal(connect(fd, NULL, sizeof to), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(dial(-1, &to), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(dial(1 << 30, &to), -1);
    assert_int_equal(errno, EBADF);
    assert_untracked(fd);
    close(fd);
}

static void disconnecting_frees_the_record_and_the_socket_connects_again(void **state) {
    (void)state;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int peer, fd = connected(&peer);
    struct box_conn *c = conn_at(fd);
    assert_int_equal(connect(fd, &none, sizeof none), 0);
    assert_int_equal(atomic_load(&c->state), CONN_FREE);
    assert_untracked(fd);
    assert_int_equal(dial(fd, &at), 0);
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
    raw_close(peer);
    raw_close(support_accept(listener));
}

static void a_number_reused_behind_our_back_retires_the_old_record(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint64_t id = conn_at(fd)->id;
    raw_close(fd);
    assert_int_equal(sys(SYS_socket, AF_INET, SOCK_STREAM, 0), fd);
    assert_int_equal(dial(fd, &at), 0);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_not_equal(conn_at(fd)->id, id);
    assert_int_equal(live_records(), 1);
    close(fd);
    raw_close(peer);
    raw_close(support_accept(listener));
}

static void a_number_reused_for_an_attempt_that_fails_retires_the_old_record(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    raw_close(fd);
    assert_int_equal(sys(SYS_socket, AF_INET, SOCK_STREAM, 0), fd);
    assert_int_equal(dial(fd, &nowhere), -1);
    assert_state(fd, CONN_FAILED, 1);
    assert_int_equal(conn_at(fd)->peer.port, ntohs(nowhere.sin_port));
    assert_int_equal(live_records(), 1);
    close(fd);
    raw_close(peer);
}

static void a_number_reused_for_an_attempt_under_way_retires_the_old_record(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    raw_close(fd);
    assert_int_equal(sys(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fd);
    assert_int_equal(dial(fd, &deaf), -1);
    assert_state(fd, CONN_CONNECTING, 1);
    assert_int_equal(conn_at(fd)->peer.port, ntohs(deaf.sin_port));
    assert_int_equal(live_records(), 1);
    close(fd);
    raw_close(peer);
}

static void a_new_socket_under_a_live_number_retires_the_old_record(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    raw_close(fd);
    assert_int_equal(tcp(0), fd);
    assert_int_equal(live_records(), 0);
    assert_int_equal(fd_get(fd), FD_TCP);
    close(fd);
    raw_close(peer);
}

static void what_is_not_tcp_is_not_recorded(void **state) {
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int udp = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(dial(udp, &at), 0);
    assert_int_equal(connect(local, (struct sockaddr *)&un, sizeof un), -1);
    assert_int_equal(fd_get(udp), FD_NONE);
    assert_int_equal(fd_get(local), FD_NONE);
    close(udp);
    close(local);
}

static void a_mapped_ipv4_address_is_an_ipv4_peer(void **state) {
    (void)state;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = at.sin_port};
    memcpy(to.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    int peer, four = connected(&peer);
    int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (six < 0 || connect(six, (struct sockaddr *)&to, sizeof to) != 0) {
        print_message("skipped: no IPv6 here: %s\n", strerror(errno));
        close(four);
        close(six);
        raw_close(peer);
        skip();
    }
    assert_int_equal(conn_at(six)->peer.family, ADDR_V4);
    assert_ptr_equal(host_of(conn_at(six)), host_of(conn_at(four)));
    close(four);
    close(six);
    raw_close(peer);
    raw_close(support_accept(listener));
}

static void records_are_used_again(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint64_t id = conn_at(fd)->id;
    uint32_t before = records();
    close(fd);
    raw_close(peer);
    for (int i = 0; i < 300; i++) {
        fd = connected(&peer);
        assert_true(conn_at(fd)->id > id);
        assert_int_equal(conn_at(fd)->bytes_out, 0);
        assert_int_equal(write(fd, "hello", 5), 5);
        id = conn_at(fd)->id;
        close(fd);
        raw_close(peer);
    }
    assert_int_equal(records(), before);
}

/* --- inbound ------------------------------------------------------------------------------------
 */

/* A client that is not tracked. */
static int client(struct sockaddr_in *own) {
    socklen_t n = sizeof *own;
    int fd = (int)sys(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sys(SYS_connect, fd, &at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)own, &n), 0);
    return fd;
}

static void assert_inbound(int fd, const struct sockaddr_in *from) {
    assert_true(fd >= 0);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_equal(conn_at(fd)->direction, CONN_INBOUND);
    assert_int_equal(conn_at(fd)->peer.port, ntohs(from->sin_port));
    assert_int_equal(site_of(conn_at(fd))->host, BOX_NONE);
    close(fd);
}

static void an_accepted_connection_is_inbound_whatever_the_caller_asked_for(void **state) {
    (void)state;
    struct sockaddr_in own;
    struct sockaddr_storage ss;
    struct sockaddr_in small;
    int c = client(&own);
    assert_inbound(accept(listener, NULL, NULL), &own);
    raw_close(c);
    c = client(&own);
    socklen_t n = sizeof ss;
    assert_inbound(accept(listener, (struct sockaddr *)&ss, &n), &own);
    assert_int_equal(n, sizeof own);
    assert_memory_equal(&ss, &own, 8);
    raw_close(c);
    c = client(&own);
    n = 4; /* too short for the port's neighbour: the kernel cuts */
    assert_inbound(accept4(listener, (struct sockaddr *)&small, &n, SOCK_CLOEXEC), &own);
    assert_int_equal(n, sizeof own);
    raw_close(c);
    c = client(&own);
    assert_inbound((int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC), &own);
    raw_close(c);
}

static void an_accepted_local_socket_is_not_recorded(void **state) {
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t n = sizeof un;
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(l, (struct sockaddr *)&un, sizeof un.sun_family), 0);
    assert_int_equal(getsockname(l, (struct sockaddr *)&un, &n), 0);
    assert_int_equal(listen(l, 1), 0);
    assert_int_equal(connect(c, (struct sockaddr *)&un, n), 0);
    int a = accept(l, NULL, NULL);
    assert_true(a >= 0);
    assert_int_equal(fd_get(a), FD_NONE);
    close(a);
    close(c);
    close(l);
}

/* --- moving and closing -------------------------------------------------------------------------
 */

static void every_duplicate_counts_until_the_last_is_closed(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_conn *c = conn_at(fd);
    int d[] = {dup(fd),       fcntl(fd, F_DUPFD, 300),  fcntl(fd, F_DUPFD_CLOEXEC, 2000),
               dup2(fd, 301), dup3(fd, 302, O_CLOEXEC), (int)syscall(SYS_dup, fd)};
    size_t n = sizeof d / sizeof *d;
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(conn_at(d[i]), c);
    assert_int_equal(c->life.holders, n + 1);
    assert_int_equal(c->fd, fd);
    close(fd);
    assert_int_equal(c->fd, -1);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(c->state, CONN_ESTABLISHED);
        assert_int_equal(c->life.holders, n - i);
        close(d[i]);
    }
    assert_int_equal(c->state, CONN_FREE);
    raw_close(peer);
}

static void dup2_over_a_live_connection_closes_that_one(void **state) {
    (void)state;
    int peer[2], a = connected(&peer[0]), b = connected(&peer[1]);
    struct box_conn *ca = conn_at(a), *cb = conn_at(b);
    assert_int_equal(dup2(a, b), b);
    assert_ptr_equal(conn_at(b), ca);
    assert_int_equal(ca->life.holders, 2);
    assert_int_equal(cb->state, CONN_FREE);
    assert_int_equal(dup2(STDIN_FILENO, b), b);
    assert_untracked(b);
    assert_int_equal(ca->life.holders, 1);
    close(a);
    close(b);
    raw_close(peer[0]);
    raw_close(peer[1]);
}

static void dup2_that_changes_nothing_changes_nothing(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint64_t slot = fd_get(fd);
    assert_int_equal(dup2(fd, fd), fd);
    assert_int_equal(dup2(3999, fd), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(dup3(fd, fd, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(dup3(STDIN_FILENO, fd, 12345), -1);
    assert_int_equal(dup2(fd, -1), -1);
    assert_int_equal(fd_get(fd), slot);
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
    raw_close(peer);
}

static void closing_a_range_forgets_what_is_in_it_and_nothing_else(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_conn *c = conn_at(fd);
    static const int at_number[] = {399, 400, 450, 1023, 1024, 1500, 1501};
    for (int i = 0; i < 7; i++)
        assert_int_equal(dup2(fd, at_number[i]), at_number[i]);
    assert_int_equal(c->life.holders, 8);
    assert_int_equal(close_range(400, 1500, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(c->life.holders, 8);
    assert_int_equal(close_range(450, 400, 0), -1);
    assert_int_equal(c->life.holders, 8);
    assert_int_equal(close_range(400, 1500, 0), 0);
    assert_int_equal(c->life.holders, 3);
    assert_ptr_equal(conn_at(399), c);
    assert_ptr_equal(conn_at(1501), c);
    assert_int_equal(syscall(SYS_close_range, 1501, ~0U, 0), 0);
    assert_int_equal(c->life.holders, 2);
    close(399);
    close(fd);
    raw_close(peer);
}

static void every_way_of_closing_is_seen(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    FILE *f = fdopen(fd, "r+");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(live_records(), 0);
    raw_close(peer);
    fd = connected(&peer);
    syscall(SYS_close, fd);
    assert_int_equal(live_records(), 0);
    raw_close(peer);
    fd = connected(&peer);
    raw_close(peer);
    assert_int_equal(fcntl(fd, F_DUPFD, 3000), 3000);
    closefrom(3000);
    assert_untracked(3000);
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
}

static void close_keeps_errno(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    errno = EDOM;
    assert_int_equal(close(fd), 0);
    assert_int_equal(errno, EDOM);
    raw_close(peer);
}

static void shutdown_marks_its_side(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(conn_at(fd)->flags, CONN_SHUT_WRITE);
    assert_true(conn_at(fd)->shut_at != 0);
    assert_int_equal(shutdown(fd, SHUT_RD), 0);
    assert_int_equal(conn_at(fd)->flags, CONN_SHUT_WRITE | CONN_SHUT_READ);
    close(fd);
    raw_close(peer);
    fd = connected(&peer);
    assert_int_equal(shutdown(fd, 77), -1);
    assert_int_equal(conn_at(fd)->flags, 0);
    assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
    assert_int_equal(conn_at(fd)->flags, CONN_SHUT_WRITE | CONN_SHUT_READ);
    assert_state(fd, CONN_ESTABLISHED, 1);
    close(fd);
    raw_close(peer);
}

/* --- data ---------------------------------------------------------------------------------------
 */

static void the_peers_end_of_stream_is_noted_once(void **state) {
    (void)state;
    char c;
    int peer, fd = connected(&peer);
    shutdown(peer, SHUT_WR);
    assert_int_equal(read(fd, &c, 0), 0); /* asks for nothing: no end of stream */
    assert_int_equal(conn_at(fd)->flags, 0);
    assert_int_equal(read(fd, &c, 1), 0);
    assert_int_equal(conn_at(fd)->flags, CONN_PEER_EOF);
    uint64_t when = conn_at(fd)->eof_at;
    assert_true(when != 0);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    assert_int_equal(conn_at(fd)->eof_at, when);
    assert_int_equal(conn_at(fd)->calls_in, 0);
    assert_int_equal(write(fd, "x", 1), 1); /* half-closed: the other way still works */
    assert_int_equal(conn_at(fd)->bytes_out, 1);
    close(fd);
    raw_close(peer);
}

static void a_reset_is_noted_with_its_error(void **state) {
    (void)state;
    struct linger at_once = {1, 0};
    char c;
    int peer, fd = connected(&peer);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    raw_close(peer);
    assert_int_equal(read(fd, &c, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(conn_at(fd)->flags, CONN_RESET);
    assert_int_equal(conn_at(fd)->error, ECONNRESET);
    assert_state(fd, CONN_ESTABLISHED, 1);
    assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    close(fd);
}

static void an_error_that_passes_is_not_noted(void **state) {
    (void)state;
    char c;
    int peer, fd = connected(&peer);
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(conn_at(fd)->flags, 0);
    assert_int_equal(conn_at(fd)->error, 0);
    close(fd);
    raw_close(peer);
}

static void every_kind_of_write_is_counted(void **state) {
    (void)state;
    char text[] = "0123456789";
    struct iovec iov[2] = {{text, 4}, {text, 6}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    int peer, fd = connected(&peer);
    assert_int_equal(write(fd, text, 10), 10);
    assert_int_equal(writev(fd, iov, 2), 10);
    assert_int_equal(send(fd, text, 10, 0), 10);
    assert_int_equal(sendto(fd, text, 10, 0, NULL, 0), 10);
    assert_int_equal(sendmsg(fd, &msg, 0), 10);
    assert_int_equal(syscall(SYS_write, fd, text, 10), 10);
    assert_int_equal(conn_at(fd)->bytes_out, 60);
    assert_int_equal(conn_at(fd)->calls_out, 6);
    assert_true(conn_at(fd)->last_out >= conn_at(fd)->opened);
    assert_int_equal(conn_at(fd)->calls_in, 0);
    close(fd);
    raw_close(peer);
}

static void every_kind_of_read_is_counted_and_no_peek(void **state) {
    (void)state;
    char text[64] = {0};
    struct iovec iov[2] = {{text, 4}, {text, 6}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    int peer, fd = connected(&peer);
    assert_int_equal(sys(SYS_write, peer, text, 60), 60);
    assert_int_equal(recv(fd, text, 10, MSG_PEEK), 10);
    assert_int_equal(conn_at(fd)->bytes_in, 0);
    assert_int_equal(read(fd, text, 10), 10);
    assert_int_equal(readv(fd, iov, 2), 10);
    assert_int_equal(recv(fd, text, 10, 0), 10);
    assert_int_equal(recvfrom(fd, text, 10, 0, NULL, NULL), 10);
    assert_int_equal(recvmsg(fd, &msg, 0), 10);
    assert_int_equal(syscall(SYS_read, fd, text, 10), 10);
    assert_int_equal(conn_at(fd)->bytes_in, 60);
    assert_int_equal(conn_at(fd)->calls_in, 6);
    assert_true(conn_at(fd)->last_in >= conn_at(fd)->opened);
    assert_int_equal(conn_at(fd)->calls_out, 0);
    close(fd);
    raw_close(peer);
}

static void a_duplicates_traffic_is_the_connections(void **state) {
    (void)state;
    int peer, fd = connected(&peer), d = dup(fd);
    assert_int_equal(write(fd, "ab", 2), 2);
    assert_int_equal(write(d, "cd", 2), 2);
    assert_int_equal(conn_at(fd)->bytes_out, 4);
    close(fd);
    close(d);
    raw_close(peer);
}

/* --- fork and vfork -----------------------------------------------------------------------------
 */

struct inherited {
    int fd, duplicate, peer;
    pid_t parent;
};

static void assert_mine_in_child(const struct inherited *i) {
    CHECK(mine.header->pid == getpid());
    CHECK(mine.header->parent_pid == i->parent);
    CHECK(mine.is_file);
    CHECK(support_entries(dir) == 2);
}

/* The stack that opened it stands in the child's file too; no host's count goes up. */
static void assert_opened_by(const struct box_site *s, const struct box_stack *stack) {
    CHECK(s->direction == SITE_HANDED && s->host == BOX_NONE && stack->depth > 1);
    CHECK(mine.stacks[s->stack].depth == stack->depth);
    for (uint32_t i = 0; i < stack->depth; i++) /* modules are numbered anew */
        CHECK(((mine.stacks[s->stack].frames[i] ^ stack->frames[i]) & FRAME_ADDRESS_MASK) == 0);
}

static void child_of_fork(void *arg) {
    struct inherited *i = arg;
    struct box_conn before = {0};
    char c;
    CHECK(!process_known());
    CHECK(fd_get(i->fd) == FD_NONE);
    CHECK(mine.header->pid == i->parent);
    memcpy(&before, &mine.conns[0], sizeof before);
    struct box_stack opened = mine.stacks[mine.sites[before.site].stack];
    CHECK(write(i->fd, "child", 5) == 5);
    CHECK(sys(SYS_write, i->peer, "y", 1) == 1);
    CHECK(read(i->fd, &c, 1) == 1);
    CHECK(memcmp(&before, &mine.conns[0], sizeof before) == 0);
    int own = socket(AF_INET, SOCK_STREAM, 0); /* its first event */
    CHECK(dial(own, &at) == 0);
    assert_mine_in_child(i);
    struct box_conn *mark = fd_conn(i->fd);
    CHECK(mark && mark->flags == CONN_INHERITED && mark->state == CONN_ESTABLISHED);
    CHECK(mark->peer.port == ntohs(at.sin_port));
    assert_opened_by(&mine.sites[mark->site], &opened);
    CHECK(fd_conn(own) && fd_conn(own)->flags == 0 && fd_conn(own)->direction == CONN_OUTBOUND);
    CHECK(write(i->fd, "more", 4) == 4 && mark->bytes_out == 4);
    close(i->fd);
    if (i->duplicate >= 0)
        close(i->duplicate);
    close(own);
    CHECK(live_records() == 0);
    box_unlink(&mine);
}

static void a_forked_child_starts_empty_with_a_file_of_its_own(void **state) {
    (void)state;
    struct inherited i = {.duplicate = -1, .parent = getpid()};
    i.fd = connected(&i.peer);
    struct box_conn before, *c = conn_at(i.fd);
    uint64_t forks = mine.header->forks;
    assert_int_equal(write(i.fd, "parent", 6), 6);
    memcpy(&before, c, sizeof before);
    support_in_child(child_of_fork, &i);
    assert_memory_equal(c, &before, sizeof before);
    assert_int_equal(mine.header->forks, forks + 1);
    assert_int_equal(mine.header->pid, getpid());
    close(i.fd);
    raw_close(i.peer);
    raw_close(support_accept(listener));
}

/* What another thread of the child would find under the number meanwhile. */
static uint64_t inherits_nothing(int fd, uint64_t parents, void *arg) {
    const struct inherited *i = arg;
    CHECK(slot_is_conn(parents));
    CHECK(fd_get(fd) == FD_NONE && fd_get(i->fd) == FD_NONE);
    return FD_TCP;
}

static void child_that_inherits(void *arg) {
    struct inherited *i = arg;
    fd_table_inherit(inherits_nothing, i);
    CHECK(fd_get(i->fd) == FD_TCP);
}

static void a_forked_childs_threads_see_no_slot_of_the_parents(void **state) {
    (void)state;
    struct inherited i = {.duplicate = -1, .parent = getpid()}, last;
    i.fd = connected(&i.peer);
    last.fd = connected(&last.peer);
    support_in_child(child_that_inherits, &last);
    close(i.fd);
    close(last.fd);
    raw_close(i.peer);
    raw_close(last.peer);
}

static void child_with_two_descriptors(void *arg) {
    struct inherited *i = arg;
    CHECK(process_ready());
    CHECK(fd_conn(i->fd) && fd_conn(i->duplicate));
    close(i->fd);
    CHECK(fd_conn(i->duplicate)->state == CONN_ESTABLISHED);
    close(i->duplicate);
    CHECK(live_records() == 0);
    box_unlink(&mine);
}

static void an_inherited_connection_lives_until_its_last_descriptor(void **state) {
    (void)state;
    struct inherited i = {0};
    i.fd = connected(&i.peer);
    i.duplicate = dup(i.fd);
    support_in_child(child_with_two_descriptors, &i);
    assert_state(i.fd, CONN_ESTABLISHED, 2);
    close(i.fd);
    close(i.duplicate);
    raw_close(i.peer);
}

static void child_that_counts(void *arg) {
    struct inherited *i = arg;
    CHECK(process_ready());
    CHECK(live_records() == 1);
    CHECK(fd_conn(i->fd) == fd_conn(i->duplicate));
    box_unlink(&mine);
}

static void an_inherited_connection_with_two_descriptors_is_one(void **state) {
    (void)state;
    struct inherited i = {0};
    i.fd = connected(&i.peer);
    i.duplicate = dup(i.fd);
    pid_t pid = fork();
    if (pid == 0) {
        child_that_counts(&i);
        _exit(0);
    }
    close(i.fd);
    close(i.duplicate);
    raw_close(i.peer);
    support_wait(pid);
}

static void a_socket_duplicated_before_connect_lives_until_its_last_descriptor(void **state) {
    (void)state;
    int fd = tcp(0), copy = dup(fd);
    assert_int_equal(dial(fd, &at), 0);
    assert_state(fd, CONN_ESTABLISHED, 2);
    assert_int_equal(fd_get(copy), fd_get(fd));
    close(fd);
    assert_state(copy, CONN_ESTABLISHED, 1);
    close(copy);
    assert_int_equal(live_records(), 0);
    raw_close(support_accept(listener));
}

/* The child lives on the parent's memory. */
static pid_t vfork_and_close(int fd, int other) {
    pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        dup2(STDIN_FILENO, other);
        close_range(3, ~0U, 0);
        _exit(0);
    }
    return pid;
}

static void what_a_vfork_child_closes_stays_open_in_the_parent(void **state) {
    (void)state;
    int peer[2], a = connected(&peer[0]), b = connected(&peer[1]);
    uint64_t slot_a = fd_get(a), slot_b = fd_get(b);
    support_wait(vfork_and_close(a, b));
    assert_int_equal(fd_get(a), slot_a);
    assert_int_equal(fd_get(b), slot_b);
    assert_state(a, CONN_ESTABLISHED, 1);
    assert_state(b, CONN_ESTABLISHED, 1);
    assert_true(process_ready()); /* and the parent is back in business */
    assert_int_equal(dup2(a, 300), 300);
    assert_state(a, CONN_ESTABLISHED, 2);
    close(300);
    close(a);
    close(b);
    raw_close(peer[0]);
    raw_close(peer[1]);
}

/* --- threads ------------------------------------------------------------------------------------
 */

enum { THREADS = 8, OPS = 200000, NUMBERS = 64, FIRST_NUMBER = 5000 };

static struct addr made_up(uint16_t port) {
    struct addr a = {
        .ip = {10, 0, (uint8_t)(port >> 8), (uint8_t)port}, .port = port, .family = ADDR_V4};
    return a;
}

static int number(unsigned *seed) {
    return FIRST_NUMBER + rand_r(seed) % NUMBERS;
}

/* What the wrappers would say of calls on numbers that no socket is behind. */
static void one_op(unsigned *seed) {
    static const int errors[] = {0, EINPROGRESS, ECONNREFUSED, EINVAL, EISCONN};
    int fd = number(seed), what = rand_r(seed) % 8;
    if (what < 3) {
        struct addr peer = made_up((uint16_t)(rand_r(seed) % 7 + 1));
        int error = errors[rand_r(seed) % 5];
        struct dial d = conn_dial(fd, &peer);
        conn_dialed(&d, fd, &peer, error ? -1 : 0, error);
    } else if (what == 3) {
        conn_socket(fd, AF_INET, SOCK_STREAM, 0);
    } else if (what == 4) {
        conn_duplicated(fd, number(seed));
    } else if (what == 5) {
        int over = number(seed);
        if (over != fd) {
            uint64_t taken = conn_overwrite(over);
            conn_overwritten(fd, over, taken, rand_r(seed) % 2);
        }
    } else {
        conn_forget(fd);
    }
}

static pthread_barrier_t together;

static void *ops(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    pthread_barrier_wait(&together);
    for (int i = 0; i < OPS / THREADS; i++)
        one_op(&seed);
    return NULL;
}

static void in_threads(void *(*f)(void *)) {
    pthread_t t[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, f, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&together);
}

static void assert_counts_even(void) {
    uint64_t opened = 0, closed = 0;
    for (uint32_t i = 0; i < mine.header->region[REGION_SITES].count; i++) {
        opened += atomic_load(&mine.sites[i].opened);
        closed += atomic_load(&mine.sites[i].closed);
        assert_int_equal(mine.sites[i].opened, mine.sites[i].closed);
    }
    for (uint32_t i = 0; i < mine.header->region[REGION_HOSTS].count; i++)
        assert_int_equal(mine.hosts[i].opened, mine.hosts[i].closed);
    assert_true(opened > 0 && opened == closed);
}

static uint32_t free_records(void);

static void threads_that_open_dup_and_close_at_random_leak_no_record(void **state) {
    (void)state;
    stack_setup(0, UNWINDER_AUTO);
    in_threads(ops);
    stack_setup(options.stack_depth, options.unwinder);
    conn_forget_range(FIRST_NUMBER, FIRST_NUMBER + NUMBERS - 1);
    assert_int_equal(live_records(), 0);
    assert_counts_even();
    assert_int_equal(free_records(), records());
}

/* Takes every record once and gives them back: no record is lost, none is there twice. */
static uint32_t free_records(void) {
    uint32_t n = records(), taken = 0;
    uint64_t *slot = calloc(n, sizeof *slot);
    struct addr peer = made_up(1);
    struct record_facts f = {.fd = 1, .state = CONN_CONNECTING, .site = BOX_NONE, .peer = &peer};
    while (taken < n && records() == n)
        slot[taken++] = record_open(&f);
    for (uint32_t i = 0; i < taken; i++)
        record_release(slot[i], 1);
    free(slot);
    return records() == n ? taken : n + 1;
}

/* Threads that keep to their own descriptors, with real sockets. */
static void *own_sockets(void *arg) {
    (void)arg;
    pthread_barrier_wait(&together);
    for (int i = 0; i < 200; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), d;
        if (dial(fd, &at) != 0 || (d = dup(fd)) < 0)
            return arg;
        raw_close(support_accept(listener));
        close(i % 2 ? fd : d);
        close(i % 2 ? d : fd);
    }
    return NULL;
}

static void threads_with_sockets_of_their_own_leak_no_record(void **state) {
    (void)state;
    in_threads(own_sockets);
    assert_int_equal(live_records(), 0);
    assert_counts_even();
}

/* Every record that these threads make agrees with itself: port, address and host. */
static _Atomic bool enough;

static void *churn(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    int fd = FIRST_NUMBER + (int)(uintptr_t)arg;
    pthread_barrier_wait(&together);
    while (!atomic_load(&enough)) {
        struct addr peer = made_up((uint16_t)(rand_r(&seed) % 40 + 1));
        struct record_facts f = {.fd = peer.port,
                                 .state = CONN_ESTABLISHED,
                                 .inode = peer.port,
                                 .site = BOX_NONE,
                                 .peer = &peer};
        uint64_t slot = record_open(&f);
        record_release(slot, fd);
    }
    return NULL;
}

static unsigned torn_records(const struct view *v) {
    unsigned torn = 0;
    for (uint32_t i = 0; i < v->count[REGION_CONNS]; i++) {
        const struct box_conn *c = view_conn(v, i);
        if (c->life.seq % 2 == 0 && c->state != CONN_FREE)
            torn += c->inode != c->peer.port || c->peer.ip[3] != c->peer.port || c->id == 0 ||
                    c->settled == 0;
    }
    return torn;
}

static void a_reader_beside_busy_writers_sees_no_torn_record(void **state) {
    (void)state;
    char path[PLACE_MAX];
    pthread_t t[2];
    unsigned torn = 0;
    place_file(path, dir, getpid(), place_pid_namespace());
    int f = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(f >= 0);
    pthread_barrier_init(&together, NULL, 2);
    atomic_store(&enough, false);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, churn, (void *)(i + 1));
    for (int i = 0; i < 3000; i++) {
        struct view v;
        assert_int_equal(view_read(&v, f), VIEW_OK);
        torn += torn_records(&v);
        view_free(&v);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    close(f);
    assert_int_equal(torn, 0);
}

/* --- the process --------------------------------------------------------------------------------
 */

static unsigned times_ready;

static void on_ready(void) {
    times_ready++;
}

/* Before any other test: the first event makes the file. */
static void a_process_has_no_file_before_its_first_socket(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    close(fds[1]);
    assert_false(process_known());
    assert_int_equal(support_entries(dir), 0);
    close(tcp(0));
    assert_true(process_known());
    assert_int_equal(times_ready, 1);
    assert_int_equal(support_entries(dir), 1);
    assert_true(mine.is_file);
    close(tcp(0));
    assert_int_equal(times_ready, 1);
}

/* A listener whose queue of one is taken: further attempts wait for ever. */
static void make_deaf(void) {
    silent = support_refusing(&deaf);
    assert_int_equal(listen(silent, 0), 0);
    int fd = (int)sys(SYS_socket, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sys(SYS_connect, fd, &deaf, sizeof deaf), 0);
}

static int setup(void **state) {
    (void)state;
    support_mkdir(dir);
    options_defaults(&options);
    options.state_dir = dir;
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, on_ready);
    make_deaf();
    refusing = support_refusing(&nowhere);
    listener = support_listener(&at);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, nothing_leaked)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_process_has_no_file_before_its_first_socket),
        TEST(a_blocking_connect_is_established),
        TEST(a_refused_connect_is_failed_while_its_descriptor_is_open),
        TEST(a_failed_connect_tried_again_is_another_connection),
        TEST(a_non_blocking_connect_is_connecting_until_data_flows),
        TEST(a_connect_under_way_that_is_refused_shows_at_the_first_read),
        TEST(asking_again_while_under_way_changes_nothing),
        TEST(asking_a_second_time_settles_the_same_connection),
        TEST(being_told_of_a_connection_that_stands_already_settles_it),
        TEST(asking_a_second_time_after_data_is_the_same_connection),
        TEST(a_call_that_attempts_nothing_is_no_connection),
        TEST(wrong_arguments_give_the_kernels_answer),
        TEST(disconnecting_frees_the_record_and_the_socket_connects_again),
        TEST(a_number_reused_behind_our_back_retires_the_old_record),
        TEST(a_number_reused_for_an_attempt_that_fails_retires_the_old_record),
        TEST(a_number_reused_for_an_attempt_under_way_retires_the_old_record),
        TEST(a_new_socket_under_a_live_number_retires_the_old_record),
        TEST(what_is_not_tcp_is_not_recorded),
        TEST(a_mapped_ipv4_address_is_an_ipv4_peer),
        TEST(records_are_used_again),
        TEST(an_accepted_connection_is_inbound_whatever_the_caller_asked_for),
        TEST(an_accepted_local_socket_is_not_recorded),
        TEST(every_duplicate_counts_until_the_last_is_closed),
        TEST(dup2_over_a_live_connection_closes_that_one),
        TEST(dup2_that_changes_nothing_changes_nothing),
        TEST(closing_a_range_forgets_what_is_in_it_and_nothing_else),
        TEST(every_way_of_closing_is_seen),
        TEST(close_keeps_errno),
        TEST(shutdown_marks_its_side),
        TEST(the_peers_end_of_stream_is_noted_once),
        TEST(a_reset_is_noted_with_its_error),
        TEST(an_error_that_passes_is_not_noted),
        TEST(every_kind_of_write_is_counted),
        TEST(every_kind_of_read_is_counted_and_no_peek),
        TEST(a_duplicates_traffic_is_the_connections),
        TEST(a_forked_child_starts_empty_with_a_file_of_its_own),
        TEST(a_forked_childs_threads_see_no_slot_of_the_parents),
        TEST(an_inherited_connection_lives_until_its_last_descriptor),
        TEST(an_inherited_connection_with_two_descriptors_is_one),
        TEST(a_socket_duplicated_before_connect_lives_until_its_last_descriptor),
        TEST(what_a_vfork_child_closes_stays_open_in_the_parent),
        TEST(threads_that_open_dup_and_close_at_random_leak_no_record),
        TEST(threads_with_sockets_of_their_own_leak_no_record),
        TEST(a_reader_beside_busy_writers_sees_no_torn_record),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
