/* Field lines, Content-Length and Transfer-Encoding. */
#include "http_case.h"

#define FIELDS(text) EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\n" text "\r\n"))

/* --- RFC 9112 5: field lines ------------------------------------------------------------------ */

static void names_do_not_depend_on_case(void **state) {
    (void)state;
    struct http_observer o = FIELDS("cOnTeNt-LENGTH: 7\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).left, 7);
}

static void names_match_as_a_whole(void **state) {
    (void)state;
    struct http_observer o =
        FIELDS("Content-Lengt: 7\r\nContent-Length2: 7\r\nXContent-Length: 7\r\n"
               "Content_Length: 7\r\nContent-: 7\r\n-: 1\r\n"
               "Content-Length-Content-Length: 7\r\nTransfer-Encodin: chunked\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_END);
}

/* RFC 9112 5.1: optional blanks around the value, none before the colon. */
static void blanks_around_values_do_not_count(void **state) {
    (void)state;
    struct http_observer o = FIELDS("Content-Length:7\r\n");
    assert_int_equal(RESPONSE_BODY(o).left, 7);
    o = FIELDS("Content-Length: \t 7\t \r\n");
    assert_int_equal(RESPONSE_BODY(o).left, 7);
    o = FIELDS("Content-Length : 7\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("X y: 7\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
}

static void what_is_no_field_line_breaks(void **state) {
    (void)state;
    struct http_observer o = FIELDS("no colon\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("none\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS(": no name\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("b(d: x\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("n\xc3\xa4me: x\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
}

/* RFC 9110 5.5: NUL, CR and LF are dangerous, other characters are not. */
static void a_nul_in_a_value_breaks(void **state) {
    (void)state;
    struct http_observer o = FIELDS("X: 12345678\0 12345678\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("Connection: a\0\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    o = FIELDS("X: \x01\x7f\x80\xff\t\x0b:::\r\nY:\r\nContent-Length: 0\r\n");
    STANDS(o, HTTP_COMPLETE);
}

/* RFC 9112 5.2: obs-fold reads as a blank. */
static void a_folded_line_goes_on(void **state) {
    (void)state;
    struct http_observer o =
        FIELDS("X: y\r\n z\r\n\tContent-Length: 9\r\nContent-Length:\r\n  4\r\n");
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(RESPONSE_BODY(o).left, 4);
    o = FIELDS("Content-Length: 4\r\n 2\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_LENGTH);
    o = FIELDS("Content-Length: 4\r\n \r\n");
    assert_int_equal(RESPONSE_BODY(o).left, 4);
    o = FIELDS("Transfer-Encoding:\n\tchunked\r\n");
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_CHUNKS);
    o = FIELDS("Connection: clo\r\n se\r\nContent-Length: 0\r\n");
    assert_int_equal(http_closes(&o), 0);
    o = FIELDS("Connection: a,\r\n close\r\nContent-Length: 0\r\n");
    assert_int_equal(http_closes(&o), HTTP_CLOSE_RESPONSE);
}

/* RFC 9112 2.2: a blank behind the start line. */
static void nothing_folds_before_the_first_field(void **state) {
    (void)state;
    struct http_observer o = FIELDS(" X: y\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
}

static void a_head_may_be_as_long_as_it_likes(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\n"));
    static const char line[] = "X-Filler: 0123456789012345678901234567890123456789\r\n";
    for (int i = 0; i < 100000; i++)
        assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, line, sizeof line - 1));
    STANDS(o, HTTP_RESPONSE_HEAD);
    for (int i = 0; i < 100000; i++)
        assert_true(http_feed(&o, HTTP_RESPONSE_BYTES, "name", 4));
    http_feed(&o, HTTP_RESPONSE_BYTES, ":\r\nContent-Length: 0\r\n\r\n", 23);
    STANDS(o, HTTP_RESPONSE_HEAD);
    http_feed(&o, HTTP_RESPONSE_BYTES, "\n", 1);
    STANDS(o, HTTP_COMPLETE);
}

/* --- RFC 9110 8.6, RFC 9112 6.3: Content-Length ----------------------------------------------- */

static void lengths(const char *fields, enum http_why why, uint64_t left) {
    char text[512] = "HTTP/1.1 200 OK\r\n";
    strcat(text, fields);
    strcat(text, "\r\n");
    struct step s[] = {GET, {HTTP_RESPONSE_BYTES, text, strlen(text)}};
    struct http_observer o = http_case(s, 2);
    if (http_why(&o) != why || (!why && RESPONSE_BODY(o).left != left))
        fail_msg("%s: %s", fields, http_why_text(http_why(&o)));
}

static void a_length_that_is_repeated_holds(void **state) {
    (void)state;
    lengths("Content-Length: 5\r\nContent-Length: 5\r\n", HTTP_WHY_NONE, 5);
    lengths("Content-Length: 5, 5\r\n", HTTP_WHY_NONE, 5);
    lengths("Content-Length: 5,5 ,\t5\r\nX: y\r\nContent-Length: 005\r\n", HTTP_WHY_NONE, 5);
}

static void lengths_that_differ_break(void **state) {
    (void)state;
    lengths("Content-Length: 5\r\nContent-Length: 6\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 5, 6\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 0\r\nContent-Length: 6\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 5\r\nContent-Length: x\r\n", HTTP_BAD_LENGTH, 0);
}

static void what_is_no_length_breaks(void **state) {
    (void)state;
    lengths("Content-Length:\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: -1\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: +1\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 0x10\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 1.0\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 1 0\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 5,\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: ,5\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 5,,5\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: ,0\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: \"5\"\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 5;\r\n", HTTP_BAD_LENGTH, 0);
}

static void a_length_that_is_too_large_breaks(void **state) {
    (void)state;
    lengths("Content-Length: 18446744073709551600\r\n", HTTP_WHY_NONE, UINT64_MAX - 15);
    lengths("Content-Length: 18446744073709551616\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 100000000000000000000000000000\r\n", HTTP_BAD_LENGTH, 0);
    lengths("Content-Length: 00000000000000000000000000000000007\r\n", HTTP_WHY_NONE, 7);
}

/* --- RFC 9112 6.1, 7: Transfer-Encoding ------------------------------------------------------- */

static void codings(const char *fields, enum http_why why, enum http_framing framing) {
    char text[512] = "HTTP/1.1 200 OK\r\n";
    strcat(text, fields);
    strcat(text, "\r\n");
    struct step s[] = {GET, {HTTP_RESPONSE_BYTES, text, strlen(text)}};
    struct http_observer o = http_case(s, 2);
    if (http_why(&o) != why || (!why && RESPONSE_BODY(o).framing != framing))
        fail_msg("%s: %s", fields, http_why_text(http_why(&o)));
}

static void chunked_is_the_last_of_a_list(void **state) {
    (void)state;
    codings("Transfer-Encoding: Chunked\r\n", HTTP_WHY_NONE, HTTP_BY_CHUNKS);
    codings("Transfer-Encoding: gzip, chunked\r\n", HTTP_WHY_NONE, HTTP_BY_CHUNKS);
    codings("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", HTTP_WHY_NONE,
            HTTP_BY_CHUNKS);
    codings("Transfer-Encoding: ,, chunked ,\r\n", HTTP_WHY_NONE, HTTP_BY_CHUNKS);
    codings("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", HTTP_WHY_NONE,
            HTTP_BY_END);
    codings("Transfer-Encoding: chunkedx\r\n", HTTP_WHY_NONE, HTTP_BY_END);
    codings("Transfer-Encoding: chunke\r\n", HTTP_WHY_NONE, HTTP_BY_END);
}

/* RFC 9112 6.1: "MUST NOT apply chunked more than once"; 7.1: it has no parameters. */
static void codings_that_leave_doubt_break(void **state) {
    (void)state;
    codings("Transfer-Encoding: chunked, chunked\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: chunked, gzip, chunked\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: chunked;x=y\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: x;y=\"a, chunked\"\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: chunked chunked\r\n", HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: \x0b"
            "chunked\r\n",
            HTTP_BAD_CODING, 0);
    codings("Transfer-Encoding: \"chunked\"\r\n", HTTP_BAD_CODING, 0);
}

/* An empty list is no coding. */
static void an_empty_transfer_encoding_is_none(void **state) {
    (void)state;
    codings("Transfer-Encoding:\r\nContent-Length: 5\r\n", HTTP_WHY_NONE, HTTP_BY_LENGTH);
}

/* RFC 9112 6.3, 3: chunked overrides the length, and a server has to close. */
static void chunked_overrides_a_length_and_that_is_noted(void **state) {
    (void)state;
    struct http_observer o = FIELDS("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n");
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_CHUNKS);
    assert_true(http_ambiguous(&o, HTTP_RESPONSE_BYTES));
    assert_false(http_ambiguous(&o, HTTP_REQUEST_BYTES));
    o = FIELDS("Transfer-Encoding: chunked\r\nContent-Length: x\r\n");
    assert_int_equal(RESPONSE_BODY(o).framing, HTTP_BY_CHUNKS);
    assert_true(http_ambiguous(&o, HTTP_RESPONSE_BYTES));
    o = EXCHANGE(OUT("PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "0\r\n\r\n"));
    STANDS(o, HTTP_WAITING);
    assert_true(http_ambiguous(&o, HTTP_REQUEST_BYTES));
    assert_int_equal(http_closes(&o), HTTP_CLOSE_AMBIGUOUS);
}

/* RFC 9112 6.3, 3: "ought to be handled as an error"; clients differ about identity. */
static void another_coding_and_a_length_break(void **state) {
    (void)state;
    codings("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", HTTP_BAD_CODING, 0);
    codings("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n", HTTP_BAD_CODING, 0);
}

/* RFC 9112 6.1: "MUST treat the message as if the framing is faulty". */
static void http_1_0_has_no_codings(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, IN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CODING);
    o = EXCHANGE(OUT("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CODING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_depend_on_case),
        cmocka_unit_test(names_match_as_a_whole),
        cmocka_unit_test(blanks_around_values_do_not_count),
        cmocka_unit_test(what_is_no_field_line_breaks),
        cmocka_unit_test(a_nul_in_a_value_breaks),
        cmocka_unit_test(a_folded_line_goes_on),
        cmocka_unit_test(nothing_folds_before_the_first_field),
        cmocka_unit_test(a_head_may_be_as_long_as_it_likes),
        cmocka_unit_test(a_length_that_is_repeated_holds),
        cmocka_unit_test(lengths_that_differ_break),
        cmocka_unit_test(what_is_no_length_breaks),
        cmocka_unit_test(a_length_that_is_too_large_breaks),
        cmocka_unit_test(chunked_is_the_last_of_a_list),
        cmocka_unit_test(codings_that_leave_doubt_break),
        cmocka_unit_test(an_empty_transfer_encoding_is_none),
        cmocka_unit_test(chunked_overrides_a_length_and_that_is_noted),
        cmocka_unit_test(another_coding_and_a_length_break),
        cmocka_unit_test(http_1_0_has_no_codings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
