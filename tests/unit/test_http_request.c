/* Requests: their first line, what is kept of them, and their bodies. */
#include "http_case.h"

#define REQUEST(text) EXCHANGE(OUT(text))

static void assert_path(const struct http_observer *o, const char *want) {
    assert_string_equal(o->path, want);
    assert_int_equal(o->path_length, strlen(want));
}

/* --- RFC 9112 2.2: what may stand before a request -------------------------------------------- */

static void nothing_was_said_yet(void **state) {
    (void)state;
    struct http_observer o = {0};
    STANDS(o, HTTP_IDLE);
    assert_true(http_feed(&o, HTTP_REQUEST_BYTES, NULL, 0));
    STANDS(o, HTTP_IDLE);
    assert_int_equal(http_requests(&o), 0);
    assert_int_equal(http_closes(&o), 0);
}

static void empty_lines_before_a_request_are_skipped(void **state) {
    (void)state;
    struct http_observer o = REQUEST("\r\n\n\r\n");
    STANDS(o, HTTP_IDLE);
    o = REQUEST("\r\n\r\nGET /a HTTP/1.1\r\n\r\n");
    STANDS(o, HTTP_WAITING);
    assert_path(&o, "/a");
    o = REQUEST("\r\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
}

/* RFC 9112 2.2: a lone LF ends a line of the head; a lone CR does not. */
static void a_lone_lf_ends_a_line_and_a_lone_cr_does_not(void **state) {
    (void)state;
    struct http_observer o = REQUEST("POST / HTTP/1.1\nContent-Length: 3\n\nabc");
    STANDS(o, HTTP_WAITING);
    assert_int_equal(REQUEST_BODY(o).read, 3);
    o = REQUEST("GET / HTTP/1.1\rX: y\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_END);
    o = REQUEST("GET / HTTP/1.1\r\nX: y\rZ: z\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_END);
    o = REQUEST("GET / HTTP/1.1\r\nX: y\r\n\rz");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_END);
}

/* --- RFC 9112 3: the request line ------------------------------------------------------------- */

/* RFC 9110 9.1: methods are case-sensitive, and any token may be one. */
static void methods_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum http_method method;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", HTTP_GET},
        {"HEAD / HTTP/1.1\r\n", HTTP_HEAD},
        {"POST / HTTP/1.1\r\n", HTTP_POST},
        {"PUT / HTTP/1.1\r\n", HTTP_PUT},
        {"PATCH / HTTP/1.1\r\n", HTTP_PATCH},
        {"DELETE / HTTP/1.1\r\n", HTTP_DELETE},
        {"OPTIONS * HTTP/1.1\r\n", HTTP_OPTIONS},
        {"TRACE / HTTP/1.1\r\n", HTTP_TRACE},
        {"CONNECT a:1 HTTP/1.1\r\n", HTTP_CONNECT},
        {"get / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"GETS / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"GE / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"PROPFIND / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"VERSION-CONTROL / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"PU / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
        {"P!#$%&'*+.^_`|~ / HTTP/1.1\r\n", HTTP_METHOD_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct step s = {HTTP_REQUEST_BYTES, cases[i].line, strlen(cases[i].line)};
        struct http_observer o = http_case(&s, 1);
        STANDS(o, HTTP_SENDING);
        assert_int_equal(o.method, cases[i].method);
    }
}

static void what_is_no_request_line_is_no_http(void **state) {
    (void)state;
    struct http_observer o = REQUEST(" GET / HTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("GET  / HTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("GET /\tHTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("GET / HTTP/1.1 \r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = REQUEST("G(T / HTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("GET /\x7f HTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("GET\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
    o = REQUEST("ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_START);
}

/* RFC 9112 2.3: case-sensitive, one digit each; 1.x is read as 1.1. */
static void versions_other_than_1_are_not_followed(void **state) {
    (void)state;
    struct http_observer o = REQUEST("GET / HTTP/2.0\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET / http/1.1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET / HTTP/1\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET / HTTP/1.x\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET / HTTP/1.10\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = REQUEST("GET / RTSP/1.0\r\n");
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET /\r\n"); /* HTTP/0.9 */
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = REQUEST("GET / HTTP/1.7\r\n\r\n");
    STANDS(o, HTTP_WAITING);
    assert_int_equal(http_closes(&o), 0);
}

/* --- RFC 9112 3.2: the target, of which the path is kept -------------------------------------- */

static void the_path_is_kept_without_its_query(void **state) {
    (void)state;
    struct http_observer o = REQUEST("GET /a/b?c=d#e HTTP/1.1\r\n");
    assert_path(&o, "/a/b");
    o = REQUEST("GET /a#b?c HTTP/1.1\r\n");
    assert_path(&o, "/a");
    o = REQUEST("GET /? HTTP/1.1\r\n");
    assert_path(&o, "/");
    o = REQUEST("OPTIONS * HTTP/1.1\r\n");
    assert_path(&o, "*");
}

/* RFC 9112 3.2.2: a request to a proxy; RFC 9110 4.2.4: credentials in it. */
static void of_an_absolute_form_the_path_is_kept(void **state) {
    (void)state;
    struct http_observer o = REQUEST("GET http://u:secret@h:80/a/b?c HTTP/1.1\r\n");
    assert_path(&o, "/a/b");
    o = REQUEST("GET http://h HTTP/1.1\r\n");
    assert_path(&o, "/");
    o = REQUEST("GET http://h?q/x HTTP/1.1\r\n");
    assert_path(&o, "/");
    STANDS(o, HTTP_SENDING);
    o = REQUEST("GET neither HTTP/1.1\r\n");
    assert_path(&o, "");
}

/* RFC 9112 3.2.3 */
static void of_a_connect_the_authority_is_kept_without_credentials(void **state) {
    (void)state;
    struct http_observer o = REQUEST("CONNECT a.example:443 HTTP/1.1\r\n");
    assert_path(&o, "a.example:443");
    o = REQUEST("CONNECT u:secret@a:443 HTTP/1.1\r\n");
    assert_path(&o, "a:443");
}

static void a_long_path_is_cut_and_strange_characters_are_replaced(void **state) {
    (void)state;
    char text[4096], want[HTTP_PATH_MAX] = {0};
    memset(text, 'x', sizeof text);
    memset(want, 'x', sizeof want - 1);
    memcpy(text, "GET /", 5);
    want[0] = '/';
    memcpy(text + sizeof text - 11, " HTTP/1.1\r\n", 11);
    struct step s = {HTTP_REQUEST_BYTES, text, sizeof text};
    struct http_observer o = http_case(&s, 1);
    STANDS(o, HTTP_SENDING);
    assert_path(&o, want);
    o = REQUEST("GET /\xc3\xa4%0a HTTP/1.1\r\n");
    assert_path(&o, "/??%0a");
}

/* --- RFC 9110 7.2: the host ------------------------------------------------------------------- */

static void the_host_is_kept(void **state) {
    (void)state;
    struct http_observer o = REQUEST("GET / HTTP/1.1\r\nhOST: \t a.example:81 \t\r\n\r\n");
    assert_string_equal(o.host, "a.example:81");
    o = REQUEST("GET / HTTP/1.1\r\nHost:a\r\nHost: b\r\n\r\n");
    assert_string_equal(o.host, "a");
    o = REQUEST("GET / HTTP/1.1\r\nHost: u:secret@a\x01\r\n\r\n");
    assert_string_equal(o.host, "a?");
    o = REQUEST("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    assert_string_equal(o.host, "");
}

static void a_long_host_is_cut(void **state) {
    (void)state;
    struct http_observer o = REQUEST("GET / HTTP/1.1\r\nHost: 0123456789012345678901234567890123456"
                                     "789012345678901234567890123456789\r\n\r\n");
    STANDS(o, HTTP_WAITING);
    assert_string_equal(o.host, "012345678901234567890123456789012345678901234567890");
    assert_int_equal(o.host_length, HTTP_HOST_MAX - 1);
}

/* --- RFC 9112 6.3: the body ------------------------------------------------------------------- */

static void without_framing_a_request_has_no_body(void **state) {
    (void)state;
    struct http_observer o = REQUEST("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    STANDS(o, HTTP_WAITING);
    assert_int_equal(REQUEST_BODY(o).framing, HTTP_NO_BODY);
    assert_true(REQUEST_BODY(o).complete);
}

static void a_request_is_being_sent_until_its_length_is_reached(void **state) {
    (void)state;
    struct http_observer o = REQUEST("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123");
    STANDS(o, HTTP_SENDING);
    struct http_body b = REQUEST_BODY(o);
    assert_int_equal(b.framing, HTTP_BY_LENGTH);
    assert_int_equal(b.read, 4);
    assert_int_equal(b.left, 6);
    assert_false(b.complete);
    http_feed(&o, HTTP_REQUEST_BYTES, "456789", 6);
    STANDS(o, HTTP_WAITING);
    o = REQUEST("PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    STANDS(o, HTTP_WAITING);
}

static void a_request_is_being_sent_until_its_last_chunk(void **state) {
    (void)state;
    struct http_observer o =
        REQUEST("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    STANDS(o, HTTP_SENDING);
    assert_int_equal(REQUEST_BODY(o).read, 3);
    http_feed(&o, HTTP_REQUEST_BYTES, "0\r\n\r\n", 5);
    STANDS(o, HTTP_WAITING);
}

/* RFC 9112 6.3, 4: the server can not know where it ends. */
static void a_request_whose_last_coding_is_not_chunked_is_broken(void **state) {
    (void)state;
    struct http_observer o = REQUEST("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CODING);
    o = REQUEST("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n");
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_CODING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_was_said_yet),
        cmocka_unit_test(empty_lines_before_a_request_are_skipped),
        cmocka_unit_test(a_lone_lf_ends_a_line_and_a_lone_cr_does_not),
        cmocka_unit_test(methods_are_told_apart),
        cmocka_unit_test(what_is_no_request_line_is_no_http),
        cmocka_unit_test(versions_other_than_1_are_not_followed),
        cmocka_unit_test(the_path_is_kept_without_its_query),
        cmocka_unit_test(of_an_absolute_form_the_path_is_kept),
        cmocka_unit_test(of_a_connect_the_authority_is_kept_without_credentials),
        cmocka_unit_test(a_long_path_is_cut_and_strange_characters_are_replaced),
        cmocka_unit_test(the_host_is_kept),
        cmocka_unit_test(a_long_host_is_cut),
        cmocka_unit_test(without_framing_a_request_has_no_body),
        cmocka_unit_test(a_request_is_being_sent_until_its_length_is_reached),
        cmocka_unit_test(a_request_is_being_sent_until_its_last_chunk),
        cmocka_unit_test(a_request_whose_last_coding_is_not_chunked_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
