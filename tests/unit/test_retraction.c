/* Connections that a report has called leaked, and that are used again, or closed: through the
 * wrappers, on real connections. And where a connection was used last. */
#include "http_wire.h"

#include "conn/site.h"
#include "report/verdict.h"
#include "stack/stack.h"

static struct wire wire;
static struct box_site *site, was;

static int fresh(void **state) {
    (void)state;
    wire = wire_open();
    site = &mine.sites[wire_conn(wire.fd)->site];
    atomic_store(&site->quiet_longest, 0);
    was = *site;
    return 0;
}

static int tidy(void **state) {
    wire_close(&wire);
    return wire_nothing_held(state);
}

/* A report did so, so long ago, of a connection that had lain unused for as long before. */
static void was_called_leaked(uint64_t ago) {
    struct box_conn *c = wire_conn(wire.fd);
    wire_age(wire.fd, 2 * ago);
    atomic_store(&c->reported, ((clock_coarse() - ago) & ~REPORTED_CLASS) | VERDICT_NEVER_CLOSED);
}

static void assert_retracted(uint32_t times, bool by_use, uint64_t after) {
    assert_int_equal(site->retracted - was.retracted, times);
    if (!times)
        return;
    assert_int_equal(site->retracted_class, VERDICT_NEVER_CLOSED);
    assert_int_equal(site->retracted_by_use, by_use);
    assert_in_range(site->retracted_after, after, after + SECOND);
    assert_in_range(site->quiet_longest, 2 * after, 2 * after + SECOND);
    assert_true(site->retracted_at >= was.retracted_at && site->retracted_at != 0);
}

static void a_close_retracts(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    was_called_leaked(5 * SECOND);
    close(wire.fd);
    wire.fd = -1;
    assert_retracted(1, false, 5 * SECOND);
}

static void a_read_retracts_once(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    was_called_leaked(5 * SECOND);
    wire_reply(&wire, "x");
    assert_retracted(1, true, 5 * SECOND);
    assert_int_equal(wire_conn(wire.fd)->reported, 0);
    wire_reply(&wire, "x");
    close(wire.fd);
    wire.fd = -1;
    assert_retracted(1, true, 5 * SECOND);
}

static void a_write_retracts(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    was_called_leaked(7 * SECOND);
    wire_say(&wire, "GET / HTTP/1.1\r\n\r\n");
    assert_retracted(1, true, 7 * SECOND);
}

/* Not those that are asked for what is there, nor what only looks. */
static void what_is_no_use_retracts_nothing(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    was_called_leaked(5 * SECOND);
    assert_int_equal(recv(wire.fd, &(char){0}, 1, MSG_DONTWAIT), -1);
    wire_answer(&wire, "x");
    assert_int_equal(recv(wire.fd, &(char){0}, 1, MSG_PEEK), 1);
    close(dup(wire.fd));
    assert_retracted(0, false, 0);
    wire_hear(&wire, 1);
    assert_retracted(1, true, 5 * SECOND);
}

static void what_nobody_called_leaked_is_not_retracted(void **state) {
    (void)state;
    wire_get(&wire, "/a");
    wire_age(wire.fd, 100 * SECOND);
    wire_get(&wire, "/a");
    close(wire.fd);
    wire.fd = -1;
    assert_retracted(0, false, 0);
}

static void the_longest_quiet_time_is_kept(void **state) {
    (void)state;
    stack_setup(0, wire_options.unwinder); /* both are of one place */
    wire_close(&wire);
    fresh(state);
    was_called_leaked(9 * SECOND);
    close(wire.fd);
    wire.peer = (close(wire.peer), -1);
    wire = wire_open();
    uint64_t longest = site->quiet_longest;
    assert_in_range(longest, 18 * SECOND, 19 * SECOND);
    was_called_leaked(2 * SECOND);
    close(wire.fd);
    wire.fd = -1;
    assert_int_equal(site->quiet_longest, longest);
    assert_int_equal(site->retracted - was.retracted, 2);
    stack_setup(wire_options.stack_depth, wire_options.unwinder);
}

/* The next life of the record begins innocent. */
static void the_next_connection_was_never_called_leaked(void **state) {
    (void)state;
    const struct box_conn *c = wire_conn(wire.fd);
    was_called_leaked(SECOND);
    wire_close(&wire);
    wire = wire_open();
    assert_ptr_equal(wire_conn(wire.fd), c);
    assert_int_equal(c->reported, 0);
    assert_int_equal(c->waits_since, 0);
    assert_int_equal(c->used_in.call, 0);
}

/* --- last use --------------------------------------------------------------------------------- */

static void the_stack_of_the_first_use_after_a_rest_is_kept(void **state) {
    (void)state;
    const struct box_conn *c = wire_conn(wire.fd);
    assert_int_equal(c->used_in.stack, BOX_NONE);
    wire_get(&wire, "/a");
    assert_int_equal(c->used_out.call, 1);
    assert_int_equal(c->used_in.call, 1);
    assert_int_not_equal(c->used_out.stack, BOX_NONE);
    assert_int_not_equal(c->used_in.stack, BOX_NONE);
    wire_get(&wire, "/a");
    assert_int_equal(c->used_out.call, 1); /* at once: no stack is walked for it */
    assert_int_equal(c->used_in.call, 1);
    wire_age(wire.fd, 2 * SECOND);
    wire_reply(&wire, "x");
    assert_int_equal(c->used_in.call, 3);
    assert_int_equal(c->used_out.call, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_close_retracts),
        TEST(a_read_retracts_once),
        TEST(a_write_retracts),
        TEST(what_is_no_use_retracts_nothing),
        TEST(what_nobody_called_leaked_is_not_retracted),
        TEST(the_longest_quiet_time_is_kept),
        TEST(the_next_connection_was_never_called_leaked),
        TEST(the_stack_of_the_first_use_after_a_rest_is_kept),
    };
    return cmocka_run_group_tests(tests, wire_setup, wire_teardown);
}
