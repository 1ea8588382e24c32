/* The host that a request names (RFC 9112, 3.2), and tunnels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/request_host.h"

/* In memory that ends where the bytes end: a sanitizer sees who reads on. */
static const char *host_in(const char *bytes) {
    static char host[32];
    size_t n = strlen(bytes);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    bool found = http_request_host(exact, n, host, sizeof host);
    free(exact);
    return found ? host : "";
}

static void the_host_field_is_found(void **state) {
    (void)state;
    assert_string_equal(host_in("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), "a.test");
    assert_string_equal(host_in("GET / HTTP/1.1\r\nA: b\r\nhOsT:a.test:80 \r\n\r\n"), "a.test");
    assert_string_equal(host_in("POST /x HTTP/1.0\nHost:\t[::1]:80\n\n"), "[::1]");
    assert_string_equal(host_in("OPTIONS * HTTP/1.1\r\nHost: a\r\n"), "a");
}

static void where_there_is_none_none_is_found(void **state) {
    (void)state;
    static const char *const bytes[] = {
        "",
        "G",
        "GET",
        "GET /",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n\r\nHost: body\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: cut",
        "GET / HTTP/1.1\r\nHost: abcdefghijklmnopqrstuvwxyz.abcdef\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\n\r\n",
        "*1\r\n$4\r\nHost: a\r\n",
        "EHLO x\r\nHost: a\r\n",
        "\x16\x03\x01\x02\r\nHost: a\r\n",
    };
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        assert_string_equal(host_in(bytes[i]), "");
}

static void requests_to_a_proxy_name_another_host_than_the_connections(void **state) {
    (void)state;
    assert_string_equal(host_in("GET http://far.test/ HTTP/1.1\r\nHost: far.test\r\n\r\n"), "");
    assert_string_equal(host_in("CONNECT far.test:443 HTTP/1.1\r\nHost: far.test\r\n\r\n"), "");
    assert_true(http_asks_for_tunnel("CONNECT far.test:443 HTTP/1.1\r\n", 30));
    assert_false(http_asks_for_tunnel("CONNECT", 7));
    assert_false(http_asks_for_tunnel("GET / HTTP/1.1\r\n", 16));
    assert_true(http_asks_for_tunnel("\5\2\0\1", 4));
    assert_false(http_asks_for_tunnel("\5\2\0\1x", 5));
    assert_false(http_asks_for_tunnel("\5\0", 2));
    assert_true(http_asks_for_tunnel("\4\1\0\120\12\0\0\1me", 11));
    assert_false(http_asks_for_tunnel("\4\1\0\120\12\0\0\1me", 10));
    assert_false(http_asks_for_tunnel("", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_field_is_found),
        cmocka_unit_test(where_there_is_none_none_is_found),
        cmocka_unit_test(requests_to_a_proxy_name_another_host_than_the_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
