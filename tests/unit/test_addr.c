/* Addresses: what connect() was given, the text of reports, and text back to addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/addr.h"

static struct addr from_v6(const char *ip, uint16_t port, uint32_t scope) {
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
    struct addr a;
    assert_int_equal(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
    assert_true(addr_from_sockaddr(&a, (struct sockaddr *)&in6, sizeof in6));
    return a;
}

static void assert_text(struct addr a, const char *text, const char *ip_text) {
    char buf[ADDR_TEXT];
    assert_string_equal(addr_text(&a, buf), text);
    assert_string_equal(addr_ip_text(&a, buf), ip_text);
}

static void ipv4_is_written_with_its_port(void **state) {
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(65535)};
    struct addr a;
    in.sin_addr.s_addr = htonl(0xc0a80001);
    assert_true(addr_from_sockaddr(&a, (struct sockaddr *)&in, sizeof in));
    assert_int_equal(a.family, ADDR_V4);
    assert_text(a, "192.168.0.1:65535", "192.168.0.1");
}

static void ipv6_is_written_as_rfc_5952_wants_it(void **state) {
    static const char *const cases[][2] = {
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::AB", "2001:db8::ab"},
        {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
        {"10:200:3000:f:e0:d00:c000:ffff", "10:200:3000:f:e0:d00:c000:ffff"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char full[ADDR_TEXT] = "[";
        strcat(strcat(full, cases[i][1]), "]:80");
        assert_text(from_v6(cases[i][0], 80, 0), full, cases[i][1]);
    }
}

static void any_ipv6_text_reads_back_as_the_same_address(void **state) {
    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = (in_port_t)rand()};
        struct addr a, b;
        char text[ADDR_TEXT], theirs[INET6_ADDRSTRLEN];
        for (int k = 0; k < 16; k++)
            in6.sin6_addr.s6_addr[k] = (uint8_t)(rand() % 3 ? 0 : rand());
        in6.sin6_addr.s6_addr[0] = 0x20; /* where inet_ntop has no forms of its own */
        assert_true(addr_from_sockaddr(&a, (struct sockaddr *)&in6, sizeof in6));
        assert_true(addr_parse(&b, addr_text(&a, text)));
        assert_true(addr_equal(&a, &b));
        inet_ntop(AF_INET6, &in6.sin6_addr, theirs, sizeof theirs);
        assert_string_equal(addr_ip_text(&a, text), theirs);
    }
}

static void mapped_ipv4_is_ipv4(void **state) {
    (void)state;
    struct addr a = from_v6("::ffff:10.0.0.7", 5432, 3), b;
    assert_int_equal(a.family, ADDR_V4);
    assert_int_equal(a.scope, 0);
    assert_text(a, "10.0.0.7:5432", "10.0.0.7");
    assert_true(addr_parse(&b, "10.0.0.7:5432"));
    assert_true(addr_equal(&a, &b));
    assert_true(addr_parse(&b, "[::ffff:10.0.0.7]:5432"));
    assert_true(addr_equal(&a, &b));
}

static void only_link_local_addresses_keep_their_scope(void **state) {
    (void)state;
    assert_text(from_v6("fe80::1", 80, 2), "[fe80::1%2]:80", "fe80::1%2");
    assert_text(from_v6("febf::1", 80, 4294967295), "[febf::1%4294967295]:80",
                "febf::1%4294967295");
    assert_text(from_v6("fec0::1", 80, 2), "[fec0::1]:80", "fec0::1");
    assert_text(from_v6("2001:db8::1", 80, 2), "[2001:db8::1]:80", "2001:db8::1");
}

static void the_longest_address_fits(void **state) {
    (void)state;
    assert_text(from_v6("fe80:1111:2222:3333:4444:5555:6666:7777", 65535, 4294967295),
                "[fe80:1111:2222:3333:4444:5555:6666:7777%4294967295]:65535",
                "fe80:1111:2222:3333:4444:5555:6666:7777%4294967295");
}

static void what_is_no_ip_address_is_none(void **state) {
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct addr a;
    memset(&a, 0xff, sizeof a);
    assert_false(addr_from_sockaddr(&a, (struct sockaddr *)&un, sizeof un));
    assert_text(a, "-", "-");
    assert_false(addr_from_sockaddr(&a, (struct sockaddr *)&in, sizeof in - 1));
    assert_false(addr_from_sockaddr(&a, (struct sockaddr *)&in6, 23));
    assert_false(addr_from_sockaddr(&a, (struct sockaddr *)&in, 1));
    assert_false(addr_from_sockaddr(&a, NULL, 0));
    assert_int_equal(a.family, ADDR_NONE);
}

static void a_sockaddr_of_rfc_2133_has_no_scope(void **state) {
    (void)state;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = 7};
    struct addr a;
    inet_pton(AF_INET6, "fe80::1", &in6.sin6_addr);
    assert_true(addr_from_sockaddr(&a, (struct sockaddr *)&in6, 24));
    assert_int_equal(a.scope, 0);
}

static void a_sockaddr_may_lie_at_any_address(void **state) {
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1)};
    char bytes[sizeof in + 1];
    struct addr a;
    memcpy(bytes + 1, &in, sizeof in);
    assert_true(addr_from_sockaddr(&a, (struct sockaddr *)(void *)(bytes + 1), sizeof in));
    assert_int_equal(a.port, 1);
}

static void addresses_differ_in_family_ip_port_and_scope(void **state) {
    static const char *const different[] = {
        "10.0.0.1:80", "10.0.0.2:80",    "10.0.0.1:81",    "[a00:1::]:80", "[::1]:80",
        "fe80::1%1",   "[fe80::1%1]:80", "[fe80::1%2]:80", "10.0.0.1",
    };
    enum { N = sizeof different / sizeof *different };
    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            struct addr a, b;
            assert_true(addr_parse(&a, different[i]));
            assert_true(addr_parse(&b, different[j]));
            assert_int_equal(addr_equal(&a, &b), i == j);
        }
}

static void text_without_a_port_has_port_0(void **state) {
    static const char *const cases[][2] = {{"10.0.0.1", "10.0.0.1:0"},
                                           {"::1", "[::1]:0"},
                                           {"[::1]", "[::1]:0"},
                                           {"::1:80", "[::1:80]:0"},
                                           {"FE80::A%7", "[fe80::a%7]:0"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr a;
        char buf[ADDR_TEXT];
        assert_true(addr_parse(&a, cases[i][0]));
        assert_string_equal(addr_text(&a, buf), cases[i][1]);
    }
}

static void other_text_is_refused(void **state) {
    static const char *const wrong[] = {
        "",
        "-",
        "localhost",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1:",
        "10.0.0.1:65536",
        "10.0.0.1:8a",
        "10.0.0.1:-1",
        " 10.0.0.1",
        "10.0.0.1 ",
        "[10.0.0.1]:80",
        "[::1",
        "[::1]80",
        "[::1]:",
        "[::1]:x",
        "::1]:80",
        ":::",
        "[]",
        "[]:80",
        "1:2:3:4:5:6:7:8:9",
        "fe80::1%",
        "fe80::1%eth0",
        "fe80::1%4294967296",
        "10.0.0.1%1",
        "10.0.0.1:99999999999999999999",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:1111"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct addr a;
        memset(&a, 0xff, sizeof a);
        if (addr_parse(&a, wrong[i]))
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(a.family, ADDR_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_is_written_with_its_port),
        cmocka_unit_test(ipv6_is_written_as_rfc_5952_wants_it),
        cmocka_unit_test(any_ipv6_text_reads_back_as_the_same_address),
        cmocka_unit_test(mapped_ipv4_is_ipv4),
        cmocka_unit_test(only_link_local_addresses_keep_their_scope),
        cmocka_unit_test(the_longest_address_fits),
        cmocka_unit_test(what_is_no_ip_address_is_none),
        cmocka_unit_test(a_sockaddr_of_rfc_2133_has_no_scope),
        cmocka_unit_test(a_sockaddr_may_lie_at_any_address),
        cmocka_unit_test(addresses_differ_in_family_ip_port_and_scope),
        cmocka_unit_test(text_without_a_port_has_port_0),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
