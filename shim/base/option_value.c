/* One reader and one writer for each kind of option: signal, text, choice, duration, number.
 *
 * A reader that does not like its text says what would be right and leaves the value alone. What
 * the writer writes, the reader takes. */
#include "base/option_value.h"

#include <signal.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
/* More than a century; a deadline made of it does not overflow. */
#define DURATION_MAX (1000000 * UINT64_C(3600000) * NS_PER_MS)

/* Reads digits; returns what follows them, or NULL when there are none. What does not fit becomes
 * UINT64_MAX. */
static const char *digits_read(const char *p, uint64_t *v) {
    const char *start = p;
    for (*v = 0; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        *v = *v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *v * 10 + digit;
    }
    return p == start ? NULL : p;
}

bool decimal_parse(const char *text, uint64_t max, uint64_t *v) {
    uint64_t read;
    const char *end = digits_read(text, &read);
    if (!end || *end || read > max)
        return false;
    *v = read;
    return true;
}

/* Signals: names as kill -l has them; the first name of a number is the one shown. */

static const struct {
    char name[7];
    unsigned char number;
} signals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGABRT},  {"BUS", SIGBUS},
    {"FPE", SIGFPE},       {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"URG", SIGURG},       {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"POLL", SIGIO},
    {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

/* What follows `prefix` in text, letters of either case; NULL when it does not begin so. */
static const char *after(const char *text, const char *prefix) {
    for (; *prefix; prefix++, text++)
        if (*text != *prefix && !(*prefix >= 'A' && *prefix <= 'Z' && *text == *prefix + 32))
            return NULL;
    return text;
}

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n; -1 for all else. */
static int realtime_number(const char *name) {
    uint64_t n = 0;
    uint64_t most = (uint64_t)(SIGRTMAX - SIGRTMIN);
    const char *up = after(name, "RTMIN"), *down = after(name, "RTMAX"), *rest = up ? up : down;
    if (!rest || (*rest && (*rest != (up ? '+' : '-') || !decimal_parse(rest + 1, most, &n))))
        return -1;
    return up ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

/* A signal's number, 0 for none; -1: no signal. */
static int signal_number(const char *text) {
    uint64_t number;
    if (decimal_parse(text, (uint64_t)SIGRTMAX, &number))
        return (int)number;
    const char *name = after(text, "SIG");
    if (!name)
        name = text;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        const char *rest = after(name, signals[i].name);
        if (rest && !*rest)
            return signals[i].number;
    }
    return realtime_number(name);
}

static bool signal_parse(union option_value *v, const struct option_info *row, const char *text,
                         struct out *why) {
    (void)row;
    int number = signal_number(text);
    /* Between SYS and RTMIN lie those that the C library keeps for its threads. */
    bool caught =
        number != SIGKILL && number != SIGSTOP && (number <= SIGSYS || number >= SIGRTMIN);
    if (number < 0 || !caught) {
        out_strs(why, caught ? "not a signal" : "no program can catch it",
                 " (a signal name or number, or 0)", NULL);
        return false;
    }
    v->signal = number;
    return true;
}

static void signal_write(struct out *o, const struct option_info *row,
                         const union option_value *v) {
    (void)row;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == v->signal) {
            out_str(o, signals[i].name);
            return;
        }
    if (v->signal > SIGRTMIN)
        out_str(o, "RTMIN+");
    out_i64(o, v->signal > SIGRTMIN ? v->signal - SIGRTMIN : v->signal);
}

static bool text_parse(union option_value *v, const struct option_info *row, const char *text,
                       struct out *why) {
    (void)row;
    (void)why;
    v->text = text;
    return true;
}

static void text_write(struct out *o, const struct option_info *row, const union option_value *v) {
    (void)row;
    out_str(o, v->text);
}

/* The length of the word at p in a list separated by '|'. */
static size_t word_length(const char *p) {
    const char *bar = strchr(p, '|');
    return bar ? (size_t)(bar - p) : strlen(p);
}

/* Where the i-th word begins; NULL behind the last. */
static const char *word_at(const char *choices, unsigned i) {
    const char *p = choices;
    for (; i; i--) {
        p += word_length(p);
        if (!*p++)
            return NULL;
    }
    return p;
}

static bool choice_parse(union option_value *v, const struct option_info *row, const char *text,
                         struct out *why) {
    const char *word;
    size_t n = strlen(text);
    for (unsigned i = 0; (word = word_at(row->choices, i)); i++)
        if (word_length(word) == n && memcmp(word, text, n) == 0) {
            v->choice = i;
            return true;
        }
    out_str(why, "not one of ");
    for (unsigned i = 0; (word = word_at(row->choices, i)); i++) {
        out_str(why, i ? ", " : "");
        out_mem(why, word, word_length(word));
    }
    return false;
}

static void choice_write(struct out *o, const struct option_info *row,
                         const union option_value *v) {
    const char *word = word_at(row->choices, v->choice);
    if (word)
        out_mem(o, word, word_length(word));
}

static const struct {
    char name[3];
    uint64_t ns;
} units[] = {{"h", 3600000 * NS_PER_MS},
             {"m", 60000 * NS_PER_MS},
             {"s", 1000 * NS_PER_MS},
             {"ms", NS_PER_MS}};
enum { UNIT_COUNT = sizeof units / sizeof *units };

static uint64_t unit_ns(const char *name) {
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strcmp(name, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

/* ".25" of a unit in nanoseconds. */
static uint64_t fraction_ns(const char *dot, uint64_t unit) {
    uint64_t ns = 0;
    for (const char *p = dot + 1; *p >= '0' && *p <= '9'; p++) {
        unit /= 10;
        ns += (uint64_t)(*p - '0') * unit;
    }
    return ns;
}

static bool duration_parse(union option_value *v, const struct option_info *row, const char *text,
                           struct out *why) {
    (void)row;
    uint64_t whole, ignored;
    const char *dot = digits_read(text, &whole), *unit = dot;
    if (dot && *dot == '.')
        unit = digits_read(dot + 1, &ignored);
    uint64_t ns = unit ? unit_ns(unit) : 0;
    if (unit && !*unit && (whole || unit != dot)) {
        out_str(why, "needs a unit (ms, s, m or h)");
    } else if (!unit || (*unit && !ns)) {
        out_str(why, "not a duration (a number and ms, s, m or h)");
    } else if (ns && whole > DURATION_MAX / ns - 1) {
        out_str(why, "too long (less than 1000000h)");
    } else {
        v->number = whole * ns + (unit == dot ? 0 : fraction_ns(dot, ns));
        return true;
    }
    return false;
}

/* In the largest unit that leaves no rest. */
static void duration_write(struct out *o, const struct option_info *row,
                           const union option_value *v) {
    (void)row;
    size_t i = 0;
    if (!v->number) {
        out_char(o, '0');
        return;
    }
    while (i < UNIT_COUNT - 1 && v->number % units[i].ns)
        i++;
    out_u64(o, v->number / units[i].ns);
    uint64_t rest = v->number % units[i].ns;
    if (rest)
        out_char(o, '.');
    for (uint64_t digit = NS_PER_MS / 10; rest; rest %= digit, digit /= 10)
        out_char(o, (char)('0' + rest / digit));
    out_str(o, units[i].name);
}

static bool number_parse(union option_value *v, const struct option_info *row, const char *text,
                         struct out *why) {
    uint64_t n, factor = 1;
    const char *unit = digits_read(text, &n);
    if (unit && (*unit == 'k' || *unit == 'M'))
        factor = *unit++ == 'k' ? 1000 : 1000000;
    if (unit && !*unit && !__builtin_mul_overflow(n, factor, &n) && n >= row->min &&
        n <= row->max) {
        v->number = n;
        return true;
    }
    out_str(why, "not a number from ");
    out_u64(why, row->min);
    out_str(why, " to ");
    out_u64(why, row->max);
    return false;
}

static void number_write(struct out *o, const struct option_info *row,
                         const union option_value *v) {
    (void)row;
    out_u64(o, v->number);
}

static const struct kind {
    char kind;
    bool (*parse)(union option_value *v, const struct option_info *row, const char *text,
                  struct out *why);
    void (*write)(struct out *o, const struct option_info *row, const union option_value *v);
} kinds[] = {
    {'s', signal_parse, signal_write}, {'t', text_parse, text_write},
    {'c', choice_parse, choice_write}, {'d', duration_parse, duration_write},
    {'n', number_parse, number_write},
};

static const struct kind *kind_of(const struct option_info *row) {
    const struct kind *k = kinds;
    while (k->kind != row->kind)
        k++;
    return k;
}

bool option_value_parse(union option_value *v, const struct option_info *row, const char *text,
                        struct out *why) {
    return kind_of(row)->parse(v, row, text, why);
}

void option_value_write(struct out *o, const struct option_info *row, const union option_value *v) {
    kind_of(row)->write(o, row, v);
}
