/* HTTP inside of TLS: by the calls that the wrappers make. The objects are addresses, the
 * connections are real ones. */
#include "http_wire.h"

#include "conn/tls.h"

#define GET "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define BY_END "HTTP/1.1 200 OK\r\n\r\n"

static struct wire wire;
static struct box_tls *tls;
static char objects[2];
static uint64_t conns_before;

static struct box_tls *tie(const void *object) {
    struct tls_object *o = tls_note(object);
    tls_made_by_program(o);
    tls_tie(o, fd_get(wire.fd), TLS_OPENSSL);
    assert_non_null(tls_record(o));
    return tls_record(o);
}

static int fresh(void **state) {
    (void)state;
    wire = wire_open();
    conns_before = wire_conns(wire.fd);
    return 0;
}

static int tidy(void **state) {
    for (size_t i = 0; i < sizeof objects; i++)
        if (tls_find(objects + i))
            tls_freeing(tls_find(objects + i));
    wire_close(&wire);
    return wire_nothing_held(state);
}

/* The bytes of a handshake, and those around what is said: no descriptor of a test's own. */
static void shake(void) {
    if (!wire_conn(wire.fd)->http[HTTP_PLAIN])
        wire_say(&wire, "\x16\x03\x01");
    wire_reply(&wire, "\x16\x03\x03");
    tls = tie(objects);
}

static void gave(const char *text) {
    wire_say(&wire, "\x17\x03\x03");
    tls_gave(tls, text, strlen(text));
}

static void took(const char *text) {
    wire_reply(&wire, "\x17\x03\x03");
    tls_took(tls, text, strlen(text), 0);
}

static enum http_phase phase(void) {
    const struct box_http *h = wire_http_in(wire.fd, HTTP_IN_TLS);
    return h ? http_phase(&h->http) : HTTP_NOT_HTTP;
}

#define assert_phase(want) assert_int_equal(phase(), want)
#define assert_counted(n) assert_int_equal(wire_conns(wire.fd) - conns_before, n)

static void what_is_said_inside_is_seen(void **state) {
    (void)state;
    shake();
    gave(GET);
    assert_phase(HTTP_WAITING);
    assert_true(wire_is_let_go(wire.fd)); /* outside there is none */
    took(WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    assert_counted(1);
    assert_int_equal(wire_held(), 1);
    close(wire.fd);
    wire.fd = -1;
    assert_int_equal(wire_held(), 0);
    tls_gave(tls, GET, sizeof GET - 1); /* the object lives on */
    tls_took(tls, WIRE_OK, sizeof WIRE_OK - 1, 0);
    tls_notified(tls);
    assert_int_equal(wire_held(), 0);
}

static void what_is_no_http_inside_is_let_go(void **state) {
    (void)state;
    shake();
    gave("A1 LOGIN me\r\n");
    assert_phase(HTTP_NOT_HTTP);
    assert_int_equal(tls->spoken, 0);
    assert_int_equal(wire_held(), 0);
    gave(GET);
    took(WIRE_OK);
    assert_phase(HTTP_NOT_HTTP);
    assert_counted(0);
}

static void a_server_that_speaks_first_is_no_http_server(void **state) {
    (void)state;
    shake();
    took("* OK IMAP4\r\n");
    gave(GET);
    assert_phase(HTTP_NOT_HTTP);
}

static void what_is_over_is_not_looked_at_any_more(void **state) {
    (void)state;
    shake();
    gave("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_phase(HTTP_IS_H2);
    assert_int_equal(tls->spoken, 0);
    gave(GET);
    took(WIRE_OK);
    assert_phase(HTTP_IS_H2);
    assert_counted(0);
}

static void bytes_that_the_library_takes_from_a_file_are_not_seen(void **state) {
    (void)state;
    shake();
    gave("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
    tls_gave(tls, NULL, 10);
    assert_phase(HTTP_WAITING);
    tls_took(tls, NULL, 0, 5); /* peeked at */
    took(WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    tls_gave(tls, NULL, 10);
    assert_phase(HTTP_BROKEN);
}

static void a_first_request_from_a_file_is_not_known(void **state) {
    (void)state;
    shake();
    tls_gave(tls, NULL, 10);
    gave(GET);
    assert_phase(HTTP_NOT_HTTP);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void the_peers_notice_ends_a_response_without_length(void **state) {
    (void)state;
    shake();
    gave(GET);
    took(BY_END "some");
    assert_phase(HTTP_RESPONSE_BODY);
    tls_notified(tls);
    assert_phase(HTTP_COMPLETE);
}

static void an_end_without_notice_ends_it_too(void **state) {
    (void)state;
    shake();
    gave(GET);
    took(BY_END "some");
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    assert_phase(HTTP_COMPLETE);
}

static void what_comes_after_the_notice_ends_the_looking(void **state) {
    (void)state;
    shake();
    gave(GET);
    took(BY_END "some");
    tls_notified(tls);
    took("more");
    assert_phase(HTTP_BROKEN);
}

/* The ways of ending an idle connection: who was first? */
static uint64_t ended_as(int fd, enum use_end end) {
    uint64_t before = wire_use(fd)->ended[end];
    const struct box_use *u = wire_use(fd);
    close(fd);
    return u->ended[end] - before;
}

static void rest_after_an_exchange(void) {
    shake();
    gave(GET);
    took(WIRE_OK);
    wire_age(wire.fd, SECOND);
}

static void who_says_bye_first_ends_it(void **state) {
    (void)state;
    rest_after_an_exchange();
    tls_said_bye(tls);
    wire_age(wire.fd, SECOND);
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    assert_int_equal(ended_as(wire.fd, USE_UNUSED), 1);
    wire.fd = -1;
}

static void who_answers_a_bye_does_not_end_it(void **state) {
    (void)state;
    rest_after_an_exchange();
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    tls_said_bye(tls);
    assert_int_equal(ended_as(wire.fd, USE_SERVER_CLOSED), 1);
    wire.fd = -1;
}

/* Its notice was read, its FIN was not. */
static void who_answers_a_notice_does_not_end_it(void **state) {
    (void)state;
    rest_after_an_exchange();
    tls_notified(tls);
    tls_said_bye(tls);
    wire_peer_ends(&wire);
    assert_int_equal(read(wire.fd, &(char){0}, 1), 0);
    assert_int_equal(ended_as(wire.fd, USE_SERVER_CLOSED), 1);
    wire.fd = -1;
}

/* The program says bye and closes; the kernel knows that the server had gone long before. */
static void a_bye_into_a_connection_that_had_ended_ends_nothing(void **state) {
    (void)state;
    if (support_is_emulated()) /* TCP_INFO is cut to its first word there */
        skip();
    rest_after_an_exchange();
    wire_peer_ends(&wire);
    usleep(150000);    /* the kernel's clock, not an event */
    tls_said_bye(tls); /* whose bytes would be acknowledged */
    assert_int_equal(ended_as(wire.fd, USE_SERVER_CLOSED), 1);
    wire.fd = -1;
}

/* --- one inside of the other, one after the other --------------------------------------------- */

static void a_tunnels_inside_is_the_exchange(void **state) {
    (void)state;
    wire_say(&wire, "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n");
    wire_reply(&wire, "HTTP/1.1 200 OK\r\n\r\n");
    shake();
    _Atomic uint32_t *alias = &mine.hosts[mine.sites[wire_conn(wire.fd)->site].host].alias;
    uint32_t proxys = *alias;
    gave("GET /a HTTP/1.1\r\nHost: inside.test\r\n\r\n");
    took(WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    assert_int_equal(*alias, proxys);
    assert_int_equal(wire_phase(wire.fd), HTTP_HANDED_OVER);
    assert_int_equal(wire_held(), 2);
    assert_counted(1);
    uint64_t before = wire_use(wire.fd)->ended[USE_UNUSED];
    const struct box_use *u = wire_use(wire.fd);
    wire_close(&wire);
    assert_int_equal(u->ended[USE_UNUSED], before + 1);
    assert_int_equal(wire_held(), 0);
}

static void a_second_session_on_the_connection_counts_as_the_first(void **state) {
    (void)state;
    shake();
    gave(GET);
    took(WIRE_OK);
    assert_counted(1);
    tls_freeing(tls_find(objects));
    tls = tie(objects + 1);
    gave(GET GET);
    assert_phase(HTTP_WAITING);
    assert_int_equal(http_requests(&wire_http_in(wire.fd, HTTP_IN_TLS)->http), 2);
    assert_int_equal(wire_held(), 1);
    assert_counted(1);
}

static void a_second_session_that_is_no_http_leaves_no_record(void **state) {
    (void)state;
    shake();
    gave(GET);
    took(WIRE_OK);
    tls_freeing(tls_find(objects));
    tls = tie(objects + 1);
    gave("\1\2\3");
    assert_phase(HTTP_NOT_HTTP);
    assert_int_equal(wire_held(), 0);
}

/* RFC 2817. */
static void a_connection_that_goes_over_to_tls_counts_once(void **state) {
    (void)state;
    wire_get(&wire, "/plain");
    wire_say(&wire,
             "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n");
    wire_reply(&wire, "HTTP/1.1 101 Switching\r\nUpgrade: TLS/1.0\r\n\r\n");
    shake();
    gave(GET);
    took(WIRE_OK);
    assert_phase(HTTP_COMPLETE);
    assert_counted(1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_inside_is_seen),
        TEST(what_is_no_http_inside_is_let_go),
        TEST(a_server_that_speaks_first_is_no_http_server),
        TEST(what_is_over_is_not_looked_at_any_more),
        TEST(bytes_that_the_library_takes_from_a_file_are_not_seen),
        TEST(a_first_request_from_a_file_is_not_known),
        TEST(the_peers_notice_ends_a_response_without_length),
        TEST(an_end_without_notice_ends_it_too),
        TEST(what_comes_after_the_notice_ends_the_looking),
        TEST(who_says_bye_first_ends_it),
        TEST(who_answers_a_bye_does_not_end_it),
        TEST(who_answers_a_notice_does_not_end_it),
        TEST(a_bye_into_a_connection_that_had_ended_ends_nothing),
        TEST(a_tunnels_inside_is_the_exchange),
        TEST(a_second_session_on_the_connection_counts_as_the_first),
        TEST(a_second_session_that_is_no_http_leaves_no_record),
        TEST(a_connection_that_goes_over_to_tls_counts_once),
    };
    return cmocka_run_group_tests(tests, wire_setup, wire_teardown);
}
