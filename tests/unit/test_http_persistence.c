/* What becomes of the connection: keep-alive or close, and who said it. */
#include "http_case.h"

#define RESPONSE(text) EXCHANGE(GET, IN(text))

/* --- RFC 9112 9.3: keep-alive or close, and who said it --------------------------------------- */

static void the_request_can_ask_to_close(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
    assert_int_equal(http_closes(&o), HTTP_CLOSE_REQUEST);
    http_feed(&o, HTTP_RESPONSE_BYTES, "HTTP/1.1 204 OK\r\n\r\n", 19);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_REQUEST);
}

static void the_response_can_say_that_it_closes(void **state) {
    (void)state;
    struct http_observer o =
        RESPONSE("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nab");
    assert_int_equal(http_closes(&o), HTTP_CLOSE_RESPONSE);
    o = EXCHANGE(OUT("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
                 IN("HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n"));
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_REQUEST | HTTP_CLOSE_RESPONSE);
}

/* RFC 9110 7.6.1: a list, case-insensitive, in one field or several. */
static void connection_is_a_list_of_options(void **state) {
    (void)state;
    static const struct {
        const char *response;
        unsigned closes;
    } cases[] = {
        {"HTTP/1.1 204\r\nConnection: Foo ,\tCLOSE , bar\r\n\r\n", HTTP_CLOSE_RESPONSE},
        {"HTTP/1.1 204\r\nConnection: foo\r\nCONNECTION:close\r\n\r\n", HTTP_CLOSE_RESPONSE},
        {"HTTP/1.1 204\r\nConnection: ,,close,\r\n\r\n", HTTP_CLOSE_RESPONSE},
        {"HTTP/1.1 204\r\nConnection: keep-alive, close\r\n\r\n", HTTP_CLOSE_RESPONSE},
        {"HTTP/1.1 204\r\nConnection: closed\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnection: clos\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnection: close now\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnection: \"close\"\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnection: close;q=1\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnection:\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nX-Connection: close\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nConnections: close\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nCo: close\r\n\r\n", 0},
        {"HTTP/1.0 204\r\n\r\n", HTTP_OLD_RESPONSE},
        {"HTTP/1.0 204\r\nConnection: Keep-Alive\r\n\r\n", 0},
        {"HTTP/1.0 204\r\nConnection: Keep-Alive, close\r\n\r\n", HTTP_CLOSE_RESPONSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct step s[] = {GET,
                           {HTTP_RESPONSE_BYTES, cases[i].response, strlen(cases[i].response)}};
        struct http_observer o = http_case(s, 2);
        STANDS(o, HTTP_COMPLETE);
        if (http_closes(&o) != cases[i].closes)
            fail_msg("%s: %u", cases[i].response, http_closes(&o));
    }
}

/* RFC 9112 C.2.2 */
static void http_1_0_closes_unless_it_keeps_alive(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("GET / HTTP/1.0\r\n\r\n"), OK);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), HTTP_OLD_REQUEST);
    o = EXCHANGE(OUT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                 IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"));
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), 0);
    o = EXCHANGE(OUT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                 IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhi"));
    STANDS(o, HTTP_RESPONSE_BODY);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_IS_END);
    o = EXCHANGE(OUT("GET / HTTP/1.0\r\n\r\n"), IN("HTTP/1.0 200 OK\r\n\r\nhi"), IN_END);
    STANDS(o, HTTP_COMPLETE);
    assert_int_equal(http_closes(&o), HTTP_OLD_REQUEST | HTTP_OLD_RESPONSE | HTTP_CLOSE_IS_END);
}

/* RFC 9112 9.6 */
static void after_the_last_response_nothing_comes(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(GET, GET, IN("HTTP/1.1 204\r\nConnection: close\r\n\r\n\r\n"));
    STANDS(o, HTTP_WAITING);
    assert_int_equal(http_outstanding(&o), 1);
    assert_int_equal(http_closes(&o), HTTP_CLOSE_RESPONSE);
    http_feed(&o, HTTP_RESPONSE_BYTES, "H", 1);
    STOPPED(o, HTTP_BROKEN, HTTP_AFTER_CLOSE);
}

/* RFC 2068 19.7.1.1: seconds that an idle connection is kept. */
static void the_keep_alive_hint_is_kept(void **state) {
    (void)state;
    static const struct {
        const char *response;
        uint32_t seconds;
    } cases[] = {
        {"HTTP/1.1 204\r\nKeep-Alive: timeout=5\r\n\r\n", 5},
        {"HTTP/1.1 204\r\nKeep-Alive: max=100, Timeout = 15 , x\r\n\r\n", 15},
        {"HTTP/1.1 204\r\nkeep-alive:timeout=75,max=1000\r\n\r\n", 75},
        {"HTTP/1.1 204\r\nKeep-Alive: timeout=99999999999999999999999\r\n\r\n", UINT32_MAX},
        {"HTTP/1.1 204\r\nKeep-Alive: timeout\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nKeep-Alive: timeouts=5\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nKeep-Alive: x=timeout=5\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nKeep-Alive: timeout=5x\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nKeep-Alive: 300\r\n\r\n", 0},
        {"HTTP/1.1 204\r\nX: timeout=5\r\n\r\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct step s[] = {GET,
                           {HTTP_RESPONSE_BYTES, cases[i].response, strlen(cases[i].response)}};
        struct http_observer o = http_case(s, 2);
        if (o.keep_alive != cases[i].seconds)
            fail_msg("%s: %u", cases[i].response, o.keep_alive);
    }
    struct http_observer o = EXCHANGE(GET, IN("HTTP/1.1 204\r\nKeep-Alive: timeout=5\r\n\r\n"), GET,
                                      IN("HTTP/1.1 204\r\n\r\n"));
    assert_int_equal(o.keep_alive, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_can_ask_to_close),
        cmocka_unit_test(the_response_can_say_that_it_closes),
        cmocka_unit_test(connection_is_a_list_of_options),
        cmocka_unit_test(http_1_0_closes_unless_it_keeps_alive),
        cmocka_unit_test(after_the_last_response_nothing_comes),
        cmocka_unit_test(the_keep_alive_hint_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
