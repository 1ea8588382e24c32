/* From facts to text: verdicts at their boundaries, groups and their order, suppressions, the
 * tables and lines of the report. All on synthetic boxes; nothing here asks the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/module.h"
#include "support.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)

static struct box box;
static struct view view;
static struct report r;
static uint32_t host, stack;

static int fresh(void **state) {
    (void)state;
    memset(&r, 0, sizeof r);
    said_count = 0;
    synthetic_box(&box);
    host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    stack = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2000);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static void gather(void) {
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
}

static const char *text(void) {
    assert_true(report_judge(&r));
    return synthetic_text(&r);
}

/* --- facts ------------------------------------------------------------------------------------ */

static uint32_t used_site(void) {
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    uint32_t use = box_record(&box, REGION_USES);
    box.uses[use].site = site;
    atomic_store(&box.uses[use].ready, 1);
    atomic_store(&box.sites[site].use, use + 1);
    return site;
}

static void speaks(struct fact *x, const char *response) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    x->has_http = true;
    http_feed(&x->http, HTTP_REQUEST_BYTES, request, sizeof request - 1);
    http_feed(&x->http, HTTP_RESPONSE_BYTES, response, strlen(response));
}

static void assert_evidence(const char *words, bool there) {
    const char *t = text();
    if (!strstr(t, words) == there)
        fail_msg("%s\"%s\" in:\n%s", there ? "no " : "", words, t);
    groups_free(&r.groups);
}

/* A sentence about several connections is one about each. */
static void what_is_said_of_a_group_is_true_of_each(void **state) {
    (void)state;
    static const char begun[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    synthetic_conn(&box, site, NOW - 4 * LEAK_AFTER);
    synthetic_conn(&box, site, NOW - 4 * LEAK_AFTER);
    gather();
    struct fact *x = r.facts.fact;
    for (int i = 0; i < 2; i++) {
        x[i].tcp = TCP_IS_CLOSE_WAIT;
        x[i].silent_ms = i ? 40000 : 90000;
    }
    speaks(&x[0], "HTTP/1.1 204 No Content\r\n\r\n");
    assert_evidence("LEAK peer-closed: 2", true);
    assert_evidence("the peer has closed (at least 40s ago)", true);
    assert_evidence("its last response was read", false);
    speaks(&x[1], "HTTP/1.1 204 No Content\r\n\r\n");
    assert_evidence("its last response was read", true);
    for (int i = 0; i < 2; i++) {
        speaks(&x[i], i ? "" : begun);
        x[i].unread = 5;
        x[i].waits_since = NOW - 2 * LEAK_AFTER;
    }
    assert_evidence("LEAK body-unread: 2", true);
    assert_evidence("10 B of the response never read; not touched for 2m00s; the peer has", true);
    x[1].tcp = TCP_IS_ESTABLISHED;
    assert_evidence("the peer has closed", false);
    http_feed(&x[1].http, HTTP_RESPONSE_BYTES, begun, sizeof begun - 1);
    assert_evidence("10 B of response body never read; ", true);
}

/* So that a report need not look at every connection for every call site. */
static void connections_are_chained_by_what_is_counted_of_their_call_site(void **state) {
    (void)state;
    uint32_t a = used_site(), b = used_site(), liar = used_site();
    uint32_t none = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    uint32_t sites[] = {a, b, none, a, liar, a};
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
        synthetic_conn(&box, sites[i], NOW);
    atomic_store(&box.sites[liar].use, 1); /* another one's */
    gather();
    struct facts *f = &r.facts;
    assert_int_equal(f->by_use[0], 5);
    assert_int_equal(f->fact[5].next_of_use, 3);
    assert_int_equal(f->fact[3].next_of_use, 0);
    assert_int_equal(f->fact[0].next_of_use, UINT32_MAX);
    assert_int_equal(f->by_use[1], 1);
    assert_int_equal(f->by_use[2], UINT32_MAX);
    assert_int_equal(f->fact[2].use, BOX_NONE);
    facts_drop_last(f, f->fact[5].record);
    assert_int_equal(f->by_use[0], 3);
    facts_drop_last(f, f->fact[4].record);
    assert_int_equal(f->by_use[0], 3);
}

/* --- verdicts ------------------------------------------------------------------------------------
 */

/* One connection last used `idle` ago, at a site of its own. */
static struct fact *one(uint64_t idle) {
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    synthetic_conn(&box, site, NOW - idle);
    gather();
    return &r.facts.fact[0];
}

static void reopened(const struct fact *x, uint64_t when) {
    synthetic_reopened(&box, x->site, when);
}

static void assert_verdict(enum verdict want) {
    verdict_judge(&r.facts, r.trigger == TRIGGER_EXIT);
    assert_int_equal(r.facts.fact[0].verdict, want);
}

static void an_idle_connection_alone_is_no_leak(void **state) {
    (void)state;
    one(100 * LEAK_AFTER);
    assert_verdict(VERDICT_OPEN);
    r.trigger = TRIGGER_EXIT;
    assert_verdict(VERDICT_OPEN_AT_EXIT);
}

static void an_idle_connection_passed_over_is_never_closed(void **state) {
    (void)state;
    struct fact *x = one(LEAK_AFTER);
    reopened(x, NOW);
    assert_verdict(VERDICT_NEVER_CLOSED);
    r.trigger = TRIGGER_EXIT;
    assert_verdict(VERDICT_NEVER_CLOSED);
}

static void just_before_leak_after_it_is_not(void **state) {
    (void)state;
    struct fact *x = one(LEAK_AFTER - 1);
    reopened(x, NOW);
    assert_verdict(VERDICT_OPEN);
}

/* A tenth of leak_after idle when the next was opened. */
static void connections_opened_together_are_not_passed_over(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    reopened(x, x->opened + LEAK_AFTER / 10 - 1);
    assert_verdict(VERDICT_OPEN);
    reopened(x, x->opened + LEAK_AFTER / 10);
    assert_verdict(VERDICT_NEVER_CLOSED);
}

static void any_use_makes_it_young_again(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    reopened(x, NOW);
    uint64_t *const use[] = {&x->settled, &x->last_in};
    for (int i = 0; i < 2; i++) {
        uint64_t was = *use[i];
        *use[i] = NOW - LEAK_AFTER + 1;
        assert_verdict(VERDICT_OPEN);
        *use[i] = NOW - LEAK_AFTER;
        assert_verdict(VERDICT_NEVER_CLOSED);
        *use[i] = was;
    }
}

static void a_connection_that_somebody_waits_for_is_not_never_closed(void **state) {
    (void)state;
    struct fact *x = one(3 * LEAK_AFTER);
    reopened(x, NOW);
    x->last_in = NOW - 2 * LEAK_AFTER;
    assert_verdict(VERDICT_NEVER_CLOSED);
    x->last_out = x->last_in + 1; /* an answer is due */
    assert_verdict(VERDICT_OPEN);
    x->last_out = 0;
    x->watched = true; /* an event loop listens */
    assert_verdict(VERDICT_OPEN);
}

static void a_dead_connection_is_a_leak_only_when_its_death_is_dated(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    x->tcp = TCP_IS_CLOSE;
    x->silent_ms = 60000; /* a reset is no packet of this count */
    assert_verdict(VERDICT_NOT_OPEN);
    x->eof_at = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_NOT_OPEN);
    x->eof_at = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_PEER_CLOSED);
}

static void a_connection_that_is_connecting_or_gone_is_not_never_closed(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    reopened(x, NOW);
    x->state = CONN_CONNECTING;
    x->tcp = TCP_IS_SYN_SENT;
    assert_verdict(VERDICT_OPEN);
    x->state = CONN_ESTABLISHED;
    x->tcp = TCP_UNKNOWN;
    assert_verdict(VERDICT_NOT_OPEN);
}

static void a_connection_without_a_site_is_judged_too(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    x->site = BOX_NONE;
    assert_verdict(VERDICT_OPEN);
    x->tcp = TCP_IS_CLOSE_WAIT;
    assert_verdict(VERDICT_PEER_CLOSED);
}

static void what_the_peer_closed_is_a_leak_from_leak_after_on(void **state) {
    (void)state;
    static const uint8_t tcp[] = {TCP_IS_CLOSE_WAIT, TCP_IS_LAST_ACK, TCP_IS_CLOSE};
    struct fact *x = one(LEAK_AFTER);
    for (int i = 0; i < 3; i++) {
        x->tcp = tcp[i];
        x->eof_at = tcp[i] == TCP_IS_CLOSE ? NOW - LEAK_AFTER : 0;
        assert_verdict(VERDICT_PEER_CLOSED);
    }
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->last_in = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_OPEN);
}

static void the_peer_must_have_been_gone_for_leak_after_where_that_is_known(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->silent_ms = 29999;
    assert_verdict(VERDICT_OPEN);
    x->silent_ms = 30000;
    assert_verdict(VERDICT_PEER_CLOSED);
    x->silent_ms = 0;
    x->eof_at = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_OPEN);
    x->eof_at = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_PEER_CLOSED);
    x->eof_at = NOW - 1; /* the longer one counts: both are lower bounds */
    x->silent_ms = 31000;
    assert_verdict(VERDICT_PEER_CLOSED);
}

static void a_watched_connection_that_the_peer_closed_is_no_leak(void **state) {
    (void)state;
    struct fact *x = one(2 * LEAK_AFTER);
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->watched = true;
    assert_verdict(VERDICT_OPEN);
    x->tcp = TCP_IS_CLOSE; /* after a reset there is nothing to wait for */
    x->eof_at = NOW - LEAK_AFTER;
    assert_verdict(VERDICT_PEER_CLOSED);
}

static void a_failed_connect_is_a_leak_from_leak_after_on(void **state) {
    (void)state;
    struct fact *x = one(LEAK_AFTER);
    x->state = CONN_FAILED;
    x->tcp = TCP_IS_CLOSE;
    assert_verdict(VERDICT_CONNECT_FAILED);
    x->settled = NOW - LEAK_AFTER + 1;
    assert_verdict(VERDICT_NOT_OPEN);
    x->settled = NOW - LEAK_AFTER;
    x->state = CONN_CONNECTING; /* it failed and nobody asked */
    assert_verdict(VERDICT_CONNECT_FAILED);
    x->tcp = TCP_IS_SYN_SENT; /* it was begun again behind our back */
    assert_verdict(VERDICT_OPEN);
}

static void inherited_and_inbound_connections_never_leak(void **state) {
    (void)state;
    static const uint8_t tcp[] = {TCP_IS_ESTABLISHED, TCP_IS_CLOSE_WAIT, TCP_IS_LAST_ACK};
    struct fact *x = one(100 * LEAK_AFTER);
    reopened(x, NOW);
    for (int exit = 0; exit < 2; exit++)
        for (int i = 0; i < 3; i++) {
            r.trigger = exit ? TRIGGER_EXIT : TRIGGER_SIGNAL;
            x->tcp = tcp[i];
            x->flags = CONN_INHERITED;
            assert_verdict(VERDICT_INHERITED);
            x->flags = 0;
            x->direction = CONN_INBOUND;
            assert_verdict(VERDICT_INBOUND);
            x->direction = CONN_OUTBOUND;
        }
    x->tcp = TCP_IS_CLOSE;
    x->flags = CONN_INHERITED;
    assert_verdict(VERDICT_NOT_OPEN);
    x->direction = CONN_INBOUND;
    assert_verdict(VERDICT_NOT_OPEN);
}

static void each_host_has_its_own_leak_after(void **state) {
    (void)state;
    host = synthetic_host(&box, "10.0.0.9:5432", 300 * SECOND);
    struct fact *x = one(300 * SECOND - 1);
    x->tcp = TCP_IS_CLOSE_WAIT;
    assert_verdict(VERDICT_OPEN);
    x->opened = x->settled = NOW - 300 * SECOND;
    assert_verdict(VERDICT_PEER_CLOSED);
    box.hosts[host].leak_after = 0;
    x->opened = x->settled = NOW;
    assert_verdict(VERDICT_PEER_CLOSED);
}

static void without_a_host_the_process_leak_after_counts(void **state) {
    (void)state;
    host = BOX_NONE;
    box.header->leak_after = 5 * SECOND;
    struct fact *x = one(5 * SECOND - 1);
    x->tcp = TCP_IS_CLOSE_WAIT;
    assert_verdict(VERDICT_OPEN);
    x->opened = x->settled = NOW - 5 * SECOND;
    assert_verdict(VERDICT_PEER_CLOSED);
}

/* Coarse clocks of two processors may differ by a tick. */
static void times_in_the_future_are_now(void **state) {
    (void)state;
    struct fact *x = one(0);
    x->opened = x->settled = x->last_in = NOW + SECOND;
    reopened(x, NOW + 2 * SECOND);
    assert_verdict(VERDICT_OPEN);
    x->eof_at = NOW + SECOND;
    x->tcp = TCP_IS_CLOSE_WAIT;
    assert_verdict(VERDICT_OPEN);
}

static void in_use_means_something_is_awaited(void **state) {
    (void)state;
    struct fact *x = one(0);
    assert_false(fact_in_use(x));
    x->bytes_out = 1;
    x->last_out = NOW;
    assert_true(fact_in_use(x)); /* an answer */
    x->last_in = NOW;
    assert_true(fact_in_use(x)); /* the same tick, nothing read yet */
    x->bytes_in = 1;
    assert_false(fact_in_use(x));
    x->last_out = NOW - 1;
    assert_false(fact_in_use(x));
    x->unread = 1;
    assert_true(fact_in_use(x)); /* to be read */
    x->unread = 0;
    x->state = CONN_CONNECTING;
    assert_true(fact_in_use(x));
}

/* --- facts ---------------------------------------------------------------------------------------
 */

static void a_fact_is_made_once_for_a_record(void **state) {
    (void)state;
    struct fact *x = one(SECOND);
    assert_ptr_equal(facts_of(&r.facts, 0), x);
    assert_int_equal(r.facts.count, 1);
    facts_drop_last(&r.facts, 0);
    assert_int_equal(r.facts.count, 0);
    assert_non_null(facts_of(&r.facts, 0));
    assert_null(facts_of(&r.facts, 1));
    assert_null(facts_of(&r.facts, BOX_NONE));
}

static void a_record_that_is_free_or_being_written_gives_no_fact(void **state) {
    (void)state;
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    atomic_store(&synthetic_conn(&box, site, NOW)->state, CONN_FREE);
    atomic_store(&synthetic_conn(&box, site, NOW)->life.seq, 3);
    atomic_store(&synthetic_conn(&box, site, NOW)->state, 77);
    gather();
    assert_int_equal(r.facts.count, 0);
}

static void more_descriptors_than_are_listed_are_counted(void **state) {
    (void)state;
    struct fact *x = one(SECOND);
    for (int i = 0; i < 10; i++)
        fact_add_fd(x, 100 + i);
    assert_int_equal(x->fd_count, 11);
    assert_int_equal(x->fds[FACT_FDS - 1], 102);
    assert_non_null(strstr(text(), "    fd 3,100,101,102,...  -"));
}

/* --- groups --------------------------------------------------------------------------------------
 */

static uint32_t leak_site(const char *addr, uint32_t from_stack) {
    return synthetic_site(&box, from_stack, synthetic_host(&box, addr, LEAK_AFTER), CONN_OUTBOUND);
}

/* n connections of a site that are never-closed leaks. */
static void leaks(uint32_t site, unsigned n, uint64_t age) {
    for (unsigned i = 0; i < n; i++)
        synthetic_conn(&box, site, NOW - age);
    synthetic_reopened(&box, site, NOW - SECOND);
}

static void the_biggest_group_comes_first_then_the_oldest(void **state) {
    (void)state;
    leaks(leak_site("10.0.0.2:1", stack), 1, 100 * SECOND);
    leaks(leak_site("10.0.0.3:1", stack), 3, 50 * SECOND);
    leaks(leak_site("10.0.0.4:1", stack), 1, 200 * SECOND);
    leaks(leak_site("10.0.0.5:1", stack), 2, 50 * SECOND);
    gather();
    assert_true(report_judge(&r));
    static const uint8_t order[] = {3, 5, 4, 2};
    assert_int_equal(r.groups.count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(box.hosts[r.groups.group[i].host_id].addr.ip[3], order[i]);
    assert_int_equal(r.leaked, 7);
    assert_int_equal(r.leak_places, 4);
    assert_int_equal(r.open, 7);
}

static void classes_come_in_their_order_whatever_their_size(void **state) {
    (void)state;
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    uint32_t in = synthetic_site(&box, stack, BOX_NONE, CONN_INBOUND);
    for (int i = 0; i < 6; i++)
        synthetic_conn(&box, i == 5 ? in : site, NOW - 100 * SECOND);
    synthetic_conn(&box, site, NOW);
    gather();
    r.facts.fact[0].flags = CONN_INHERITED;
    r.facts.fact[1].last_in = NOW; /* open */
    r.facts.fact[2].state = CONN_FAILED;
    r.facts.fact[2].tcp = TCP_IS_CLOSE;
    r.facts.fact[4].tcp = TCP_IS_CLOSE_WAIT;
    assert_true(report_judge(&r));
    static const uint8_t order[] = {VERDICT_PEER_CLOSED,    VERDICT_NEVER_CLOSED,
                                    VERDICT_CONNECT_FAILED, VERDICT_OPEN,
                                    VERDICT_INHERITED,      VERDICT_INBOUND};
    assert_int_equal(r.groups.count, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(r.groups.group[i].verdict, order[i]);
    assert_int_equal(r.open, 6);
    assert_int_equal(r.leaked, 3);
}

static void equal_stacks_in_two_records_are_one_place(void **state) {
    (void)state;
    uint32_t again = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2000);
    uint32_t other = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2001);
    leaks(synthetic_site(&box, stack, host, CONN_OUTBOUND), 1, 100 * SECOND);
    leaks(synthetic_site(&box, again, host, CONN_OUTBOUND), 1, 100 * SECOND);
    leaks(synthetic_site(&box, other, host, CONN_OUTBOUND), 1, 100 * SECOND);
    gather();
    assert_true(report_judge(&r));
    assert_int_equal(r.leak_places, 2);
    assert_int_equal(r.groups.group[0].count, 2);
}

static void inbound_connections_of_many_peers_are_one_group(void **state) {
    (void)state;
    uint32_t in = synthetic_site(&box, stack, BOX_NONE, CONN_INBOUND);
    for (int i = 0; i < 5; i++)
        addr_parse(&synthetic_conn(&box, in, NOW)->peer, i % 2 ? "10.1.1.1:5" : "[::1]:6");
    gather();
    assert_true(report_judge(&r));
    assert_int_equal(r.groups.count, 1);
    assert_int_equal(r.groups.group[0].count, 5);
    assert_int_equal(r.groups.group[0].host.family, ADDR_NONE);
}

/* Every fact is in exactly one group's chain. */
static void ten_thousand_groups_hold_every_connection_once(void **state) {
    (void)state;
    enum { N = 20000, PLACES = 10000 };
    uint32_t site[PLACES];
    for (uint32_t i = 0; i < PLACES; i++)
        site[i] =
            synthetic_site(&box, synthetic_stack(&box, 1, (uint64_t)i + 1), host, CONN_OUTBOUND);
    for (uint32_t i = 0; i < N; i++)
        synthetic_conn(&box, site[i * 7 % PLACES], NOW - i);
    gather();
    assert_true(report_judge(&r));
    assert_int_equal(r.groups.count, PLACES);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < r.groups.count; i++) {
        const struct group *g = &r.groups.group[i];
        uint32_t in_group = 0;
        for (uint32_t k = g->first; k != UINT32_MAX; k = r.facts.fact[k].next)
            in_group++;
        assert_int_equal(in_group, g->count);
        seen += in_group;
        if (i)
            assert_true(g[-1].count > g->count ||
                        (g[-1].count == g->count && g[-1].oldest <= g->oldest));
    }
    assert_int_equal(seen, N);
}

/* --- suppressions --------------------------------------------------------------------------------
 */

static struct arena arena;

static void suppress(const char *lines) {
    char path[] = "/tmp/poolguard-supp-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
    close(fd);
    suppress_load(&r.suppressions, &arena, path, support_complain);
    unlink(path);
}

static void two_leaks(void) {
    uint64_t frame = UINT64_C(1) << FRAME_MODULE_SHIFT | 0x1234;
    synthetic_module(&box, "/usr/lib/libclient.so.3");
    uint32_t s = synthetic_stack(&box, 2, (uint64_t)0x1, frame);
    leaks(leak_site("10.0.0.2:80", s), 2, 100 * SECOND);
    leaks(leak_site("[fd00::7]:80", stack), 1, 100 * SECOND);
    gather();
}

/* How many leaks are left with these suppressions. */
static void assert_left(const char *lines, uint32_t left) {
    suppress(lines);
    assert_true(report_judge(&r));
    if (r.leaked != left)
        fail_msg("%s: %u left, not %u", lines, r.leaked, left);
    assert_int_equal(r.suppressed, 3 - left);
    groups_free(&r.groups);
}

static void suppressions_match_class_host_and_module(void **state) {
    (void)state;
    two_leaks();
    assert_left("", 3);
    assert_left("class:never-closed\n", 0);
    assert_left("class:peer-closed\n", 3);
    assert_left("class:*\n", 0);
    assert_left("host:10.0.0.2:80\n", 1);
    assert_left("host:10.0.0.2\n", 1);
    assert_left("host:10.0.0.2:81\n", 3);
    assert_left("host:10.*\n", 1);
    assert_left("host:fd00::7\n", 2);
    assert_left("leak:/usr/lib/libclient.so.3\n", 1);
    assert_left("leak:libclient.so*\n", 1);
    assert_left("leak:libother*\n", 3);
    assert_left("# all\n\nhost:10.* # one\nhost:fd00::7\n", 0);
    assert_int_equal(said_count, 0);
}

__attribute__((noinline, used)) int poolguard_test_function(int x);
int poolguard_test_function(int x) {
    return x * 3;
}

static void suppressions_match_functions(void **state) {
    (void)state;
    extern const char __ehdr_start[];
    char exe[BOX_PATH_MAX] = {0};
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    uint64_t at = (uint64_t)((uintptr_t)poolguard_test_function - (uintptr_t)__ehdr_start);
    uint64_t frame = (uint64_t)(synthetic_module(&box, exe) + 1) << FRAME_MODULE_SHIFT | at;
    leaks(leak_site("10.0.0.2:80", synthetic_stack(&box, 1, frame)), 1, 100 * SECOND);
    gather();
    suppress("leak:poolguard_*_function\n");
    assert_true(report_judge(&r));
    assert_int_equal(r.leaked, 0);
    assert_int_equal(r.suppressed, 1);
    const char *t = synthetic_text(&r);
    assert_non_null(strstr(t, "    #1 poolguard_test_function+0x0 ("));
    assert_non_null(strstr(t, "suppressed by leak:poolguard_*_function: 1 connection\n"));
}

static void what_is_no_finding_is_not_suppressed(void **state) {
    (void)state;
    one(SECOND);
    suppress("host:*\nclass:*\nleak:*\n");
    assert_true(report_judge(&r));
    assert_int_equal(r.suppressed, 0);
    assert_int_equal(r.open, 1);
}

static void wrong_lines_are_told_and_the_others_count(void **state) {
    (void)state;
    two_leaks();
    assert_left("leek:x\nhost:\nhost:10.*\n", 1);
    assert_int_equal(said_count, 2);
    assert_non_null(strstr(said[0], ":1: \"leek:x\" is none of leak:GLOB, host:GLOB, class:GLOB"));
    assert_non_null(strstr(said[1], ":2: \"host:\""));
    said_count = 0;
    suppress_load(&r.suppressions, &arena, "/no/such/file", support_complain);
    assert_null(r.suppressions);
    assert_int_equal(said_count, 1);
}

/* --- text ----------------------------------------------------------------------------------------
 */

static void nothing_open_is_said_in_two_lines(void **state) {
    (void)state;
    box_unmap(&box);
    synthetic_box(&box);
    gather();
    assert_string_equal(text(), "==4211== poolguard: demo: 0 open connections, 0 leaked\n"
                                "\n"
                                "SUMMARY: poolguard: no leaks, 0 open connections\n");
}

static void an_ended_process_is_spoken_of_in_the_past(void **state) {
    (void)state;
    one(SECOND);
    r.ended = true;
    r.trigger = TRIGGER_EXIT;
    const char *t = text();
    assert_non_null(strstr(t, "==4211== poolguard: demo: 1 connection open when the process ended, "
                              "0 leaked\n"));
    assert_non_null(strstr(t, "RISK open-at-exit: 1 connection to 10.0.0.1:443"));
    assert_non_null(strstr(t, "\nSUMMARY: poolguard: no leaks, 1 open connection\n"));
}

static void control_characters_of_the_program_are_not_written(void **state) {
    (void)state;
    snprintf(box.header->program, sizeof box.header->program, "/bin/e\033[31mvil\n");
    synthetic_module(&box, "/lib/\a.so");
    stack = synthetic_stack(&box, 1, UINT64_C(1) << FRAME_MODULE_SHIFT | 1);
    one(SECOND);
    const char *t = text();
    assert_non_null(strstr(t, "poolguard: e?[31mvil?: 1 open"));
    for (; *t; t++)
        assert_true(*t == '\n' || (unsigned char)*t >= ' ');
}

static void descriptors_running_out_stand_between_leaks_and_the_rest(void **state) {
    (void)state;
    box.header->exhausted = 3;
    box.header->exhausted_at = NOW - 2 * SECOND;
    box.header->exhausted_errno = EMFILE;
    box.header->exhausted_stack = stack;
    leaks(leak_site("10.0.0.2:80", stack), 1, 100 * SECOND);
    synthetic_conn(&box, synthetic_site(&box, stack, host, CONN_OUTBOUND), NOW);
    gather();
    const char *t = text();
    const char *leak = strstr(t, "LEAK never-closed");
    const char *risk = strstr(t, "==4211== RISK fd-exhausted: socket() or accept() failed 3 times, "
                                 "last 2s ago: Too many open files\n  last asked for:\n"
                                 "    #0 socket or accept\n");
    const char *open = strstr(t, "== OPEN: ");
    assert_true(leak && risk && open && leak < risk && risk < open);
    groups_free(&r.groups);
    suppress("class:fd-exhausted\n");
    assert_null(strstr(text(), "fd-exhausted: socket"));
}

static void a_report_of_nothing_but_exhaustion_says_so(void **state) {
    (void)state;
    box.header->exhausted = 1;
    gather();
    assert_non_null(strstr(text(), "RISK fd-exhausted: socket() or accept() failed 1 time, last "));
}

static void what_is_missing_is_said(void **state) {
    (void)state;
    box.header->region[REGION_CONNS].dropped = 2;
    box.header->flags = BOX_PARTLY_PRIVATE;
    gather();
    r.facts.unseen = 1;
    const char *t = text();
    assert_non_null(
        strstr(t, "\nnot seen being opened: 1 TCP connection (opened by raw system calls)\n"));
    assert_non_null(strstr(t, "\nthe tables were full: 2 records could not be kept\n"));
    assert_non_null(strstr(t, "\nincomplete: the state file's file system was full"));
    groups_free(&r.groups);
    r.is_loaded = module_is_loaded; /* the process itself has it all */
    assert_null(strstr(text(), "incomplete"));
}

static void the_host_table_has_leaking_hosts_first_and_fifty_rows(void **state) {
    (void)state;
    char addr[32];
    for (int i = 0; i < 60; i++) {
        snprintf(addr, sizeof addr, "10.9.0.%d:80", i);
        uint32_t site = leak_site(addr, stack);
        synthetic_conn(&box, site, NOW);
        if (i == 55)
            leaks(site, 1, 100 * SECOND);
    }
    gather();
    const char *t = text();
    const char *head = "host                      open  in use  idle  leaked  opened  failed\n";
    const char *row = strstr(t, head);
    assert_non_null(row);
    row += strlen(head);
    static const char first[] =
        "10.9.0.55:80                 2       0     2       1       2       0\n";
    assert_memory_equal(row, first, sizeof first - 1);
    assert_non_null(strstr(t, "\nand 10 more hosts\n")); /* not the set-up's, which has none */
}

static void a_long_report_leaves_through_a_small_buffer(void **state) {
    (void)state;
    static char whole[1 << 18];
    char small[64], path[] = "/tmp/poolguard-out-XXXXXX";
    two_leaks();
    snprintf(whole, sizeof whole, "%s", text());
    int fd = mkstemp(path);
    struct out o;
    out_init(&o, fd, small, sizeof small);
    report_write_text(&r, &o);
    static char file[1 << 18];
    assert_int_equal(o.error, 0);
    assert_int_equal(pread(fd, file, sizeof file, 0), strlen(whole));
    assert_string_equal(file, whole);
    close(fd);
    unlink(path);
}

/* The whole of a small report, to the letter. */
static void golden(void **state) {
    (void)state;
    synthetic_module(&box, "/opt/app/client.so");
    uint64_t frame = UINT64_C(1) << FRAME_MODULE_SHIFT | 0x1139;
    uint32_t s = synthetic_stack(&box, 2, frame, (uint64_t)0x7f00);
    uint32_t db = synthetic_host(&box, "[fe80::1%2]:5432", LEAK_AFTER);
    uint32_t pool = synthetic_site(&box, s, host, CONN_OUTBOUND);
    uint32_t once = synthetic_site(&box, BOX_NONE, db, CONN_OUTBOUND);
    uint32_t in = synthetic_site(&box, stack, BOX_NONE, CONN_INBOUND);
    for (int i = 0; i < 3; i++) {
        struct box_conn *c = synthetic_conn(&box, pool, NOW - (uint64_t)(250 - i) * SECOND);
        c->bytes_out = 100;
        c->calls_out = 1;
        c->last_out = c->opened + SECOND;
        c->bytes_in = 2048;
        c->calls_in = 2;
        c->last_in = c->opened + 2 * SECOND;
    }
    synthetic_conn(&box, pool, NOW - 12 * MS);
    box.sites[pool].opened = 9;
    box.sites[pool].closed = 5;
    box.hosts[host].opened = 9;
    struct box_conn *failed = synthetic_conn(&box, once, NOW - 100 * SECOND);
    failed->state = CONN_FAILED;
    failed->error = ECONNREFUSED;
    box.hosts[db].failed = 1;
    struct box_conn *client = synthetic_conn(&box, in, NOW - 5 * SECOND);
    addr_parse(&client->peer, "192.0.2.1:40000");
    gather();
    addr_parse(&r.facts.fact[0].local, "10.0.0.5:1000");
    r.facts.fact[0].tcp = TCP_IS_CLOSE_WAIT;
    r.facts.fact[0].unread = 18637;
    r.facts.fact[0].eof_at = NOW - 248 * SECOND;
    fact_add_fd(&r.facts.fact[1], 40);
    r.facts.fact[4].tcp = TCP_IS_CLOSE;
    suppress("class:connect-failed\n");
    assert_string_equal(
        text(),
        "==4211== poolguard: demo: 5 open connections, 3 leaked\n"
        "host                      open  in use  idle  leaked  opened  failed\n"
        "10.0.0.1:443                 4       1     3       3       9       0\n"
        "[fe80::1%2]:5432             0       0     0       0       1       1\n"
        "\n"
        "==4211== LEAK peer-closed: 1 connection to 10.0.0.1:443, oldest 4m10s\n"
        "  the peer has closed (at least 4m08s ago), the program has not; not touched for 4m08s; "
        "unread 18.2 KiB; fds 3\n"
        "  opened:\n"
        "    #0 connect\n"
        "    #1 0x1139 (/opt/app/client.so+0x1139)\n"
        "    #2 0x7f00 (code of no file, as made at run time)\n"
        "  connections:\n"
        "    fd 3  10.0.0.5:1000 -> 10.0.0.1:443  close-wait  age 4m10s  idle 4m08s  in 2.0 KiB in "
        "2 reads  out 100 B in 1 write  unread 18.2 KiB  thread 4211\n"
        "  to do: close each connection when its peer has: on end of file, on an error, and on "
        "every path that leaves the function.\n"
        "\n"
        "==4211== LEAK never-closed: 2 connections to 10.0.0.1:443, oldest 4m09s\n"
        "  not touched for 4m06s, while the same place opened others: 9 in all, 5 closed; fds 4 40 "
        "5\n"
        "  opened:\n"
        "    #0 connect\n"
        "    #1 0x1139 (/opt/app/client.so+0x1139)\n"
        "    #2 0x7f00 (code of no file, as made at run time)\n"
        "  connections:\n"
        "    fd 4,40  - -> 10.0.0.1:443  established  age 4m09s  idle 4m07s  in 2.0 KiB in 2 reads "
        " out 100 B in 1 write  thread 4211\n"
        "    fd 5  - -> 10.0.0.1:443  established  age 4m08s  idle 4m06s  in 2.0 KiB in 2 reads  "
        "out 100 B in 1 write  thread 4211\n"
        "  to do: close each connection when done with it, or keep it and use it again instead of "
        "opening another.\n"
        "\n"
        "==4211== SUPPRESSED connect-failed: 1 connection to [fe80::1%2]:5432, oldest 1m40s\n"
        "  connect() failed (Connection refused), the descriptor is still open after 1m40s; fds 7\n"
        "  connections:\n"
        "    fd 7  - -> [fe80::1%2]:5432  closed  age 1m40s  idle 1m40s  in 0 B in 0 reads  out 0 "
        "B in 0 writes  thread 4211\n"
        "\n"
        "==4211== OPEN: 1 connection to 10.0.0.1:443, oldest 12ms\n"
        "  opened:\n"
        "    #0 connect\n"
        "    #1 0x1139 (/opt/app/client.so+0x1139)\n"
        "    #2 0x7f00 (code of no file, as made at run time)\n"
        "  connections:\n"
        "    fd 6  - -> 10.0.0.1:443  established  age 12ms  idle 12ms  in 0 B in 0 reads  out 0 B "
        "in 0 writes  thread 4211\n"
        "\n"
        "==4211== INBOUND: 1 connection, oldest 5s\n"
        "  opened:\n"
        "    #0 accept\n"
        "    #1 0x1000 (code of no file, as made at run time)\n"
        "    #2 0x2000 (code of no file, as made at run time)\n"
        "  connections:\n"
        "    fd 8  - -> 192.0.2.1:40000  established  age 5s  idle 5s  in 0 B in 0 reads  out 0 B "
        "in 0 writes  thread 4211\n"
        "\n"
        "suppressed by class:connect-failed: 1 connection\n"
        "\n"
        "SUMMARY: poolguard: 3 leaked connections in 2 places\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_of_a_group_is_true_of_each),
        TEST(connections_are_chained_by_what_is_counted_of_their_call_site),
        TEST(an_idle_connection_alone_is_no_leak),
        TEST(an_idle_connection_passed_over_is_never_closed),
        TEST(just_before_leak_after_it_is_not),
        TEST(connections_opened_together_are_not_passed_over),
        TEST(any_use_makes_it_young_again),
        TEST(a_connection_that_somebody_waits_for_is_not_never_closed),
        TEST(a_dead_connection_is_a_leak_only_when_its_death_is_dated),
        TEST(a_connection_that_is_connecting_or_gone_is_not_never_closed),
        TEST(a_connection_without_a_site_is_judged_too),
        TEST(what_the_peer_closed_is_a_leak_from_leak_after_on),
        TEST(the_peer_must_have_been_gone_for_leak_after_where_that_is_known),
        TEST(a_watched_connection_that_the_peer_closed_is_no_leak),
        TEST(a_failed_connect_is_a_leak_from_leak_after_on),
        TEST(inherited_and_inbound_connections_never_leak),
        TEST(each_host_has_its_own_leak_after),
        TEST(without_a_host_the_process_leak_after_counts),
        TEST(times_in_the_future_are_now),
        TEST(in_use_means_something_is_awaited),
        TEST(a_fact_is_made_once_for_a_record),
        TEST(a_record_that_is_free_or_being_written_gives_no_fact),
        TEST(more_descriptors_than_are_listed_are_counted),
        TEST(the_biggest_group_comes_first_then_the_oldest),
        TEST(classes_come_in_their_order_whatever_their_size),
        TEST(equal_stacks_in_two_records_are_one_place),
        TEST(inbound_connections_of_many_peers_are_one_group),
        TEST(ten_thousand_groups_hold_every_connection_once),
        TEST(suppressions_match_class_host_and_module),
        TEST(suppressions_match_functions),
        TEST(what_is_no_finding_is_not_suppressed),
        TEST(wrong_lines_are_told_and_the_others_count),
        TEST(nothing_open_is_said_in_two_lines),
        TEST(an_ended_process_is_spoken_of_in_the_past),
        TEST(control_characters_of_the_program_are_not_written),
        TEST(descriptors_running_out_stand_between_leaks_and_the_rest),
        TEST(a_report_of_nothing_but_exhaustion_says_so),
        TEST(what_is_missing_is_said),
        TEST(the_host_table_has_leaking_hosts_first_and_fifty_rows),
        TEST(a_long_report_leaves_through_a_small_buffer),
        TEST(golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
