/* HTTP as it goes by: which connections are looked at, what they are let go for, and that every way
 * to move bytes shows the same ones to the observer. Real connections, through the wrappers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "http_wire.h"

#define GET "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LENGTH_10 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
#define BY_END "HTTP/1.1 200 OK\r\n\r\n"
#define POST_10 "POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"

static struct wire wire;
static uint64_t conns_before;

static int fresh(void **state) {
    (void)state;
    wire = wire_open();
    conns_before = wire_conns(wire.fd);
    return 0;
}

static int tidy(void **state) {
    wire_close(&wire);
    return wire_nothing_held(state);
}

static struct http_body body(enum http_way way) {
    return http_body(&wire_http(wire.fd)->http, way);
}

#define assert_phase(phase) assert_int_equal(wire_phase(wire.fd), phase)
#define assert_let_go() assert_true(wire_is_let_go(wire.fd))

static void assert_nothing_is_fed_any_more(void) {
    wire_say(&wire, GET);
    wire_reply(&wire, WIRE_OK);
    assert_let_go();
    assert_int_equal(wire_held(), 0);
}

/* --- which are looked at ---------------------------------------------------------------------- */

static void only_a_first_byte_from_A_to_Z_may_begin_a_request(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++) {
        struct wire w = wire_open();
        char byte = (char)c;
        assert_int_equal(write(w.fd, &byte, 1), 1);
        assert_int_equal(!wire_is_let_go(w.fd), c >= 'A' && c <= 'Z');
        wire_close(&w);
    }
}

static void inbound_connections_are_not_looked_at(void **state) {
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&wire_at, sizeof wire_at), 0);
    struct wire in = {.fd = accept(wire_listener, NULL, NULL), .peer = -1};
    assert_int_equal(wire_conn(in.fd)->direction, CONN_INBOUND);
    wire_say(&in, GET);
    assert_true(wire_is_let_go(in.fd));
    wire_close(&in);
    close(fd);
}

static void what_is_said_later_begins_nothing(void **state) {
    (void)state;
    wire_say(&wire, "\x16");
    assert_nothing_is_fed_any_more();
}

static void a_server_that_speaks_first_is_no_http_server(void **state) {
    (void)state;
    wire_reply(&wire, "220 mail.test ESMTP\r\n");
    wire_say(&wire, "EHLO me\r\n");
    assert_nothing_is_fed_any_more();
}

static void what_only_looked_like_a_request_is_let_go(void **state) {
    (void)state;
    static const char *const others[] = {
        "EHLO mail.test\r\n", "PING\r\n",
        "GET /\r\n",          "A1 LOGIN u p\r\n",
        "NOTE\x01",           "OPTIONS * RTSP/1.0\r\n",
        "GET / HTTP/2.0\r\n", "CONNECT {\"v\":1}\r\n",
        "GET / HTTP/1.x\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct wire w = wire_open();
        wire_say(&w, others[i]);
        if (!wire_is_let_go(w.fd) || wire_held())
            fail_msg("still looked at: %s", others[i]);
        wire_say(&w, GET);
        assert_true(wire_is_let_go(w.fd));
        wire_close(&w);
    }
}

static void a_request_is_known_however_it_is_cut(void **state) {
    (void)state;
    for (const char *p = GET; *p; p++)
        assert_int_equal(write(wire.fd, p, 1), 1);
    assert_phase(HTTP_WAITING);
    for (const char *p = WIRE_OK; *p; p++)
        wire_reply(&wire, (char[]){*p, '\0'});
    assert_phase(HTTP_COMPLETE);
    assert_int_equal(http_requests(&wire_http(wire.fd)->http), 1);
}

static void writes_of_nothing_begin_nothing(void **state) {
    (void)state;
    assert_int_equal(write(wire.fd, GET, 0), 0);
    assert_int_equal(writev(wire.fd, NULL, 0), 0);
    assert_int_equal(send(wire.fd, GET, 0, 0), 0);
    assert_let_go();
    wire_get(&wire, "/a");
    assert_phase(HTTP_COMPLETE);
}

/* Some servers say so on a connection that has lain idle. */
static void an_answer_to_nothing_is_none_whatever_was_tried_to_be_written(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    assert_int_equal(write(wire.fd, "", 0), 0);
    assert_int_equal(send(wire.fd, (void *)8, 10, 0), -1);
    wire_reply(&wire, "HTTP/1.1 408 Request Timeout\r\n\r\n");
    assert_phase(HTTP_BROKEN);
    assert_int_equal(http_why(&wire_http(wire.fd)->http), HTTP_UNASKED);
}

static void a_failed_write_begins_nothing(void **state) {
    (void)state;
    assert_int_equal(send(wire.fd, (void *)8, 10, 0), -1);
    assert_int_equal(errno, EFAULT);
    wire_get(&wire, "/a");
    assert_phase(HTTP_COMPLETE);
}

/* --- what is looked at no more ---------------------------------------------------------------- */

static void assert_over(enum http_phase phase) {
    assert_phase(phase);
    assert_true(atomic_load(&wire_conn(wire.fd)->http[HTTP_PLAIN]) & HTTP_OVER);
    struct http_observer was = wire_http(wire.fd)->http;
    wire_say(&wire, "\x81\x05hello");
    wire_reply(&wire, GET WIRE_OK);
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    assert_memory_equal(&was, &wire_http(wire.fd)->http, sizeof was);
    assert_int_equal(wire_held(), 1);
}

static void a_connection_that_was_handed_over_is_left_alone(void **state) {
    (void)state;
    wire_say(&wire, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
                    "websocket\r\n\r\n");
    wire_reply(&wire, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    assert_over(HTTP_HANDED_OVER);
}

static void http2_is_known_and_left_alone(void **state) {
    (void)state;
    wire_say(&wire, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_int_equal(wire_conns(wire.fd), conns_before);
    assert_over(HTTP_IS_H2);
}

static void what_breaks_the_rules_is_left_alone(void **state) {
    (void)state;
    wire_say(&wire, GET);
    wire_reply(&wire, "ERROR\r\n");
    assert_over(HTTP_BROKEN);
}

static void a_tunnel_is_left_alone_when_it_is_granted(void **state) {
    (void)state;
    wire_say(&wire, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    assert_phase(HTTP_WAITING);
    assert_true(wire_conn(wire.fd)->flags & CONN_TUNNEL);
    wire_reply(&wire, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno");
    assert_phase(HTTP_COMPLETE);
    wire_say(&wire, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    wire_reply(&wire, "HTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(wire_conns(wire.fd), conns_before); /* none of the program's with its server */
    assert_over(HTTP_HANDED_OVER);
}

static void who_asks_a_socks_proxy_is_in_a_tunnel(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool tunnel;
    } cases[] = {
        {"\5\1\0", 3, true},
        {"\5\2\0\2", 4, true},
        {"\4\1\0\120\1\2\3\4me\0", 11, true},
        {"\4\1\0\120\0\0\0\1\0h\0", 11, true},
        {"\5\3\0", 3, false},
        {"\4\3\0\120\1\2\3\4\0", 9, false},
        {"\5", 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire w = wire_open();
        assert_int_equal(write(w.fd, cases[i].bytes, cases[i].n), cases[i].n);
        assert_int_equal(!!(wire_conn(w.fd)->flags & CONN_TUNNEL), cases[i].tunnel);
        wire_say(&w, GET);
        assert_true(wire_is_let_go(w.fd));
        wire_close(&w);
    }
}

/* --- every way to write ----------------------------------------------------------------------- */

static struct iovec part(const char *text) {
    return (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

/* The parts of a request, some of them empty, some of nothing at all. */
static size_t parts_of_get(struct iovec *iov) {
    static const char *const text[] = {
        "", "G", "", "", "ET /a HTTP/1.1\r", "\nHost: a.test\r\n\r\n", ""};
    enum { N = sizeof text / sizeof *text };
    for (size_t i = 0; i < N; i++)
        iov[i] = part(text[i]);
    iov[N] = (struct iovec){NULL, 0};
    return N + 1;
}

static void a_vector_is_fed_in_its_order_whatever_is_empty(void **state) {
    (void)state;
    struct iovec iov[16];
    size_t n = parts_of_get(iov);
    assert_int_equal(writev(wire.fd, iov, (int)n), sizeof GET - 1);
    assert_phase(HTTP_WAITING);
    assert_string_equal(wire_http(wire.fd)->http.path, "/a");
    wire_reply(&wire, WIRE_OK);
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
    assert_int_equal(sendmsg(wire.fd, &m, 0), sizeof GET - 1);
    wire_reply(&wire, WIRE_OK);
    struct mmsghdr two[2] = {{.msg_hdr = m}, {.msg_hdr = m}};
    assert_int_equal(sendmmsg(wire.fd, two, 2, 0), 2);
    wire_reply(&wire, WIRE_OK WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    assert_int_equal(http_requests(&wire_http(wire.fd)->http), 4);
}

/* What was not taken is not shown. */
static void of_a_write_that_was_cut_short_only_what_went_is_fed(void **state) {
    (void)state;
    enum { SIZE = 64 << 20 };
    char *big = calloc(1, SIZE), head[100];
    snprintf(head, sizeof head, "POST /p HTTP/1.1\r\nContent-Length: %d\r\n\r\n", SIZE);
    struct iovec iov[2] = {part(head), {big, SIZE}};
    assert_int_equal(fcntl(wire.fd, F_SETFL, O_NONBLOCK), 0);
    ssize_t n = writev(wire.fd, iov, 2);
    assert_true(n > (ssize_t)strlen(head) && n < SIZE);
    assert_phase(HTTP_SENDING);
    assert_int_equal(body(HTTP_REQUEST_BYTES).read, (size_t)n - strlen(head));
    assert_int_equal(write(wire.fd, big, SIZE), -1);
    assert_int_equal(body(HTTP_REQUEST_BYTES).read, (size_t)n - strlen(head));
    free(big);
}

/* The kernel takes what it can read of a buffer and stops there; nobody reads on. */
static void what_lies_behind_a_write_that_was_cut_short_is_not_read(void **state) {
    (void)state;
    static const char *const first[] = {"G", "\4\1", "\5\1", "\26\3\1", "x"};
    enum { HALF = 8 << 20 };
    if (support_is_emulated()) /* takes none of a buffer that it can not read to its end */
        return;
    char *half = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(half, MAP_FAILED);
    memset(half, 'x', HALF);
    assert_int_equal(mprotect(half + HALF, HALF, PROT_NONE), 0);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct wire w = wire_open();
        memcpy(half, first[i], strlen(first[i]));
        assert_int_equal(fcntl(w.fd, F_SETFL, O_NONBLOCK), 0);
        ssize_t n = write(w.fd, half, 2 * HALF);
        assert_true(n > 0 && n <= HALF);
        assert_false(wire_conn(w.fd)->flags & CONN_TUNNEL);
        wire_close(&w);
    }
    assert_int_equal(munmap(half, 2 * HALF), 0);
}

static int file_of(const char *text) {
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_body_may_be_sent_by_the_kernel(void **state) {
    (void)state;
    int file = file_of("0123456789"), pipes[2];
    assert_int_equal(pipe(pipes), 0);
    wire_say(&wire, POST_10);
    assert_int_equal(sendfile(wire.fd, file, NULL, 4), 4);
    assert_phase(HTTP_SENDING);
    assert_int_equal(splice(file, NULL, pipes[1], NULL, 6, 0), 6);
    assert_int_equal(splice(pipes[0], NULL, wire.fd, NULL, 6, 0), 6);
    assert_phase(HTTP_WAITING);
    assert_int_equal(body(HTTP_REQUEST_BYTES).read, 10);
    wire_reply(&wire, WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    close(file);
    close(pipes[0]);
    close(pipes[1]);
}

static void a_request_that_is_sent_by_the_kernel_is_not_known(void **state) {
    (void)state;
    int file = file_of(GET);
    assert_int_equal(sendfile(wire.fd, file, NULL, sizeof GET - 1), sizeof GET - 1);
    wire_reply(&wire, WIRE_OK);
    assert_nothing_is_fed_any_more();
    close(file);
}

static void a_second_request_that_is_sent_by_the_kernel_ends_the_looking(void **state) {
    (void)state;
    int file = file_of(GET);
    wire_get(&wire, "/a");
    assert_int_equal(sendfile(wire.fd, file, NULL, sizeof GET - 1), sizeof GET - 1);
    assert_phase(HTTP_BROKEN);
    assert_int_equal(http_why(&wire_http(wire.fd)->http), HTTP_UNSEEN);
    close(file);
}

/* More than the body that is due. */
static void what_the_kernel_sends_beyond_a_body_ends_the_looking(void **state) {
    (void)state;
    int file = file_of("0123456789a");
    wire_say(&wire, POST_10);
    assert_int_equal(sendfile(wire.fd, file, NULL, 11), 11);
    assert_phase(HTTP_BROKEN);
    close(file);
}

static void what_is_sent_with_the_first_packet_is_seen(void **state) {
    (void)state;
    struct wire w = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ssize_t n = sendto(w.fd, GET, sizeof GET - 1, MSG_FASTOPEN, (struct sockaddr *)&wire_at,
                       sizeof wire_at);
    assert_int_equal(n, sizeof GET - 1);
    w.peer = support_accept(wire_listener);
    assert_int_equal(wire_phase(w.fd), HTTP_WAITING);
    wire_reply(&w, WIRE_OK);
    assert_int_equal(wire_phase(w.fd), HTTP_COMPLETE);
    wire_close(&w);
    struct iovec iov[16];
    struct msghdr m = {.msg_iov = iov,
                       .msg_iovlen = parts_of_get(iov),
                       .msg_name = &wire_at,
                       .msg_namelen = sizeof wire_at};
    w.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendmsg(w.fd, &m, MSG_FASTOPEN), sizeof GET - 1);
    w.peer = support_accept(wire_listener);
    assert_int_equal(wire_phase(w.fd), HTTP_WAITING);
    wire_close(&w);
}

/* --- every way to read ------------------------------------------------------------------------ */

static void empty_and_many_parts_are_read_into(void **state) {
    (void)state;
    char buf[200];
    struct iovec iov[] = {{NULL, 0}, {buf, 1}, {buf, 0}, {buf + 1, 7}, {buf + 8, 150}, {NULL, 0}};
    wire_say(&wire, GET GET);
    wire_answer(&wire, WIRE_OK);
    assert_int_equal(readv(wire.fd, iov, 6), sizeof WIRE_OK - 1);
    assert_int_equal(http_responses(&wire_http(wire.fd)->http), 1);
    wire_answer(&wire, WIRE_OK);
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 6};
    assert_int_equal(recvmsg(wire.fd, &m, 0), sizeof WIRE_OK - 1);
    assert_phase(HTTP_COMPLETE);
    struct iovec none[] = {{NULL, 0}, {buf, 0}};
    wire_peer_ends(&wire);
    assert_int_equal(readv(wire.fd, none, 2), 0); /* no end of stream: none was asked for */
    m.msg_iov = none;
    m.msg_iovlen = 2;
    assert_int_equal(recvmsg(wire.fd, &m, 0), 0);
    assert_int_equal(wire_conn(wire.fd)->flags, 0);
    m.msg_iov = iov;
    m.msg_iovlen = 6;
    assert_int_equal(recvmsg(wire.fd, &m, 0), 0);
    assert_int_equal(wire_conn(wire.fd)->flags, CONN_PEER_EOF);
}

static void several_messages_of_one_call_are_fed_in_order(void **state) {
    (void)state;
    char buf[2][sizeof WIRE_OK];
    struct iovec iov[2] = {{buf[0], 10}, {buf[1], sizeof buf[1]}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = iov, .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = iov + 1, .msg_iovlen = 1}}};
    wire_say(&wire, GET);
    wire_answer(&wire, WIRE_OK);
    assert_int_equal(recvmmsg(wire.fd, m, 2, 0, NULL), 2);
    assert_phase(HTTP_COMPLETE);
}

static void what_is_peeked_at_is_read_later(void **state) {
    (void)state;
    char buf[100];
    wire_say(&wire, GET);
    wire_answer(&wire, WIRE_OK);
    assert_int_equal(recv(wire.fd, buf, sizeof buf, MSG_PEEK), sizeof WIRE_OK - 1);
    assert_int_equal(recv(wire.fd, buf, sizeof buf, MSG_PEEK | MSG_TRUNC), sizeof WIRE_OK - 1);
    assert_phase(HTTP_WAITING);
    wire_hear(&wire, sizeof WIRE_OK - 1);
    assert_phase(HTTP_COMPLETE);
}

static void bytes_of_a_body_may_be_thrown_away(void **state) {
    (void)state;
    char junk[10];
    memset(junk, 'x', sizeof junk);
    wire_say(&wire, GET GET);
    wire_reply(&wire, LENGTH_10);
    wire_answer(&wire, "0123456789");
    assert_int_equal(recv(wire.fd, junk, 6, MSG_TRUNC), 6);
    assert_int_equal(body(HTTP_RESPONSE_BYTES).left, 4);
    struct iovec iov = {junk, 4};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    assert_int_equal(recvmsg(wire.fd, &m, MSG_TRUNC), 4);
    assert_int_equal(junk[0], 'x'); /* the kernel kept them */
    assert_int_equal(http_responses(&wire_http(wire.fd)->http), 1);
    wire_answer(&wire, LENGTH_10);
    assert_int_equal(recv(wire.fd, NULL, 5, MSG_TRUNC), 5);
    assert_phase(HTTP_BROKEN);
    assert_int_equal(http_why(&wire_http(wire.fd)->http), HTTP_UNSEEN);
}

static void a_body_may_be_taken_by_the_kernel(void **state) {
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    wire_say(&wire, GET);
    wire_reply(&wire, CHUNKED "a\r\n");
    wire_answer(&wire, "0123456789\r\n0\r\n\r\n");
    assert_int_equal(splice(wire.fd, NULL, pipes[1], NULL, 10, 0), 10);
    assert_phase(HTTP_RESPONSE_BODY);
    wire_hear(&wire, 7);
    assert_phase(HTTP_COMPLETE);
    wire_peer_ends(&wire);
    assert_int_equal(splice(wire.fd, NULL, pipes[1], NULL, 10, 0), 0);
    assert_int_equal(wire_conn(wire.fd)->flags, CONN_PEER_EOF);
    close(pipes[0]);
    close(pipes[1]);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void the_end_of_the_stream_ends_a_response_without_length(void **state) {
    (void)state;
    wire_say(&wire, GET);
    wire_reply(&wire, BY_END "some");
    assert_phase(HTTP_RESPONSE_BODY);
    wire_peer_ends(&wire);
    assert_phase(HTTP_RESPONSE_BODY); /* nobody has read it */
    assert_int_equal(recv(wire.fd, &(char){0}, 1, MSG_PEEK), 0);
    assert_phase(HTTP_COMPLETE);
}

static void a_reset_ends_nothing(void **state) {
    (void)state;
    wire_say(&wire, GET);
    wire_reply(&wire, BY_END "some");
    wire_peer_resets(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_phase(HTTP_RESPONSE_BODY);
    assert_false(http_cut(&wire_http(wire.fd)->http, HTTP_RESPONSE_BYTES));
}

/* What a read says of a side that the program itself has shut is no word of the peer's. */
static void a_side_that_we_have_shut_was_not_ended_by_the_peer(void **state) {
    (void)state;
    wire_say(&wire, GET);
    wire_reply(&wire, BY_END "some");
    assert_int_equal(shutdown(wire.fd, SHUT_RD), 0);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    assert_phase(HTTP_RESPONSE_BODY);
    assert_int_equal(wire_conn(wire.fd)->flags, CONN_SHUT_READ);
    assert_int_equal(wire_conn(wire.fd)->eof_at, 0);
}

/* A thread that is asleep in read(); what it gets in the end. */
struct reader {
    pthread_t thread;
    int fd;
    _Atomic int tid;
    ssize_t got;
};

static void *read_a_byte(void *arg) {
    struct reader *r = arg;
    r->tid = gettid();
    r->got = read(r->fd, &(char){0}, 1);
    return NULL;
}

static void read_elsewhere(struct reader *r, int fd) {
    char path[64], text[256], *state;
    r->fd = fd;
    r->tid = 0;
    pthread_create(&r->thread, NULL, read_a_byte, r);
    while (!r->tid)
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", r->tid);
    do {
        int f = (int)sys(SYS_openat, AT_FDCWD, path, O_RDONLY);
        ssize_t n = sys(SYS_read, f, text, sizeof text - 1);
        sys(SYS_close, f);
        text[n > 0 ? n : 0] = '\0';
        state = strrchr(text, ')');
        sched_yield();
    } while (!state || state[2] != 'S');
}

static void who_is_woken_by_our_shutdown_has_not_heard_the_peer(void **state) {
    (void)state;
    struct reader r;
    wire_say(&wire, GET);
    wire_reply(&wire, BY_END "some");
    read_elsewhere(&r, wire.fd);
    assert_int_equal(shutdown(wire.fd, SHUT_RDWR), 0);
    pthread_join(r.thread, NULL);
    assert_int_equal(r.got, 0);
    assert_phase(HTTP_RESPONSE_BODY);
    assert_int_equal(wire_conn(wire.fd)->flags, CONN_SHUT_READ | CONN_SHUT_WRITE);
}

static void what_is_read_from_a_closed_connection_is_not_the_next_ones(void **state) {
    (void)state;
    struct reader r;
    struct wire old = wire;
    wire_say(&wire, GET);
    read_elsewhere(&r, old.fd);
    close(old.fd);
    wire = wire_open();
    assert_int_equal(wire.fd, old.fd);
    wire_say(&wire, GET);
    wire_answer(&old, "x");
    pthread_join(r.thread, NULL);
    assert_int_equal(r.got, 1);
    assert_int_equal(wire_conn(wire.fd)->bytes_in, 0);
    wire_reply(&wire, WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    close(old.peer);
}

static void a_request_that_is_cut_off_is_seen_to_be(void **state) {
    (void)state;
    wire_say(&wire, POST_10 "012");
    assert_int_equal(shutdown(wire.fd, SHUT_WR), 0);
    assert_true(http_cut(&wire_http(wire.fd)->http, HTTP_REQUEST_BYTES));
    wire_reply(&wire, WIRE_OK);
    assert_phase(HTTP_SENDING);
}

/* --- names ------------------------------------------------------------------------------------ */

/* The alias of a host of its own: each listener is one. */
static const char *alias_after(const char *const *sent, size_t n) {
    struct sockaddr_in at;
    int listener = support_listener(&at), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(write(fd, sent[i], strlen(sent[i])), strlen(sent[i]));
    uint32_t host = mine.sites[wire_conn(fd)->site].host;
    uint32_t alias = atomic_load(&mine.hosts[host].alias);
    close(fd);
    close(listener);
    return alias == BOX_NONE ? "" : alias == HOST_SEVERAL ? "*" : mine.names[alias].text;
}

#define assert_alias(name, ...)                                                                    \
    do {                                                                                           \
        static const char *const sent[] = {__VA_ARGS__};                                           \
        assert_string_equal(alias_after(sent, sizeof sent / sizeof *sent), name);                  \
    } while (0)

static void a_request_gives_its_host_a_second_name(void **state) {
    (void)state;
    assert_alias("a.test", GET);
    assert_alias("a.test", "GET / HTTP/1.1\r\nX: y\r\nhOsT:\t A.Test:8080 \r\n\r\n");
    assert_alias("a.test", "GET / HT", "TP/1.1\r\nHo", "st: a.te", "st\r\n\r", "\n");
    assert_alias("", "GET / HTTP/1.1\r\nHost: a.test\r\n"); /* more may come */
    assert_alias("", "GET / HTTP/1.0\r\n\r\n");
    assert_alias("", "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n");
    assert_alias("", "GET / HTTP/1.1\r\nHost: \r\n\r\n");
    assert_alias("", "GET / HTTP/1.1\nHost: a.test\r\n\rX"); /* broken at its end */
    assert_alias("a.test", GET GET);
    assert_alias("a.test", GET, GET);
    assert_alias("*", GET, "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
}

static void a_request_to_a_proxy_does_not_name_it(void **state) {
    (void)state;
    assert_alias("", "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_alias("", "GET ht", "tp://a.test", "/ HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_alias("", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    assert_alias("", "OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_alias("a.test", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_a_first_byte_from_A_to_Z_may_begin_a_request),
        TEST(inbound_connections_are_not_looked_at),
        TEST(what_is_said_later_begins_nothing),
        TEST(a_server_that_speaks_first_is_no_http_server),
        TEST(what_only_looked_like_a_request_is_let_go),
        TEST(a_request_is_known_however_it_is_cut),
        TEST(writes_of_nothing_begin_nothing),
        TEST(an_answer_to_nothing_is_none_whatever_was_tried_to_be_written),
        TEST(a_failed_write_begins_nothing),
        TEST(a_connection_that_was_handed_over_is_left_alone),
        TEST(http2_is_known_and_left_alone),
        TEST(what_breaks_the_rules_is_left_alone),
        TEST(a_tunnel_is_left_alone_when_it_is_granted),
        TEST(who_asks_a_socks_proxy_is_in_a_tunnel),
        TEST(a_vector_is_fed_in_its_order_whatever_is_empty),
        TEST(of_a_write_that_was_cut_short_only_what_went_is_fed),
        TEST(what_lies_behind_a_write_that_was_cut_short_is_not_read),
        TEST(a_body_may_be_sent_by_the_kernel),
        TEST(a_request_that_is_sent_by_the_kernel_is_not_known),
        TEST(a_second_request_that_is_sent_by_the_kernel_ends_the_looking),
        TEST(what_the_kernel_sends_beyond_a_body_ends_the_looking),
        TEST(what_is_sent_with_the_first_packet_is_seen),
        TEST(empty_and_many_parts_are_read_into),
        TEST(several_messages_of_one_call_are_fed_in_order),
        TEST(what_is_peeked_at_is_read_later),
        TEST(bytes_of_a_body_may_be_thrown_away),
        TEST(a_body_may_be_taken_by_the_kernel),
        TEST(the_end_of_the_stream_ends_a_response_without_length),
        TEST(a_reset_ends_nothing),
        TEST(a_side_that_we_have_shut_was_not_ended_by_the_peer),
        TEST(who_is_woken_by_our_shutdown_has_not_heard_the_peer),
        TEST(what_is_read_from_a_closed_connection_is_not_the_next_ones),
        TEST(a_request_that_is_cut_off_is_seen_to_be),
        TEST(a_request_gives_its_host_a_second_name),
        TEST(a_request_to_a_proxy_does_not_name_it),
    };
    return cmocka_run_group_tests(tests, wire_setup, wire_teardown);
}
