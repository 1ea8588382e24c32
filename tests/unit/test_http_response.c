/* Responses: the status line, which have a body, how it is delimited, and where it is cut. */
#include "http_case.h"

#define RESPONSE(text) EXCHANGE(GET, IN(text))

/* --- RFC 9112 4: the status line -------------------------------------------------------------- */

static void a_response_is_followed_to_its_end(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET);
    STANDS(o, HTTP_WAITING);
    o = RESPONSE("HTTP/1.1 200 OK\r\nContent-Le");
    STANDS(o, HTTP_RESPONSE_HEAD);
    assert_int_equal(o.status, 200);
    o = RESPONSE("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).read, 3);
    assert_int_equal(RESPONSE_BODY(o).left, 2);
    assert_int_equal(http_responses(&o), 0);
    o = RESPONSE("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_requests(&o), 1);
    assert_int_equal(http_responses(&o), 1);
    assert_int_equal(RESPONSE_BODY(o).read, 5);
    assert_true(RESPONSE_BODY(o).complete);
    assert_int_equal(http_closes(&o), 0);
}

static void the_reason_may_be_anything_or_missing(void **state) {
    (void)state;
    struct http_observer o = RESPONSE("HTTP/1.1 204 Not \x80\t Here: at all\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 204 \r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 204\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 204\n\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 204 a\0b\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
}

static void what_is_no_status_line_breaks(void **state) {
    (void)state;
    struct http_observer o = RESPONSE("HTTP/1.1 20 OK\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = RESPONSE("HTTP/1.1 2000\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = RESPONSE("HTTP/1.1 099\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = RESPONSE("HTTP/1.1\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = RESPONSE("HTTP/1.1  200\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = RESPONSE("HTTP/2 200\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_VERSION);
    o = RESPONSE("ICY 200 OK\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_VERSION);
    o = RESPONSE("<html>");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_VERSION);
}

/* RFC 9112 9.2: empty lines do not count as a response. */
static void empty_lines_around_responses_are_skipped(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, IN("\r\n"));
    STANDS(o, HTTP_WAITING);
    o = EXCHANGE(GET, IN("\r\nHTTP/1.1 204\r\n\r\n\r\n\n"), GET, OK);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_responses(&o), 2);
}

/* --- RFC 9112 6.3, 1: responses without a body ------------------------------------------------ */

static void to_head_there_is_no_body(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(HEAD, IN("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_NO_BODY);
    assert_int_equal(http_closes(&o), 0);
    o = EXCHANGE(HEAD, IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
    o = EXCHANGE(HEAD, IN("HTTP/1.1 200 OK\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), 0);
}

static void no_content_and_not_modified_have_no_body(void **state) {
    (void)state;
    struct http_observer o = RESPONSE("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = RESPONSE("HTTP/1.1 205 Reset\r\nContent-Length: 5\r\n\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
}

/* RFC 9110 15.2: any number of them before the final one. */
static void interim_responses_are_not_the_response(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, IN("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"));
    STANDS(o, HTTP_WAITING);
    assert_int_equal(o.status, 103);
    assert_int_equal(http_responses(&o), 0);
    o = EXCHANGE(GET, IN("HTTP/1.1 102\r\n\r\nHTTP/1.1 199\r\nConnection: close\r\n\r\n"), OK);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_responses(&o), 1);
    assert_int_equal(http_closes(&o), 0);
}

/* RFC 9110 10.1.1 */
static void a_body_may_wait_for_100_continue(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(OUT("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
                 IN("HTTP/1.1 100 Continue\r\n\r\n"));
    STANDS(o, HTTP_SENDING);
    http_feed(&o, HTTP_REQUEST_BYTES, "hi", 2);
    STANDS(o, HTTP_WAITING);
    assert_int_equal(o.status, 100);
}

/* --- RFC 9112 6.3, 8: a response that ends with the stream ------------------------------------ */

static void without_framing_a_response_ends_with_the_stream(void **state) {
    (void)state;
    struct http_observer o = RESPONSE("HTTP/1.1 200 OK\r\n\r\nabc");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_END);
    assert_int_equal(RESPONSE_BODY(o).read, 3);
    assert_int_equal(RESPONSE_BODY(o).left, 0);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_IS_END);
    http_end(&o, HTTP_RESPONSE_BYTES);
    STANDS(o, HTTP_COMPLETE);
    assert_false(http_cut(&o, HTTP_RESPONSE_BYTES));
    assert_int_equal(http_responses(&o), 1);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_IS_END);
}

/* RFC 9112 6.3, 4: the last coding is not chunked. */
static void a_response_of_another_coding_ends_with_the_stream(void **state) {
    (void)state;
    struct http_observer o = RESPONSE("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_END);
    o = RESPONSE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc");
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_END);
}

/* --- RFC 9112 8: incomplete messages ---------------------------------------------------------- */

static void a_stream_that_ends_early_cuts_the_response(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, IN_END);
    STANDS(o, HTTP_WAITING);
    assert_true(http_cut(&o, HTTP_RESPONSE_BYTES));
    o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), IN_END);
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_true(http_cut(&o, HTTP_RESPONSE_BYTES));
    assert_false(http_cut(&o, HTTP_REQUEST_BYTES));
    assert_int_equal(RESPONSE_BODY(o).left, 2);
    o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), IN_END);
    assert_true(http_cut(&o, HTTP_RESPONSE_BYTES));
    o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nX: y\r\n"), IN_END);
    STANDS(o, HTTP_RESPONSE_HEAD);
    assert_true(http_cut(&o, HTTP_RESPONSE_BYTES));
    o = EXCHANGE(GET, OK, IN_END);
    STANDS(o, HTTP_COMPLETE);
    assert_false(http_cut(&o, HTTP_RESPONSE_BYTES));
    o = EXCHANGE(IN_END);
    STANDS(o, HTTP_IDLE);
    assert_false(http_cut(&o, HTTP_RESPONSE_BYTES));
}

static void a_writer_that_stops_early_cuts_the_request(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\na"), OUT_END);
    STANDS(o, HTTP_SENDING);
    assert_true(http_cut(&o, HTTP_REQUEST_BYTES));
    o = EXCHANGE(GET, OUT_END, OK);
    STANDS(o, HTTP_COMPLETE);
    assert_false(http_cut(&o, HTTP_REQUEST_BYTES));
}

static void after_its_end_a_stream_has_no_bytes(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, IN_END, OK);
    STOPPED(o, HTTP_BROKEN, HTTP_AFTER_END);
    o = EXCHANGE(GET, OUT_END, OUT(""), GET);
    STOPPED(o, HTTP_BROKEN, HTTP_AFTER_END);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_is_followed_to_its_end),
        cmocka_unit_test(the_reason_may_be_anything_or_missing),
        cmocka_unit_test(what_is_no_status_line_breaks),
        cmocka_unit_test(empty_lines_around_responses_are_skipped),
        cmocka_unit_test(to_head_there_is_no_body),
        cmocka_unit_test(no_content_and_not_modified_have_no_body),
        cmocka_unit_test(interim_responses_are_not_the_response),
        cmocka_unit_test(a_body_may_wait_for_100_continue),
        cmocka_unit_test(without_framing_a_response_ends_with_the_stream),
        cmocka_unit_test(a_response_of_another_coding_ends_with_the_stream),
        cmocka_unit_test(a_stream_that_ends_early_cuts_the_response),
        cmocka_unit_test(a_writer_that_stops_early_cuts_the_request),
        cmocka_unit_test(after_its_end_a_stream_has_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
