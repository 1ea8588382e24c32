/* The words that framing depends on, and classes of characters (RFC 9110 5.6.2, RFC 9112). */
#ifndef PG_HTTP_WORDS_H
#define PG_HTTP_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* In groups: a word is looked for in one group only. The methods come first, in the order of
 * enum http_method. */
enum word {
    WORD_NONE,
    WORD_CONNECT,
    WORD_DELETE,
    WORD_GET,
    WORD_HEAD,
    WORD_OPTIONS,
    WORD_PATCH,
    WORD_POST,
    WORD_PRI,
    WORD_PUT,
    WORD_TRACE,

    WORD_HOST, /* fields of requests: from here ... */
    WORD_CONNECTION,
    WORD_CONTENT_LENGTH,
    WORD_TRANSFER_ENCODING,
    WORD_KEEP_ALIVE, /* ... to before this one, which responses have instead of Host */

    WORD_CHUNKED, /* a coding */
    WORD_TIMEOUT, /* a parameter of Keep-Alive */
    WORD_CLOSE,   /* options of Connection */
    WORD_KEEP,
    WORDS
};

enum { WORD_MAX = 18 };
extern const char words[WORDS][WORD_MAX];
/* Another word of the group, up to `last`, that begins like this one and goes on with c. */
uint8_t word_other(uint8_t word, unsigned at, uint8_t c, enum word last);

/* A word that is compared with one of the words from->to, character by character. Take the first
 * word of the group at the start; WORD_NONE when none can match any more. Two threads that feed one
 * way at once may bring any `at` here; the table is not left for that. */
static inline uint8_t word_step(uint8_t word, unsigned at, uint8_t c, enum word last) {
    if (word == WORD_NONE || at >= WORD_MAX)
        return WORD_NONE;
    return (uint8_t)words[word][at] == c ? word : word_other(word, at, c, last);
}
/* All of it was there. */
bool word_ends(uint8_t word, unsigned at);

enum { CHAR_TOKEN = 1, CHAR_TARGET = 2, CHAR_DIGIT = 4, CHAR_HEX = 8 };
extern const uint8_t char_class[256];

static inline bool char_is(uint8_t c, unsigned class) {
    return char_class[c] & class;
}

/* Of letters; other characters of tokens may become anything, but no letter and no '-'. */
static inline uint8_t char_lower(uint8_t c) {
    return c | 0x20;
}

static inline bool char_is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

#endif
