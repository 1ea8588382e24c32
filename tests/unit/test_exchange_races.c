/* Exchanges whose records change hands while their bytes are looked at. A page that can not be read
 * at first stops the observer in the middle of a text: the handler does there what another thread,
 * or a signal handler, could do at that moment. And threads that do all of it by chance. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "http_wire.h"

#define GET "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"

/* --- a moment in the middle ------------------------------------------------------------------- */

enum { PAGE = PAGE_LARGEST };
static char *pages;
static void (*meanwhile)(void);
static unsigned stops;

static void on_fault(int sig, siginfo_t *info, void *context) {
    (void)context;
    char *at = info->si_addr;
    if (at < pages + PAGE || at >= pages + 2 * PAGE || !meanwhile) {
        signal(sig, SIG_DFL);
        return;
    }
    void (*now)(void) = meanwhile;
    meanwhile = NULL;
    stops++;
    mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE);
    now();
}

/* Two texts in a row, the second of which is not there before `does` was called. */
static struct iovec stopping(const char *first, const char *second, void (*does)(void)) {
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    char *at = pages + PAGE - strlen(first);
    sigaction(SIGSEGV, &act, NULL); /* cmocka has its own for each test */
    mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE);
    memcpy(at, first, strlen(first));
    memcpy(pages + PAGE, second, strlen(second));
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    meanwhile = does;
    return (struct iovec){at, strlen(first) + strlen(second)};
}

/* What the wrappers tell after the real call. */
static void wrote(int fd, struct iovec v) {
    uint64_t slot = fd_get(fd);
    if (slot_is_conn(slot))
        traffic_wrote_on(slot, (ssize_t)v.iov_len, &v, 1);
}

static void came(int fd, struct iovec v) {
    uint64_t slot = fd_get(fd);
    if (slot_is_conn(slot))
        traffic_read_on(slot, (ssize_t)v.iov_len, &v, 1);
}

static struct iovec part(const char *text) {
    return (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

static struct wire wire;
static uint32_t records_before;

static int fresh(void **state) {
    (void)state;
    stops = 0;
    records_before = wire_records();
    wire = wire_open();
    return 0;
}

static int tidy(void **state) {
    wire_close(&wire);
    return wire_nothing_held(state);
}

static void assert_given_back(void) {
    assert_int_equal(stops, 1);
    assert_int_equal(wire_held(), 0);
}

/* --- closed in the middle --------------------------------------------------------------------- */

static void close_it(void) {
    close(wire.fd);
}

static void close_and_open(void) {
    wire_close(&wire);
    wire = wire_open();
    wire_say(&wire, "GET /other HTTP/1.1\r\n\r\n");
}

static void a_connection_closed_while_its_request_is_read_gives_its_record_back(void **state) {
    (void)state;
    wrote(wire.fd, stopping("GET /a HT", "TP/1.1\r\n\r\n", close_it));
    assert_given_back();
    wire.fd = -1;
}

static void a_connection_closed_while_its_response_is_read_gives_its_record_back(void **state) {
    (void)state;
    wire_say(&wire, GET);
    came(wire.fd, stopping("HTTP/1.1 200 OK\r\n", "Content-Length: 9\r\n\r\nabc", close_it));
    assert_given_back();
    wire.fd = -1;
}

/* The one that is closed turns out not to be HTTP, or to be of no more interest, right then. */
static void the_next_connection_is_not_touched(const char *first, const char *second) {
    struct wire before = wire;
    stops = 0;
    if (*first == 'H')
        wire_say(&wire, GET);
    struct iovec v = stopping(first, second, close_and_open);
    if (*first == 'H')
        came(before.fd, v);
    else
        wrote(before.fd, v);
    assert_int_equal(stops, 1);
    assert_int_equal(wire_phase(wire.fd), HTTP_WAITING);
    assert_string_equal(wire_http(wire.fd)->http.path, "/other");
    assert_false(atomic_load(&wire_conn(wire.fd)->http[HTTP_PLAIN]) & HTTP_OVER);
    wire_reply(&wire, WIRE_OK);
    assert_int_equal(wire_phase(wire.fd), HTTP_COMPLETE);
    assert_int_equal(wire_held(), 1);
}

static void what_becomes_of_a_closed_connection_does_not_touch_the_next_one(void **state) {
    (void)state;
    the_next_connection_is_not_touched("EHLO", " mail\r\n");
    the_next_connection_is_not_touched("HTTP/1.1 101 ", "Switching\r\n\r\n");
    the_next_connection_is_not_touched("HTTP/1.1 ", "garbage");
    the_next_connection_is_not_touched("PRI * HT", "TP/2.0\r\n\r\nSM\r\n\r\n");
    the_next_connection_is_not_touched("GET /a HT", "TP/1.1\r\n\r\n");
}

static void what_is_over_and_closed_at_once_leaves_no_link(void **state) {
    (void)state;
    struct box_conn *c = wire_conn(wire.fd);
    wire_say(&wire, GET);
    came(wire.fd, stopping("HTTP/1.1 101 ", "Switching\r\n\r\n", close_it));
    assert_given_back();
    assert_int_equal(c->http[HTTP_PLAIN], 0);
    wire.fd = -1;
}

/* The first write's thread comes to say that a request begins when the connection is gone. */
static void a_connection_that_is_gone_gets_no_record(void **state) {
    (void)state;
    struct iovec v = {(void *)(uintptr_t)GET, sizeof GET - 1};
    struct box_conn *c = wire_conn(wire.fd);
    uint64_t slot = fd_get(wire.fd);
    close(wire.fd);
    exchange_begin(c, slot,
                   &(struct exchange_bytes){HTTP_PLAIN, HTTP_REQUEST_BYTES, &v, 1, v.iov_len});
    assert_int_equal(wire_held(), 0);
    struct wire before = wire;
    wire = wire_open();
    assert_ptr_equal(wire_conn(wire.fd), c);
    exchange_begin(c, slot,
                   &(struct exchange_bytes){HTTP_PLAIN, HTTP_REQUEST_BYTES, &v, 1, v.iov_len});
    assert_int_equal(wire_held(), 0);
    wire_get(&wire, "/b");
    assert_int_equal(wire_phase(wire.fd), HTTP_COMPLETE);
    exchange_end(c, slot, HTTP_PLAIN, HTTP_RESPONSE_BYTES);
    exchange_end(c, slot, HTTP_PLAIN, HTTP_REQUEST_BYTES);
    wire_get(&wire, "/c");
    assert_int_equal(wire_phase(wire.fd), HTTP_COMPLETE);
    close(before.peer);
}

/* --- two at once ------------------------------------------------------------------------------ */

static void hear_more(void) {
    wire_reply(&wire, "more");
}

static void two_who_read_at_once_end_the_looking(void **state) {
    (void)state;
    wire_say(&wire, GET);
    came(wire.fd, stopping("HTTP/1.1 200 ", "OK\r\nContent-Length: 9\r\n\r\nabc", hear_more));
    assert_int_equal(wire_phase(wire.fd), HTTP_BROKEN);
    assert_int_equal(http_why(&wire_http(wire.fd)->http), HTTP_UNSEEN);
    wire_reply(&wire, "def");
    assert_true(atomic_load(&wire_conn(wire.fd)->http[HTTP_PLAIN]) & HTTP_OVER);
}

static void say_more(void) {
    wire_say(&wire, "more");
}

static void two_who_write_the_first_line_at_once_are_let_go(void **state) {
    (void)state;
    wrote(wire.fd, stopping("GET /", "a HTTP/1.1\r\n\r\n", say_more));
    assert_true(wire_is_let_go(wire.fd));
    assert_given_back();
}

static void hear_the_end(void) {
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
}

/* Did the end come before these bytes, or behind them? */
static void an_end_while_bytes_are_read_ends_the_looking(void **state) {
    (void)state;
    wire_say(&wire, GET);
    came(wire.fd, stopping("HTTP/1.1 200 OK\r\n\r\n", "ab", hear_the_end));
    assert_int_equal(stops, 1);
    assert_int_equal(wire_phase(wire.fd), HTTP_BROKEN);
}

/* One way does not disturb the other. */
static void hear_an_answer(void) {
    wire_reply(&wire, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void requests_and_responses_may_be_looked_at_at_once(void **state) {
    (void)state;
    wire_say(&wire, "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
    wrote(wire.fd, stopping("abc", "defghi", hear_an_answer));
    assert_int_equal(wire_phase(wire.fd), HTTP_WAITING);
    wire_reply(&wire, WIRE_OK);
    assert_int_equal(wire_phase(wire.fd), HTTP_COMPLETE);
}

/* --- never to come back ----------------------------------------------------------------------- */

static sigjmp_buf back;

static void jump(void) {
    siglongjmp(back, 1);
}

/* As a handler that jumps does, or a thread that is cancelled asynchronously: the record is not
 * used again, and the connection gets no verdict. */
static void a_call_that_is_left_in_the_middle_ends_the_looking(void **state) {
    (void)state;
    wire_say(&wire, GET);
    struct iovec v = stopping("HTTP/1.1 200 OK\r\n", "Content-Length: 9\r\n\r\nabc", jump);
    if (sigsetjmp(back, 1) == 0)
        came(wire.fd, v);
    wire_reply(&wire, "defghi");
    wire_reply(&wire, "x");
    assert_int_equal(wire_phase(wire.fd), HTTP_BROKEN);
    close(wire.fd);
    wire.fd = -1;
    assert_int_equal(wire_held(), 1);
    for (uint32_t i = 0; i < wire_records(); i++)
        if (atomic_load(&mine.http[i].life.holders))
            assert_int_equal(mine.http[i].conn, 0);
    struct wire w = wire_open();
    wire_get(&w, "/a");
    assert_int_equal(wire_held(), 2); /* another record */
    wire_close(&w);
    for (uint32_t i = 0; i < wire_records(); i++)
        atomic_store(&mine.http[i].life.holders, 0);
}

/* --- recycling -------------------------------------------------------------------------------- */

/* Connections of which only the numbers are there. */
enum { NUMBER = 700000 };

static void one_of_many(uint32_t i) {
    struct addr peer = {.ip = {10, 0, 0, 1}, .port = 80, .family = ADDR_V4};
    int fd = NUMBER + (int)(i % 100);
    conn_socket(fd, AF_INET, SOCK_STREAM, 0);
    struct dial d = conn_dial(fd, &peer);
    conn_dialed(&d, fd, &peer, 0, 0);
    const char *first = i % 7 ? GET : i % 2 ? "EHLO x\r\n" : "GET / HTTP/1.1\r\nHost";
    wrote(fd, part(first));
    if (i % 7 && i % 5)
        came(fd, part(WIRE_OK));
    if (i % 11 == 0)
        came(fd, part(""));
    if (i % 3 == 0)
        conn_forget(fd);
}

static void a_hundred_thousand_connections_need_no_more_records_than_are_open(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 100000; i++)
        one_of_many(i);
    assert_in_range(wire_records(), 1, records_before + 101);
    assert_in_range(wire_held(), 20, 100);
    conn_forget_range(NUMBER, NUMBER + 99);
    assert_int_equal(wire_held(), 0);
}

static void without_room_nothing_is_looked_at_and_nothing_else_suffers(void **state) {
    (void)state;
    struct box_region *r = &mine.header->region[REGION_HTTP];
    uint32_t was = r->capacity, dropped = atomic_load(&r->dropped);
    struct wire w[600];
    size_t n = 0;
    wire_say(&wire, GET); /* there is one */
    r->capacity = atomic_load(&r->count);
    do { /* until all that were ever made are in use */
        assert_true(n < 600);
        w[n] = wire_open();
        wire_get(&w[n], "/a");
    } while (!wire_is_let_go(w[n++].fd));
    assert_int_equal(atomic_load(&r->dropped), dropped + 1);
    assert_int_equal(atomic_load(&r->count), r->capacity);
    struct wire *last = &w[n - 1];
    wire_get(last, "/b");
    assert_true(wire_is_let_go(last->fd));
    assert_int_equal(wire_conn(last->fd)->calls_out, 2);
    wire_close(&wire);
    wire = wire_open();
    wire_get(&wire, "/c"); /* there is room again */
    assert_int_equal(wire_phase(wire.fd), HTTP_COMPLETE);
    while (n)
        wire_close(&w[--n]);
    r->capacity = was;
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 20000, NUMBERS = 3 };
static pthread_barrier_t together;

/* Texts that come to every end that there is. */
static const char *const requests[] = {GET, "EHLO x\r\n", "GET / HT", "PRI * HTTP/2.0\r\n\r\n",
                                       "TP/1.1\r\n\r\n"};
static const char *const responses[] = {WIRE_OK, "HTTP/1.1 101 S\r\n\r\n", "x",
                                        "HTTP/1.1 200 OK\r\n\r\n"};

static void *at_random(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    struct addr peer = {.ip = {10, 0, 0, 2}, .port = 80, .family = ADDR_V4};
    pthread_barrier_wait(&together);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = NUMBER + rand_r(&seed) % NUMBERS, what = rand_r(&seed) % 8;
        const char *out = requests[rand_r(&seed) % 5], *in = responses[rand_r(&seed) % 4];
        if (what == 0) {
            conn_forget(fd);
        } else if (what == 1) {
            conn_socket(fd, AF_INET, SOCK_STREAM, 0);
            struct dial d = conn_dial(fd, &peer);
            conn_dialed(&d, fd, &peer, 0, 0);
        } else if (what == 2) {
            came(fd, part(""));
        } else if (what < 6) {
            wrote(fd, part(out));
        } else {
            came(fd, part(in));
        }
    }
    return NULL;
}

static void threads_that_do_it_all_at_random_leave_nothing(void **state) {
    (void)state;
    pthread_t t[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, at_random, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&together);
    conn_forget_range(NUMBER, NUMBER + NUMBERS - 1);
    assert_int_equal(wire_held(), 0);
    assert_in_range(wire_records(), 0, records_before + NUMBERS + 3 * THREADS);
}

static _Atomic int closing;

static void *close_the_other(void *arg) {
    (void)arg;
    for (int i = 0; i < 500; i++) {
        pthread_barrier_wait(&together);
        close(atomic_load(&closing));
        pthread_barrier_wait(&together);
    }
    return NULL;
}

static void of_two_who_close_it_at_once_one_counts(void **state) {
    (void)state;
    pthread_t t;
    wire_get(&wire, "/a");
    const struct box_use *u = wire_use(wire.fd);
    uint64_t conns = u->conns, ended = u->ended[USE_UNUSED];
    pthread_barrier_init(&together, NULL, 2);
    pthread_create(&t, NULL, close_the_other, NULL);
    for (int i = 0; i < 500; i++) {
        struct wire w = wire_open();
        int twin = dup(w.fd);
        wire_get(&w, "/a");
        atomic_store(&closing, twin);
        pthread_barrier_wait(&together);
        close(w.fd);
        pthread_barrier_wait(&together);
        close(w.peer);
    }
    pthread_join(t, NULL);
    pthread_barrier_destroy(&together);
    assert_int_equal(wire_held(), 1);
    assert_int_equal(u->conns, conns);
    assert_int_equal(u->ended[USE_UNUSED], ended);
    (void)ended;
}

/* --- the suite -------------------------------------------------------------------------------- */

static int setup(void **state) {
    pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? -1 : wire_setup(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_connection_closed_while_its_request_is_read_gives_its_record_back),
        TEST(a_connection_closed_while_its_response_is_read_gives_its_record_back),
        TEST(what_becomes_of_a_closed_connection_does_not_touch_the_next_one),
        TEST(what_is_over_and_closed_at_once_leaves_no_link),
        TEST(a_connection_that_is_gone_gets_no_record),
        TEST(two_who_read_at_once_end_the_looking),
        TEST(two_who_write_the_first_line_at_once_are_let_go),
        TEST(an_end_while_bytes_are_read_ends_the_looking),
        TEST(requests_and_responses_may_be_looked_at_at_once),
        TEST(a_call_that_is_left_in_the_middle_ends_the_looking),
        TEST(a_hundred_thousand_connections_need_no_more_records_than_are_open),
        TEST(without_room_nothing_is_looked_at_and_nothing_else_suffers),
        TEST(threads_that_do_it_all_at_random_leave_nothing),
        TEST(of_two_who_close_it_at_once_one_counts),
    };
    return cmocka_run_group_tests(tests, setup, wire_teardown);
}
