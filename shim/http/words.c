#include "http/words.h"

#include <string.h>

const char words[WORDS][WORD_MAX] = {
    [WORD_CONNECT] = "CONNECT",
    [WORD_DELETE] = "DELETE",
    [WORD_GET] = "GET",
    [WORD_HEAD] = "HEAD",
    [WORD_OPTIONS] = "OPTIONS",
    [WORD_PATCH] = "PATCH",
    [WORD_POST] = "POST",
    [WORD_PRI] = "PRI",
    [WORD_PUT] = "PUT",
    [WORD_TRACE] = "TRACE",
    [WORD_HOST] = "host",
    [WORD_CONNECTION] = "connection",
    [WORD_CONTENT_LENGTH] = "content-length",
    [WORD_TRANSFER_ENCODING] = "transfer-encoding",
    [WORD_KEEP_ALIVE] = "keep-alive",
    [WORD_CHUNKED] = "chunked",
    [WORD_TIMEOUT] = "timeout",
    [WORD_CLOSE] = "close",
    [WORD_KEEP] = "keep-alive",
};

/* Always the first word of the group that fits so far: those before it are out for good. */
uint8_t word_other(uint8_t word, unsigned at, uint8_t c, enum word last) {
    for (unsigned other = word + 1u; other <= last; other++)
        if ((uint8_t)words[other][at] == c && memcmp(words[other], words[word], at) == 0)
            return (uint8_t)other;
    return WORD_NONE;
}

bool word_ends(uint8_t word, unsigned at) {
    return word != WORD_NONE && at < WORD_MAX && words[word][at] == '\0';
}

#define TARGET_ONLY CHAR_TARGET
#define TOKEN (CHAR_TOKEN | CHAR_TARGET)
#define DIGIT (TOKEN | CHAR_DIGIT | CHAR_HEX)
#define HEX (TOKEN | CHAR_HEX)

/* tchar (RFC 9110 5.6.2); in targets anything that is visible, and bytes that some clients do not
 * encode. */
const uint8_t char_class[256] = {
    ['!'] = TOKEN,
    ['"'] = TARGET_ONLY,
    ['#' ... '\''] = TOKEN,
    ['('] = TARGET_ONLY,
    [')'] = TARGET_ONLY,
    ['*'] = TOKEN,
    ['+'] = TOKEN,
    [','] = TARGET_ONLY,
    ['-'] = TOKEN,
    ['.'] = TOKEN,
    ['/'] = TARGET_ONLY,
    ['0' ... '9'] = DIGIT,
    [':' ... '@'] = TARGET_ONLY,
    ['A' ... 'F'] = HEX,
    ['G' ... 'Z'] = TOKEN,
    ['['] = TARGET_ONLY,
    ['\\'] = TARGET_ONLY,
    [']'] = TARGET_ONLY,
    ['^' ... '`'] = TOKEN,
    ['a' ... 'f'] = HEX,
    ['g' ... 'z'] = TOKEN,
    ['{'] = TARGET_ONLY,
    ['|'] = TOKEN,
    ['}'] = TARGET_ONLY,
    ['~'] = TOKEN,
    [0x80 ... 0xff] = TARGET_ONLY,
};
