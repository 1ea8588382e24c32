/* Words: what was meant by a misspelt name, and whether a pattern matches.
 *
 * Both work in a few fixed bytes of stack: they run before main and in signal handlers. */
#include <string.h>

#include "base/options.h"

enum { WORD_MAX = 64 };

static char folded(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

static unsigned smaller(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Optimal string alignment distance: insertions, deletions, substitutions, and swaps of
 * neighbours, each costing one. Both at most WORD_MAX long. */
static unsigned word_distance(const char *a, const char *b) {
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    size_t n = strlen(b);
    for (unsigned j = 0; j <= n; j++)
        last[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            char x = folded(a[i - 1]), y = folded(b[j - 1]);
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[n];
}

const char *nearest_word(const char *word, const char *const *words, size_t n) {
    size_t length = strlen(word);
    if (length > WORD_MAX)
        return NULL;
    const char *best = NULL;
    unsigned best_distance = (unsigned)(length / 3) + 1;
    for (size_t i = 0; i < n; i++) {
        if (strlen(words[i]) > WORD_MAX)
            continue;
        unsigned distance = word_distance(word, words[i]);
        if (distance < best_distance) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

/* The set that begins at p[0] == '['; its end, or NULL when it is not closed and so no set. A ']'
 * right behind the opening is a member, as in the shell. */
static const char *set_end(const char *p) {
    p += p[1] == '!' || p[1] == '^' ? 2 : 1;
    return *p ? strchr(p + 1, ']') : NULL;
}

static bool set_has(const char *p, const char *end, char c) {
    bool negated = p[1] == '!' || p[1] == '^', found = false;
    unsigned char u = (unsigned char)c;
    for (p += negated ? 2 : 1; p < end; p++) {
        unsigned char low = (unsigned char)*p, high = low;
        if (p[1] == '-' && p + 2 < end) {
            high = (unsigned char)p[2];
            p += 2;
        }
        found |= u >= low && u <= high;
    }
    return found != negated;
}

/* Matches one character; moves *pattern behind what matched it. */
static bool one_matches(const char **pattern, char c) {
    const char *p = *pattern, *end = *p == '[' ? set_end(p) : NULL;
    *pattern = (end ? end : p) + 1;
    return end ? set_has(p, end, c) : *p == c || *p == '?';
}

bool glob_match(const char *pattern, const char *text) {
    /* Only the last * ever has to be tried again: what an earlier one would match by taking more,
     * the last one matches too. */
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        const char *next = pattern;
        if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
        } else if (*pattern && one_matches(&next, *text)) {
            pattern = next;
            text++;
        } else if (star) {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
