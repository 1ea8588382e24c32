/* The JSON writer: commas and nesting, numbers, and texts of any bytes, also in small buffers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "json_check.h"
#include "support.h"

static char text[4096];
static struct out o;
static struct json j;

static int fresh(void **state) {
    (void)state;
    out_init(&o, -1, text, sizeof text - 1);
    json_begin(&j, &o);
    return 0;
}

static void assert_written(const char *want) {
    text[o.len] = '\0';
    assert_string_equal(text, want);
    const char *fault = json_fault(text, o.len);
    if (fault)
        fail_msg("no JSON from here on: %s", fault);
    fresh(NULL);
}

static void members_and_elements_are_separated_by_commas(void **state) {
    (void)state;
    json_open(&j, NULL, '{');
    json_open(&j, "none", '[');
    json_close(&j, ']');
    json_bool(&j, "yes", true);
    json_open(&j, "list", '[');
    json_u64(&j, NULL, 1);
    json_open(&j, NULL, '{');
    json_close(&j, '}');
    json_text(&j, NULL, "x");
    json_close(&j, ']');
    json_bool(&j, "no", false);
    json_close(&j, '}');
    assert_written("{\"none\":[],\"yes\":true,\"list\":[1,{},\"x\"],\"no\":false}");
}

static void numbers_of_64_bits_are_exact(void **state) {
    (void)state;
    json_u64(&j, NULL, UINT64_MAX);
    assert_written("18446744073709551615");
    json_i64(&j, NULL, INT64_MIN);
    assert_written("-9223372036854775808");
    json_i64(&j, NULL, -1);
    assert_written("-1");
    json_u64(&j, NULL, 0);
    assert_written("0");
}

static void durations_are_milliseconds(void **state) {
    (void)state;
    json_ms(&j, NULL, 1999999);
    assert_written("1");
    json_ms_fraction(&j, NULL, 1999999);
    assert_written("1.999");
    json_ms_fraction(&j, NULL, 2003000);
    assert_written("2.003");
    json_ms_fraction(&j, NULL, 999);
    assert_written("0.000");
}

/* The text alone; the quotes around it are not part of `want`. */
static void assert_text(const char *given, const char *want) {
    char quoted[512];
    snprintf(quoted, sizeof quoted, "\"%s\"", want);
    json_text(&j, NULL, given);
    assert_written(quoted);
}

static void quotes_and_control_characters_are_escaped(void **state) {
    (void)state;
    assert_text("", "");
    assert_text("a\"b\\c/d", "a\\\"b\\\\c/d");
    assert_text("\n\r\t\b\x01\x1f\x1b[1m", "\\u000a\\u000d\\u0009\\u0008\\u0001\\u001f\\u001b[1m");
    assert_text("\x7f~ ", "\\u007f~ ");
}

static void utf8_is_left_as_it_is(void **state) {
    (void)state;
    assert_text("gr\u00fc\u00df \u20ac \U0001f600", "gr\u00fc\u00df \u20ac \U0001f600");
    assert_text(
        "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
        "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

#define BAD "\xef\xbf\xbd"

/* Unicode 15, 3.9, tables 3-8 to 3-11. */
static void what_is_no_utf8_becomes_the_replacement_character(void **state) {
    (void)state;
    assert_text("\xff", BAD);
    assert_text("a\x80\xbf"
                "b",
                "a" BAD BAD "b");
    assert_text("\xc0\xaf\xc1\xbf", BAD BAD BAD BAD); /* overlong */
    assert_text("\xe0\x80\xaf", BAD BAD BAD);
    assert_text("\xf0\x80\x80\xaf", BAD BAD BAD BAD);
    assert_text("\xed\xa0\x80", BAD BAD BAD);         /* a surrogate */
    assert_text("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* beyond U+10FFFF */
    assert_text("\xf5\x80", BAD BAD);
    assert_text("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
                "A",
                BAD BAD BAD BAD "A");
    assert_text("\xe2\x82\"", BAD "\\\"");
}

static void a_character_cut_off_at_the_end_is_replaced_once(void **state) {
    (void)state;
    assert_text("ab\xc3", "ab" BAD);
    assert_text("ab\xe2\x82", "ab" BAD);
    assert_text("ab\xf0\x9f\x98", "ab" BAD);
}

/* Characters of each length across every place where the part's buffer ends. */
static void a_text_in_parts_is_the_same_as_in_one(void **state) {
    (void)state;
    static const char *const piece[] = {"\u00fc", "\u20ac", "\U0001f600", "\xe2\x82", "\"", "x"};
    for (size_t p = 0; p < sizeof piece / sizeof *piece; p++)
        for (size_t before = 0; before < 140; before++) {
            char whole[512] = {0}, in_one[1024];
            struct json_part part;
            memset(whole, 'a', before);
            strcat(strcat(whole, piece[p]), "end");
            json_text(&j, NULL, whole);
            memcpy(in_one, text, o.len);
            in_one[o.len] = '\0';
            fresh(NULL);
            struct out *to = json_text_begin(&part, &j, NULL);
            for (const char *c = whole; *c; c++)
                out_char(to, *c);
            json_text_end(&part);
            assert_written(in_one);
        }
}

/* A descriptor behind a buffer of a few bytes. */
static void a_small_buffer_changes_nothing(void **state) {
    (void)state;
    static const char given[] = "a long text \x01 with \xff and \u20ac and \"quotes\"";
    for (size_t cap = 1; cap < 40; cap++) {
        char small[40], read_back[256] = {0};
        int pipe_fd[2];
        assert_int_equal(pipe(pipe_fd), 0);
        out_init(&o, pipe_fd[1], small, cap);
        json_begin(&j, &o);
        json_open(&j, NULL, '{');
        json_text(&j, "text", given);
        json_u64(&j, "number", 1234567890123);
        json_close(&j, '}');
        out_flush(&o);
        assert_true(read(pipe_fd[0], read_back, sizeof read_back - 1) > 0);
        close(pipe_fd[0]);
        close(pipe_fd[1]);
        assert_string_equal(read_back,
                            "{\"text\":\"a long text \\u0001 with " BAD
                            " and \u20ac and \\\"quotes\\\"\",\"number\":1234567890123}");
    }
}

static void what_does_not_fit_into_memory_is_dropped_and_said_so(void **state) {
    (void)state;
    char small[8];
    out_init(&o, -1, small, sizeof small);
    json_begin(&j, &o);
    json_text(&j, NULL, "0123456789");
    assert_true(o.dropped);
    assert_int_equal(o.len, sizeof small);
    assert_memory_equal(small, "\"0123456", 8);
}

/* The checker that other tests rely on. */
static void the_checker_knows_json(void **state) {
    (void)state;
    static const char *const good[] = {"{}", "[]", " {\"a\" : [1, -2.5, true, null, \"\\u00e9\"]} ",
                                       "\"\u20ac\"", "0"};
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\"}",
                                      "[1,]",
                                      "[1 2]",
                                      "01",
                                      "1.",
                                      "\"\n\"",
                                      "\"\\x\"",
                                      "\"\xff\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"a",
                                      "{} {}",
                                      "{a:1}",
                                      "tru",
                                      "\"\xc0\xaf\"",
                                      "\"\\u12\"",
                                      "{\"a\":1,}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(json_fault(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!json_fault(bad[i], strlen(bad[i])))
            fail_msg("taken for JSON: %s", bad[i]);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(members_and_elements_are_separated_by_commas),
        TEST(numbers_of_64_bits_are_exact),
        TEST(durations_are_milliseconds),
        TEST(quotes_and_control_characters_are_escaped),
        TEST(utf8_is_left_as_it_is),
        TEST(what_is_no_utf8_becomes_the_replacement_character),
        TEST(a_character_cut_off_at_the_end_is_replaced_once),
        TEST(a_text_in_parts_is_the_same_as_in_one),
        TEST(a_small_buffer_changes_nothing),
        TEST(what_does_not_fit_into_memory_is_dropped_and_said_so),
        TEST(the_checker_knows_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
