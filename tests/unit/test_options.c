/* Options: defaults, values of every kind, the environment, and what wrong ones are told. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

static void takes(const char *name, const char *value) {
    if (!options_set(&o, &ctx, name, value, name) || said_count)
        fail_msg("%s=%s: refused", name, value);
}

/* One complaint, this one. */
static void refuses(const char *name, const char *value, const char *origin, const char *line) {
    fresh(NULL);
    assert_false(options_set(&o, &ctx, name, value, origin));
    assert_int_equal(said_count, 1);
    assert_int_equal(ctx.complaints, 1);
    assert_string_equal(said[0], line);
    assert_int_equal(o.set, 0);
}

static void from_env(char *const *envp) {
    options_from_env(&o, &ctx, envp);
}

static void defaults_are_those_of_the_table(void **state) {
    (void)state;
    assert_int_equal(o.signal, SIGUSR1);
    assert_string_equal(o.report, "stderr");
    assert_int_equal(o.report_at_exit, AT_EXIT_LEAKS);
    assert_int_equal(o.leak_after, 30 * S);
    assert_int_equal(o.grace, 500 * MS);
    assert_int_equal(o.exitcode, 0);
    assert_string_equal(o.suppressions, "");
    assert_int_equal(o.stack_depth, 32);
    assert_int_equal(o.unwinder, UNWINDER_AUTO);
    assert_string_equal(o.state_dir, "");
    assert_int_equal(o.set, 0);
    assert_null(o.hosts);
}

static void every_default_is_a_right_value(void **state) {
    (void)state;
    for (unsigned row = 0; row < OPTION_COUNT; row++)
        takes(option_table[row].name, option_table[row].def);
    struct options again;
    options_defaults(&again);
    assert_int_equal(o.set, (UINT64_C(1) << OPTION_COUNT) - 1);
#define OPT_SIGNAL(name, ...) assert_int_equal(o.name, again.name);
#define OPT_TEXT(name, ...) assert_string_equal(o.name, again.name);
#define OPT_CHOICE(name, ...) assert_int_equal(o.name, again.name);
#define OPT_DURATION(name, ...) assert_int_equal(o.name, again.name);
#define OPT_NUMBER(name, ...) assert_int_equal(o.name, again.name);
#include "base/options.def"
#undef OPT_SIGNAL
#undef OPT_TEXT
#undef OPT_CHOICE
#undef OPT_DURATION
#undef OPT_NUMBER
}

static void the_table_has_what_help_needs(void **state) {
    (void)state;
    for (unsigned row = 0; row < OPTION_COUNT; row++) {
        const struct option_info *info = &option_table[row];
        assert_true(strlen(info->name) > 0 && strlen(info->help) > 0);
        assert_non_null(strchr("stcdn", info->kind));
        assert_int_equal(info->choices != NULL, info->kind == 'c');
    }
    assert_string_equal(option_table[OPTION_leak_after].name, "leak_after");
    assert_true(option_table[OPTION_leak_after].per_host);
    assert_false(option_table[OPTION_report].per_host);
    assert_int_equal(option_table[OPTION_exitcode].max, 255);
    assert_string_equal(option_table[OPTION_unwinder].choices, "auto|libunwind|glibc");
}

static void durations_take_ms_s_m_h_and_plain_0(void **state) {
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {{"30s", 30 * S},
                 {"500ms", 500 * MS},
                 {"2m", 120 * S},
                 {"1h", 3600 * S},
                 {"1.5s", 1500 * MS},
                 {"0", 0},
                 {"0s", 0},
                 {"0.25h", 900 * S},
                 {"0.5ms", MS / 2},
                 {"1.0000000009s", S},
                 {"007s", 7 * S},
                 {"1.5m", 90 * S},
                 {"999999h", 999999 * (3600 * S)},
                 {"0.1s", 100 * MS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        takes("leak_after", cases[i].text);
        assert_int_equal(o.leak_after, cases[i].ns);
    }
}

static void wrong_durations_are_told_what_is_right(void **state) {
    static const char *const wrong[] = {"banana", "",     "s",    "-1s",  "+1s",   "1 s",
                                        "1S",     "1sec", "1.s",  ".5s",  "1,5s",  "1s ",
                                        " 1s",    "1d",   "0x1s", "1e3s", "1.2.3s"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[200];
        snprintf(line, sizeof line,
                 "POOLGUARD_LEAK_AFTER=%s: not a duration (a number and ms, s, m or h); using 30s",
                 wrong[i]);
        refuses("leak_after", wrong[i], "POOLGUARD_LEAK_AFTER", line);
    }
    refuses("leak_after", "30", "POOLGUARD_LEAK_AFTER",
            "POOLGUARD_LEAK_AFTER=30: needs a unit (ms, s, m or h); using 30s");
    refuses("grace", "1.5", "--grace", "--grace=1.5: needs a unit (ms, s, m or h); using 500ms");
    refuses("leak_after", "1000000h", "POOLGUARD_LEAK_AFTER",
            "POOLGUARD_LEAK_AFTER=1000000h: too long (less than 1000000h); using 30s");
    refuses(
        "leak_after", "18446744073709551616ms", "POOLGUARD_LEAK_AFTER",
        "POOLGUARD_LEAK_AFTER=18446744073709551616ms: too long (less than 1000000h); using 30s");
}

static void numbers_take_k_and_M_and_keep_their_range(void **state) {
    (void)state;
    takes("exitcode", "255");
    assert_int_equal(o.exitcode, 255);
    takes("exitcode", "0k");
    assert_int_equal(o.exitcode, 0);
    static const char *const wrong[] = {"256",
                                        "-1",
                                        "",
                                        "1k",
                                        "1M",
                                        "12x",
                                        "k",
                                        "1kk",
                                        "1.5",
                                        "0x10",
                                        "99999999999999999999",
                                        "18446744073709551615M",
                                        " 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[200];
        snprintf(line, sizeof line, "POOLGUARD_EXITCODE=%s: not a number from 0 to 255; using 0",
                 wrong[i]);
        refuses("exitcode", wrong[i], "POOLGUARD_EXITCODE", line);
    }
}

static void choices_are_the_listed_words(void **state) {
    (void)state;
    takes("unwinder", "glibc");
    assert_int_equal(o.unwinder, UNWINDER_GLIBC);
    takes("unwinder", "libunwind");
    assert_int_equal(o.unwinder, UNWINDER_LIBUNWIND);
    static const char *const wrong[] = {"", "au", "autoo", "Auto", "auto|libunwind", "|"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[200];
        snprintf(line, sizeof line, "--unwinder=%s: not one of auto, libunwind, glibc; using auto",
                 wrong[i]);
        refuses("unwinder", wrong[i], "--unwinder", line);
    }
}

static void signals_have_names_and_numbers(void **state) {
    const struct {
        const char *text;
        int number;
    } cases[] = {{"USR2", SIGUSR2},
                 {"SIGUSR2", SIGUSR2},
                 {"sigusr2", SIGUSR2},
                 {"12", 12},
                 {"0", 0},
                 {"1", 1},
                 {"64", 64},
                 {"HUP", SIGHUP},
                 {"SIGSYS", SIGSYS},
                 {"VTALRM", SIGVTALRM},
                 {"STKFLT", SIGSTKFLT},
                 {"POLL", SIGPOLL},
                 {"IO", SIGIO},
                 {"CLD", SIGCHLD},
                 {"WINCH", SIGWINCH},
                 {"IOT", SIGABRT},
                 {"RTMIN", SIGRTMIN},
                 {"SIGRTMIN+3", SIGRTMIN + 3},
                 {"RTMAX", SIGRTMAX},
                 {"SIGRTMAX-1", SIGRTMAX - 1},
                 {"RTMIN+30", SIGRTMIN + 30}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        takes("signal", cases[i].text);
        assert_int_equal(o.signal, cases[i].number);
    }
}

static void every_signal_can_be_named_as_kill_lists_them(void **state) {
    static const char *const listed[] = {
        "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "POLL", "PWR",  "SYS"};
    (void)state;
    for (int number = 1; number <= SIGSYS; number++) {
        if (number == SIGKILL || number == SIGSTOP)
            continue;
        takes("signal", listed[number - 1]);
        assert_int_equal(o.signal, number);
    }
}

static void wrong_signals_are_told_what_is_right(void **state) {
    static const char *const wrong[] = {"banana",  "",         "SIG",    "SIGSIGUSR1", "65",
                                        "-1",      "USR1 ",    "RTMIN+", "RTMIN+31",   "RTMIN-1",
                                        "RTMAX+1", "RTMAX-31", "USR",    "4294967306"};
    static const char *const taken[] = {"KILL", "SIGSTOP", "9", "19", "32", "33"};
    char line[200];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(line, sizeof line,
                 "POOLGUARD_SIGNAL=%s: not a signal (a signal name or number, or 0); using USR1",
                 wrong[i]);
        refuses("signal", wrong[i], "POOLGUARD_SIGNAL", line);
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        snprintf(line, sizeof line,
                 "POOLGUARD_SIGNAL=%s: no program can catch it (a signal name or number, or 0); "
                 "using USR1",
                 taken[i]);
        refuses("signal", taken[i], "POOLGUARD_SIGNAL", line);
    }
}

static void naming_the_default_signal_counts_as_naming_it(void **state) {
    (void)state;
    assert_false(o.set >> OPTION_signal & 1);
    takes("signal", "USR1");
    assert_true(o.set >> OPTION_signal & 1);
    assert_int_equal(o.set, UINT64_C(1) << OPTION_signal);
}

static void a_complaint_names_the_value_that_stays(void **state) {
    static const char *const cases[][4] = {
        {"leak_after", "90s", "90s", "not a duration (a number and ms, s, m or h)"},
        {"leak_after", "2m", "2m", "not a duration (a number and ms, s, m or h)"},
        {"leak_after", "1.5s", "1500ms", "not a duration (a number and ms, s, m or h)"},
        {"leak_after", "0.05ms", "0.05ms", "not a duration (a number and ms, s, m or h)"},
        {"leak_after", "0h", "0", "not a duration (a number and ms, s, m or h)"},
        {"signal", "0", "0", "not a signal (a signal name or number, or 0)"},
        {"signal", "6", "ABRT", "not a signal (a signal name or number, or 0)"},
        {"signal", "RTMIN", "34", "not a signal (a signal name or number, or 0)"},
        {"signal", "RTMIN+2", "RTMIN+2", "not a signal (a signal name or number, or 0)"},
        {"exitcode", "23", "23", "not a number from 0 to 255"},
        {"report_at_exit", "never", "never", "not one of never, leaks, always"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200];
        fresh(NULL);
        takes(cases[i][0], cases[i][1]);
        assert_false(options_set(&o, &ctx, cases[i][0], "?", "pg.conf:3"));
        snprintf(line, sizeof line, "pg.conf:3: %s=?: %s; using %s", cases[i][0], cases[i][3],
                 cases[i][2]);
        assert_string_equal(said[0], line);
        takes(cases[i][0], (said_count = 0, cases[i][2]));
    }
}

static void unknown_names_are_hinted_at_as_the_origin_spells_them(void **state) {
    (void)state;
    refuses("leak_aftr", "1s", "POOLGUARD_LEAK_AFTR",
            "POOLGUARD_LEAK_AFTR: no such option; did you mean POOLGUARD_LEAK_AFTER?");
    refuses("leak_aftr", "1s", "pg.conf:2",
            "pg.conf:2: leak_aftr: no such option; did you mean leak_after?");
    refuses("leak-aftr", "1s", "--leak-aftr",
            "--leak-aftr: no such option; did you mean --leak-after?");
    refuses("banana", "1s", "POOLGUARD_BANANA", "POOLGUARD_BANANA: no such option");
    refuses("banana", "1s", "pg.conf:2", "pg.conf:2: banana: no such option");
    refuses("banana", "1s", "--banana", "--banana: no such option");
    refuses("leak", "1s", "--leak", "--leak: no such option");
    refuses("config", "x", "pg.conf:2", "pg.conf:2: config: no such option");
}

static void dashes_may_stand_for_underscores(void **state) {
    (void)state;
    takes("report-at-exit", "always");
    assert_int_equal(o.report_at_exit, AT_EXIT_ALWAYS);
}

static void text_is_copied(void **state) {
    (void)state;
    char path[] = "/tmp/report.%p";
    takes("report", path);
    memset(path, 'x', sizeof path - 1);
    assert_string_equal(o.report, "/tmp/report.%p");
}

static void long_and_unprintable_values_stay_one_short_line(void **state) {
    (void)state;
    char value[5000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    value[1] = '\n';
    value[2] = '\x1b';
    memcpy(value + 79, "\u20ac", 3); /* cut before it, not inside */
    fresh(NULL);
    assert_false(options_set(&o, &ctx, "exitcode", value, "--exitcode"));
    char line[200] = "--exitcode=x??";
    size_t n = strlen(line);
    memset(line + n, 'x', 76);
    strcpy(line + n + 76, "...: not a number from 0 to 255; using 0");
    assert_string_equal(said[0], line);
}

static void complaints_are_counted_when_nobody_listens(void **state) {
    (void)state;
    ctx.complain = NULL;
    assert_false(options_set(&o, &ctx, "grace", "x", "--grace"));
    assert_false(options_set(&o, &ctx, "x", "x", "--x"));
    assert_int_equal(ctx.complaints, 2);
}

static void the_environment_sets_options(void **state) {
    (void)state;
    from_env((char *[]){"PATH=/bin", "POOLGUARD_LEAK_AFTER=5s", "POOLGUARD_REPORT=a=b",
                        "poolguard_grace=9s", "POOLGUARD", "POOLGUARD_GRACE", "XPOOLGUARD_GRACE=1s",
                        "", NULL});
    assert_int_equal(said_count, 0);
    assert_int_equal(o.leak_after, 5 * S);
    assert_string_equal(o.report, "a=b");
    assert_int_equal(o.grace, 500 * MS);
    options_from_env(&o, &ctx, NULL);
}

static void wrong_names_in_the_environment_are_told(void **state) {
    (void)state;
    char endless[300] = "POOLGUARD_";
    memset(endless + 10, 'A', sizeof endless - 11);
    endless[280] = '=';
    from_env((char *[]){"POOLGUARD_LEAK_AFTR=1s", "POOLGUARD_leak_after=1s", "POOLGUARD_CONFG=x",
                        "POOLGUARD_BANANA=1", "POOLGUARD_=1", "POOLGUARD_LEAK_AFTER=banana",
                        "POOLGUARD_config=x", endless, NULL});
    assert_int_equal(said_count, 8);
    assert_string_equal(said[0],
                        "POOLGUARD_LEAK_AFTR: no such option; did you mean POOLGUARD_LEAK_AFTER?");
    assert_string_equal(said[1],
                        "POOLGUARD_leak_after: no such option; did you mean POOLGUARD_LEAK_AFTER?");
    assert_string_equal(said[2], "POOLGUARD_CONFG: no such option; did you mean POOLGUARD_CONFIG?");
    assert_string_equal(said[3], "POOLGUARD_BANANA: no such option");
    assert_string_equal(said[4], "POOLGUARD_: no such option");
    assert_string_equal(
        said[5],
        "POOLGUARD_LEAK_AFTER=banana: not a duration (a number and ms, s, m or h); using 30s");
    assert_string_equal(said[6],
                        "POOLGUARD_config: no such option; did you mean POOLGUARD_CONFIG?");
    assert_int_equal(strlen(said[7]), 75 + strlen(": no such option"));
    assert_int_equal(o.set, 0);
}

static void the_environment_wins_over_the_file(void **state) {
    (void)state;
    char path[] = "/tmp/poolguard-test-XXXXXX", config[64];
    static const char text[] = "leak_after = 1m\ngrace = 1s\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(config, sizeof config, "POOLGUARD_CONFIG=%s", path);
    from_env((char *[]){"POOLGUARD_LEAK_AFTER=5s", "POOLGUARD_GRACE=no", config, NULL});
    unlink(path);
    assert_int_equal(o.leak_after, 5 * S);
    assert_int_equal(o.grace, S);
    assert_int_equal(said_count, 1);
    assert_string_equal(
        said[0], "POOLGUARD_GRACE=no: not a duration (a number and ms, s, m or h); using 1s");
}

static void an_empty_config_variable_names_no_file(void **state) {
    (void)state;
    from_env((char *[]){"POOLGUARD_CONFIG=", NULL});
    assert_int_equal(said_count, 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_those_of_the_table),
        TEST(every_default_is_a_right_value),
        TEST(the_table_has_what_help_needs),
        TEST(durations_take_ms_s_m_h_and_plain_0),
        TEST(wrong_durations_are_told_what_is_right),
        TEST(numbers_take_k_and_M_and_keep_their_range),
        TEST(choices_are_the_listed_words),
        TEST(signals_have_names_and_numbers),
        TEST(every_signal_can_be_named_as_kill_lists_them),
        TEST(wrong_signals_are_told_what_is_right),
        TEST(naming_the_default_signal_counts_as_naming_it),
        TEST(a_complaint_names_the_value_that_stays),
        TEST(unknown_names_are_hinted_at_as_the_origin_spells_them),
        TEST(dashes_may_stand_for_underscores),
        TEST(text_is_copied),
        TEST(long_and_unprintable_values_stay_one_short_line),
        TEST(complaints_are_counted_when_nobody_listens),
        TEST(the_environment_sets_options),
        TEST(wrong_names_in_the_environment_are_told),
        TEST(the_environment_wins_over_the_file),
        TEST(an_empty_config_variable_names_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
