/* What is wrong with a connection, where HTTP tells: bodies that nobody reads, connections that
 * were passed over, and places that were called leaky and were none. On synthetic boxes. */
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)
#define GET "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BODY "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"

static struct box box;
static struct view view;
static struct report r;
static uint32_t host, stack, site;
static struct box_conn *conn;
static struct fact *x;

/* One connection: opened 100 s ago, used 90 s ago for the last time; 40 s ago 6 bytes came that
 * wait since. */
static void make(const char *out, const char *in) {
    report_free(&r);
    box_unmap(&box);
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    host = synthetic_host(&box, "10.0.0.1:80", LEAK_AFTER);
    stack = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2000);
    site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    conn = synthetic_conn(&box, site, NOW - 100 * SECOND);
    conn->last_out = NOW - 91 * SECOND;
    conn->last_in = NOW - 90 * SECOND;
    conn->bytes_out = strlen(out);
    conn->bytes_in = strlen(in);
    conn->calls_out = conn->calls_in = 1;
    if (*out)
        synthetic_http(&box, conn, out, in);
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
    x = &r.facts.fact[0];
    x->unread = 6;
    x->waits_since = NOW - 40 * SECOND;
}

static int fresh(void **state) {
    (void)state;
    memset(&box, 0, sizeof box);
    make(GET, BODY);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static enum verdict verdict(void) {
    verdict_judge(&r.facts, r.trigger == TRIGGER_EXIT);
    return r.facts.fact[0].verdict;
}

#define assert_verdict(want) assert_int_equal(verdict(), want)

static const char *rendered(bool json) {
    groups_free(&r.groups);
    assert_true(report_judge(&r));
    return json ? synthetic_json(&r) : synthetic_text(&r);
}

static void says(const char *words, bool json) {
    support_holds(rendered(json), words);
}

#define assert_says(words) says(words, false)
#define assert_json(words) says(words, true)

/* --- body-unread ------------------------------------------------------------------------------ */

static void bytes_must_have_waited_for_leak_after(void **state) {
    (void)state;
    assert_verdict(VERDICT_BODY_UNREAD);
    x->waits_since = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_BODY_UNREAD);
    x->waits_since++;
    assert_verdict(VERDICT_OPEN);
    x->waits_since = 0; /* nothing waits */
    assert_verdict(VERDICT_OPEN);
    x->waits_since = NOW + 1;
    assert_verdict(VERDICT_OPEN);
}

static void nobody_must_have_touched_it_for_leak_after(void **state) {
    (void)state;
    uint64_t *const uses[] = {&x->last_in, &x->last_out, &x->opened, &x->settled, &x->unseen_use};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        uint64_t was = *uses[i];
        *uses[i] = NOW - LEAK_AFTER;
        assert_verdict(VERDICT_BODY_UNREAD);
        *uses[i] = NOW - LEAK_AFTER + 1;
        assert_verdict(VERDICT_OPEN);
        *uses[i] = was;
    }
}

static void only_an_answer_that_is_due_or_has_begun_can_be_unread(void **state) {
    (void)state;
    static const struct {
        const char *out, *in;
        bool unread;
    } cases[] = {
        {GET, "", true},
        {GET, "HTTP/1.1 100 Continue\r\n\r\n", true},
        {GET, "HTTP/1.1 2", true},
        {GET, "HTTP/1.1 200 OK\r\nX: y", true},
        {GET, BODY, true},
        {GET, "HTTP/1.1 200 OK\r\n\r\nsome", true},
        {GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX", true},
        {GET GET, OK, true},
        {GET, OK, false}, /* a session ticket, or a message nobody asked for */
        {"GET", "", false},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "", false},
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", false},
        {GET, "HTTP/1.1 101 Switching\r\n\r\n", false},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", false},
        {GET, "garbage\r\n", false},
        {"EHLO x\r\n", "", false},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(cases[i].out, cases[i].in);
        if ((verdict() == VERDICT_BODY_UNREAD) != cases[i].unread)
            fail_msg("case %zu: verdict %d", i, (int)verdict());
    }
}

static void who_listens_may_be_about_to_read(void **state) {
    (void)state;
    x->watched = true;
    assert_verdict(VERDICT_OPEN);
    x->watched = false;
    r.facts.watch_unknown = true;
    assert_verdict(VERDICT_OPEN);
}

static void what_others_opened_and_what_came_in_is_nobodys_body(void **state) {
    (void)state;
    static const uint16_t handed[] = {CONN_INHERITED, CONN_BY_EXEC, CONN_RECEIVED};
    for (int i = 0; i < 3; i++) {
        x->flags = handed[i];
        assert_verdict(VERDICT_INHERITED);
    }
    x->flags = 0;
    x->direction = CONN_INBOUND;
    assert_verdict(VERDICT_INBOUND);
}

static void bytes_in_the_tls_object_wait_from_the_last_read_on(void **state) {
    (void)state;
    x->unread = 0;
    x->waits_since = 0;
    x->has_tls = true;
    x->tls = (struct fact_tls){.flags = TLS_DONE, .pending = 4, .last_in = NOW - LEAK_AFTER};
    assert_verdict(VERDICT_BODY_UNREAD);
    x->tls.last_in++;
    assert_verdict(VERDICT_OPEN);
    x->tls.last_in = NOW - LEAK_AFTER;
    x->tls.pending = 0;
    assert_verdict(VERDICT_OPEN);
    x->unread = 6; /* in both: the object was read last */
    x->waits_since = NOW - 80 * SECOND;
    x->tls.pending = 4;
    assert_verdict(VERDICT_BODY_UNREAD);
    assert_says("\n  10 B of response body never read; not touched for 30s; fds 3\n");
    x->tls.last_in = NOW - SECOND;
    assert_verdict(VERDICT_OPEN);
    x->tls.last_in = NOW - 50 * SECOND;
    x->tls.freed = NOW - 40 * SECOND; /* with what it held */
    assert_verdict(VERDICT_TLS_FREED);
}

static void it_goes_before_what_the_peer_did(void **state) {
    (void)state;
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->silent_ms = 40000;
    assert_verdict(VERDICT_BODY_UNREAD);
    assert_says("; not touched for 1m30s; the peer has closed; fds 3\n");
    x->waits_since = 0;
    assert_verdict(VERDICT_PEER_CLOSED);
    r.trigger = TRIGGER_EXIT;
    assert_verdict(VERDICT_PEER_CLOSED);
    x->waits_since = NOW - 40 * SECOND;
    assert_verdict(VERDICT_BODY_UNREAD);
}

static void its_group_says_how_much_waits(void **state) {
    (void)state;
    assert_says("==4211== LEAK body-unread: 1 connection to 10.0.0.1:80, oldest 1m40s\n"
                "  6 B of response body never read; not touched for 1m30s; fds 3\n"
                "  opened:\n    #0 connect\n");
    assert_says("\n      HTTP: GET /a -> 200, response-body, 3 B of 9 B read, 1 request\n");
    assert_json("{\"class\":\"body-unread\",\"kind\":\"leak\",\"count\":1,");
    assert_json("\"requests\":1,\"http\":{\"phase\":\"response-body\",\"method\":\"GET\","
                "\"path\":\"/a\",\"closes\":[],\"status\":200,\"framing\":\"length\","
                "\"body_read\":3,\"body_left\":6}");
    assert_int_equal(report_leaks(&r), 1);
    make(GET, "");
    assert_says("\n  6 B of the response never read; not touched for 1m30s");
    assert_says("\n      HTTP: GET /a, waiting, 1 request\n");
}

/* What the kernel says of a connection that nobody else uses. */
static uint64_t waits_since(uint64_t noted, uint32_t received_ms_ago, uint32_t unread) {
    struct tcp_info i = {.tcpi_last_data_recv = received_ms_ago,
                         .tcpi_bytes_received = x->bytes_in + unread,
                         .tcpi_bytes_acked = x->bytes_out + 1};
    x->waits_since = noted;
    x->unread = unread;
    fact_take_info(x, &i, NOW);
    return x->waits_since;
}

static void an_earlier_look_tells_since_when_it_waits(void **state) {
    (void)state;
    assert_int_equal(waits_since(0, 5000, 6), NOW - 5 * SECOND);
    assert_int_equal(waits_since(NOW - 40 * SECOND, 5000, 6), NOW - 40 * SECOND);
    assert_int_equal(waits_since(NOW - SECOND, 5000, 6), NOW - 5 * SECOND);
    assert_int_equal(waits_since(NOW - 40 * SECOND, 5000, 0), 0);
    /* that was before the last read, or in an earlier life of the record */
    assert_int_equal(waits_since(NOW - 95 * SECOND, 5000, 6), NOW - 5 * SECOND);
    assert_int_equal(waits_since(x->last_in, 5000, 6), NOW - 5 * SECOND);
    x->last_in = 0;
    assert_int_equal(waits_since(NOW - 99 * SECOND, 5000, 6), NOW - 99 * SECOND);
    assert_int_equal(waits_since(NOW - 101 * SECOND, 5000, 6), NOW - 5 * SECOND);
    assert_int_equal(x->unseen_use, 0);
    assert_true(x->has_http);
}

static void what_went_by_unseen_is_use_and_no_exchange(void **state) {
    (void)state;
    struct tcp_info i = {.tcpi_last_data_recv = 7000, .tcpi_last_data_sent = 8000};
    i.tcpi_bytes_received = x->bytes_in + 6 + 1; /* a FIN */
    i.tcpi_bytes_acked = x->bytes_out + 2;
    fact_take_info(x, &i, NOW);
    assert_true(x->has_http);
    i.tcpi_bytes_received++;
    fact_take_info(x, &i, NOW);
    assert_false(x->has_http);
    assert_int_equal(x->unseen_use, NOW - 7 * SECOND);
    make(GET, BODY);
    i.tcpi_bytes_received = 0;
    i.tcpi_bytes_acked = x->bytes_out + 3;
    fact_take_info(x, &i, NOW);
    assert_false(x->has_http);
    make(GET, BODY);
    i = (struct tcp_info){.tcpi_last_data_recv = UINT32_MAX, .tcpi_bytes_received = UINT64_MAX};
    fact_take_info(x, &i, NOW);
    assert_int_equal(x->unseen_use, NOW); /* as late as either */
}

/* --- never-closed ----------------------------------------------------------------------------- */

/* One that rests; nothing waits. */
static void make_resting(const char *out, const char *in) {
    make(out, in);
    x->unread = 0;
    x->waits_since = 0;
}

static void only_a_connection_whose_exchanges_are_complete_is_passed_over(void **state) {
    (void)state;
    static const struct {
        const char *out, *in;
        bool leak;
    } cases[] = {
        {GET, OK, true},
        {GET, "", false},
        {GET, BODY, false},
        {GET GET, OK, false},
        {"GET", "", false},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "", false},
        {GET, "HTTP/1.1 101 Switching\r\n\r\n", false}, /* a WebSocket may be quiet */
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", true},
        {GET, "garbage\r\n", true},
        {"", "", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_resting(cases[i].out, cases[i].in);
        synthetic_reopened(&box, site, NOW - SECOND);
        box.sites[site].opened = 2;
        box.sites[site].first_opened = 1;
        if ((verdict() == VERDICT_NEVER_CLOSED) != cases[i].leak)
            fail_msg("case %zu: verdict %d", i, (int)verdict());
    }
}

static void who_is_in_the_middle_of_something_else_is_not_passed_over(void **state) {
    (void)state;
    make_resting("", "");
    synthetic_reopened(&box, site, NOW - SECOND);
    assert_verdict(VERDICT_NEVER_CLOSED);
    x->last_out = x->last_in + 1;
    assert_verdict(VERDICT_OPEN);
    make_resting(GET, OK); /* what is written behind a complete exchange is no request */
    synthetic_reopened(&box, site, NOW - SECOND);
    x->last_out = x->last_in + 1;
    assert_verdict(VERDICT_NEVER_CLOSED);
}

static void opened_by(int32_t thread, uint64_t when) {
    struct box_openings *o = &box.sites[site].by_thread[(uint32_t)thread % SITE_THREADS];
    atomic_store(&o->thread, thread);
    atomic_store(&o->at[atomic_load(&o->count) % OPENINGS_KEPT], when);
    atomic_fetch_add(&o->count, 1);
}

/* Of the place, whoever it was. */
static void opened_by_any(uint64_t when) {
    struct box_openings *o = &box.sites[site].openings;
    atomic_store(&o->at[atomic_load(&o->count) % OPENINGS_KEPT], when);
    atomic_fetch_add(&o->count, 1);
}

static void another_threads_connection_passes_nobody_over(void **state) {
    (void)state;
    make_resting(GET, OK);
    opened_by_any(NOW - SECOND);
    opened_by(SYNTHETIC_THREAD + 1, NOW - SECOND);
    assert_verdict(VERDICT_OPEN);
    opened_by(SYNTHETIC_THREAD, NOW - SECOND);
    assert_verdict(VERDICT_NEVER_CLOSED);
    /* one of the same place in the table has opened since */
    opened_by(SYNTHETIC_THREAD + SITE_THREADS, NOW - SECOND);
    assert_verdict(VERDICT_OPEN);
}

static void anybodys_does_when_the_thread_is_gone(void **state) {
    (void)state;
    make_resting(GET, OK);
    opened_by_any(x->last_in + LEAK_AFTER / 10 - 1);
    x->opener_gone = true;
    assert_verdict(VERDICT_OPEN);
    opened_by_any(x->last_in + LEAK_AFTER / 10);
    assert_verdict(VERDICT_NEVER_CLOSED);
    x->opener_gone = false;
    assert_verdict(VERDICT_OPEN);
}

static void anybodys_does_when_there_are_more_than_threads(void **state) {
    (void)state;
    make_resting(GET, OK);
    opened_by_any(NOW - SECOND);
    box.sites[site].opened = 7;
    box.sites[site].closed = 3;
    r.facts.threads = 4;
    assert_verdict(VERDICT_OPEN);
    r.facts.threads = 3;
    assert_verdict(VERDICT_NEVER_CLOSED);
    r.facts.threads = 0; /* not known */
    assert_verdict(VERDICT_OPEN);
    r.facts.threads = 1;
    box.sites[site].closed = 8; /* torn */
    assert_verdict(VERDICT_OPEN);
}

static uint32_t passes_until_leak(void) {
    for (uint32_t n = 1; n <= 2 * OPENINGS_KEPT; n++) {
        synthetic_reopened(&box, site, NOW - SECOND);
        if (verdict() == VERDICT_NEVER_CLOSED)
            return n;
    }
    return 0;
}

static void one_that_is_kept_must_be_passed_over_many_times(void **state) {
    (void)state;
    make_resting(GET, OK);
    assert_int_equal(passes_until_leak(), 1);
    make_resting(GET GET, OK OK);
    uint32_t many = passes_until_leak();
    assert_int_equal(many, 8);
    make_resting("", "");
    x->calls_out = 3;
    assert_int_equal(passes_until_leak(), 1);
    make_resting("", "");
    x->calls_out = 4;
    assert_int_equal(passes_until_leak(), many);
    make_resting("", "");
    x->unseen_use = NOW - 60 * SECOND;
    assert_int_equal(passes_until_leak(), many);
    make_resting(GET, OK); /* of one with HTTP, writes do not count */
    x->calls_out = 60;
    assert_int_equal(passes_until_leak(), 1);
}

/* While the newest one is being noted it stands where the oldest one stood, and is not counted. */
static void what_is_being_noted_is_not_counted_twice(void **state) {
    (void)state;
    make_resting(GET GET, OK OK);
    for (int i = 0; i < OPENINGS_KEPT; i++)
        synthetic_reopened(&box, site, i < 3 ? NOW - 95 * SECOND : NOW - 20 * SECOND);
    assert_verdict(VERDICT_OPEN);
    struct box_openings *o[] = {&box.sites[site].openings,
                                &box.sites[site].by_thread[SYNTHETIC_THREAD % SITE_THREADS]};
    for (int i = 0; i < 2; i++)
        atomic_store(&o[i]->at[atomic_load(&o[i]->count) % OPENINGS_KEPT], NOW - SECOND);
    assert_verdict(VERDICT_OPEN);
}

static void the_only_one_left_beside_others_that_come_and_go_is_kept(void **state) {
    (void)state;
    make_resting(GET, OK);
    synthetic_reopened(&box, site, NOW - SECOND);
    struct box_site *s = &box.sites[site];
    s->first_opened = x->opened;
    s->opened = 9;
    s->closed = 8;
    assert_verdict(VERDICT_OPEN);
    s->closed = 7; /* another one is open, and busy */
    struct fact *other = &r.facts.fact[r.facts.count++];
    *other = *x;
    other->opened = other->last_in = NOW;
    assert_verdict(VERDICT_OPEN);
    other->opened = other->last_in = other->last_out = other->settled =
        x->opened + 1; /* it is not */
    assert_verdict(VERDICT_NEVER_CLOSED);
    r.facts.count--;
    s->closed = 8;
    s->first_opened--; /* it was not the first */
    assert_verdict(VERDICT_NEVER_CLOSED);
    s->first_opened++;
    s->opened = 1;
    s->closed = 0;
    assert_verdict(VERDICT_NEVER_CLOSED); /* others were opened, and are not counted here */
}

static void its_evidence_says_that_the_response_was_read(void **state) {
    (void)state;
    make_resting(GET, OK);
    synthetic_reopened(&box, site, NOW - SECOND);
    assert_says("; its last response was read from the connection to its end; fds 3\n");
    assert_says("\n      HTTP: GET /a -> 200, complete, 2 B read, 1 request\n");
    assert_json("\"http\":{\"phase\":\"complete\",\"method\":\"GET\",\"path\":\"/a\","
                "\"closes\":[],\"status\":200,\"framing\":\"length\",\"body_read\":2,"
                "\"body_left\":0}");
}

/* --- retraction ------------------------------------------------------------------------------- */

static void retracted(uint32_t times, uint64_t quiet) {
    struct box_site *s = &box.sites[site];
    s->retracted = times;
    s->retracted_class = VERDICT_NEVER_CLOSED;
    s->retracted_at = NOW - 5 * SECOND;
    s->retracted_after = 94 * SECOND;
    s->quiet_longest = quiet;
}

static void from_the_second_retraction_on_a_place_is_given_more_time(void **state) {
    (void)state;
    make_resting(GET, OK);
    synthetic_reopened(&box, site, NOW);
    x->last_out = 0;
    x->opened = x->settled = x->last_in = NOW - 60 * SECOND;
    retracted(0, 40 * SECOND);
    assert_verdict(VERDICT_NEVER_CLOSED);
    retracted(1, 40 * SECOND);
    assert_verdict(VERDICT_NEVER_CLOSED);
    retracted(2, 40 * SECOND);
    assert_verdict(VERDICT_NEVER_CLOSED); /* 40 s and half of it */
    x->last_in++;
    assert_verdict(VERDICT_OPEN);
    retracted(2, 20 * SECOND); /* never less than leak_after */
    x->opened = x->settled = x->last_in = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_NEVER_CLOSED);
    x->last_in++;
    assert_verdict(VERDICT_OPEN);
}

static void what_is_given_more_time_is_so_for_every_class(void **state) {
    (void)state;
    retracted(2, 60 * SECOND);
    assert_verdict(VERDICT_OPEN); /* unread for 40 s */
    x->waits_since = NOW - 90 * SECOND;
    assert_verdict(VERDICT_BODY_UNREAD);
    x->leak_after = 91 * SECOND; /* its own, by its address */
    assert_verdict(VERDICT_OPEN);
    x->leak_after = SECOND;
    assert_verdict(VERDICT_BODY_UNREAD);
}

static void a_retraction_is_told(void **state) {
    (void)state;
    retracted(1, 60 * SECOND);
    assert_says("\n==4211== RETRACTED never-closed: 1 connection to 10.0.0.1:80, last 5s ago\n"
                "  was reported as leaked, closed after 1m34s\n  opened:\n    #0 connect\n");
    assert_json("\"retracted\":[{\"class\":\"never-closed\",\"count\":1,\"host\":\"10.0.0.1\","
                "\"port\":80,\"by\":\"close\",\"after_ms\":94000,\"last_ms_ago\":5000,"
                "\"leak_after_ms\":30000,");
    retracted(2, 60 * SECOND);
    box.sites[site].retracted_by_use = 1;
    assert_says(
        "never-closed: 2 connections to 10.0.0.1:80, last 5s ago\n  were reported as leaked, "
        "the last one used again after 1m34s; what this place opens is now given 1m30s\n");
    assert_json("\"by\":\"use\",\"after_ms\":94000,\"last_ms_ago\":5000,\"leak_after_ms\":90000,");
    retracted(2, 10 * SECOND);
    assert_says("used again after 1m34s\n");
}

static void a_retraction_of_nobody_knows_what_is_told_as_such(void **state) {
    (void)state;
    struct box_site *s = &box.sites[site];
    retracted(UINT32_MAX, UINT64_MAX);
    s->retracted_class = VERDICT_COUNT;
    s->retracted_at = s->retracted_after = UINT64_MAX;
    s->host = s->stack = 77;
    assert_says("RETRACTED leak: 4294967295 connections, last 0ms ago\n");
    assert_json("\"class\":\"leak\",\"count\":4294967295,");
    s->ready = 0;
    assert_null(strstr(rendered(false), "RETRACTED"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bytes_must_have_waited_for_leak_after),
        TEST(nobody_must_have_touched_it_for_leak_after),
        TEST(only_an_answer_that_is_due_or_has_begun_can_be_unread),
        TEST(who_listens_may_be_about_to_read),
        TEST(what_others_opened_and_what_came_in_is_nobodys_body),
        TEST(bytes_in_the_tls_object_wait_from_the_last_read_on),
        TEST(it_goes_before_what_the_peer_did),
        TEST(its_group_says_how_much_waits),
        TEST(an_earlier_look_tells_since_when_it_waits),
        TEST(what_went_by_unseen_is_use_and_no_exchange),
        TEST(only_a_connection_whose_exchanges_are_complete_is_passed_over),
        TEST(who_is_in_the_middle_of_something_else_is_not_passed_over),
        TEST(another_threads_connection_passes_nobody_over),
        TEST(anybodys_does_when_the_thread_is_gone),
        TEST(anybodys_does_when_there_are_more_than_threads),
        TEST(one_that_is_kept_must_be_passed_over_many_times),
        TEST(what_is_being_noted_is_not_counted_twice),
        TEST(the_only_one_left_beside_others_that_come_and_go_is_kept),
        TEST(its_evidence_says_that_the_response_was_read),
        TEST(from_the_second_retraction_on_a_place_is_given_more_time),
        TEST(what_is_given_more_time_is_so_for_every_class),
        TEST(a_retraction_is_told),
        TEST(a_retraction_of_nobody_knows_what_is_told_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
