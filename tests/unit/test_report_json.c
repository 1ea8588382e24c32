/* The JSON report, on synthetic boxes: what is said of each thing, and what is left out. Its form
 * against the schema is a matter of tests/apps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)

static struct box box;
static struct view view;
static struct report r;
static uint32_t host, stack, site, module;
static struct box_conn *conn;

/* One connection, opened and last used 100 s ago, by a function of a module that is not there. */
static int fresh(void **state) {
    (void)state;
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    module = synthetic_module(&box, "/opt/lib/gone.so.1");
    uint64_t in_module = (uint64_t)(module + 1) << FRAME_MODULE_SHIFT;
    stack = synthetic_stack(&box, 2, in_module | 0x1234, (uint64_t)0x2000);
    site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    conn = synthetic_conn(&box, site, NOW - 100 * SECOND);
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

static const char *json(void) {
    judge();
    return synthetic_json(&r);
}

static void assert_says(const char *words) {
    support_holds(json(), words);
}

static void assert_silent(const char *words) {
    const char *t = json();
    if (strstr(t, words))
        fail_msg("\"%s\" in:\n%s", words, t);
}

/* --- head ------------------------------------------------------------------------------------- */

static void the_head_counts(void **state) {
    (void)state;
    assert_says("{\"schema\":\"poolguard.report/1\",\"pid\":4211,\"program\":\"demo\","
                "\"executable\":\"/usr/bin/demo\",\"time\":\"2");
    assert_says("Z\",\"trigger\":\"signal\",\"process\":\"running\",\"open\":1,\"leaked\":0,"
                "\"leaked_tls\":0,\"notes\":[],\"hosts\":[{");
}

static void unseen_is_told_only_when_it_was_looked_for(void **state) {
    (void)state;
    judge();
    r.facts.unseen_known = true;
    assert_non_null(strstr(synthetic_json(&r), "\"unseen\":0,\"notes\":[]"));
    r.facts.unseen = 2;
    assert_non_null(strstr(synthetic_json(&r),
                           "\"unseen\":2,\"notes\":[\"not seen being opened: 2 TCP connections "
                           "(opened by raw system calls)\"]"));
}

static void each_trigger_and_end_has_its_word(void **state) {
    (void)state;
    static const char *const word[] = {
        [TRIGGER_SIGNAL] = "\"trigger\":\"signal\"",
        [TRIGGER_EXIT] = "\"trigger\":\"exit\"",
        [TRIGGER_EXHAUSTED] = "\"trigger\":\"exhausted\"",
        [TRIGGER_REQUEST] = "\"trigger\":\"request\"",
    };
    for (unsigned i = 0; i < sizeof word / sizeof *word; i++) {
        r.trigger = i;
        assert_says(word[i]);
    }
    r.ended = true;
    assert_says("\"process\":\"ended\"");
    atomic_store(&box.header->flags, BOX_EXECED);
    assert_says("\"process\":\"replaced\"");
}

static void suppressions_are_a_note_of_any_length(void **state) {
    (void)state;
    char pattern[3000];
    struct suppression s = {.pattern = pattern, .kind = SUPPRESS_HOST};
    memset(pattern, '*', sizeof pattern);
    pattern[sizeof pattern - 1] = '\0';
    synthetic_reopened(&box, site, NOW);
    r.suppressions = &s;
    assert_says("**: 1 connection\"]");
    assert_says("\"class\":\"never-closed\",\"kind\":\"leak\",\"count\":1,");
    assert_says("\"suppressed\":true");
    assert_says("\"leaked\":0");
    r.suppressions = NULL;
}

/* --- hosts and connections -------------------------------------------------------------------- */

static void a_host_is_a_name_or_an_address_and_a_port(void **state) {
    (void)state;
    assert_says("\"hosts\":[{\"host\":\"10.0.0.1\",\"port\":443,\"open\":1,\"in_use\":0,\"idle\":1,"
                "\"leaked\":0,\"opened\":1,\"failed\":0}]");
    atomic_store(&box.hosts[host].alias, synthetic_name(&box, "www.test"));
    assert_says("\"port\":443,\"alias\":\"www.test\",\"open\"");
    box.hosts[host].name = synthetic_name(&box, "api\"\n\xff.test");
    assert_says("\"hosts\":[{\"host\":\"api\\\"\\u000a\xef\xbf\xbd.test\",\"port\":443,");
    uint32_t v6 = synthetic_host(&box, "[fe80::1%2]:80", LEAK_AFTER);
    synthetic_conn(&box, synthetic_site(&box, stack, v6, CONN_OUTBOUND), NOW);
    assert_says("{\"host\":\"fe80::1%2\",\"port\":80,");
    assert_says("\"remote\":\"[fe80::1%2]:80\",\"host\":\"fe80::1%2\",\"port\":80,");
}

static void more_hosts_than_the_text_shows_are_all_there(void **state) {
    (void)state;
    for (int i = 0; i < 60; i++) {
        char addr[32];
        snprintf(addr, sizeof addr, "10.0.1.%d:80", i);
        synthetic_conn(
            &box,
            synthetic_site(&box, stack, synthetic_host(&box, addr, LEAK_AFTER), CONN_OUTBOUND),
            NOW);
    }
    assert_says("{\"host\":\"10.0.1.0\",\"port\":80,\"open\":1");
    assert_says("{\"host\":\"10.0.1.59\",\"port\":80,\"open\":1");
}

static void a_connection_says_what_is_known_of_it(void **state) {
    (void)state;
    conn->id = UINT64_MAX;
    conn->bytes_in = UINT64_MAX - 1;
    conn->bytes_out = 3;
    conn->calls_in = 2;
    conn->calls_out = 1;
    conn->error = ECONNRESET;
    conn->flags = CONN_SHUT_WRITE | CONN_RESET;
    assert_says("\"connections\":[{\"id\":18446744073709551615,\"fds\":[3],"
                "\"remote\":\"10.0.0.1:443\",\"host\":\"10.0.0.1\",\"port\":443,"
                "\"direction\":\"outbound\",\"state\":\"established\",\"error\":\"ECONNRESET\","
                "\"age_ms\":100000,\"idle_ms\":100000,\"bytes_in\":18446744073709551614,"
                "\"bytes_out\":3,\"reads\":2,\"writes\":1,\"unread\":0,\"thread\":4211,"
                "\"flags\":[\"shut-write\",\"reset\"],\"opened\":0}]}");
    assert_says("\"connections\":[18446744073709551615]");
}

static void every_flag_has_a_word(void **state) {
    (void)state;
    conn->flags = 511 | CONN_READ_TIMED | CONN_WRITE_TIMED;
    judge();
    r.facts.fact[0].watched = true;
    assert_non_null(strstr(synthetic_json(&r),
                           "\"flags\":[\"shut-read\",\"shut-write\",\"peer-eof\",\"reset\","
                           "\"inherited\",\"by-exec\",\"received\",\"passed\",\"tunnel\","
                           "\"read-timed\",\"write-timed\",\"watched\"]"));
}

static void more_descriptors_than_are_listed_are_counted(void **state) {
    (void)state;
    judge();
    for (int i = 0; i < 10; i++)
        fact_add_fd(&r.facts.fact[0], 100 + i);
    assert_non_null(strstr(synthetic_json(&r), "\"fds\":[3,100,101,102],\"fd_count\":11,"));
}

static void an_inbound_connection_has_no_host(void **state) {
    (void)state;
    conn->site = synthetic_site(&box, stack, BOX_NONE, CONN_INBOUND);
    conn->direction = CONN_INBOUND;
    assert_says("\"remote\":\"10.0.0.1:443\",\"direction\":\"inbound\",");
    assert_says("{\"class\":\"inbound\",\"kind\":\"plain\",\"count\":1,\"unit\":\"connection\","
                "\"fingerprint\":");
    assert_says("\"opened\":0,\"opened_call\":\"accept\"");
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void a_session_says_what_is_known_of_it(void **state) {
    (void)state;
    assert_silent("\"tls\":");
    struct box_tls *t = synthetic_tls(&box, conn);
    assert_says("\"tls\":{\"library\":\"openssl\",\"version\":\"TLSv1.2\",\"resumed\":false,"
                "\"handshake_ms\":2.000,\"data_in\":0,\"data_out\":0,\"pending\":0,"
                "\"close_notify_sent\":false,\"close_notify_received\":false},\"opened\"");
    t->version = 0x0304;
    t->flags = TLS_DONE | TLS_RESUMED | TLS_NOTIFY_SENT | TLS_COUNTED_IN | TLS_COUNTED_OUT;
    t->cipher = synthetic_name(&box, "CIPHER");
    t->name = synthetic_name(&box, "api.test");
    t->alpn = synthetic_name(&box, "h2\n");
    t->done = t->begun + 1234567;
    t->bytes_in = 7;
    t->bytes_out = 8;
    t->pending = 9;
    t->made_by = TLS_GNUTLS;
    t->freed = NOW - 5 * MS;
    assert_says("\"tls\":{\"library\":\"gnutls\",\"version\":\"TLSv1.3\",\"cipher\":\"CIPHER\","
                "\"alpn\":\"h2\\u000a\",\"resumed\":true,\"handshake_ms\":1.234,\"data_in\":7,"
                "\"data_out\":8,\"pending\":9,\"server_name\":\"api.test\","
                "\"close_notify_sent\":true,\"close_notify_received\":false,\"freed_ms_ago\":5}");
    t->version = 0x9999;
    t->begun = 0;
    t->flags = TLS_DONE;
    conn->bytes_in = 100; /* through calls that nobody saw */
    assert_says("\"tls\":{\"library\":\"gnutls\",\"cipher\":\"CIPHER\",\"alpn\":\"h2\\u000a\","
                "\"resumed\":false,\"data_out\":8,\"pending\":9,\"server_name\":");
}

static void a_handshake_under_way_is_told(void **state) {
    (void)state;
    struct box_tls *t = synthetic_tls(&box, conn);
    t->flags = 0;
    assert_says("\"tls\":{\"library\":\"openssl\",\"handshake_begun_ms_ago\":100000,"
                "\"close_notify_sent\":false,");
    assert_says("{\"class\":\"tls-handshake\",\"kind\":\"risk\",");
}

static void an_object_that_outlives_its_socket_has_no_connections(void **state) {
    (void)state;
    struct box_tls *t = synthetic_tls(&box, conn);
    t->closing_stack = synthetic_stack(&box, 1, (uint64_t)0x3000);
    conn->tls = 0;
    conn->state = CONN_FREE;
    conn->life.holders = 0;
    t->closed = NOW - LEAK_AFTER;
    t->life.holders = TLS_HELD_BY_OBJECT;
    assert_says("\"open\":0,\"leaked\":0,\"leaked_tls\":1,");
    assert_says("{\"class\":\"tls-split\",\"kind\":\"leak\",\"count\":1,\"unit\":\"TLS object\",");
    assert_says("\"opened\":0,\"opened_call\":\"connect\",\"closed\":1,\"closed_call\":\"close\","
                "\"evidence\":\"its socket was closed 30s ago, it was never freed\","
                "\"oldest_ms\":100000,\"connections\":[]}],\"connections\":[]}");
}

/* --- the process ------------------------------------------------------------------------------ */

static void double_close(void) {
    uint32_t i = box_record(&box, REGION_DOUBLE_CLOSES);
    struct box_double_close *d = &box.double_closes[i];
    d->site = site;
    d->closed = synthetic_stack(&box, 1, (uint64_t)0x3000);
    d->again = synthetic_stack(&box, 1, (uint64_t)0x4000);
    d->fd = 7;
    d->opener = d->closer = 4211;
    d->closer_again = 4212;
    d->times = 3;
    d->last = NOW - 2 * SECOND;
    d->gap = 5 * MS;
    atomic_store(&d->ready, 1);
}

static void a_double_close_is_a_group(void **state) {
    (void)state;
    double_close();
    assert_says("{\"class\":\"double-close\",\"kind\":\"risk\",\"count\":3,"
                "\"unit\":\"double close\",\"host\":\"10.0.0.1\",\"port\":443,\"fingerprint\":\"");
    assert_says(
        "\"opened\":0,\"opened_call\":\"connect\",\"closed\":1,\"closed_call\":\"close\","
        "\"closed_again\":2,\"closed_again_call\":\"close\",\"evidence\":\"closed by thread "
        "4211, and again 5ms later by thread 4212\",\"fd\":7,\"last_ms_ago\":2000,"
        "\"between_ms\":5,\"opened_thread\":4211,\"closed_thread\":4211,"
        "\"closed_again_thread\":4212}");
    assert_says("{\"id\":2,\"frames\":[{\"address\":16384}],");
    struct suppression s = {.pattern = "double-close", .kind = SUPPRESS_CLASS};
    r.suppressions = &s;
    assert_silent("\"class\":\"double-close\"");
    r.suppressions = NULL;
}

static void running_out_of_descriptors_is_a_group(void **state) {
    (void)state;
    atomic_store(&box.header->exhausted, 2);
    atomic_store(&box.header->exhausted_at, NOW - SECOND);
    atomic_store(&box.header->exhausted_errno, EMFILE);
    atomic_store(&box.header->exhausted_stack, stack);
    assert_says("{\"class\":\"fd-exhausted\",\"kind\":\"risk\",\"count\":2,"
                "\"unit\":\"failed call\",\"fingerprint\":\"");
    assert_says(
        "\"asked\":0,\"asked_call\":\"socket or accept\",\"evidence\":\"socket() or accept() "
        "failed 2 times, last 1s ago: Too many open files\",\"last_ms_ago\":1000}");
}

/* --- stacks ----------------------------------------------------------------------------------- */

static void a_frame_says_where_it_is(void **state) {
    (void)state;
    memcpy(box.modules[module].build_id, "\x01\xab\xff", 3);
    box.modules[module].build_id_size = 3;
    assert_says("\"stacks\":[{\"id\":0,\"frames\":[{\"module\":\"/opt/lib/gone.so.1\","
                "\"offset\":4660,\"build_id\":\"01abff\"},{\"address\":8192}],\"fingerprint\":\"");
}

static void only_stacks_that_are_referred_to_are_listed(void **state) {
    (void)state;
    synthetic_stack(&box, 1, (uint64_t)0x5000);
    assert_silent("{\"id\":1,\"frames\"");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_head_counts),
        TEST(unseen_is_told_only_when_it_was_looked_for),
        TEST(each_trigger_and_end_has_its_word),
        TEST(suppressions_are_a_note_of_any_length),
        TEST(a_host_is_a_name_or_an_address_and_a_port),
        TEST(more_hosts_than_the_text_shows_are_all_there),
        TEST(a_connection_says_what_is_known_of_it),
        TEST(every_flag_has_a_word),
        TEST(more_descriptors_than_are_listed_are_counted),
        TEST(an_inbound_connection_has_no_host),
        TEST(a_session_says_what_is_known_of_it),
        TEST(a_handshake_under_way_is_told),
        TEST(an_object_that_outlives_its_socket_has_no_connections),
        TEST(a_double_close_is_a_group),
        TEST(running_out_of_descriptors_is_a_group),
        TEST(a_frame_says_where_it_is),
        TEST(only_stacks_that_are_referred_to_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
