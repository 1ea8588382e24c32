/* Words: the name that was meant, and shell patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/options.h"

static const char *const names[] = {"signal", "report", "report_at_exit", "leak_after", "grace"};
enum { NAMES = sizeof names / sizeof *names };

static void assert_nearest(const char *word, const char *want) {
    const char *got = nearest_word(word, names, NAMES);
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

static void one_wrong_letter_still_names_the_word(void **state) {
    (void)state;
    assert_nearest("leak_aftr", "leak_after");   /* one too few */
    assert_nearest("leak_afterr", "leak_after"); /* one too many */
    assert_nearest("leek_after", "leak_after");  /* another one */
    assert_nearest("siganl", "signal");          /* two swapped */
    assert_nearest("leak_after", "leak_after");
}

static void swapped_neighbours_count_as_one(void **state) {
    (void)state;
    assert_nearest("rgace", "grace"); /* 1 of 5: near; as two changes it would be too far */
}

static void case_and_dashes_do_not_count(void **state) {
    (void)state;
    assert_nearest("LEAK-AFTER", "leak_after");
    assert_nearest("Report-At_exIt", "report_at_exit");
}

static void more_than_a_third_different_is_no_word(void **state) {
    (void)state;
    assert_nearest("xxgnal", "signal"); /* 2 of 6 */
    assert_nearest("xxxnal", NULL);     /* 3 of 6 */
    assert_nearest("xxace", NULL);      /* 2 of 5 */
    assert_nearest("banana", NULL);
}

static void the_nearest_of_several_wins(void **state) {
    (void)state;
    const char *const words[] = {"cap_wait", "cap_waits", "cap_writ"};
    assert_string_equal(nearest_word("cap_waitz", words, 3), "cap_wait");
    assert_string_equal(nearest_word("cap_waitss", words, 3), "cap_waits");
    assert_string_equal(nearest_word("cap_write", words, 3), "cap_writ");
}

static void empty_and_endless_words_are_near_nothing(void **state) {
    (void)state;
    char endless[500];
    const char *const words[] = {endless, "grace"};
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_nearest("", NULL);
    assert_nearest(endless, NULL);
    assert_string_equal(nearest_word("grace", words, 2), "grace");
    assert_null(nearest_word("grace", words, 0));
    endless[64] = '\0';
    assert_ptr_equal(nearest_word(endless, words, 2), endless);
}

static void patterns_match_the_whole_text(void **state) {
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"abc", "ab", false},
        {"ABC", "abc", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "x", true},
        {"a*", "a", true},
        {"*.internal", "db.internal", true},
        {"*.internal", "db.internal.example", false},
        {"*.internal", "internal", false},
        {"a*c*e", "abcde", true},
        {"a*c*e", "abcdef", false},
        {"a*bc", "abcbc", true},
        {"?", "a", true},
        {"?", "", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*?", "", false},
        {"?*?", "ab", true},
        {"?*?", "a", false},
        {"a*b?", "aXbbY", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(cases[i].pattern, cases[i].text) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void sets_match_one_character(void **state) {
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"[abc]", "b", true},      {"[abc]", "d", false},
        {"[a-c]x", "bx", true},    {"[a-c]", "-", false},
        {"[a-]", "-", true},       {"[-a]", "-", true},
        {"[!a-c]", "d", true},     {"[!a-c]", "a", false},
        {"[^a]", "b", true},       {"[]]", "]", true},
        {"[]a]", "a", true},       {"[!]]", "]", false},
        {"[a", "[a", true},        {"[a", "a", false},
        {"[", "[", true},          {"[]", "[]", true},
        {"[!", "[!", true},        {"*[0-9]", "host7", true},
        {"*[0-9]", "host", false}, {"[a-c][x-z]", "by", true},
        {"[abc]", "", false},      {"[\x80-\xff]", "\xc3", true},
        {"[c-a]", "b", false},     {"*[!a]b", "aab", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(cases[i].pattern, cases[i].text) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void many_stars_take_no_exponential_time(void **state) {
    (void)state;
    static char text[20001], pattern[201];
    struct timespec begin, end;
    memset(text, 'a', sizeof text - 1);
    for (size_t i = 0; i < sizeof pattern - 1; i += 2)
        memcpy(pattern + i, "a*", 2);
    pattern[sizeof pattern - 2] = 'b';
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    assert_false(glob_match("a*a*a*a*b", text));
    assert_false(glob_match(pattern, text));
    text[sizeof text - 2] = 'b';
    assert_true(glob_match("a*a*a*a*b", text));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true(end.tv_sec - begin.tv_sec < 5);
}

/* What the pattern means, said plainly and without care for time. */
static bool glob_plain(const char *p, const char *t) {
    if (*p == '*')
        return glob_plain(p + 1, t) || (*t && glob_plain(p, t + 1));
    if (!*p || !*t)
        return *p == *t;
    return (*p == '?' || *p == *t) && glob_plain(p + 1, t + 1);
}

static void random_patterns_match_what_they_mean(void **state) {
    (void)state;
    srand(2);
    for (int i = 0; i < 200000; i++) {
        char pattern[9], text[11];
        size_t n = (size_t)rand() % sizeof pattern, m = (size_t)rand() % sizeof text;
        for (size_t k = 0; k < n; k++)
            pattern[k] = "ab*?*"[rand() % 5];
        for (size_t k = 0; k < m; k++)
            text[k] = "ab"[rand() % 2];
        pattern[n] = text[m] = '\0';
        if (glob_match(pattern, text) != glob_plain(pattern, text))
            fail_msg("%s on %s", pattern, text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_wrong_letter_still_names_the_word),
        cmocka_unit_test(swapped_neighbours_count_as_one),
        cmocka_unit_test(case_and_dashes_do_not_count),
        cmocka_unit_test(more_than_a_third_different_is_no_word),
        cmocka_unit_test(the_nearest_of_several_wins),
        cmocka_unit_test(empty_and_endless_words_are_near_nothing),
        cmocka_unit_test(patterns_match_the_whole_text),
        cmocka_unit_test(sets_match_one_character),
        cmocka_unit_test(many_stars_take_no_exponential_time),
        cmocka_unit_test(random_patterns_match_what_they_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
