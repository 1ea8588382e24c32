/* What call sites do with HTTP: how their connections end, and which could have been spared. Real
 * connections, all of one call site; what takes long is made old. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "http_wire.h"

#include "conn/use.h"
#include "stack/stack.h"

#define GET "GET /a?b HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define POST_10 "POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"
#define LENGTH_10 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define BY_END "HTTP/1.1 200 OK\r\n\r\n"
#define KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=7\r\n\r\nok"

enum { REST = 100 };

static struct wire wire;
static struct box_use *use, was;

/* A connection whose bytes no test before has anything to do with. */
static int fresh(void **state) {
    (void)state;
    wire = wire_open();
    if (!use) {
        wire_get(&wire, "/first");
        use = wire_use(wire.fd);
        assert_non_null(use);
        wire_close(&wire);
        wire = wire_open();
    }
    assert_int_equal(mine.sites[wire_conn(wire.fd)->site].use, use - mine.uses + 1);
    atomic_store(&use->spare, 0);
    was = *use;
    return 0;
}

static int tidy(void **state) {
    wire_close(&wire);
    return wire_nothing_held(state);
}

#define GREW(field) (atomic_load(&use->field) - was.field)

static void close_it(void) {
    close(wire.fd);
    wire.fd = -1;
}

static void next(void) {
    wire_close(&wire);
    wire = wire_open();
    was = *use;
}

static void hear_end(void) {
    assert_true(read(wire.fd, &(char){0}, 1) <= 0);
}

/* Says and hears it, closes, and looks how that counted; USE_ENDS: not at all. */
static void ends_as(enum use_end want, const char *sent, const char *heard, int line) {
    next();
    wire_say(&wire, sent);
    if (*heard)
        wire_reply(&wire, heard);
    close_it();
    for (int i = 0; i < USE_ENDS; i++)
        if (GREW(ended[i]) != (i == (int)want))
            fail_msg("line %d: end %d counted %d times", line, i, (int)GREW(ended[i]));
}

#define assert_ends(want, sent, heard) ends_as(want, sent, heard, __LINE__)

static void assert_ended(enum use_end want) {
    close_it();
    for (int i = 0; i < USE_ENDS; i++)
        assert_int_equal(GREW(ended[i]), i == (int)want);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void who_said_that_it_ends_is_why_it_ends(void **state) {
    (void)state;
    assert_ends(USE_REQUEST_CLOSE, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", WIRE_OK);
    assert_ends(USE_REQUEST_CLOSE, "GET / HTTP/1.0\r\n\r\n", WIRE_OK);
    assert_ends(USE_REQUEST_CLOSE, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_ends(USE_RESPONSE_CLOSE, GET,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_ends(USE_RESPONSE_CLOSE, GET, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_ends(USE_UNUSED, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", WIRE_OK);
    assert_ends(USE_UNUSED, GET, WIRE_OK);
    assert_ends(USE_UNUSED, GET GET, WIRE_OK WIRE_OK);
}

static void who_left_before_the_end_is_told_by_where(void **state) {
    (void)state;
    assert_ends(USE_UNANSWERED, GET, "");
    assert_ends(USE_UNANSWERED, POST_10 "01", "");
    assert_ends(USE_UNANSWERED, POST_10 "01", "HTTP/1.1 100 Continue\r\n\r\n");
    assert_ends(USE_UNANSWERED, POST_10 "01", WIRE_OK); /* an early answer */
    assert_ends(USE_UNANSWERED, GET GET, WIRE_OK);
    assert_ends(USE_UNDRAINED, GET, "HTTP/1.1 2");
    assert_ends(USE_UNDRAINED, GET, "HTTP/1.1 200 OK\r\nX: ");
    assert_ends(USE_UNDRAINED, GET, LENGTH_10);
    assert_ends(USE_UNDRAINED, GET, LENGTH_10 "012345678");
    assert_ends(USE_UNDRAINED, GET, CHUNKED "5\r\nabc");
    assert_ends(USE_UNDRAINED, GET, CHUNKED "5\r\nabcde\r\n");
    assert_ends(USE_UNDRAINED, GET, CHUNKED "0\r\nTrailer: ");
    assert_ends(USE_UNDRAINED, GET, BY_END "some");
}

static void what_is_no_exchange_any_more_is_no_end_of_one(void **state) {
    (void)state;
    assert_ends(USE_ENDS, "EHLO x\r\n", "");
    assert_ends(USE_ENDS, "GET / HT", "");
    assert_ends(USE_ENDS, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "");
    assert_ends(USE_ENDS, GET, "garbage\r\n");
    assert_ends(USE_ENDS, GET, WIRE_OK "HTTP/1.1 408 Timeout\r\n\r\n");
    assert_ends(USE_ENDS, GET, "HTTP/1.1 101 Switching\r\n\r\n");
    assert_ends(USE_ENDS, "CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n");
    assert_ends(USE_ENDS, "CONNECT a:1 HTTP/1.1\r\n\r\n",
                "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    next();
    wire_reply(&wire, "nothing was said");
    assert_ended(USE_ENDS);
}

static void a_connection_that_broke_was_not_left(void **state) {
    (void)state;
    static const char *const heard[] = {"HTTP/1.1 2", LENGTH_10 "01", CHUNKED "5\r\na", BY_END "a"};
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        next();
        wire_say(&wire, GET);
        wire_reply(&wire, heard[i]);
        wire_peer_resets(&wire);
        hear_end();
        assert_ended(USE_FAILED);
        assert_int_equal(GREW(undrained), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        next();
        wire_say(&wire, GET);
        wire_reply(&wire, heard[i]);
        wire_peer_ends(&wire);
        hear_end();
        assert_ended(USE_FAILED);
    }
    for (int reset = 0; reset < 2; reset++) {
        next();
        wire_say(&wire, GET);
        (reset ? wire_peer_resets : wire_peer_ends)(&wire);
        hear_end();
        assert_ended(USE_FAILED);
    }
    next();
    wire_say(&wire, POST_10);
    wire_reply(&wire, LENGTH_10 "01"); /* the server has enough */
    wire_peer_resets(&wire);
    assert_int_equal(send(wire.fd, "0", 1, MSG_NOSIGNAL), -1);
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(undrained), 0);
}

static void a_write_that_nobody_takes_is_a_break_too(void **state) {
    (void)state;
    wire_say(&wire, POST_10);
    wire_reply(&wire, LENGTH_10 "01");
    wire_peer_resets(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 0), 0);
    int error = 0;
    socklen_t n = sizeof error;
    getsockopt(wire.fd, SOL_SOCKET, SO_ERROR, &error, &n); /* takes the reset away */
    assert_int_equal(send(wire.fd, "0", 1, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(undrained), 0);
}

static void requests_are_counted_with_their_connection(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        wire_get(&wire, "/a");
    assert_int_equal(GREW(requests), 0);
    close_it();
    assert_int_equal(GREW(conns), 1);
    assert_int_equal(GREW(requests), 3);
    assert_int_equal(GREW(reused), 1);
    next();
    wire_get(&wire, "/a");
    close_it();
    assert_int_equal(GREW(requests), 1);
    assert_int_equal(GREW(reused), 0);
}

static void a_connection_ends_with_its_last_descriptor(void **state) {
    (void)state;
    int twin = dup(wire.fd);
    wire_get(&wire, "/a");
    close(twin);
    assert_int_equal(GREW(ended[USE_UNUSED]), 0);
    assert_ended(USE_UNUSED);
}

static void every_way_of_closing_ends_it(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    assert_int_equal(close_range((unsigned)wire.fd, (unsigned)wire.fd, 0), 0);
    assert_int_equal(GREW(ended[USE_UNUSED]), 1);
    wire.fd = -1;
    next();
    wire_get(&wire, "/a");
    assert_int_equal(dup2(wire.peer, wire.fd), wire.fd);
    assert_int_equal(GREW(ended[USE_UNUSED]), 1);
    next();
    wire_get(&wire, "/a");
    fclose(fdopen(wire.fd, "r+"));
    assert_int_equal(GREW(ended[USE_UNUSED]), 1);
    wire.fd = -1;
}

static void send_to_another_process(int fd) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec byte = {"x", 1};
    struct msghdr m = {.msg_iov = &byte,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    assert_int_equal(sendmsg(ends[0], &m, 0), 1);
    close(ends[0]);
    close(ends[1]);
}

static void a_connection_that_another_process_goes_on_with_does_not_end(void **state) {
    (void)state;
    wire_say(&wire, GET);
    wire_reply(&wire, LENGTH_10 "01");
    send_to_another_process(wire.fd);
    assert_int_equal(wire_conn(wire.fd)->flags, CONN_PASSED);
    assert_ended(USE_ENDS);
    assert_int_equal(GREW(conns), 1);
    assert_int_equal(GREW(undrained), 0);
}

/* --- closed undrained ------------------------------------------------------------------------- */

static void left(const char *heard) {
    next();
    wire_say(&wire, GET);
    wire_reply(&wire, heard);
    close_it();
}

static void only_what_was_certainly_to_come_was_left_undrained(void **state) {
    (void)state;
    left(LENGTH_10 "01234");
    assert_int_equal(GREW(undrained), 1);
    assert_int_equal(use->undrained_read, 5);
    assert_int_equal(use->undrained_left, 5);
    assert_int_equal(use->undrained_method, HTTP_GET);
    assert_string_equal(use->undrained_path, "/a");
    assert_true(use->last_undrained != 0);
    left(LENGTH_10);
    assert_int_equal(GREW(undrained), 1);
    assert_int_equal(use->undrained_read, 0);
    left(CHUNKED "3\r\nabc\r\n5\r\n1");
    assert_int_equal(GREW(undrained), 1);
    assert_int_equal(use->undrained_read, 4);
    assert_int_equal(use->undrained_left, 0); /* more chunks may follow */
    static const char *const others[] = {CHUNKED,
                                         CHUNKED "5",
                                         CHUNKED "5\r\nabcde",
                                         CHUNKED "5\r\nabcde\r\n",
                                         CHUNKED "0\r\n",
                                         BY_END,
                                         BY_END "some",
                                         "HTTP/1.1 200 OK\r\nContent-Length: 10",
                                         LENGTH_10 "0123456789",
                                         "HTTP/1.1 2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        left(others[i]);
        if (GREW(undrained))
            fail_msg("undrained: %s", others[i]);
    }
}

/* A descriptor that goes to another process in a message, and is closed there unread. */
static void pass_it(void) {
    int pair[2];
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {(void *)(uintptr_t) "x", 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &wire.fd, sizeof(int));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(sendmsg(pair[0], &m, 0), 1);
    close(pair[0]);
    close(pair[1]);
}

static void fork_it(void) {
    pid_t child = fork();
    if (!child)
        _exit(0);
    support_wait(child);
}

static void vfork_it(void) {
    pid_t child = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (!child)
        _exit(0);
    support_wait(child);
}

/* Who has it besides may read on: what this process closes is not the connection's end. */
static void what_another_process_may_read_on_was_not_left(void **state) {
    (void)state;
    static void (*const share[])(void) = {fork_it, vfork_it, pass_it};
    static const char *const heard[] = {"", LENGTH_10 "01234"};
    for (size_t i = 0; i < 6; i++) {
        next();
        wire_say(&wire, GET);
        if (*heard[i / 3])
            wire_reply(&wire, heard[i / 3]);
        share[i % 3]();
        close_it();
        assert_int_equal(GREW(undrained), 0);
        assert_int_equal(GREW(ended[USE_UNDRAINED]) + GREW(ended[USE_UNANSWERED]), 0);
    }
    fork_it(); /* before the request: a program that starts others now and then */
    left(LENGTH_10 "01234");
    assert_int_equal(GREW(undrained), 1);
    next();
    wire_say(&wire, GET);
    wire_reply(&wire, WIRE_OK);
    fork_it();
    wire_say(&wire, GET);
    wire_reply(&wire, LENGTH_10 "01234");
    close_it();
    assert_int_equal(GREW(undrained), 1);
}

static void a_response_to_head_has_nothing_to_drain(void **state) {
    (void)state;
    wire_say(&wire, "HEAD / HTTP/1.1\r\n\r\n");
    wire_reply(&wire, LENGTH_10);
    assert_ended(USE_UNUSED);
    assert_int_equal(GREW(undrained), 0);
}

static void the_second_response_of_a_pipeline_may_be_the_one(void **state) {
    (void)state;
    wire_say(&wire, GET "PUT /second HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    wire_reply(&wire, WIRE_OK LENGTH_10 "0");
    assert_ended(USE_UNDRAINED);
    assert_int_equal(GREW(undrained), 1);
    assert_int_equal(use->undrained_left, 9);
}

/* --- churn ------------------------------------------------------------------------------------ */

/* One that ends as it should, and one that is opened when? */
static void end_one(void) {
    wire_get(&wire, "/a");
    wire_close(&wire);
    wire = wire_open();
}

static void begin(uint64_t after_the_last_end) {
    wire_conn(wire.fd)->opened = use->last_ended + after_the_last_end;
    wire_get(&wire, "/b");
}

static void one_opened_soon_after_another_ended_could_be_spared(void **state) {
    (void)state;
    uint64_t within = wire_options.churn_within;
    end_one();
    begin(0);
    assert_int_equal(GREW(spared), 1);
    assert_int_equal(use->last_spared, wire_conn(wire.fd)->opened);
    end_one();
    begin(within);
    assert_int_equal(GREW(spared), 2);
    end_one();
    begin(within + 1);
    assert_int_equal(GREW(spared), 2);
    assert_int_equal(use->spare, 0); /* all that ended before are too old, too */
}

static void one_opened_before_the_other_ended_could_not(void **state) {
    (void)state;
    struct wire other = wire_open();
    end_one();
    wire_conn(other.fd)->opened = use->last_ended - 1;
    wire_get(&other, "/b");
    assert_int_equal(GREW(spared), 0);
    wire_close(&other);
}

static void each_that_ended_spares_one(void **state) {
    (void)state;
    struct wire w[4];
    for (int i = 0; i < 2; i++)
        end_one();
    atomic_store(&use->spare, 2);
    was = *use;
    for (int i = 0; i < 4; i++) {
        w[i] = wire_open();
        wire_get(&w[i], "/b");
        assert_int_equal(GREW(spared), i < 2 ? i + 1 : 2);
    }
    assert_int_equal(GREW(conns), 4);
    for (int i = 0; i < 4; i++)
        wire_close(&w[i]);
}

static void one_that_never_asks_is_not_counted(void **state) {
    (void)state;
    end_one();
    was = *use;
    wire_close(&wire);
    wire = wire_open();
    wire_say(&wire, "EHLO\r\n");
    wire_close(&wire);
    wire = wire_open();
    wire_say(&wire, "GET / HT");
    assert_int_equal(GREW(conns), 0);
    assert_int_equal(GREW(spared), 0);
    wire_say(&wire, "TP/1.1");
    assert_int_equal(GREW(conns), 1);
    assert_int_equal(GREW(spared), 1);
}

/* What ended in the middle could have served nobody else. */
static void what_was_cut_off_spares_nobody(void **state) {
    (void)state;
    static const char *const heard[] = {"", "HTTP/1.1 2", CHUNKED "1\r\na\r\n", BY_END "a"};
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        wire_say(&wire, GET);
        if (*heard[i])
            wire_reply(&wire, heard[i]);
        wire_close(&wire);
        wire = wire_open();
        assert_int_equal(use->spare, 0);
    }
    wire_say(&wire, GET);
    wire_reply(&wire, LENGTH_10); /* the rest of it could have been read */
    wire_close(&wire);
    wire = wire_open();
    assert_int_equal(use->spare, 1);
    wire_get(&wire, "/b");
    assert_int_equal(GREW(spared), 1);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *begin_and_end(void *arg) {
    static struct http_observer complete;
    static const char answer[] = WIRE_OK;
    struct box_conn c = {.site = (uint32_t)(uintptr_t)arg};
    struct http_observer o = complete;
    http_feed(&o, HTTP_REQUEST_BYTES, GET, sizeof GET - 1);
    http_feed(&o, HTTP_RESPONSE_BYTES, answer, sizeof answer - 1);
    for (int i = 0; i < ROUNDS; i++) {
        c.opened = clock_coarse();
        use_begun(&c);
        struct use_of_conn u = {.http = &o, .now = clock_coarse(), .closing_stack = BOX_NONE};
        use_ended(c.site, &u);
    }
    return NULL;
}

static void threads_spare_no_more_than_have_ended(void **state) {
    (void)state;
    pthread_t t[THREADS];
    uintptr_t site = wire_conn(wire.fd)->site;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, begin_and_end, (void *)site);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(GREW(conns), THREADS * ROUNDS);
    assert_int_equal(GREW(ended[USE_UNUSED]), THREADS * ROUNDS);
    assert_int_equal(GREW(spared) + use->spare, THREADS * ROUNDS);
}

/* --- the server's idle limit ------------------------------------------------------------------ */

/* An exchange, a rest of so long, and the server's end, which is read. */
static void closed_after(uint64_t rest) {
    next();
    wire_get(&wire, "/a");
    wire_peer_ends(&wire);
    hear_end();
    struct box_http *h = wire_http(wire.fd);
    atomic_store(&h->last_fed, wire_conn(wire.fd)->eof_at - rest);
    assert_ended(USE_SERVER_CLOSED);
}

static void the_shortest_rest_that_a_server_ended_is_kept(void **state) {
    (void)state;
    atomic_store(&use->idle_least, UINT64_MAX);
    closed_after(REST * MS - 1);
    assert_int_equal(GREW(idle_closed), 0);
    assert_true(use->idle_least == UINT64_MAX);
    closed_after(5 * SECOND);
    assert_int_equal(GREW(idle_closed), 1);
    assert_int_equal(use->idle_least, 5 * SECOND);
    closed_after(7 * SECOND);
    assert_int_equal(use->idle_least, 5 * SECOND);
    closed_after(REST * MS);
    assert_int_equal(GREW(idle_closed), 1);
    assert_int_equal(use->idle_least, REST * MS);
    assert_true(use->last_idle_closed != 0);
}

static void what_a_server_announces_is_kept(void **state) {
    (void)state;
    wire_say(&wire, GET GET);
    wire_reply(&wire, KEPT WIRE_OK);
    close_it();
    assert_int_equal(use->keep_alive, 0); /* the last one said nothing */
    next();
    wire_say(&wire, GET);
    wire_reply(&wire, KEPT);
    close_it();
    assert_int_equal(use->keep_alive, 7);
    next();
    wire_get(&wire, "/a");
    close_it();
    assert_int_equal(use->keep_alive, 7);
}

static void a_server_that_was_asked_to_end_has_no_limit(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_age(wire.fd, 2 * SECOND);
    shutdown(wire.fd, SHUT_WR);
    wire_age(wire.fd, 2 * SECOND);
    wire_peer_ends(&wire);
    hear_end();
    assert_ended(USE_UNUSED);
    next();
    wire_get(&wire, "/a");
    wire_age(wire.fd, 2 * SECOND);
    wire_peer_ends(&wire);
    hear_end();
    shutdown(wire.fd, SHUT_RDWR); /* and now it ends, too */
    assert_ended(USE_SERVER_CLOSED);
    assert_int_equal(GREW(idle_closed), 1);
}

/* --- requests that met the end ---------------------------------------------------------------- */

enum met { MET_FIN, MET_RESET, MET_NOTHING };

/* The last byte came a moment ago, however slow the test is. */
static void no_rest(void) {
    atomic_store(&wire_http(wire.fd)->last_fed, clock_coarse() + SECOND);
}

/* A second request, after so long; and what became of it after so long again. */
static void second_request(uint64_t rest, enum met met, uint64_t waited) {
    next();
    wire_get(&wire, "/a");
    wire_age(wire.fd, rest);
    if (!rest)
        no_rest();
    wire_say(&wire, GET);
    wire_age(wire.fd, waited);
    if (met == MET_FIN)
        wire_peer_ends(&wire);
    else if (met == MET_RESET)
        wire_peer_resets(&wire);
    if (met != MET_NOTHING)
        hear_end();
    assert_ended(met == MET_NOTHING ? USE_UNANSWERED : USE_FAILED);
}

static void a_request_after_a_rest_that_met_the_end_was_stale(void **state) {
    (void)state;
    second_request(SECOND, MET_FIN, 0);
    assert_int_equal(GREW(stale), 1);
    assert_true(use->last_stale != 0);
    second_request(SECOND, MET_RESET, 0);
    assert_int_equal(GREW(stale), 1);
    second_request(REST * MS, MET_FIN, 0);
    assert_int_equal(GREW(stale), 1);
    second_request(SECOND, MET_NOTHING, 0);
    assert_int_equal(GREW(stale), 0);
    second_request(0, MET_FIN, 0); /* in the middle of its work */
    assert_int_equal(GREW(stale), 0);
    second_request(SECOND, MET_FIN, 1100 * MS); /* it took its time: it was there */
    assert_int_equal(GREW(stale), 0);
    second_request(SECOND, MET_RESET, 30 * SECOND);
    assert_int_equal(GREW(stale), 0);
}

static void a_first_request_is_never_stale(void **state) {
    (void)state;
    wire_age(wire.fd, 100 * SECOND);
    wire_say(&wire, GET);
    wire_peer_ends(&wire);
    hear_end();
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(stale), 0);
}

static void an_answer_that_breaks_off_is_no_idle_limit(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_age(wire.fd, SECOND);
    wire_say(&wire, GET);
    wire_reply(&wire, "HTTP/1.1 2");
    wire_peer_ends(&wire);
    hear_end();
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(stale), 0);
}

/* One that is lost at once met no idle limit. */
static void a_request_without_a_rest_that_met_the_end_is_lost(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_say(&wire, GET);
    wire_peer_ends(&wire);
    hear_end();
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(stale), 0);
    assert_int_equal(GREW(lost), 1);
}

/* The rest is that before the request, not before its last piece. */
static void a_request_in_pieces_is_one(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_age(wire.fd, SECOND);
    wire_say(&wire, "\r\n");
    wire_say(&wire, "POST /b HTTP/1.1\r\n");
    wire_say(&wire, "Content-Length: 10\r\n\r\n");
    wire_say(&wire, "01");
    wire_peer_ends(&wire);
    hear_end();
    assert_ended(USE_FAILED);
    assert_int_equal(GREW(stale), 1);
}

/* --- what only the kernel knows --------------------------------------------------------------- */

static void a_server_that_had_gone_unnoticed_is_found_at_the_close(void **state) {
    (void)state;
    atomic_store(&use->idle_least, UINT64_MAX);
    wire_get(&wire, "/a");
    wire_age(wire.fd, 9 * SECOND);
    wire_peer_ends(&wire);
    assert_ended(USE_SERVER_CLOSED);
    assert_int_equal(GREW(idle_closed), 1);
    assert_in_range(use->idle_least, 8 * SECOND, 11 * SECOND);
    next();
    wire_get(&wire, "/a");
    wire_age(wire.fd, 9 * SECOND);
    wire_peer_resets(&wire);
    assert_ended(USE_SERVER_CLOSED);
    assert_int_equal(GREW(idle_closed), 0); /* when it did is not known */
    next();
    wire_get(&wire, "/a");
    wire_age(wire.fd, 9 * SECOND);
    assert_ended(USE_UNUSED);
    next();
    wire_get(&wire, "/a");
    wire_peer_ends(&wire);
    no_rest();
    assert_ended(USE_SERVER_CLOSED); /* at once: no idle limit */
    assert_int_equal(GREW(idle_closed), 0);
}

/* With what lies unread, the end stands behind it: a connection in CLOSE_WAIT all the same. */
static void an_end_behind_unread_bytes_is_found_too(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_answer(&wire, "\r\n");
    wire_age(wire.fd, 9 * SECOND);
    wire_peer_ends(&wire);
    assert_ended(USE_SERVER_CLOSED);
}

static volatile sig_atomic_t calls;

static void on_call(int sig) {
    (void)sig;
    calls++;
}

/* From here on every system call but these is told to the handler instead of done. */
static bool count_calls(void) {
#if defined(__x86_64__)
    enum { ARCH = AUDIT_ARCH_X86_64 };
#else
    enum { ARCH = AUDIT_ARCH_AARCH64 };
#endif
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    static const struct sock_fprog program = {sizeof code / sizeof *code, code};
    signal(SIGSYS, on_call);
    return sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           sys(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct closing {
    const char *said, *heard;
    uint64_t rest;
    void (*then)(struct wire *);
    int calls;
};

static void read_end(struct wire *w) {
    wire_peer_ends(w);
    CHECK(read(w->fd, &(char){0}, 1) == 0);
}

static void read_reset(struct wire *w) {
    wire_peer_resets(w);
    CHECK(read(w->fd, &(char){0}, 1) == -1);
}

static void half_close(struct wire *w) {
    CHECK(shutdown(w->fd, SHUT_WR) == 0);
}

static void child_that_closes(void *unused) {
    static const struct closing all[] = {
        {GET, WIRE_OK, SECOND, NULL, 1},
        {GET, WIRE_OK, SECOND, wire_peer_ends, 1},
        {GET, WIRE_OK, SECOND, wire_peer_resets, 1},
        {GET, WIRE_OK, 0, NULL, 1},
        {GET, WIRE_OK, 0, wire_peer_ends, 1},
        {GET, WIRE_OK, SECOND, read_end, 0},
        {GET, WIRE_OK, SECOND, read_reset, 0},
        {GET, WIRE_OK, SECOND, half_close, 0},
        {GET, "", SECOND, NULL, 0},
        {GET, LENGTH_10, SECOND, NULL, 0},
        {GET, BY_END, SECOND, read_end, 0},
        {GET, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", SECOND, NULL, 0},
        {"GET / HTTP/1.0\r\n\r\n", WIRE_OK, SECOND, NULL, 0},
        {"EHLO x\r\n", "220 x\r\n", SECOND, NULL, 0},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", SECOND, NULL, 0},
        {"x", "y", SECOND, wire_peer_ends, 0},
        {"", "", SECOND, NULL, 0},
    };
    enum { N = sizeof all / sizeof *all };
    struct wire w[N];
    (void)unused;
    for (int i = 0; i < N; i++) {
        w[i] = wire_open();
        wire_say(&w[i], all[i].said);
        if (*all[i].heard)
            wire_reply(&w[i], all[i].heard);
        wire_age(w[i].fd, all[i].rest);
        if (all[i].then)
            all[i].then(&w[i]);
    }
    if (!count_calls()) {
        print_message("skipped: no filter can be set here\n");
        _exit(0);
    }
    for (int i = 0; i < N; i++) {
        calls = 0;
        close(w[i].fd);
        if (calls != all[i].calls)
            sys(SYS_exit_group, i + 1); /* nothing else can be done behind the filter */
    }
    sys(SYS_exit_group, 0);
}

static void a_close_asks_the_kernel_only_of_a_connection_that_could_be_used_again(void **state) {
    (void)state;
    support_in_child(child_that_closes, NULL);
}

/* --- the suite -------------------------------------------------------------------------------- */

static int setup(void **state) {
    int r = wire_setup(state);
    stack_setup(0, wire_options.unwinder); /* so that all of them are of one place */
    return r;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(who_said_that_it_ends_is_why_it_ends),
        TEST(who_left_before_the_end_is_told_by_where),
        TEST(what_is_no_exchange_any_more_is_no_end_of_one),
        TEST(a_connection_that_broke_was_not_left),
        TEST(a_write_that_nobody_takes_is_a_break_too),
        TEST(requests_are_counted_with_their_connection),
        TEST(a_connection_ends_with_its_last_descriptor),
        TEST(every_way_of_closing_ends_it),
        TEST(a_connection_that_another_process_goes_on_with_does_not_end),
        TEST(only_what_was_certainly_to_come_was_left_undrained),
        TEST(what_another_process_may_read_on_was_not_left),
        TEST(a_response_to_head_has_nothing_to_drain),
        TEST(the_second_response_of_a_pipeline_may_be_the_one),
        TEST(one_opened_soon_after_another_ended_could_be_spared),
        TEST(one_opened_before_the_other_ended_could_not),
        TEST(each_that_ended_spares_one),
        TEST(one_that_never_asks_is_not_counted),
        TEST(what_was_cut_off_spares_nobody),
        TEST(threads_spare_no_more_than_have_ended),
        TEST(the_shortest_rest_that_a_server_ended_is_kept),
        TEST(what_a_server_announces_is_kept),
        TEST(a_server_that_was_asked_to_end_has_no_limit),
        TEST(a_request_after_a_rest_that_met_the_end_was_stale),
        TEST(a_first_request_is_never_stale),
        TEST(an_answer_that_breaks_off_is_no_idle_limit),
        TEST(a_request_without_a_rest_that_met_the_end_is_lost),
        TEST(a_request_in_pieces_is_one),
        TEST(a_server_that_had_gone_unnoticed_is_found_at_the_close),
        TEST(an_end_behind_unread_bytes_is_found_too),
        TEST(a_close_asks_the_kernel_only_of_a_connection_that_could_be_used_again),
    };
    return cmocka_run_group_tests(tests, setup, wire_teardown);
}
