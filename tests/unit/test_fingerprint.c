/* What fingerprints of findings are made of, and what not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/fingerprint.h"
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

/* FNV-1a of "" with its '\0', and of "a" with its own. */
static void fingerprints_are_fnv_1a(void **state) {
    (void)state;
    char text[FINGERPRINT_TEXT];
    assert_int_equal(fingerprint_add(FINGERPRINT_START, ""), UINT64_C(0xaf63bd4c8601b7df));
    assert_int_equal(fingerprint_add(FINGERPRINT_START, "a"), UINT64_C(0x089be207b544f1e4));
    assert_string_equal(fingerprint_text(0x1f, text), "000000000000001f");
}

/* Of the first group. */
static uint64_t fingerprint(void) {
    synthetic_judge(&r, &view, &box, NOW);
    const char *groups = strstr(synthetic_json(&r), "\"groups\":[");
    assert_non_null(groups);
    const char *f = strstr(groups, "\"fingerprint\":\"");
    assert_non_null(f);
    return strtoull(f + strlen("\"fingerprint\":\""), NULL, 16);
}

static void a_fingerprint_holds_no_addresses_times_or_numbers(void **state) {
    (void)state;
    uint64_t before = fingerprint();
    box.header->pid = 1;
    conn->thread = 1;
    conn->id = 99;
    conn->opened = conn->settled = NOW - 200 * SECOND;
    box.stacks[stack].frames[0] += 0x100; /* nameless either way */
    box.stacks[stack].frames[1] += 0x100;
    strcpy(box.modules[module].path, "/usr/lib/gone.so.1");
    synthetic_conn(&box, site, NOW - 200 * SECOND);
    assert_int_equal(fingerprint(), before);
}

static void a_fingerprint_holds_class_host_and_stack(void **state) {
    (void)state;
    uint64_t before = fingerprint();
    r.trigger = TRIGGER_EXIT;
    assert_int_not_equal(fingerprint(), before); /* open-at-exit */
    r.trigger = TRIGGER_SIGNAL;
    box.hosts[host].addr.ip[3] = 2;
    assert_int_not_equal(fingerprint(), before);
    box.hosts[host].addr.ip[3] = 1;
    box.hosts[host].addr.port = 80;
    assert_int_not_equal(fingerprint(), before);
    box.hosts[host].addr.port = 443;
    box.hosts[host].name = synthetic_name(&box, "api.test");
    assert_int_not_equal(fingerprint(), before);
    box.hosts[host].name = BOX_NONE;
    strcpy(box.modules[module].path, "/opt/lib/gone.so.2");
    assert_int_not_equal(fingerprint(), before);
    strcpy(box.modules[module].path, "/opt/lib/gone.so.1");
    box.stacks[stack].depth = 1;
    assert_int_not_equal(fingerprint(), before);
    box.stacks[stack].depth = 2;
    assert_int_equal(fingerprint(), before);
}

static void ports_that_the_kernel_hands_out_are_one(void **state) {
    (void)state;
    box.hosts[host].addr.port = 32767;
    uint64_t service = fingerprint();
    box.hosts[host].addr.port = 32768;
    uint64_t ephemeral = fingerprint();
    box.hosts[host].addr.port = 60999;
    assert_int_equal(fingerprint(), ephemeral);
    assert_int_not_equal(service, ephemeral);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fingerprints_are_fnv_1a),
        TEST(a_fingerprint_holds_no_addresses_times_or_numbers),
        TEST(a_fingerprint_holds_class_host_and_stack),
        TEST(ports_that_the_kernel_hands_out_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
