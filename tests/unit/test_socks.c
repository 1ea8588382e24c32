/* What asks a SOCKS proxy for a way (RFC 1928, 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/socks.h"

static void a_greeting_of_version_5_is_as_long_as_it_says(void **state) {
    (void)state;
    assert_true(socks_asks("\5\2\0\1", 4));
    assert_false(socks_asks("\5\2\0\1x", 5));
    assert_false(socks_asks("\5\0", 2));
}

static void a_request_of_version_4_ends_with_a_zero(void **state) {
    (void)state;
    assert_true(socks_asks("\4\1\0\120\12\0\0\1me", 11));
    assert_false(socks_asks("\4\1\0\120\12\0\0\1me", 10));
    assert_false(socks_asks("", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_of_version_5_is_as_long_as_it_says),
        cmocka_unit_test(a_request_of_version_4_ends_with_a_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
