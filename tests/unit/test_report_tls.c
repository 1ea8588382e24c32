/* What reports say of TLS and of named hosts, on synthetic boxes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/language.h"
#include "support.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)

static struct box box;
static struct view view;
static struct report r;
static uint32_t host, stack, site;
static struct box_conn *conn;
static struct box_tls *tls;

/* One connection with TLS, opened and last used 100 s ago. */
static int fresh(void **state) {
    (void)state;
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    stack = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2000);
    site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    conn = synthetic_conn(&box, site, NOW - 100 * SECOND);
    tls = synthetic_tls(&box, conn);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static void judge(void) {
    synthetic_judge(&r, &view, &box, NOW);
}

static void assert_verdict(enum verdict want) {
    judge();
    assert_int_equal(r.facts.fact[0].verdict, want);
}

static const char *text(void) {
    judge();
    return synthetic_text(&r);
}

static void assert_says(const char *words) {
    support_holds(text(), words);
}

static void assert_silent(const char *words) {
    assert_null(strstr(text(), words));
}

/* --- the line --------------------------------------------------------------------------------- */

static void the_line_says_what_is_known(void **state) {
    (void)state;
    assert_says("\n      TLSv1.2  full handshake in 2ms  data in 0 B  data out 0 B\n");
    tls->version = 0x0304;
    tls->flags = TLS_DONE | TLS_RESUMED | TLS_NOTIFY_SENT;
    tls->cipher = synthetic_name(&box, "CIPHER");
    tls->name = synthetic_name(&box, "api.test");
    tls->alpn = synthetic_name(&box, "h2\n");
    tls->bytes_in = 123456;
    tls->bytes_out = 78;
    tls->pending = 9;
    assert_says(
        "\n      TLSv1.3  CIPHER  server name api.test  ALPN h2?  resumed handshake in 2ms  "
        "data in 123456 B  data out 78 B  pending 9 B  close_notify sent\n");
    tls->flags |= TLS_NOTIFY_CAME;
    assert_says("  close_notify sent, received\n");
    tls->version = 0x9999;
    assert_says("\n      TLS  CIPHER");
    tls->begun = 0; /* it was there before us */
    assert_says("  resumed handshake  data in");
}

static void a_handshake_under_way_is_told(void **state) {
    (void)state;
    tls->flags = 0;
    tls->name = synthetic_name(&box, "api.test");
    assert_says("\n      TLS handshake begun 1m40s ago, not finished  server name api.test\n");
    tls->begun = 0;
    assert_silent("TLS");
}

static void a_record_of_another_life_is_not_the_connections(void **state) {
    (void)state;
    tls->life.seq = 6;
    assert_silent("TLSv");
    tls->life.seq = 4;
    tls->life.holders = 0;
    assert_silent("TLSv");
    tls->life.seq = 5;
    assert_silent("TLSv");
    conn->tls = UINT64_C(4) << 32 | 0xffffffff;
    assert_silent("TLSv");
}

/* --- tls-split -------------------------------------------------------------------------------- */

static void freed(uint64_t ago) {
    tls->freed = NOW - ago;
    tls->life.holders = TLS_HELD_BY_CONN;
}

static void a_socket_left_open_when_its_object_is_freed_is_a_leak(void **state) {
    (void)state;
    tls->freeing_stack = synthetic_stack(&box, 1, (uint64_t)0x3000);
    freed(LEAK_AFTER - 1);
    assert_verdict(VERDICT_OPEN);
    freed(LEAK_AFTER);
    assert_verdict(VERDICT_TLS_FREED);
    assert_says("LEAK tls-split: 1 connection to 10.0.0.1:443, oldest 1m40s\n"
                "  the TLS object was freed 30s ago and the socket not used since; fds 3\n"
                "  opened:\n    #0 connect\n");
    assert_says("  TLS object freed:\n    #0 SSL_free\n    #1 0x3000");
    tls->made_by = TLS_GNUTLS;
    assert_says("    #0 gnutls_deinit\n");
    assert_says("SUMMARY: poolguard: 1 leaked connection in 1 place\n");
}

static void a_socket_used_in_plain_afterwards_is_none(void **state) {
    (void)state;
    freed(2 * LEAK_AFTER);
    conn->last_in = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_OPEN);
    conn->last_in = 0;
    tls->flags |= TLS_MOVED;
    assert_verdict(VERDICT_OPEN);
}

static void a_server_can_split_too(void **state) {
    (void)state;
    uint32_t s = synthetic_site(&box, stack, BOX_NONE, CONN_INBOUND);
    conn->site = s;
    conn->direction = CONN_INBOUND;
    assert_verdict(VERDICT_INBOUND);
    freed(LEAK_AFTER);
    assert_verdict(VERDICT_TLS_FREED);
    assert_says("LEAK tls-split: 1 connection, oldest 1m40s\n");
}

/* The connection is closed, the object lives. */
static void orphan(uint64_t ago) {
    conn->tls = 0;
    conn->state = CONN_FREE;
    conn->life.holders = 0;
    tls->closed = NOW - ago;
    tls->life.holders = TLS_HELD_BY_OBJECT;
}

static void an_object_that_outlives_its_socket_is_a_leak(void **state) {
    (void)state;
    tls->closing_stack = synthetic_stack(&box, 1, (uint64_t)0x3000);
    orphan(LEAK_AFTER - 1);
    assert_verdict(VERDICT_NOT_OPEN);
    orphan(LEAK_AFTER);
    assert_verdict(VERDICT_TLS_ORPHAN);
    assert_int_equal(r.open, 0);
    assert_int_equal(r.leaked, 0);
    assert_int_equal(r.tls_leaked, 1);
    assert_int_equal(report_leaks(&r), 1);
    assert_says("demo: 0 open connections, 0 leaked\n");
    assert_says(
        "LEAK tls-split: 1 TLS object of a closed connection to 10.0.0.1:443, oldest 1m40s\n"
        "  its socket was closed 30s ago, it was never freed\n"
        "  opened:\n    #0 connect\n");
    assert_says("  socket closed:\n    #0 close\n    #1 0x3000");
    assert_silent("connections:\n");
    assert_says("SUMMARY: poolguard: 1 leaked TLS object in 1 place\n");
}

static void both_kinds_are_counted_apart(void **state) {
    (void)state;
    orphan(LEAK_AFTER);
    struct box_conn *other = synthetic_conn(&box, site, NOW - 90 * SECOND);
    tls = synthetic_tls(&box, other);
    freed(LEAK_AFTER);
    assert_says("SUMMARY: poolguard: 1 leaked connection in 1 place, 1 leaked TLS object in 1 "
                "place\n");
}

static void an_object_that_somebody_comes_back_to_is_none(void **state) {
    (void)state;
    orphan(LEAK_AFTER);
    box.sites[site].tls_freed_late = 1;
    assert_verdict(VERDICT_NOT_OPEN);
    box.sites[site].tls_freed_late = 0;
    tls->flags |= TLS_MOVED;
    judge();
    assert_int_equal(r.facts.count, 0);
}

static void an_object_of_a_garbage_collector_is_none(void **state) {
    (void)state;
    uint32_t m = synthetic_module(&box, "/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1");
    tls->closing_stack = synthetic_stack(&box, 1, (uint64_t)(m + 1) << FRAME_MODULE_SHIFT | 0x10);
    orphan(LEAK_AFTER);
    assert_verdict(VERDICT_NOT_OPEN);
    strcpy(box.modules[m].path, "/usr/bin/python3.11"); /* counts references */
    assert_verdict(VERDICT_TLS_ORPHAN);
}

static void suppressions_reach_objects_too(void **state) {
    (void)state;
    static struct suppression s = {.pattern = "tls-split", .kind = SUPPRESS_CLASS};
    r.suppressions = &s;
    orphan(LEAK_AFTER);
    judge();
    assert_int_equal(report_leaks(&r), 0);
    assert_int_equal(r.suppressed, 1);
}

/* --- tls-handshake ---------------------------------------------------------------------------- */

static void a_handshake_that_never_finishes_is_a_risk(void **state) {
    (void)state;
    tls->flags = 0;
    tls->begun = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_OPEN);
    tls->begun = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_TLS_HANDSHAKE);
    assert_int_equal(r.leaked, 0);
    assert_says("RISK tls-handshake: 1 connection to 10.0.0.1:443, oldest 1m40s\n"
                "  the TLS handshake began 30s ago and has not finished; fds 3\n");
    conn->direction = CONN_INBOUND;
    assert_verdict(VERDICT_TLS_HANDSHAKE);
    conn->direction = CONN_OUTBOUND;
    tls->flags = TLS_MOVED;
    assert_verdict(VERDICT_OPEN);
    tls->flags = TLS_DONE;
    assert_verdict(VERDICT_OPEN);
}

static void objects_on_memory_are_told_in_a_note(void **state) {
    (void)state;
    assert_silent("TLS through memory");
    box.header->tls_unmapped = 2;
    assert_says("\nTLS through memory: 2 TLS objects whose connections are not known to the TLS "
                "library (memory BIO): those are reported as TCP\n");
}

/* --- hosts ------------------------------------------------------------------------------------ */

static void name_it(const char *name) {
    box.hosts[host].name = synthetic_name(&box, name);
}

static void a_host_goes_by_its_name(void **state) {
    (void)state;
    name_it("api.test");
    assert_says("api.test:443                 1 ");
    assert_says("OPEN: 1 connection to api.test:443, ");
    assert_says("  - -> 10.0.0.1:443  "); /* a connection by its addresses */
}

static void connections_to_all_addresses_of_a_host_are_one_group(void **state) {
    (void)state;
    name_it("api.test");
    struct box_conn *other = synthetic_conn(&box, site, NOW - 100 * SECOND);
    assert_true(addr_parse(&other->peer, "10.0.0.2:443"));
    assert_says("OPEN: 2 connections to api.test:443, ");
}

static void what_requests_called_it_stands_beside_the_address(void **state) {
    (void)state;
    box.hosts[host].alias = synthetic_name(&box, "www.test");
    assert_says("\n10.0.0.1:443 (www.test)      1 ");
    box.hosts[host].alias = HOST_SEVERAL;
    assert_says("\n10.0.0.1:443                 1 ");
}

static void a_host_that_nothing_is_counted_for_has_no_row(void **state) {
    (void)state;
    synthetic_host(&box, "10.0.0.9:443", LEAK_AFTER);
    assert_silent("10.0.0.9");
}

static void hosts_are_suppressed_by_name_and_address(void **state) {
    (void)state;
    name_it("api.test");
    freed(LEAK_AFTER);
    static const struct {
        const char *pattern;
        unsigned left;
    } cases[] = {
        {"api.test:443", 0}, {"api.test", 0}, {"*.test", 0},      {"10.0.0.1:443", 0},
        {"10.0.0.1", 0},     {"api", 1},      {"api.test:80", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct suppression s = {.pattern = cases[i].pattern, .kind = SUPPRESS_HOST};
        r.suppressions = &s;
        judge();
        assert_int_equal(r.leaked, cases[i].left);
    }
    r.suppressions = NULL;
}

/* --- languages -------------------------------------------------------------------------------- */

static void a_runtime_is_known_by_its_file(void **state) {
    (void)state;
    static const struct {
        const char *path;
        enum language language;
    } cases[] = {
        {"/usr/bin/python3.11", LANGUAGE_PYTHON},
        {"/opt/lib/libpython3.12.so.1.0", LANGUAGE_PYTHON},
        {"/usr/bin/php8.2", LANGUAGE_PHP},
        {"/usr/lib/libruby-3.1.so.3.1", LANGUAGE_RUBY},
        {"/usr/lib/jvm/java-17/lib/server/libjvm.so", LANGUAGE_JAVA},
        {"/usr/lib/jvm/java-17/lib/libnio.so", LANGUAGE_JAVA},
        {"/usr/lib/jvm/java-8/lib/amd64/libnet.so", LANGUAGE_JAVA},
        {"/usr/bin/node", LANGUAGE_NODE},
        {"/usr/bin/perl", LANGUAGE_PERL},
        {"/usr/lib/x86_64-linux-gnu/libcurl.so.4.8.0", LANGUAGE_C},
        {"/home/me/python/app", LANGUAGE_C},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t m = synthetic_module(&box, cases[i].path);
        uint32_t s = synthetic_stack(&box, 2, (uint64_t)0x10,
                                     (uint64_t)(m + 1) << FRAME_MODULE_SHIFT | 0x10);
        view_own(&view, &box);
        assert_int_equal(language_of_stack(&view, s), cases[i].language);
    }
    assert_int_equal(language_of_stack(&view, BOX_NONE), LANGUAGE_C);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_line_says_what_is_known),
        TEST(a_handshake_under_way_is_told),
        TEST(a_record_of_another_life_is_not_the_connections),
        TEST(a_socket_left_open_when_its_object_is_freed_is_a_leak),
        TEST(a_socket_used_in_plain_afterwards_is_none),
        TEST(a_server_can_split_too),
        TEST(an_object_that_outlives_its_socket_is_a_leak),
        TEST(both_kinds_are_counted_apart),
        TEST(an_object_that_somebody_comes_back_to_is_none),
        TEST(an_object_of_a_garbage_collector_is_none),
        TEST(suppressions_reach_objects_too),
        TEST(a_handshake_that_never_finishes_is_a_risk),
        TEST(objects_on_memory_are_told_in_a_note),
        TEST(a_host_goes_by_its_name),
        TEST(connections_to_all_addresses_of_a_host_are_one_group),
        TEST(what_requests_called_it_stands_beside_the_address),
        TEST(a_host_that_nothing_is_counted_for_has_no_row),
        TEST(hosts_are_suppressed_by_name_and_address),
        TEST(a_runtime_is_known_by_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
