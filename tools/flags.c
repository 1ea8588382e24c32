#include "flags.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option_value.h"
#include "base/text_file.h"
#include "command.h"

enum { WORDS_MOST = OPTION_COUNT + 16 };

const char *option_env_name(const struct option_info *row, char buf[NAME_ROOM]) {
    snprintf(buf, NAME_ROOM, "POOLGUARD_%s", row->name);
    for (char *p = buf; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return buf;
}

const char *option_flag_name(const struct option_info *row, char buf[NAME_ROOM]) {
    snprintf(buf, NAME_ROOM, "%s", row->name);
    for (char *p = buf; (p = strchr(p, '_'));)
        *p = '-';
    return buf;
}

const char *option_value_name(const struct option_info *row) {
    switch (row->kind) {
    case 'c': return row->choices;
    case 's': return "SIGNAL";
    case 'd': return "DURATION";
    case 'n': return "NUMBER";
    default: return "TEXT";
    }
}

/* --- one word of the command line --- */

/* A flag as it was written: name, and the value behind '=' or NULL. */
struct written {
    char name[NAME_ROOM];
    const char *value;
};

/* False: too long to be the name of anything. */
static bool written_split(struct written *w, const char *word) {
    size_t n = strcspn(word, "=");
    w->value = word[n] ? word + n + 1 : NULL;
    snprintf(w->name, sizeof w->name, "%.*s", (int)(n < NAME_ROOM ? n : NAME_ROOM), word);
    return n < NAME_ROOM;
}

/* A '_' may stand for '-'. */
static bool is_name(const char *name, const char *word) {
    for (; *name && (*name == *word || (*name == '-' && *word == '_')); name++)
        word++;
    return *name == *word;
}

static const struct option_info *option_find(const char *word) {
    char name[NAME_ROOM];
    for (unsigned row = 0; row < OPTION_COUNT; row++)
        if (is_name(option_flag_name(&option_table[row], name), word))
            return &option_table[row];
    return NULL;
}

static struct flag *flag_find(const struct flags *f, const char *word) {
    for (size_t i = 0; i < f->own_count; i++)
        if (is_name(f->own[i].name, word))
            return &f->own[i];
    return NULL;
}

static void complain_unknown(const struct flags *f, const char *name) {
    char names[OPTION_COUNT][NAME_ROOM];
    const char *words[WORDS_MOST] = {"help", "config"};
    size_t n = f->options ? 2 : 1;
    for (unsigned row = 0; f->options && row < OPTION_COUNT; row++)
        words[n++] = option_flag_name(&option_table[row], names[row]);
    for (size_t i = 0; i < f->own_count && n < WORDS_MOST; i++)
        words[n++] = f->own[i].name;
    const char *near = nearest_word(name, words, n);
    say("--", name, ": no such flag; ", near ? "did you mean --" : "see --help", near ? near : "",
        near ? "?" : "", NULL);
}

/* --- what becomes of it --- */

static bool option_take(const struct option_info *row, const char *value) {
    char why_text[256], name[NAME_ROOM];
    struct out why;
    union option_value v;
    out_init(&why, -1, why_text, sizeof why_text - 1);
    if (!option_value_parse(&v, row, value, &why)) {
        why_text[why.len] = '\0';
        say("--", option_flag_name(row, name), "=", value, ": ", why_text, NULL);
        return false;
    }
    return setenv(option_env_name(row, name), value, 1) == 0;
}

/* An absolute path: children may live in other directories. */
static bool config_take(const char *path) {
    struct text_file file;
    const char *fault = text_file_read(&file, path);
    text_file_free(&file);
    char *absolute = fault ? NULL : realpath(path, NULL);
    if (absolute)
        setenv("POOLGUARD_CONFIG", absolute, 1);
    else
        say("--config=", path, ": ", fault ? fault : "can not be read", NULL);
    free(absolute);
    return !fault;
}

/* Takes the flag; *took_next says that its value was the next word. False: it is wrong, and a line
 * said so. */
static bool flag_take(struct flags *f, const char *word, const char *next, bool *took_next) {
    struct written w;
    bool known = written_split(&w, word);
    struct flag *own = known ? flag_find(f, w.name) : NULL;
    const struct option_info *row = known && f->options ? option_find(w.name) : NULL;
    bool config = known && f->options && is_name("config", w.name);
    if (!own && !row && !config) {
        complain_unknown(f, w.name);
        return false;
    }
    bool wants = !own || own->value;
    *took_next = wants && !w.value && next && strcmp(next, "--") != 0;
    const char *value = *took_next ? next : w.value;
    if (wants != (value != NULL)) {
        say("--", w.name, wants ? ": needs a value" : ": takes no value", NULL);
        return false;
    }
    if (own)
        own->given = wants ? value : "";
    return own || (row ? option_take(row, value) : config_take(value));
}

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int flags_parse(struct flags *f, int argc, char **argv, int *status) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        bool took_next = false;
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        if (is_help(argv[i])) {
            flags_print_help(f);
            *status = 0;
            return 0;
        }
        *status = STATUS_USAGE;
        if (argv[i][1] != '-') {
            say(argv[i], ": no such flag; see --help", NULL);
            return 0;
        }
        if (!flag_take(f, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL, &took_next))
            return 0;
        i += took_next;
    }
    return i;
}
