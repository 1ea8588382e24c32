#include "report/suppress.h"

#include <string.h>

#include "base/options.h"
#include "base/out.h"
#include "base/text_file.h"

static const struct {
    const char *word;
    enum suppress_kind kind;
} kinds[] = {{"leak:", SUPPRESS_STACK}, {"host:", SUPPRESS_HOST}, {"class:", SUPPRESS_CLASS}};

static void complain_line(const char *path, uint32_t number, const char *line,
                          void (*complain)(const char *)) {
    char text[512];
    struct out o;
    out_init(&o, -1, text, sizeof text - 1);
    out_strs(&o, path, ":", NULL);
    out_u64(&o, number);
    out_strs(&o, ": \"", line, "\" is none of leak:GLOB, host:GLOB, class:GLOB; ignoring it", NULL);
    text[o.len] = '\0';
    complain(text);
}

/* Cuts a comment off: from # at the start or behind a blank. */
static char *without_comment(char *line) {
    for (char *p = line; (p = strchr(p, '#')); p++)
        if (p == line || text_is_blank(p[-1])) {
            *p = '\0';
            break;
        }
    return text_trim(line);
}

/* The suppression that a line stands for, or NULL. */
static struct suppression *parse(struct arena *arena, const char *line) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(line, kinds[i].word, n) != 0 || !line[n])
            continue;
        struct suppression *s = arena_alloc(arena, sizeof *s);
        if (!s)
            return NULL;
        s->kind = kinds[i].kind;
        s->pattern = arena_copy(arena, line + n, strlen(line + n));
        return s->pattern ? s : NULL;
    }
    return NULL;
}

static void load_lines(struct suppression **last, struct arena *arena, const char *path, char *text,
                       void (*complain)(const char *)) {
    char *line;
    for (uint32_t number = 1; (line = text_line(&text)); number++) {
        line = without_comment(line);
        if (!*line)
            continue;
        struct suppression *s = parse(arena, line);
        if (!s) {
            complain_line(path, number, line, complain);
            continue;
        }
        s->line = number;
        *last = s;
        last = &s->next;
    }
}

void suppress_load(struct suppression **list, struct arena *arena, const char *path,
                   void (*complain)(const char *)) {
    struct text_file file;
    const char *fault = text_file_read(&file, path);
    *list = NULL;
    if (!fault) {
        load_lines(list, arena, path, file.text, complain);
    } else {
        char line[512];
        struct out o;
        out_init(&o, -1, line, sizeof line - 1);
        out_strs(&o, "suppressions ", path, ": ", fault, "; nothing is suppressed", NULL);
        line[o.len] = '\0';
        complain(line);
    }
    text_file_free(&file);
}

struct suppression *suppress_find(struct suppression *list, enum suppress_kind kind,
                                  const char *text) {
    for (struct suppression *s = list; s; s = s->next)
        if (s->kind == kind && glob_match(s->pattern, text))
            return s;
    return NULL;
}
