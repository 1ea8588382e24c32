/* Bodies: chunks, trailers, large ones, and bytes that are not seen. */
#include "http_case.h"

#define HEAD_OF_CHUNKS "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKS(text) EXCHANGE(GET, IN(HEAD_OF_CHUNKS text))

/* --- RFC 9112 7.1: chunks --------------------------------------------------------------------- */

static void chunks_end_with_the_last_one(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("");
    STANDS(o, HTTP_RESPONSE_BODY);
    o = CHUNKS("4\r\nWiki\r\nB\r\npedia in\r\nc\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_CHUNKS);
    assert_int_equal(RESPONSE_BODY(o).read, 15);
    o = CHUNKS("4\r\nWiki\r\n0A\r\n0\r\n\r\n4567");
    assert_int_equal(RESPONSE_BODY(o).read, 13);
    assert_int_equal(RESPONSE_BODY(o).left, 1);
    o = CHUNKS("4\r\nWiki\r\n00\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(RESPONSE_BODY(o).read, 4);
    assert_int_equal(http_closes(&o), 0);
}

static void what_is_no_chunk_breaks(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("x\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("-1\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("0x1\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS(" 1\r\na\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1\r\nab\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1 1\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
}

/* RFC 9112 2.2 allows a lone LF in start lines and fields only. */
static void the_lines_of_chunks_end_with_both(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("1\na\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1\r\na\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1\ra\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1\r\na\rb");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1;x\na\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("1;x\ry\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
}

static void a_chunk_that_is_too_large_breaks(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("7fffffffffffffff\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).left, INT64_MAX);
    o = CHUNKS("8000000000000000\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("10000000000000001\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
    o = CHUNKS("0000000000000000000000000000001\r\na\r\n0\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
}

/* RFC 9112 7.1.1: "MUST ignore unrecognized chunk extensions". */
static void extensions_are_ignored(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("1;a=b;c=\"d;\t\xff\"\r\nx\r\n0;last\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = CHUNKS("1 ; a = b\r\nx\r\n0;\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    o = CHUNKS("1  \r\nx\r\n0 \r\n\r\n"); /* padding */
    STANDS(o, HTTP_COMPLETE);
    o = CHUNKS("1;a\0\r\nx\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CHUNK);
}

/* RFC 9112 7.1.2: nothing in a trailer is about framing. */
static void trailers_are_read_and_do_not_matter(void **state) {
    (void)state;
    struct http_observer o = CHUNKS("1\r\nx\r\n0\r\nX: y\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    o = CHUNKS("1\r\nx\r\n0\r\nContent-Length: 5\r\nConnection: close\r\nX: y\r\n z\r\n\r\n");
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), 0);
    o = CHUNKS("0\r\nX: y\n\n");
    STANDS(o, HTTP_COMPLETE);
    o = CHUNKS("0\r\n X: y\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = CHUNKS("0\r\nno field\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
}

static void a_connection_lives_on_behind_chunks(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, GET, IN(HEAD_OF_CHUNKS "1\r\nx\r\n0\r\n\r\nHTTP/1.1 204 OK\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_responses(&o), 2);
}

/* --- large ones ------------------------------------------------------------------------------- */

static void bodies_may_be_larger_than_memory(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n"));
    assert_true(http_skip(&o, HTTP_RESPONSE_BYTES, UINT64_C(999999999999999)));
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).read, UINT64_C(999999999999999));
    assert_int_equal(RESPONSE_BODY(o).left, 1);
    http_feed(&o, HTTP_RESPONSE_BYTES, "x", 1);
    STANDS(o, HTTP_COMPLETE);
}

/* --- bytes that are not seen ------------------------------------------------------------------ */

static void inside_a_body_bytes_may_pass_unseen(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n"));
    assert_true(http_skip(&o, HTTP_REQUEST_BYTES, 0));
    assert_true(http_skip(&o, HTTP_REQUEST_BYTES, 4));
    STANDS(o, HTTP_SENDING);
    assert_true(http_skip(&o, HTTP_REQUEST_BYTES, 6));
    STANDS(o, HTTP_WAITING);
    o = CHUNKS("a\r\n");
    assert_true(http_skip(&o, HTTP_RESPONSE_BYTES, 10));
    http_feed(&o, HTTP_RESPONSE_BYTES, "\r\n0\r\n\r\n", 7);
    STANDS(o, HTTP_COMPLETE);
    o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\n\r\n"));
    assert_true(http_skip(&o, HTTP_RESPONSE_BYTES, 1000));
    assert_int_equal(RESPONSE_BODY(o).read, 1000);
}

static void elsewhere_they_stop_the_observer(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n"));
    assert_false(http_skip(&o, HTTP_REQUEST_BYTES, 11));
    STOPPED(o, HTTP_BROKEN, HTTP_UNSEEN);
    o = EXCHANGE(GET);
    assert_false(http_skip(&o, HTTP_REQUEST_BYTES, 1));
    STOPPED(o, HTTP_BROKEN, HTTP_UNSEEN);
    o = CHUNKS("a\r");
    assert_false(http_skip(&o, HTTP_RESPONSE_BYTES, 1));
    STOPPED(o, HTTP_BROKEN, HTTP_UNSEEN);
    o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), IN_END);
    assert_false(http_skip(&o, HTTP_RESPONSE_BYTES, 1));
    struct http_observer nothing = {0};
    assert_false(http_skip(&nothing, HTTP_REQUEST_BYTES, 1));
    STOPPED(nothing, HTTP_NOT_HTTP, HTTP_UNSEEN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_end_with_the_last_one),
        cmocka_unit_test(what_is_no_chunk_breaks),
        cmocka_unit_test(the_lines_of_chunks_end_with_both),
        cmocka_unit_test(a_chunk_that_is_too_large_breaks),
        cmocka_unit_test(extensions_are_ignored),
        cmocka_unit_test(trailers_are_read_and_do_not_matter),
        cmocka_unit_test(a_connection_lives_on_behind_chunks),
        cmocka_unit_test(bodies_may_be_larger_than_memory),
        cmocka_unit_test(inside_a_body_bytes_may_pass_unseen),
        cmocka_unit_test(elsewhere_they_stop_the_observer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
