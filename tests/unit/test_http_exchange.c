/* Both directions of a connection together: pipelining, early responses, responses to nothing. */
#include <pthread.h>
#include <sched.h>

#include "http_case.h"

/* --- RFC 9112 9.3: one exchange after the other ----------------------------------------------- */

static void exchanges_follow_each_other(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, OK, HEAD, IN("HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n"),
                 OUT("PUT /x HTTP/1.1\r\nContent-Length: 1\r\n\r\n!"), OK);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_requests(&o), 3);
    assert_int_equal(http_responses(&o), 3);
    assert_int_equal(http_outstanding(&o), 0);
    assert_string_equal(o.path, "/x");
}

/* --- RFC 9112 9.3.2: pipelining --------------------------------------------------------------- */

static void responses_come_in_the_order_of_requests(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, HEAD, GET);
    assert_int_equal(http_outstanding(&o), 3);
    o = EXCHANGE(GET, HEAD, GET, OK, IN("HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n"));
    STANDS(o, HTTP_WAITING);
    assert_int_equal(http_outstanding(&o), 1);
    o = EXCHANGE(GET, HEAD, GET, OK, IN("HTTP/1.1 200\r\nContent-Length: 9\r\n\r\n"), OK);
    STANDS(o, HTTP_COMPLETE);
}

static void of_pipelined_requests_each_has_its_own_close(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, OUT("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
    assert_int_equal(http_closes(&o), 0);
    o = EXCHANGE(GET, OUT("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), OK);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_REQUEST);
}

static void a_request_behind_others_that_wait_is_not_what_is_waited_for(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, OUT("GET / HT"));
    STANDS(o, HTTP_WAITING);
    assert_int_equal(http_outstanding(&o), 2);
    o = EXCHANGE(GET, OUT("GE"));
    STANDS(o, HTTP_WAITING);
    assert_int_equal(http_outstanding(&o), 1);
}

static void too_many_requests_at_once_are_not_followed(void **state) {
    (void)state;
    struct http_observer o = {0};
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < HTTP_DEPTH; k++)
            assert_true(http_feed(&o, HTTP_REQUEST_BYTES, "HEAD / HTTP/1.1\r\n\r\n", 19));
        assert_int_equal(http_outstanding(&o), HTTP_DEPTH);
        for (int k = 0; k < HTTP_DEPTH - i % 2; k++)
            assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, "HTTP/1.1 200\r\n\r\n", 16));
        if (i % 2)
            assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, "HTTP/1.1 200\r\n\r\n", 16));
    }
    STANDS(o, HTTP_COMPLETE);
    for (int k = 0; k < HTTP_DEPTH; k++)
        http_feed(&o, HTTP_REQUEST_BYTES, "GET / HTTP/1.1\r\n\r\n", 18);
    STANDS(o, HTTP_WAITING);
    assert_false(http_feed(&o, HTTP_REQUEST_BYTES, "GET / HTTP/1.1\r\n\r\n", 18));
    STOPPED(o, HTTP_BROKEN, HTTP_TOO_DEEP);
}

/* --- RFC 9112 9.2: which response belongs to which request ------------------------------------ */

static void a_response_to_nothing_stops_the_observer(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(IN("HTTP/1.1 408 Request Timeout\r\n\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
    assert_int_equal(http_responses(&o), 0);
    o = EXCHANGE(GET, OK, OK);
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
    assert_int_equal(http_responses(&o), 1);
    o = EXCHANGE(GET, OK, IN("H"), GET, IN("TTP/1.1 200 OK\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
}

/* RFC 9112 9.3: "an early final response"; 9.2: before the request is even known. */
static void a_response_may_come_before_the_request_is_sent(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"),
                                      IN("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn"));
    STANDS(o, HTTP_RESPONSE_BODY);
    o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"), OK);
    STANDS(o, HTTP_SENDING);
    assert_int_equal(http_outstanding(&o), 0);
    o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"), OK, OUT("cd"), GET, OK);
    STANDS(o, HTTP_COMPLETE);
    o = EXCHANGE(OUT("GET /very/lo"), IN("HTTP/1.1 414 Too Long\r\nConnection: close\r\n\r\n"));
    STANDS(o, HTTP_RESPONSE_BODY);
    o = EXCHANGE(OUT("GE"), IN("HTTP/1.1 408 Timeout\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
}

/* --- two threads ----------------------------------------------------------------------------- */

enum { MANY = 20000 };

static struct http_observer shared;

/* Each second one is a HEAD, to which the responses differ. */
static void *ask(void *arg) {
    static const char get[] = "GET / HTTP/1.1\r\n\r\n", head[] = "HEAD / HTTP/1.1\r\n\r\n";
    for (int i = 0; i < MANY; i++) {
        while (http_outstanding(&shared) == HTTP_DEPTH)
            sched_yield();
        if (i % 2)
            http_feed(&shared, HTTP_REQUEST_BYTES, head, sizeof head - 1);
        else
            http_feed(&shared, HTTP_REQUEST_BYTES, get, sizeof get - 1);
    }
    return arg;
}

/* A thread that writes and one that reads, as in clients that pipeline. */
static void each_way_may_have_a_thread_of_its_own(void **state) {
    (void)state;
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    pthread_t asking;
    memset(&shared, 0, sizeof shared);
    assert_int_equal(pthread_create(&asking, NULL, ask, NULL), 0);
    for (size_t i = 0; i < MANY; i++) {
        while (!http_outstanding(&shared))
            sched_yield();
        http_feed(&shared, HTTP_RESPONSE_BYTES, response, sizeof response - 1 - i % 2 * 2);
    }
    pthread_join(asking, NULL);
    STANDS(shared, HTTP_COMPLETE);
    assert_int_equal(http_requests(&shared), MANY);
    assert_int_equal(http_responses(&shared), MANY);
}

/* --- responses that are read before their requests are fed --------------------------------------
 */

static bool fed(struct http_observer *o, enum http_way way, const char *text) {
    return http_feed(o, way, text, strlen(text));
}

static const char get[] = "GET / HTTP/1.1\r\n\r\n",
                  two[] = "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi";

static void a_response_may_overtake_the_request_that_is_being_sent(void **state) {
    (void)state;
    struct http_observer o = {0};
    for (uint32_t i = 1; i < 3 * HTTP_DEPTH; i++) {
        http_expect(&o, true);
        assert_true(fed(&o, HTTP_RESPONSE_BYTES, two));
        assert_int_equal(http_outstanding(&o), 0);
        assert_true(fed(&o, HTTP_REQUEST_BYTES, get));
        http_expect(&o, false);
        STANDS(o, HTTP_COMPLETE);
        assert_int_equal(http_requests(&o), i);
        assert_int_equal(http_responses(&o), i);
    }
    assert_false(fed(&o, HTTP_RESPONSE_BYTES, two));
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
}

static void it_may_do_so_in_its_middle(void **state) {
    (void)state;
    for (size_t cut = 1; cut < sizeof two - 1; cut++) {
        struct http_observer o = {0};
        http_expect(&o, true);
        assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, two, cut));
        assert_true(fed(&o, HTTP_REQUEST_BYTES, get));
        http_expect(&o, false);
        assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, two + cut, sizeof two - 1 - cut));
        STANDS(o, HTTP_COMPLETE);
    }
}

static void only_one_may(void **state) {
    (void)state;
    struct http_observer o = {0};
    http_expect(&o, true);
    assert_true(fed(&o, HTTP_RESPONSE_BYTES, two));
    assert_false(fed(&o, HTTP_RESPONSE_BYTES, two));
    STOPPED(o, HTTP_BROKEN, HTTP_UNASKED);
}

static void what_turns_out_not_to_be_a_get_ends_it(void **state) {
    (void)state;
    static const char *const others[] = {"HEAD / HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct http_observer o = {0};
        http_expect(&o, true);
        assert_true(fed(&o, HTTP_RESPONSE_BYTES, two));
        assert_false(fed(&o, HTTP_REQUEST_BYTES, others[i]));
        STOPPED(o, HTTP_BROKEN, HTTP_UNSEEN);
    }
    struct http_observer o = {0};
    http_expect(&o, true);
    assert_true(fed(&o, HTTP_RESPONSE_BYTES, "HTTP/1.1 2"));
    assert_true(fed(&o, HTTP_REQUEST_BYTES, others[0]));
    assert_true(fed(&o, HTTP_RESPONSE_BYTES, "00\r\nContent-Length: 2\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
}

static void what_it_says_of_closing_counts_though_it_comes_late(void **state) {
    (void)state;
    struct http_observer o = {0};
    http_expect(&o, true);
    assert_true(fed(&o, HTTP_RESPONSE_BYTES, two));
    assert_true(fed(&o, HTTP_REQUEST_BYTES, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
    assert_int_equal(http_closes(&o), HTTP_CLOSE_REQUEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_may_overtake_the_request_that_is_being_sent),
        cmocka_unit_test(it_may_do_so_in_its_middle),
        cmocka_unit_test(only_one_may),
        cmocka_unit_test(what_turns_out_not_to_be_a_get_ends_it),
        cmocka_unit_test(what_it_says_of_closing_counts_though_it_comes_late),
        cmocka_unit_test(exchanges_follow_each_other),
        cmocka_unit_test(responses_come_in_the_order_of_requests),
        cmocka_unit_test(of_pipelined_requests_each_has_its_own_close),
        cmocka_unit_test(a_request_behind_others_that_wait_is_not_what_is_waited_for),
        cmocka_unit_test(too_many_requests_at_once_are_not_followed),
        cmocka_unit_test(a_response_to_nothing_stops_the_observer),
        cmocka_unit_test(a_response_may_come_before_the_request_is_sent),
        cmocka_unit_test(each_way_may_have_a_thread_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
