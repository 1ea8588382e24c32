/* The config file: its lines, its host sections, what wrong lines and wrong files are told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/options.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static char said[32][1024];
static unsigned said_count;

static void complain(const char *line) {
    assert_true(said_count < 32);
    snprintf(said[said_count++], sizeof *said, "%s", line);
}

static struct arena arena;
static struct options o;
static struct options_ctx ctx;

static int fresh(void **state) {
    (void)state;
    ctx = (struct options_ctx){.arena = &arena, .complain = complain};
    said_count = 0;
    options_defaults(&o);
    return 0;
}

static int own_directory(void **state) {
    static char dir[] = "/tmp/poolguard-test-XXXXXX";
    *state = mkdtemp(dir);
    return *state ? chdir(dir) : -1;
}

static int remove_directory(void **state) {
    unlink("pg.conf");
    return chdir("/") || rmdir(*state);
}

static void file_write(const void *data, size_t n) {
    int fd = open("pg.conf", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, n), n);
    close(fd);
}

static void load(const char *text) {
    file_write(text, strlen(text));
    options_from_file(&o, &ctx, "pg.conf");
}

static void loads(const char *text) {
    load(text);
    if (said_count)
        fail_msg("complained: %s", said[0]);
}

/* One complaint, this one. */
static void complains(const char *text, const char *line) {
    fresh(NULL);
    load(text);
    assert_int_equal(said_count, 1);
    assert_string_equal(said[0], line);
    assert_int_equal(ctx.complaints, 1);
}

static uint64_t leak_after(const char *addr, const char *name) {
    struct addr a;
    assert_true(addr_parse(&a, addr));
    return options_leak_after(&o, &a, name);
}

/* Whether a section for the pattern is one for the host. */
static bool matches(const char *pattern, const char *addr, const char *name) {
    char text[600];
    snprintf(text, sizeof text, "[host \"%s\"]\nleak_after = 7s\n", pattern);
    fresh(NULL);
    loads(text);
    return leak_after(addr, name) == 7 * S;
}

static void lines_set_options(void **state) {
    (void)state;
    loads("\n  # a comment\n; another\n\nleak_after = 5s\n\tgrace=1s  \nreport-at-exit = never\n"
          "exitcode =3");
    assert_int_equal(o.leak_after, 5 * S);
    assert_int_equal(o.grace, S);
    assert_int_equal(o.report_at_exit, AT_EXIT_NEVER);
    assert_int_equal(o.exitcode, 3);
    assert_int_equal(o.set, 1u << OPTION_leak_after | 1u << OPTION_grace |
                                1u << OPTION_report_at_exit | 1u << OPTION_exitcode);
}

static void the_last_of_two_lines_wins(void **state) {
    (void)state;
    loads("leak_after = 5s\nleak_after = 6s\n");
    assert_int_equal(o.leak_after, 6 * S);
}

static void values_end_before_a_comment(void **state) {
    static const char *const cases[][2] = {
        {"report = /tmp/r # where", "/tmp/r"},
        {"report = /tmp/r\t; where", "/tmp/r"},
        {"report = /tmp/r#1", "/tmp/r#1"},
        {"report = a;b", "a;b"},
        {"report = # nowhere", ""},
        {"report =", ""},
        {"report = a b  ", "a b"},
        {"report = \"a # b \"", "a # b "},
        {"report = \"a # b\" # c", "a # b"},
        {"report = 'it \"is\"' ; c", "it \"is\""},
        {"report = \"\"", ""},
        {"report = a \"b\"", "a \"b\""},
        {"report = a=b", "a=b"},
        {"report = x\r", "x"},
        {"report = \"x\"\r", "x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(NULL);
        loads(cases[i][0]);
        assert_string_equal(o.report, cases[i][1]);
    }
}

static void dos_line_ends_and_the_utf8_mark_are_fine(void **state) {
    (void)state;
    loads("\xef\xbb\xbfleak_after = 5s\r\n\r\n[host \"a\"]\r\nleak_after = 6s\r\n");
    assert_int_equal(o.leak_after, 5 * S);
    assert_int_equal(leak_after("10.0.0.1", "a"), 6 * S);
}

static void garbled_lines_are_told_and_the_others_count(void **state) {
    (void)state;
    complains("leak_after 30s\nexitcode = 4\n",
              "pg.conf:1: leak_after 30s: not of the form name = value");
    assert_int_equal(o.exitcode, 4);
    complains("\n= 30s\n", "pg.conf:2: = 30s: not of the form name = value");
    complains("report = \"x # y\n", "pg.conf:1: report = \"x # y: the quote is not closed");
    complains("report = 'x' y\n", "pg.conf:1: report = 'x' y: text behind the quote");
    complains("leak_aftr = 30s\n",
              "pg.conf:1: leak_aftr: no such option; did you mean leak_after?");
    complains("LEAK_AFTER = 30s\n",
              "pg.conf:1: LEAK_AFTER: no such option; did you mean leak_after?");
    complains("\r\nexitcode = 300 # no\r\n",
              "pg.conf:2: exitcode=300: not a number from 0 to 255; using 0");
    complains("unwinder = x\n",
              "pg.conf:1: unwinder=x: not one of auto, libunwind, glibc; using auto");
    complains("signal = KILL\n",
              "pg.conf:1: signal=KILL: no program can catch it (a signal name or "
              "number, or 0); using USR1");
}

static void wrong_section_headers_are_told_the_form(void **state) {
#define AFTER "; write [host \"pattern\"]; ignoring the lines below it"
    static const char *const cases[][2] = {
        {"[hosts \"a\"]", "pg.conf:1: [hosts \"a\"]: no such section" AFTER},
        {"[global]", "pg.conf:1: [global]: no such section" AFTER},
        {"[]", "pg.conf:1: []: no such section" AFTER},
        {"[host \"a\"", "pg.conf:1: [host \"a\": no ']' at the end" AFTER},
        {"[host", "pg.conf:1: [host: no quoted pattern" AFTER},
        {"[", "pg.conf:1: [: no ']' at the end" AFTER},
        {"[host \"a]", "pg.conf:1: [host \"a]: the quote is not closed" AFTER},
        {"[host a]", "pg.conf:1: [host a]: no quoted pattern" AFTER},
        {"[host]", "pg.conf:1: [host]: no quoted pattern" AFTER},
        {"[host \"a\" b]", "pg.conf:1: [host \"a\" b]: no ']' at the end" AFTER},
        {"[host \"a\"] b", "pg.conf:1: [host \"a\"] b: text behind the ']'" AFTER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s\nleak_after = 5s\nnonsense\n", cases[i][0]);
        complains(text, cases[i][1]);
        assert_int_equal(o.leak_after, 30 * S);
        assert_null(o.hosts);
    }
}

static void wrong_host_patterns_are_told(void **state) {
    static const char *const cases[][2] = {
        {"10.0.0.0/99", "the prefix length goes from 0 to 32"},
        {"10.0.0.0/", "the prefix length goes from 0 to 32"},
        {"10.0.0.0/-1", "the prefix length goes from 0 to 32"},
        {"fd00::/129", "the prefix length goes from 0 to 128"},
        {"::ffff:10.0.0.0/95", "the prefix length goes from 0 to 32"},
        {"example.com/8", "not an address and a prefix length"},
        {"/8", "not an address and a prefix length"},
        {"a:0", "the port goes from 1 to 65535, or is *"},
        {"a:65536", "the port goes from 1 to 65535, or is *"},
        {"a:http", "the port goes from 1 to 65535, or is *"},
        {"a:", "the port goes from 1 to 65535, or is *"},
        {"10.0.0.0:80/8", "the port goes from 1 to 65535, or is *"},
        {"[::1]80", "only a port can stand behind the brackets"},
        {"[fd00::]/8", "only a port can stand behind the brackets"},
        {"", "no host"},
        {":80", "no host"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200], line[200];
        snprintf(text, sizeof text, "grace = 1s\n[host \"%s\"]\nleak_after = 5s\n", cases[i][0]);
        snprintf(line, sizeof line, "pg.conf:2: %s: %s; ignoring the lines below it", cases[i][0],
                 cases[i][1]);
        complains(text, line);
        assert_int_equal(o.leak_after, 30 * S);
        assert_null(o.hosts);
    }
}

static void a_right_section_ends_the_skipping(void **state) {
    (void)state;
    load("[global]\nleak_after = 1s\n[host \"a\"]\nleak_after = 6s\n");
    assert_int_equal(said_count, 1);
    assert_int_equal(leak_after("10.0.0.1", "a"), 6 * S);
    assert_int_equal(leak_after("10.0.0.1", "b"), 30 * S);
}

static void sections_hold_options_for_hosts_only(void **state) {
    (void)state;
    complains("[host \"a\"]\n\nreport = x\n",
              "pg.conf:3: report can not be set for one host; set it above the first section");
    assert_string_equal(o.report, "stderr");
    complains("[host \"a\"]\nleak_aftr = x\n",
              "pg.conf:2: leak_aftr: no such option; did you mean leak_after?");
    complains(
        "[host \"a\"]\nleak_after = x\n",
        "pg.conf:2: leak_after=x: not a duration (a number and ms, s, m or h); using the value "
        "for all hosts");
    complains("[host \"a\"]\nleak_after = 9s\nleak_after = x\n",
              "pg.conf:3: leak_after=x: not a duration (a number and ms, s, m or h); using 9s");
}

static void the_least_leak_after_is_that_of_any_section(void **state) {
    (void)state;
    loads("leak_after = 5s\n");
    assert_int_equal(options_least_leak_after(&o), 5 * S);
    loads("leak_after = 5s\n[host \"a\"]\n[host \"b\"]\nleak_after = 9s\n");
    assert_int_equal(options_least_leak_after(&o), 5 * S);
    loads("leak_after = 5s\n[host \"a\"]\nleak_after = 2s\n[host \"b\"]\nleak_after = 3s\n");
    assert_int_equal(options_least_leak_after(&o), 2 * S);
}

static void the_first_section_that_matches_and_sets_it_wins(void **state) {
    (void)state;
    loads("leak_after = 1s\n"
          "[host \"10.0.0.9\"]\n"
          "[ host\t\"10.0.0.0/8:443\" ] # the office\nleak_after = 2s\n"
          "[host \"10.0.0.0/8\"]\nleak_after = 3s\n"
          "[host\"*\"]\nleak_after = 0\n");
    assert_int_equal(leak_after("10.0.0.9:443", NULL), 2 * S);
    assert_int_equal(leak_after("10.0.0.9:80", NULL), 3 * S);
    assert_int_equal(leak_after("11.0.0.9:443", NULL), 0);
    assert_int_equal(o.leak_after, S);
    assert_int_equal(o.set, 1u << OPTION_leak_after);
}

static void sections_of_a_second_file_come_behind(void **state) {
    (void)state;
    loads("[host \"a\"]\nleak_after = 1s\n");
    loads("[host \"a\"]\nleak_after = 2s\n[host \"b\"]\nleak_after = 3s\n");
    assert_int_equal(leak_after("10.0.0.1", "a"), S);
    assert_int_equal(leak_after("10.0.0.1", "b"), 3 * S);
}

static void networks_match_by_prefix(void **state) {
    (void)state;
    assert_true(matches("10.0.0.0/8", "10.255.1.2:443", NULL));
    assert_false(matches("10.0.0.0/8", "11.0.0.0:443", "10.0.0.1"));
    assert_true(matches("10.1.2.3/8", "10.0.0.1:443", NULL));
    assert_true(matches("10.128.0.0/9", "10.200.0.1", NULL));
    assert_false(matches("10.128.0.0/9", "10.127.0.1", NULL));
    assert_true(matches("0.0.0.0/0", "1.2.3.4", NULL));
    assert_false(matches("0.0.0.0/0", "::1", NULL));
    assert_true(matches("127.0.0.1/32", "127.0.0.1", NULL));
    assert_false(matches("127.0.0.1/32", "127.0.0.2", NULL));
    assert_true(matches("fd00::/8", "[fdff::1]:443", NULL));
    assert_false(matches("fd00::/8", "[fe00::1]:443", NULL));
    assert_false(matches("::/0", "1.2.3.4", NULL));
    assert_true(matches("::1/128", "::1", NULL));
    assert_false(matches("::1/128", "::2", NULL));
    assert_true(matches("::ffff:10.0.0.0/104", "10.1.1.1", NULL));
    assert_false(matches("::ffff:10.0.0.0/104", "11.1.1.1", NULL));
}

static void addresses_match_in_any_spelling(void **state) {
    (void)state;
    assert_true(matches("127.0.0.1", "127.0.0.1:9", NULL));
    assert_true(matches("127.0.0.1:9", "127.0.0.1:9", NULL));
    assert_false(matches("127.0.0.1:9", "127.0.0.1:8", NULL));
    assert_true(matches("[::1]:443", "[::1]:443", NULL));
    assert_false(matches("[::1]:443", "[::1]:80", NULL));
    assert_true(matches("0:0:0::1", "[::1]:80", NULL));
    assert_true(matches("[FD00:0::1]:*", "[fd00::1]:80", NULL));
    assert_true(matches("fe80::1", "[fe80::1%3]:80", NULL));
    assert_true(matches("fe80::1%3", "[fe80::1%3]:80", NULL));
    assert_false(matches("fe80::1%2", "[fe80::1%3]:80", NULL));
}

static void globs_match_addresses_and_names(void **state) {
    (void)state;
    assert_true(matches("10.1.*", "10.1.2.3:80", NULL));
    assert_false(matches("10.1.*", "10.2.2.3:80", NULL));
    assert_true(matches("fd00::*", "[fd00::7]:80", NULL));
    assert_true(matches("[fd00::*]:80", "[fd00::7]:80", NULL));
    assert_true(matches("*.internal:8080", "10.0.0.1:8080", "db.internal"));
    assert_false(matches("*.internal:8080", "10.0.0.1:80", "db.internal"));
    assert_false(matches("*.internal:8080", "10.0.0.1:8080", NULL));
    assert_true(matches("api.example.com:443", "10.0.0.1:443", "api.example.com"));
    assert_true(matches("API.example.com", "10.0.0.1:443", "api.EXAMPLE.com"));
    assert_false(matches("api.example.com", "10.0.0.1:443", "xapi.example.com"));
    assert_true(matches("*:443", "10.0.0.1:443", NULL));
    assert_true(matches("*:*", "[::1]:443", NULL));
    assert_true(matches("db[0-9]:5432", "10.0.0.1:5432", "db7"));
    assert_false(matches("[ab].x", "10.0.0.1", "c.x"));
    assert_true(matches("[ab].x:80", "10.0.0.1:80", "b.x"));
}

static void an_endless_name_does_no_harm(void **state) {
    (void)state;
    char name[5000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_true(matches("a*a*a*a*", "10.0.0.1", name));
    assert_false(matches("a*a*a*a*b", "10.0.0.1", name));
}

static void eight_complaints_and_the_number_of_the_others(void **state) {
    (void)state;
    load("1\n2\n3\n4\n5\n6\n7\n8\n");
    assert_int_equal(said_count, 8);
    assert_int_equal(ctx.complaints, 8);
    fresh(NULL);
    load("1\n2\n3\nx = 4\n[5]\n\n[host \"a\"]\nreport = 6\n7\n8\n9\n[host \"a/b\"]\nz\n[11\n");
    assert_int_equal(said_count, 9);
    assert_string_equal(said[0], "pg.conf:1: 1: not of the form name = value");
    assert_string_equal(said[7], "pg.conf:10: 8: not of the form name = value");
    assert_string_equal(said[8], "pg.conf: and 3 more");
    assert_int_equal(ctx.complaints, 11);
}

static void a_file_that_can_not_be_used_is_one_complaint(void **state) {
    (void)state;
    char long_path[700];
    memset(long_path, 'x', sizeof long_path);
    for (size_t i = 0; i < sizeof long_path; i += 100)
        long_path[i] = '/';
    long_path[sizeof long_path - 1] = '\0';
    options_from_file(&o, &ctx, "/nowhere/pg.conf");
    options_from_file(&o, &ctx, "/tmp");
    options_from_file(&o, &ctx, "/dev/null");
    options_from_file(&o, &ctx, "/dev/null/x");
    options_from_file(&o, &ctx, "");
    options_from_file(&o, &ctx, long_path);
    assert_int_equal(ctx.complaints, 6);
    assert_string_equal(said[0], "/nowhere/pg.conf: no such file; ignoring it");
    assert_string_equal(said[1], "/tmp: not a regular file; ignoring it");
    assert_string_equal(said[2], "/dev/null: not a regular file; ignoring it");
    assert_string_equal(said[3], "/dev/null/x: no such file; ignoring it");
    assert_string_equal(said[4], ": no such file; ignoring it");
    assert_string_equal(strrchr(said[5], 'x'), "x: no such file; ignoring it");
}

static void a_fifo_does_not_block(void **state) {
    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    alarm(5);
    options_from_file(&o, &ctx, "fifo");
    alarm(0);
    unlink("fifo");
    assert_int_equal(said_count, 1);
    assert_string_equal(said[0], "fifo: not a regular file; ignoring it");
}

static void a_binary_file_is_one_complaint(void **state) {
    (void)state;
    static const char elf[] = "\177ELF\nx\ny\n\0\nleak_after = 1s\n";
    file_write(elf, sizeof elf - 1);
    options_from_file(&o, &ctx, "pg.conf");
    assert_int_equal(said_count, 1);
    assert_string_equal(said[0], "pg.conf: a binary file; ignoring it");
    assert_int_equal(o.leak_after, 30 * S);
}

static void a_file_may_hold_a_mebibyte(void **state) {
    (void)state;
    static char big[(1 << 20) + 1];
    static const char last[] = "\nexitcode = 7";
    memset(big, '#', sizeof big);
    memcpy(big + (1 << 20) - strlen(last), last, strlen(last));
    file_write(big, 1 << 20);
    options_from_file(&o, &ctx, "pg.conf");
    assert_int_equal(said_count, 0);
    assert_int_equal(o.exitcode, 7);
    file_write(big, sizeof big);
    options_from_file(&o, &ctx, "pg.conf");
    assert_int_equal(said_count, 1);
    assert_string_equal(said[0], "pg.conf: larger than 1 MiB; ignoring it");
}

static void no_descriptor_stays_open(void **state) {
    (void)state;
    int before = dup(0), after;
    close(before);
    load("leak_after = 1s\n");
    options_from_file(&o, &ctx, "/tmp");
    options_from_file(&o, &ctx, "/proc/self/exe");
    after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

static unsigned bars(const char *choices) {
    unsigned n = 0;
    for (; *choices; choices++)
        n += *choices == '|';
    return n;
}

static void options_in_range(const struct options *p) {
#define OPT_SIGNAL(name, ...) assert_in_range(p->name, 0, 64);
#define OPT_TEXT(name, ...) assert_non_null(p->name);
#define OPT_CHOICE(name, def, choices, ...) assert_in_range(p->name, 0, bars(choices));
#define OPT_DURATION(name, ...) assert_in_range(p->name, 0, INT64_MAX);
#define OPT_NUMBER(name, def, min, max, ...) assert_in_range(p->name, min, max);
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
}

/* Half of them noise, half of them a right file with some bytes changed. */
static size_t garble(char *data, size_t room, int variant) {
    static const char right[] =
        "# poolguard\nsignal = SIGRTMIN+3\nreport = \"/tmp/%p.txt\" # here\nreport_at_exit = "
        "always\n"
        "leak_after = 1.5s\ngrace = 0\nexitcode = 23\nstack_depth = 64\nunwinder = glibc\n"
        "[host \"10.0.0.0/8:443\"]\nleak_after = 2m\n[host \"*.internal:*\"]\nleak_after = "
        "999999h\n"
        "[host \"[fd00::/8]:443\"]\nleak_after = 4s\n[host \"[::1]:80\"]\r\nleak_after = 5ms ; x\n";
    static const char marks[] = "[]\"'=#;:/*\n\r\t .0129-%\x80\xff\x01";
    size_t n = (size_t)rand() % room;
    if (variant % 2 == 0) {
        for (size_t i = 0; i < n; i++)
            data[i] = (char)(rand() % 256 ?: variant % 4 == 0);
        return n;
    }
    memcpy(data, right, sizeof right - 1);
    for (int i = rand() % 40; i >= 0; i--)
        data[(size_t)rand() % (sizeof right - 1)] = marks[(size_t)rand() % (sizeof marks - 1)];
    return sizeof right - 1;
}

static void garbled_files_do_no_harm(void **state) {
    (void)state;
    srand(3);
    for (int variant = 0; variant < 2000; variant++) {
        char data[2000];
        size_t n = garble(data, sizeof data, variant);
        fresh(NULL);
        file_write(data, n);
        options_from_file(&o, &ctx, "pg.conf");
        assert_true(said_count <= 9);
        options_in_range(&o);
        for (unsigned i = 0; i < said_count; i++)
            for (const char *c = said[i]; *c; c++)
                assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
        leak_after("10.0.0.1:443", "db.internal");
        leak_after("[fd00::1]:443", NULL);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        TEST(lines_set_options),
        TEST(the_last_of_two_lines_wins),
        TEST(values_end_before_a_comment),
        TEST(dos_line_ends_and_the_utf8_mark_are_fine),
        TEST(garbled_lines_are_told_and_the_others_count),
        TEST(wrong_section_headers_are_told_the_form),
        TEST(wrong_host_patterns_are_told),
        TEST(a_right_section_ends_the_skipping),
        TEST(sections_hold_options_for_hosts_only),
        TEST(the_least_leak_after_is_that_of_any_section),
        TEST(the_first_section_that_matches_and_sets_it_wins),
        TEST(sections_of_a_second_file_come_behind),
        TEST(networks_match_by_prefix),
        TEST(addresses_match_in_any_spelling),
        TEST(globs_match_addresses_and_names),
        TEST(an_endless_name_does_no_harm),
        TEST(eight_complaints_and_the_number_of_the_others),
        TEST(a_file_that_can_not_be_used_is_one_complaint),
        TEST(a_fifo_does_not_block),
        TEST(a_binary_file_is_one_complaint),
        TEST(a_file_may_hold_a_mebibyte),
        TEST(no_descriptor_stays_open),
        TEST(garbled_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, own_directory, remove_directory);
}
