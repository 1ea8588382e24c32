/* What to do about a finding, in words of the program's language. */
#include <string.h>

#include "report/todo.h"
#include "support.h"

#define NOW (10000 * SECOND)
#define LEAK_AFTER (30 * SECOND)

/* More would not be read. */
enum { LONGEST = 200 };

typedef void each(const char *text);

static void for_each_text(each *f) {
    for (enum verdict v = 0; v < VERDICT_COUNT; v++)
        for (enum language l = LANGUAGE_C; l <= LANGUAGE_OTHER; l++)
            if (todo_text(v, l))
                f(todo_text(v, l));
}

static void all_that_is_wrong_has_a_text_in_every_language(void **state) {
    (void)state;
    for (enum verdict v = 0; v < VERDICT_COUNT; v++)
        for (enum language l = LANGUAGE_C; l <= LANGUAGE_OTHER; l++)
            assert_int_equal(todo_text(v, l) != NULL, verdict_class[v].kind != KIND_PLAIN);
}

static void is_one_line(const char *text) {
    size_t length = strnlen(text, LONGEST);
    assert_in_range(length, 20, LONGEST - 1);
    for (size_t i = 0; i < length; i++)
        assert_in_range(text[i], ' ', '~');
    assert_null(strstr(text, "  "));
}

static void is_one_sentence(const char *text) {
    size_t length = strlen(text);
    assert_int_equal(text[length - 1], '.');
    assert_int_not_equal(text[length - 2], '.');
    assert_int_not_equal(text[0], ' ');
    assert_null(strstr(text, ". "));
}

static void a_text_is_one_line(void **state) {
    (void)state;
    for_each_text(is_one_line);
}

static void a_text_is_one_sentence(void **state) {
    (void)state;
    for_each_text(is_one_sentence);
}

/* No language's own sentence is what all others get. */
static void without_words_of_its_own_a_language_has_the_general_text(void **state) {
    (void)state;
    const char *general = todo_text(VERDICT_FD_EXHAUSTED, LANGUAGE_OTHER);
    for (enum language l = LANGUAGE_C; l <= LANGUAGE_OTHER; l++)
        assert_ptr_equal(todo_text(VERDICT_FD_EXHAUSTED, l), general);
    general = todo_text(VERDICT_CHURN, LANGUAGE_OTHER);
    for (enum language l = LANGUAGE_C; l < LANGUAGE_OTHER; l++)
        assert_string_not_equal(todo_text(VERDICT_CHURN, l), general);
}

static void a_text_has_the_names_of_its_language(void **state) {
    (void)state;
    static const char *const name[] = {
        [LANGUAGE_C] = "libcurl",         [LANGUAGE_PYTHON] = "with urlopen(url) as r",
        [LANGUAGE_PHP] = "fclose()",      [LANGUAGE_RUBY] = "Net::HTTP.start",
        [LANGUAGE_PERL] = "LWP",          [LANGUAGE_JAVA] = "getErrorStream()",
        [LANGUAGE_NODE] = "res.resume()", [LANGUAGE_OTHER] = "on every path",
    };
    for (enum language l = LANGUAGE_C; l <= LANGUAGE_OTHER; l++)
        assert_non_null(strstr(todo_text(VERDICT_BODY_UNREAD, l), name[l]));
}

/* --- reports ------------------------------------------------------------------------------------
 */

static struct box box;
static struct view view;
static struct report r;
static uint32_t stack;

/* Two connections of one call site in a file, opened one after the other 100 s ago and more. */
static void opened_in(const char *file) {
    memset(&r, 0, sizeof r);
    synthetic_box(&box);
    uint32_t host = synthetic_host(&box, "10.0.0.1:443", LEAK_AFTER);
    uint64_t module = synthetic_module(&box, file);
    stack = synthetic_stack(&box, 1, (module + 1) << FRAME_MODULE_SHIFT | 0x1234);
    uint32_t site = synthetic_site(&box, stack, host, CONN_OUTBOUND);
    synthetic_conn(&box, site, NOW - 200 * SECOND);
    synthetic_conn(&box, site, NOW - 100 * SECOND);
    view_own(&view, &box);
    synthetic_gather(&r, &view, NOW);
    assert_true(report_judge(&r));
}

static int tidy(void **state) {
    (void)state;
    report_free(&r);
    box_unmap(&box);
    return 0;
}

static void the_opening_stack_tells_the_language(void **state) {
    (void)state;
    opened_in("/usr/lib/libpython3.11.so.1.0");
    assert_ptr_equal(todo_of_stack(VERDICT_CHURN, &view, stack),
                     todo_text(VERDICT_CHURN, LANGUAGE_PYTHON));
    assert_ptr_equal(todo_of_stack(VERDICT_CHURN, &view, BOX_NONE),
                     todo_text(VERDICT_CHURN, LANGUAGE_C));
}

static void reports_speak_the_language_of_the_program(void **state) {
    (void)state;
    opened_in("/usr/bin/ruby3.1");
    const char *todo = todo_text(VERDICT_NEVER_CLOSED, LANGUAGE_RUBY);
    assert_non_null(strstr(synthetic_text(&r), "LEAK never-closed"));
    assert_non_null(strstr(synthetic_text(&r), todo));
    assert_non_null(strstr(synthetic_json(&r), todo));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_wrong_has_a_text_in_every_language),
        cmocka_unit_test(a_text_is_one_line),
        cmocka_unit_test(a_text_is_one_sentence),
        cmocka_unit_test(without_words_of_its_own_a_language_has_the_general_text),
        cmocka_unit_test(a_text_has_the_names_of_its_language),
        cmocka_unit_test_teardown(the_opening_stack_tells_the_language, tidy),
        cmocka_unit_test_teardown(reports_speak_the_language_of_the_program, tidy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
