/* What is another protocol, from the start or from some point on; and what an observer is made of.
 */
#include <stdio.h>

#include "http_case.h"

/* --- RFC 9110 7.8, 9.3.6: what is handed over ------------------------------------------------- */

static void switching_protocols_hands_over(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(OUT("GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
                 IN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"),
                 OUT("\x81\x85"), IN_END, OUT_END);
    STANDS(o, HTTP_HANDED_OVER);
    assert_int_equal(o.status, 101);
    assert_int_equal(http_responses(&o), 1);
    assert_string_equal(o.path, "/chat");
    assert_false(http_feed(&o, HTTP_REQUEST_BYTES, "x", 1));
    assert_false(http_cut(&o, HTTP_RESPONSE_BYTES));
}

static void an_upgrade_that_is_declined_goes_on_as_http(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(OUT("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), OK, GET, OK);
    STANDS(o, HTTP_COMPLETE);
}

/* The length of a 2xx to CONNECT does not count. */
static void a_tunnel_is_handed_over(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(CONNECT, IN("HTTP/1.1 200 Established\r\nContent-Length: 5\r\n\r\n\x16\x03"),
                 OUT("\x16\x03\x01"));
    STANDS(o, HTTP_HANDED_OVER);
    o = EXCHANGE(CONNECT, IN("HTTP/1.1 299\r\n\r\n"));
    STANDS(o, HTTP_HANDED_OVER);
    o = EXCHANGE(CONNECT, OUT("\x16\x03\x01 early"), IN("HTTP/1.1 200 Established\r\n\r\n"));
    STANDS(o, HTTP_HANDED_OVER);
}

static void a_tunnel_that_is_refused_is_not(void **state) {
    (void)state;
    struct http_observer o =
        EXCHANGE(CONNECT, IN("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nn"));
    STANDS(o, HTTP_RESPONSE_BODY);
    o = EXCHANGE(CONNECT, IN("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"), CONNECT,
                 IN("HTTP/1.1 200 OK\r\n\r\n"));
    STANDS(o, HTTP_HANDED_OVER);
    o = EXCHANGE(CONNECT, IN("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"), GET, OK);
    STANDS(o, HTTP_COMPLETE);
}

/* Whose bytes those were nobody can tell any more. */
static void bytes_behind_a_connect_that_is_refused_stop_the_observer(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(CONNECT, OUT("GET / HTTP/1.1\r\n\r\n"),
                                      IN("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_EARLY_BYTES);
}

/* --- RFC 9113 3.4: HTTP/2 --------------------------------------------------------------------- */

static void the_preface_of_http_2_is_known(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), IN("\0\0\0\4"));
    STANDS(o, HTTP_IS_H2);
    assert_int_equal(http_requests(&o), 0);
    assert_string_equal(o.path, "");
    o = EXCHANGE(OUT("PRI *a HTTP/2.0\r\n"));
    STOPPED(o, HTTP_NOT_HTTP, HTTP_BAD_VERSION);
    o = EXCHANGE(OUT("PRI * HTTP/1.1\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_START);
    o = EXCHANGE(GET, OK, OUT("PRI * HTTP/2.0\r\n"));
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_VERSION);
}

/* --- what is not HTTP ------------------------------------------------------------------------- */

/* It is known within the first bytes, and nothing of them is kept. */
static void other_protocols_are_known_by_their_first_bytes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum http_way way;
        const char *bytes;
        size_t size, within;
    } cases[] = {
        {"TLS", HTTP_REQUEST_BYTES, "\x16\x03\x01\x02\x00\x01", 6, 1},
        {"postgres", HTTP_REQUEST_BYTES, "\0\0\0\x08\x04\xd2\x16\x2f", 8, 1},
        {"postgres query", HTTP_REQUEST_BYTES, "Q\0\0\0\x0dselect 1", 12, 2},
        {"redis", HTTP_REQUEST_BYTES, "*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n", 22, 3},
        {"redis inline", HTTP_REQUEST_BYTES, "PING\r\n", 6, 5},
        {"redis inline set", HTTP_REQUEST_BYTES, "AUTH secret\r\n", 13, 12},
        {"redis inline get", HTTP_REQUEST_BYTES, "GET secret\r\n", 12, 11},
        {"memcached", HTTP_REQUEST_BYTES, "set secret 0 900 5\r\n", 20, 12},
        {"ssh", HTTP_REQUEST_BYTES, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32, 31},
        {"ssh server", HTTP_RESPONSE_BYTES, "SSH-2.0-OpenSSH_9.2p1\r\n", 23, 1},
        {"smtp server", HTTP_RESPONSE_BYTES, "220 mail ESMTP\r\n", 16, 1},
        {"smtp", HTTP_REQUEST_BYTES, "EHLO me\r\n", 9, 8},
        {"mysql server", HTTP_RESPONSE_BYTES,
         "\x4a\0\0\0\x0a"
         "8.0",
         8, 1},
        {"http by a server", HTTP_RESPONSE_BYTES, "HTTPS? what", 11, 5},
        {"mongodb", HTTP_REQUEST_BYTES, "\x3a\0\0\0\x01", 5, 1},
        {"amqp", HTTP_REQUEST_BYTES, "AMQP\0\0\x09\x01", 8, 5},
        {"ldap", HTTP_REQUEST_BYTES, "0\x0c\x02\x01", 4, 2},
        {"mqtt", HTTP_REQUEST_BYTES, "\x10\x0c\0\x04MQTT", 8, 1},
        {"kafka", HTTP_REQUEST_BYTES, "\0\0\0\x14\0\x12", 6, 1},
        {"rtsp", HTTP_REQUEST_BYTES, "OPTIONS rtsp://h/ RTSP/1.0\r\n", 28, 19},
        {"sip", HTTP_REQUEST_BYTES, "INVITE sip:a@b SIP/2.0\r\n", 24, 16},
        {"xmpp", HTTP_REQUEST_BYTES, "<?xml version='1.0'?>", 21, 1},
        {"json", HTTP_REQUEST_BYTES, "{\"jsonrpc\": \"2.0\"}", 18, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct step s = {cases[i].way, cases[i].bytes, cases[i].size};
        struct http_observer o = http_case(&s, 1), early = {0};
        if (http_phase(&o) != HTTP_NOT_HTTP)
            fail_msg("%s: %s", cases[i].name, http_phase_name(http_phase(&o)));
        for (size_t n = 0; n < cases[i].size; n++)
            if (http_feed(&early, cases[i].way, cases[i].bytes + n, 1) != (n + 1 < cases[i].within))
                fail_msg("%s: after %zu bytes", cases[i].name, n + 1);
        static const char nothing[sizeof o.path];
        assert_memory_equal(o.path, nothing, sizeof o.path);
        assert_memory_equal(o.host, nothing, sizeof o.host);
        assert_int_equal(http_requests(&o), 0);
        assert_int_equal(http_outstanding(&o), 0);
    }
}

/* A target behind an unknown method may be a password: it is kept when the version shows HTTP. */
static void of_an_unknown_first_method_no_path_is_kept(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(OUT("PASS secret"));
    STANDS(o, HTTP_SENDING);
    assert_string_equal(o.path, "");
    o = EXCHANGE(GET, OK, OUT("PROPFIND /a HTTP/1.1\r\n"));
    assert_string_equal(o.path, "/a");
}

/* --- it stops for good ------------------------------------------------------------------------ */

static void a_stopped_observer_does_not_change(void **state) {
    (void)state;
    struct http_observer o = EXCHANGE(GET, IN("HTTP/1.1 200 OK\r\nbroken\r\n")), before;
    STOPPED(o, HTTP_BROKEN, HTTP_BAD_FIELD);
    memcpy(&before, &o, sizeof o);
    assert_false(http_feed(&o, HTTP_REQUEST_BYTES, "GET / HTTP/1.1\r\n\r\n", 18));
    assert_false(http_feed(&o, HTTP_RESPONSE_BYTES, "HTTP/1.1 200 OK\r\n\r\n", 19));
    assert_false(http_skip(&o, HTTP_RESPONSE_BYTES, 5));
    http_end(&o, HTTP_RESPONSE_BYTES);
    assert_memory_equal(&before, &o, sizeof o);
    assert_int_equal(http_requests(&o), 1);
}

/* --- what it is made of ----------------------------------------------------------------------- */

static void an_observer_is_small_and_starts_as_zeroes(void **state) {
    (void)state;
    assert_int_equal(sizeof(struct http_observer), 256);
    assert_int_equal(sizeof(struct http_side), 32);
    assert_int_equal(HTTP_IDLE, 0);
    assert_true(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_CHAR_LOCK_FREE == 2);
}

static void everything_has_a_name(void **state) {
    (void)state;
    for (enum http_phase p = HTTP_IDLE; p <= HTTP_BROKEN; p++)
        assert_true(strlen(http_phase_name(p)) > 1);
    for (enum http_why w = HTTP_BAD_START; w <= HTTP_UNSEEN; w++)
        assert_true(strlen(http_why_text(w)) > 1);
    for (enum http_method m = HTTP_CONNECT; m < HTTP_METHOD_OTHER; m++) {
        char line[32];
        int n = snprintf(line, sizeof line, "%s / ", http_method_name(m));
        struct http_observer o = {0};
        http_feed(&o, HTTP_REQUEST_BYTES, line, (size_t)n);
        assert_int_equal(o.method, m);
    }
    assert_string_equal(http_phase_name(HTTP_BROKEN + 1), "-");
    assert_string_equal(http_why_text(HTTP_UNSEEN + 1), "-");
    assert_string_equal(http_method_name(HTTP_METHOD_OTHER + 1), "-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switching_protocols_hands_over),
        cmocka_unit_test(an_upgrade_that_is_declined_goes_on_as_http),
        cmocka_unit_test(a_tunnel_is_handed_over),
        cmocka_unit_test(a_tunnel_that_is_refused_is_not),
        cmocka_unit_test(bytes_behind_a_connect_that_is_refused_stop_the_observer),
        cmocka_unit_test(the_preface_of_http_2_is_known),
        cmocka_unit_test(other_protocols_are_known_by_their_first_bytes),
        cmocka_unit_test(of_an_unknown_first_method_no_path_is_kept),
        cmocka_unit_test(a_stopped_observer_does_not_change),
        cmocka_unit_test(an_observer_is_small_and_starts_as_zeroes),
        cmocka_unit_test(everything_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
