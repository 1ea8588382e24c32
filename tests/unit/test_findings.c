/* What reports say of call sites that waste connections, on synthetic boxes: churn, responses that
 * were not drained, servers with an idle limit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#include "report/findings.h"
#include "report/suppress.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)
#define GET "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#define NO_FILE " (code of no file, as made at run time)\n"
#define OPENED "    #1 0x1000" NO_FILE "    #2 0x2000" NO_FILE
#define CLOSED "    #1 0x3000" NO_FILE

static struct box box;
static struct view view;
static struct report r;
static uint32_t host, stack, closing, site;
static struct box_use *use;

static int fresh(void **state) {
    (void)state;
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    host = synthetic_host(&box, "10.0.0.1:80", LEAK_AFTER);
    stack = synthetic_stack(&box, 2, (uint64_t)0x1000, (uint64_t)0x2000);
    closing = synthetic_stack(&box, 1, (uint64_t)0x3000);
    site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    use = synthetic_use(&box, site);
    box.header->churn_min = 20;
    box.header->undrained_min = 1;
    box.header->mismatch_min = 3;
    return 0;
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static void gather(void) {
    report_free(&r);
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
}

static void judge(void) {
    gather();
    assert_true(report_judge(&r));
}

/* The finding of that class, NULL: none. */
static const struct group *found(enum verdict verdict) {
    const struct group *found = NULL;
    for (uint32_t i = 0; i < r.groups.count; i++)
        if (r.groups.group[i].verdict == verdict && group_is_of_site(&r.groups.group[i])) {
            assert_null(found);
            found = &r.groups.group[i];
        }
    return found;
}

static uint32_t count_of(enum verdict verdict) {
    judge();
    const struct group *g = found(verdict);
    return g ? g->count : 0;
}

static void assert_says(const char *words) {
    judge();
    support_holds(synthetic_text(&r), words);
}

static void assert_json(const char *words) {
    judge();
    support_holds(synthetic_json(&r), words);
}

static void assert_silent(const char *words) {
    judge();
    const char *t = synthetic_text(&r);
    if (strstr(t, words))
        fail_msg("\"%s\" in:\n%s", words, t);
}

/* --- churn ------------------------------------------------------------------------------------ */

static void churned(uint64_t spared, uint64_t conns) {
    use->conns = conns;
    use->spared = spared;
    use->ended[USE_REQUEST_CLOSE] = spared;
    use->last_spared = NOW - 2 * SECOND;
    use->closing_stack = closing;
}

static void churn_needs_a_number_and_half_of_all(void **state) {
    (void)state;
    churned(19, 20);
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    churned(20, 40);
    assert_int_equal(count_of(VERDICT_CHURN), 20);
    churned(20, 41);
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    churned(1000, 2001);
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    box.header->churn_min = 1001;
    churned(1000, 1000);
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    box.header->churn_min = 0; /* of a file that does not say */
    churned(0, 0);
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    churned(1, 1);
    assert_int_equal(count_of(VERDICT_CHURN), 1);
}

static void churn_says_why(void **state) {
    (void)state;
    churned(38, 40);
    use->ended[USE_UNUSED] = 2;
    assert_says("==4211== WASTE churn: 38 connections to 10.0.0.1:80, last 2s ago\n"
                "  38 of 40 could have been spared: another one from here had just ended"
                "; they ended because: the request said close (38), closed by the program, "
                "though it could have been used again (2)\n"
                "  opened:\n    #0 connect\n" OPENED "  last closed:\n    #0 close\n" CLOSED
                "  to do: ");
    assert_silent("connections:\n");
    assert_int_equal(r.leaked, 0);
    assert_int_equal(report_leaks(&r), 0);
    assert_json("{\"class\":\"churn\",\"kind\":\"waste\",\"count\":38,\"unit\":\"connection\","
                "\"host\":\"10.0.0.1\",\"port\":80,\"fingerprint\":\"");
    assert_json("\"opened\":0,\"opened_call\":\"connect\",\"closed\":1,\"closed_call\":\"close\",");
    assert_json("\"last_ms_ago\":2000,\"reasons\":{\"request-close\":38,\"unused\":2},"
                "\"connections\":[]}");
}

static void every_reason_has_a_word(void **state) {
    (void)state;
    churned(28, 28);
    for (int i = 0; i < USE_ENDS; i++)
        use->ended[i] = (uint64_t)i + 1;
    assert_json("\"reasons\":{\"request-close\":1,\"response-close\":2,\"server-closed\":3,"
                "\"undrained\":4,\"unused\":5,\"unanswered\":6,\"failed\":7}");
    assert_says("the request said close (1), the response said close (2), the server closed it "
                "while it lay idle (3), closed before the response was read to its end (4), "
                "closed by the program, though it could have been used again (5), closed before a "
                "response came (6), broken off (7)\n");
}

/* One that was used once, and others were opened since. */
static struct box_conn *keep(const char *out, const char *in) {
    struct box_conn *c = synthetic_conn(&box, site, NOW - 100 * SECOND);
    c->last_in = c->last_out = NOW - 90 * SECOND;
    c->bytes_out = strlen(out);
    c->bytes_in = strlen(in);
    synthetic_http(&box, c, out, in);
    return c;
}

static uint32_t kept(void) {
    box.header->churn_min = 1;
    use->spared = 1;
    use->conns = 2;
    judge();
    const struct group *g = found(VERDICT_CHURN);
    assert_non_null(g);
    assert_int_equal(g->count, 1 + g->kept);
    return g->kept;
}

static void what_is_kept_and_not_used_again_counts(void **state) {
    (void)state;
    struct box_conn *c = keep(GET, OK);
    assert_int_equal(kept(), 0); /* nothing was opened since */
    synthetic_reopened(&box, site, c->last_in + LEAK_AFTER / 10 - 1);
    assert_int_equal(kept(), 0);
    synthetic_reopened(&box, site, c->last_in + LEAK_AFTER / 10);
    assert_int_equal(kept(), 1);
    assert_json("\"reasons\":{\"kept\":1}");
    assert_says("had just ended; kept open and not used again (1)\n");
    c->direction = CONN_INBOUND;
    assert_int_equal(kept(), 0);
    c->direction = CONN_OUTBOUND;
    c->site = synthetic_site(&box, closing, host, CONN_OUTBOUND);
    assert_int_equal(kept(), 0);
}

static void what_is_no_kept_one_does_not_count(void **state) {
    (void)state;
    keep(GET, "");
    keep(GET, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok");
    keep(GET GET, OK OK);
    keep(GET, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    keep("GET / HTTP/1.0\r\n\r\n", OK);
    keep(GET, "HTTP/1.1 101 Switching\r\n\r\n");
    keep("EHLO x\r\n", "");
    synthetic_reopened(&box, site, NOW - SECOND);
    assert_int_equal(kept(), 0);
    struct box_conn *c = keep(GET, OK);
    synthetic_reopened(&box, site, NOW - SECOND);
    assert_int_equal(kept(), 1);
    static const uint8_t gone[] = {TCP_IS_CLOSE, TCP_UNKNOWN};
    for (int i = 0; i < 2; i++) {
        gather();
        r.facts.fact[c - box.conns].tcp = gone[i];
        assert_true(report_judge(&r));
        assert_int_equal(found(VERDICT_CHURN)->kept, 0);
    }
}

static void kept_ones_alone_are_churn_too(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++)
        keep(GET, OK);
    synthetic_reopened(&box, site, NOW - SECOND);
    use->conns = 20;
    assert_int_equal(count_of(VERDICT_CHURN), 20);
    use->conns = 41;
    assert_int_equal(count_of(VERDICT_CHURN), 0);
    use->spared = 1;
    assert_int_equal(count_of(VERDICT_CHURN), 21);
}

/* --- closed undrained ------------------------------------------------------------------------- */

static void undrained(uint64_t n, uint64_t read, uint64_t left) {
    use->undrained = n;
    use->undrained_read = read;
    use->undrained_left = left;
    use->undrained_method = HTTP_GET;
    use->last_undrained = NOW - 3 * SECOND;
    use->undrained_stack = closing;
    strcpy(use->undrained_path, "/big");
}

static void what_was_left_undrained_needs_its_number(void **state) {
    (void)state;
    undrained(0, 1, 1);
    assert_int_equal(count_of(VERDICT_CLOSED_UNDRAINED), 0);
    undrained(1, 1, 1);
    assert_int_equal(count_of(VERDICT_CLOSED_UNDRAINED), 1);
    box.header->undrained_min = 3;
    undrained(2, 1, 1);
    assert_int_equal(count_of(VERDICT_CLOSED_UNDRAINED), 0);
    undrained(3, 1, 1);
    assert_int_equal(count_of(VERDICT_CLOSED_UNDRAINED), 3);
    undrained(UINT64_MAX, 1, 1);
    assert_int_equal(count_of(VERDICT_CLOSED_UNDRAINED), UINT32_MAX);
}

static void what_was_left_undrained_is_told(void **state) {
    (void)state;
    undrained(12, 64 << 10, (1 << 20) - (64 << 10));
    use->conns = 40;
    assert_says("==4211== WASTE closed-undrained: 12 connections to 10.0.0.1:80, last 3s ago\n"
                "  12 of 40 were closed before their response was read to its end, the last one: "
                "GET /big, 64.0 KiB of 1.0 MiB read\n"
                "  opened:\n    #0 connect\n" OPENED "  last closed:\n    #0 close\n" CLOSED);
    assert_json("{\"class\":\"closed-undrained\",\"kind\":\"waste\",\"count\":12,");
    assert_json("\"last_ms_ago\":3000,\"connections\":[]}");
    undrained(1, 5, 0); /* of a chunk: how much was to come is not known */
    use->conns = 0;     /* torn: counted elsewhere */
    assert_says(
        "  1 of 1 was closed before its response was read to its end: GET /big, 5 B read\n");
}

static void a_path_is_printed_as_far_as_it_is_one(void **state) {
    (void)state;
    undrained(1, 5, 5);
    memset(use->undrained_path, 'x', sizeof use->undrained_path);
    use->undrained_path[0] = '\n';
    use->undrained_path[1] = '\x7f';
    use->undrained_method = 250;
    char want[200];
    snprintf(want, sizeof want,
             "end: - ?"
             "?%.*s, 5 B of 10 B read\n",
             HTTP_PATH_MAX - 2, use->undrained_path + 2);
    assert_says(want);
    use->undrained_path[0] = '\0';
    assert_says("end: -, 5 B of 10 B read\n");
}

/* --- the server's idle limit ------------------------------------------------------------------ */

static void idle_closed(uint64_t n, uint64_t least) {
    use->idle_closed = n;
    use->idle_least = least;
    use->last_idle_closed = NOW - 3 * SECOND;
}

static void an_idle_limit_needs_its_number_or_a_lost_request(void **state) {
    (void)state;
    idle_closed(2, 5 * SECOND);
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 0);
    idle_closed(3, 5 * SECOND);
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 3);
    idle_closed(0, UINT64_MAX);
    use->stale = 1;
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 1);
    use->lost = 1; /* as many were lost without a rest */
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 0);
    use->lost = 0;
    idle_closed(2, 5 * SECOND);
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 3);
    use->stale = 0;
    box.header->mismatch_min = 0;
    idle_closed(0, UINT64_MAX);
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 0);
    idle_closed(1, SECOND);
    assert_int_equal(count_of(VERDICT_SERVER_IDLE), 1);
}

static void an_idle_limit_is_told(void **state) {
    (void)state;
    idle_closed(4, 2 * SECOND);
    use->closing_stack = closing;
    assert_says("==4211== RISK server-idle-mismatch: 4 connections to 10.0.0.1:80, last 3s ago\n"
                "  the server closed 4 connections that lay idle here, after 2s at most\n"
                "  opened:\n    #0 connect\n" OPENED "  to do: ");
    use->keep_alive = 5;
    assert_says(", after 2s at most; it announces to keep them for 5s\n");
    use->stale = 1;
    use->last_stale = NOW - SECOND;
    assert_says("mismatch: 5 connections to 10.0.0.1:80, last 1s ago\n");
    assert_says(
        "2s at most; 1 request was sent on one that had rested, and met its end; it announces");
    idle_closed(0, UINT64_MAX);
    use->stale = 2;
    use->keep_alive = 0;
    assert_says("\n  2 requests were sent on ones that had rested, and met their end\n");
    use->stale = 0;
    box.header->mismatch_min = 1;
    idle_closed(1, 61 * SECOND);
    assert_says("\n  the server closed 1 connection that lay idle here, after 1m01s at most\n");
    assert_json("{\"class\":\"server-idle-mismatch\",\"kind\":\"risk\",\"count\":1,");
}

/* Connections that the server has closed, and that are still kept. */
static uint32_t closed_ones(void) {
    gather();
    struct idle_closed c = finding_idle_closed(&r.facts, 0);
    return (uint32_t)c.count;
}

/* The server closed it after so long; the last packet of all was its FIN, `age` ago. */
static void server_closed(const struct box_conn *c, uint64_t idle, uint32_t age_ms,
                          struct idle_closed *to) {
    gather();
    struct fact *x = &r.facts.fact[c - box.conns];
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->silent_ms = age_ms;
    x->last_in = NOW - age_ms * MS - idle;
    x->opened = x->settled = x->last_out = 0;
    *to = finding_idle_closed(&r.facts, 0);
}

static void what_the_server_has_closed_counts_after_a_rest(void **state) {
    (void)state;
    struct box_conn *c = keep(GET, OK);
    struct idle_closed seen;
    assert_int_equal(closed_ones(), 0);
    server_closed(c, 2 * SECOND, 5000, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.least, 2 * SECOND);
    assert_int_equal(seen.last, NOW - 5 * SECOND);
    server_closed(c, 100 * MS, 5000, &seen);
    assert_int_equal(seen.count, 1);
    server_closed(c, 100 * MS - 1, 5000, &seen);
    assert_int_equal(seen.count, 0);
    server_closed(c, 0, 5000, &seen);
    assert_int_equal(seen.count, 0);
    server_closed(c, 30 * MS, 20, &seen); /* answered and closed a moment ago */
    assert_int_equal(seen.count, 0);
    server_closed(c, 10 * SECOND, 0, &seen); /* when is not known */
    assert_int_equal(seen.count, 0);
    idle_closed(1, 9 * SECOND);
    server_closed(c, 7 * SECOND, 1000, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.least, 7 * SECOND);
    assert_int_equal(seen.last, NOW - SECOND);
}

static void times_in_the_future_are_no_rest(void **state) {
    (void)state;
    struct box_conn *c = keep(GET, OK);
    gather();
    struct fact *x = &r.facts.fact[c - box.conns];
    x->tcp = TCP_IS_CLOSE_WAIT;
    x->silent_ms = 20;
    x->last_in = NOW + SECOND;
    assert_int_equal(finding_idle_closed(&r.facts, 0).count, 0);
    x->last_in = NOW;
    assert_int_equal(finding_idle_closed(&r.facts, 0).count, 0);
    x->last_in = NOW - SECOND;
    x->silent_ms = UINT32_MAX; /* longer ago than it was used */
    assert_int_equal(finding_idle_closed(&r.facts, 0).count, 0);
}

static void only_what_rested_and_was_closed_first_by_the_server_counts(void **state) {
    (void)state;
    static const struct {
        const char *out, *in;
        uint8_t tcp;
        uint32_t want;
    } cases[] = {
        {GET, OK, TCP_IS_CLOSE_WAIT, 1},
        {GET, OK, TCP_IS_LAST_ACK, 1},
        {GET, OK, TCP_IS_ESTABLISHED, 0},
        {GET, OK, TCP_IS_CLOSE, 0},
        {GET, OK, TCP_UNKNOWN, 0},
        {GET GET, OK, TCP_IS_CLOSE_WAIT, 0},
        {GET, "HTTP/1.1 200 OK\r\n\r\n", TCP_IS_CLOSE_WAIT, 0},
        {GET, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", TCP_IS_CLOSE_WAIT, 0},
        {"GET / HTTP/1.0\r\n\r\n", OK, TCP_IS_CLOSE_WAIT, 0},
        {GET GET, OK OK, TCP_IS_CLOSE_WAIT, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct box_conn *c = keep(cases[i].out, cases[i].in);
        gather();
        struct fact *x = &r.facts.fact[c - box.conns];
        x->tcp = cases[i].tcp;
        x->silent_ms = 5000;
        if (finding_idle_closed(&r.facts, 0).count != cases[i].want)
            fail_msg("case %zu", i);
        x->shut_at = NOW - 6 * SECOND; /* the program had ended it before */
        assert_int_equal(finding_idle_closed(&r.facts, 0).count, 0);
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

static void all_at_once(void) {
    churned(38, 40);
    undrained(12, 10, 10);
    idle_closed(4, 2 * SECOND);
}

static void they_come_in_their_order(void **state) {
    (void)state;
    all_at_once();
    judge();
    assert_int_equal(r.groups.count, 3);
    assert_int_equal(r.groups.group[0].verdict, VERDICT_CLOSED_UNDRAINED);
    assert_int_equal(r.groups.group[1].verdict, VERDICT_CHURN);
    assert_int_equal(r.groups.group[2].verdict, VERDICT_SERVER_IDLE);
    assert_int_equal(r.groups.count, findings_most(&r.facts));
    assert_int_equal(r.open, 0);
    assert_int_equal(r.suppressed, 0);
}

static void each_place_has_its_own(void **state) {
    (void)state;
    churned(20, 20);
    uint32_t other = synthetic_site(&box, closing, host, CONN_OUTBOUND);
    synthetic_use(&box, other)->spared = 30;
    synthetic_use(&box, synthetic_site(&box, stack, host, CONN_OUTBOUND))->spared = 19;
    judge();
    assert_int_equal(r.groups.count, 2);
    assert_int_equal(r.groups.group[0].count, 30); /* the biggest first */
    assert_int_equal(r.groups.group[0].stack, closing);
    assert_int_equal(r.groups.group[1].count, 20);
}

static void suppressed_by(enum suppress_kind kind, const char *pattern, unsigned left) {
    struct suppression s = {.pattern = (char *)(uintptr_t)pattern, .kind = kind};
    all_at_once();
    r.suppressions = &s;
    judge();
    unsigned n = 0;
    for (uint32_t i = 0; i < r.groups.count; i++)
        n += !r.groups.group[i].suppressed;
    if (n != left)
        fail_msg("%s: %u are left", pattern, n);
    assert_int_equal(r.suppressed, 0); /* no connection that is open */
    assert_int_equal(s.used, 3 - left);
    const char *text = synthetic_text(&r);
    assert_int_equal(strstr(text, "SUPPRESSED ") != NULL, left < 3);
    assert_null(strstr(text, "0 connections\n"));
    assert_non_null(strstr(synthetic_json(&r), left < 3 ? "\"suppressed\":true" : "false"));
    r.suppressions = NULL;
}

static void suppressions_reach_findings_by_class_host_and_stack(void **state) {
    (void)state;
    uint32_t m = synthetic_module(&box, "/opt/lib/pool.so");
    box.stacks[stack].frames[1] = (uint64_t)(m + 1) << FRAME_MODULE_SHIFT | 0x10;
    suppressed_by(SUPPRESS_CLASS, "churn", 2);
    suppressed_by(SUPPRESS_CLASS, "closed-undrained", 2);
    suppressed_by(SUPPRESS_CLASS, "server-idle-mismatch", 2);
    suppressed_by(SUPPRESS_CLASS, "c*", 1);
    suppressed_by(SUPPRESS_CLASS, "never-closed", 3);
    suppressed_by(SUPPRESS_HOST, "10.0.0.1:80", 0);
    suppressed_by(SUPPRESS_HOST, "10.0.0.1", 0);
    suppressed_by(SUPPRESS_HOST, "10.0.0.2", 3);
    suppressed_by(SUPPRESS_STACK, "pool.so", 0);
    suppressed_by(SUPPRESS_STACK, "*/pool.so", 0);
    suppressed_by(SUPPRESS_STACK, "other.so", 3);
    box.hosts[host].name = synthetic_name(&box, "api.test");
    suppressed_by(SUPPRESS_HOST, "api.test", 0);
    suppressed_by(SUPPRESS_HOST, "*.test:80", 0);
    suppressed_by(SUPPRESS_HOST, "*.test:81", 3);
    suppressed_by(SUPPRESS_HOST, "10.0.0.1", 0);
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static char prints[3][17];

static void take_prints(char to[3][17]) {
    judge();
    const char *t = strstr(synthetic_json(&r), "\"groups\":[");
    for (int i = 0; i < 3; i++) {
        t = strstr(t, "\"fingerprint\":\"");
        assert_non_null(t);
        t += strlen("\"fingerprint\":\"");
        snprintf(to[i], 17, "%.16s", t);
    }
}

static void prints_are(bool same, int line) {
    char now[3][17];
    take_prints(now);
    for (int i = 0; i < 3; i++)
        if ((strcmp(now[i], prints[i]) == 0) != same)
            fail_msg("line %d, %d: %s %s", line, i, now[i], prints[i]);
}

#define assert_prints(same) prints_are(same, __LINE__)

static void fingerprints_are_of_class_place_and_host_alone(void **state) {
    (void)state;
    box.header->churn_min = 1;
    all_at_once();
    take_prints(prints);
    assert_string_not_equal(prints[0], prints[1]);
    assert_string_not_equal(prints[1], prints[2]);
    churned(39, 50);
    use->ended[USE_FAILED] = 3;
    use->requests = use->reused = 7;
    undrained(1, 0, 77);
    strcpy(use->undrained_path, "/other");
    idle_closed(9, 3 * SECOND);
    use->stale = 2;
    use->keep_alive = 3;
    assert_prints(true);
    use->closing_stack = use->undrained_stack =
        synthetic_stack(&box, 2, (uint64_t)0x9000, (uint64_t)0x9001);
    assert_prints(true);
    use->closing_stack = use->undrained_stack = BOX_NONE;
    assert_prints(true);
    box.hosts[host].addr.port = 81;
    assert_prints(false);
    box.hosts[host].addr.port = 80;
    assert_prints(true);
    uint32_t m = synthetic_module(&box, "/opt/lib/pool.so");
    box.stacks[stack].frames[1] = (uint64_t)(m + 1) << FRAME_MODULE_SHIFT | 0x10;
    assert_prints(false);
}

/* --- what can not be -------------------------------------------------------------------------- */

static void uses_of_no_site_are_nobodys(void **state) {
    (void)state;
    all_at_once();
    use->site = 1;
    judge();
    assert_int_equal(r.groups.count, 0);
    use->site = BOX_NONE;
    judge();
    assert_int_equal(r.groups.count, 0);
    use->site = site;
    box.sites[site].ready = 0;
    judge();
    assert_int_equal(r.groups.count, 0);
    box.sites[site].ready = 1;
    use->ready = 0;
    judge();
    assert_int_equal(r.groups.count, 0);
}

static void wrong_indices_show_less_and_harm_nothing(void **state) {
    (void)state;
    all_at_once();
    use->closing_stack = use->undrained_stack = 77;
    box.sites[site].host = 77;
    box.sites[site].stack = 77;
    assert_says("WASTE churn: 38 connections, last 2s ago\n");
    assert_silent("opened:");
    assert_silent("last closed:");
    assert_json("\"class\":\"churn\"");
    use->last_spared = use->last_undrained = use->last_idle_closed = UINT64_MAX;
    use->idle_least = UINT64_MAX;
    use->keep_alive = UINT32_MAX;
    use->stale = UINT64_MAX;
    use->spared = use->conns = UINT64_MAX;
    assert_says("last 0ms ago\n");
    assert_json("\"class\":\"server-idle-mismatch\"");
}

/* Twice the same site: each says its own. */
static void two_records_of_one_site_are_two_findings(void **state) {
    (void)state;
    churned(20, 20);
    synthetic_use(&box, site)->spared = 21;
    judge();
    assert_int_equal(r.groups.count, 2);
    assert_true(r.groups.count <= findings_most(&r.facts));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(churn_needs_a_number_and_half_of_all),
        TEST(churn_says_why),
        TEST(every_reason_has_a_word),
        TEST(what_is_kept_and_not_used_again_counts),
        TEST(what_is_no_kept_one_does_not_count),
        TEST(kept_ones_alone_are_churn_too),
        TEST(what_was_left_undrained_needs_its_number),
        TEST(what_was_left_undrained_is_told),
        TEST(a_path_is_printed_as_far_as_it_is_one),
        TEST(an_idle_limit_needs_its_number_or_a_lost_request),
        TEST(an_idle_limit_is_told),
        TEST(what_the_server_has_closed_counts_after_a_rest),
        TEST(times_in_the_future_are_no_rest),
        TEST(only_what_rested_and_was_closed_first_by_the_server_counts),
        TEST(they_come_in_their_order),
        TEST(each_place_has_its_own),
        TEST(suppressions_reach_findings_by_class_host_and_stack),
        TEST(fingerprints_are_of_class_place_and_host_alone),
        TEST(uses_of_no_site_are_nobodys),
        TEST(wrong_indices_show_less_and_harm_nothing),
        TEST(two_records_of_one_site_are_two_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
