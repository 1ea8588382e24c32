/* The verdict no-timeout at its boundaries, and what is said of it, on synthetic boxes. */
#include <stdio.h>
#include <string.h>

#include "support.h"

#include "report/blocked.h"
#include "report/verdict.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)

static struct box box;
static struct view view;
static struct report r;
static uint32_t site;
static struct fact *x;

/* A connection on which a request was sent leak_after ago, and a thread that waits in recv(). */
static int fresh(void **state) {
    (void)state;
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    uint32_t host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    site = synthetic_site(&box, synthetic_stack(&box, 1, (uint64_t)0x1000), host, CONN_OUTBOUND);
    synthetic_conn(&box, site, NOW - 2 * LEAK_AFTER);
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
    x = &r.facts.fact[0];
    x->last_out = NOW - LEAK_AFTER;
    x->bytes_out = 10;
    x->blocked_thread = 4242;
    x->blocked_call = BLOCKED_RECV;
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static void connecting(void) {
    x->state = CONN_CONNECTING;
    x->tcp = TCP_IS_SYN_SENT;
    x->opened = NOW - LEAK_AFTER;
    x->settled = x->last_out = x->bytes_out = 0;
    x->blocked_call = BLOCKED_CONNECT;
}

static void assert_verdict(enum verdict want) {
    verdict_judge(&r.facts, r.trigger == TRIGGER_EXIT);
    assert_int_equal(x->verdict, want);
}

static void a_thread_that_waits_for_an_answer_without_end_is_a_risk(void **state) {
    (void)state;
    assert_verdict(VERDICT_NO_TIMEOUT);
    r.trigger = TRIGGER_EXIT;
    assert_verdict(VERDICT_NO_TIMEOUT);
}

static void not_before_leak_after(void **state) {
    (void)state;
    x->last_out = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_OPEN);
    connecting();
    assert_verdict(VERDICT_NO_TIMEOUT);
    x->opened = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_OPEN);
}

static void not_with_a_timeout_of_the_right_kind(void **state) {
    (void)state;
    x->flags = CONN_READ_TIMED;
    assert_verdict(VERDICT_OPEN);
    x->flags = CONN_WRITE_TIMED;
    assert_verdict(VERDICT_NO_TIMEOUT);
    connecting();
    assert_verdict(VERDICT_OPEN);
    x->flags = CONN_READ_TIMED;
    assert_verdict(VERDICT_NO_TIMEOUT);
}

static void not_without_a_thread(void **state) {
    (void)state;
    x->blocked_thread = 0;
    assert_verdict(VERDICT_OPEN);
    connecting();
    assert_verdict(VERDICT_OPEN);
}

static void a_read_must_have_an_answer_due_and_nothing_to_read(void **state) {
    (void)state;
    x->last_in = x->last_out--; /* it waits for whatever the peer may say */
    assert_verdict(VERDICT_OPEN);
    x->last_in = 0;
    assert_verdict(VERDICT_NO_TIMEOUT);
    x->unread = 1;
    assert_verdict(VERDICT_OPEN);
}

/* It was established, or refused, between the two looks. */
static void the_call_must_fit_the_connections_state(void **state) {
    (void)state;
    x->blocked_call = BLOCKED_CONNECT;
    assert_verdict(VERDICT_OPEN);
    connecting();
    x->blocked_call = BLOCKED_READ;
    assert_verdict(VERDICT_OPEN);
}

static void leaks_and_a_handshake_under_way_are_told_instead(void **state) {
    (void)state;
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->eof_at = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_PEER_CLOSED);
    x->tcp = TCP_IS_ESTABLISHED;
    x->has_tls = true;
    x->tls.begun = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_TLS_HANDSHAKE);
    x->tls.flags = TLS_DONE;
    assert_verdict(VERDICT_NO_TIMEOUT);
}

static void what_others_opened_is_not_judged(void **state) {
    (void)state;
    x->flags = CONN_INHERITED;
    assert_verdict(VERDICT_INHERITED);
    x->flags = 0;
    x->direction = CONN_INBOUND;
    assert_verdict(VERDICT_INBOUND);
}

static void a_connection_that_a_thread_waits_on_is_not_never_closed(void **state) {
    (void)state;
    x->last_in = x->last_out--;
    synthetic_reopened(&box, site, NOW);
    assert_verdict(VERDICT_OPEN);
    x->blocked_thread = 0;
    assert_verdict(VERDICT_NEVER_CLOSED);
}

/* --- words ------------------------------------------------------------------------------------ */

static void assert_says(const char *words) {
    assert_true(report_judge(&r));
    support_holds(synthetic_text(&r), words);
    groups_free(&r.groups);
}

static void a_read_is_told_by_what_was_asked(void **state) {
    (void)state;
    assert_says("== RISK no-timeout: 1 connection to 10.0.0.1:443, oldest 1m00s\n"
                "  asked 30s ago, nothing came; thread 4242 is blocked in recv() and no timeout is "
                "set; fds 3\n");
    assert_says("  thread 4211  blocked: thread 4242 in recv()\n");
    assert_says("SUMMARY: poolguard: no leaks, 1 open connection\n");
}

static void an_answer_that_stopped_is_told_as_that(void **state) {
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    x->has_http = true;
    http_feed(&x->http, HTTP_REQUEST_BYTES, request, sizeof request - 1);
    x->last_in = x->last_out--; /* a session ticket */
    assert_says("  asked 30s ago, nothing came; thread 4242 is blocked in recv() and no timeout is "
                "set; fds 3\n");
    http_feed(&x->http, HTTP_RESPONSE_BYTES, response, sizeof response - 1);
    assert_says("  the answer stopped 30s ago; thread 4242 is blocked in recv() and no timeout is "
                "set; fds 3\n");
}

static void what_a_call_has_taken_and_not_given_is_no_silence(void **state) {
    (void)state;
    x->unseen_use = NOW - LEAK_AFTER;
    x->last_out -= LEAK_AFTER;
    assert_says("  nothing came for 30s; thread 4242 is blocked in recv() and no timeout is set; ");
}

static void a_connect_is_told_by_its_time(void **state) {
    (void)state;
    connecting();
    assert_says("  thread 4242 has been blocked in connect() for 30s, no timeout is set; fds 3\n");
}

static void several_are_counted(void **state) {
    (void)state;
    report_free(&r);
    for (int i = 0; i < 3; i++)
        synthetic_conn(&box, site, NOW - (uint64_t)(100 + i) * SECOND);
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
    for (x = r.facts.fact; x < r.facts.fact + 4; x++) {
        connecting();
        x->opened -= 5 * SECOND * (uint64_t)(x - r.facts.fact + 1);
        x->blocked_thread = 4242;
    }
    assert_says("  4 threads have been blocked in connect() for at least 35s, no timeout is set; "
                "fds 3 4 5 6\n");
    x = &r.facts.fact[2];
    x->blocked_call = BLOCKED_READ;
    x->state = CONN_ESTABLISHED;
    x->tcp = TCP_IS_ESTABLISHED;
    x->last_out = x->opened;
    x->bytes_out = 1;
    assert_says(
        "  4 threads are blocked in connect() and reads, nothing came for at least 35s, no timeout "
        "is set; fds");
    assert_says("blocked: thread 4242 in read()\n");
    for (x = r.facts.fact; x < r.facts.fact + 4; x++) {
        x->blocked_call = x == r.facts.fact ? BLOCKED_READV : BLOCKED_READ;
        x->state = CONN_ESTABLISHED;
        x->tcp = TCP_IS_ESTABLISHED;
        x->last_out = x->opened;
        x->bytes_out = 1;
    }
    assert_says("  4 threads are blocked in reads, nothing came for at least 35s, no timeout is ");
}

static void json_names_thread_and_call(void **state) {
    (void)state;
    assert_true(report_judge(&r));
    const char *t = synthetic_json(&r);
    assert_non_null(strstr(t, "{\"class\":\"no-timeout\",\"kind\":\"risk\",\"count\":1,"));
    assert_non_null(strstr(t, "\"flags\":[],\"blocked\":{\"thread\":4242,\"call\":\"recv\"},"));
    x->blocked_thread = 0;
    assert_null(strstr(synthetic_json(&r), "\"blocked\""));
}

static void where_it_can_not_be_told_a_note_says_so(void **state) {
    (void)state;
    x->blocked_thread = 0;
    r.facts.blocked_unknown = true;
    assert_says("\nwhich calls its threads are in could not be looked at (no permission to trace "
                "it, no descriptor left, or no /proc): nothing is called no-timeout\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_thread_that_waits_for_an_answer_without_end_is_a_risk),
        TEST(not_before_leak_after),
        TEST(not_with_a_timeout_of_the_right_kind),
        TEST(not_without_a_thread),
        TEST(a_read_must_have_an_answer_due_and_nothing_to_read),
        TEST(the_call_must_fit_the_connections_state),
        TEST(leaks_and_a_handshake_under_way_are_told_instead),
        TEST(what_others_opened_is_not_judged),
        TEST(a_connection_that_a_thread_waits_on_is_not_never_closed),
        TEST(a_read_is_told_by_what_was_asked),
        TEST(an_answer_that_stopped_is_told_as_that),
        TEST(what_a_call_has_taken_and_not_given_is_no_silence),
        TEST(a_connect_is_told_by_its_time),
        TEST(several_are_counted),
        TEST(json_names_thread_and_call),
        TEST(where_it_can_not_be_told_a_note_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
