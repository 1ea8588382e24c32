/* Field lines (RFC 9112 5): their names, their ends, folded ones. Trailers are read in the same way
 * and none of them matters (7.1.2). */
#include <string.h>

#include "http/feed.h"

#define REPEATED(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Some byte of the word is below 0x20. */
static bool has_control(uint64_t word) {
    return (word - REPEATED(0x20)) & ~word & REPEATED(0x80);
}

const uint8_t *text_skip(const uint8_t *p, const uint8_t *end) {
    uint64_t word;
    for (; (size_t)(end - p) >= sizeof word; p += sizeof word) {
        memcpy(&word, p, sizeof word);
        if (has_control(word))
            break;
    }
    while (p < end && *p >= 0x20)
        p++;
    return p;
}

/* At a line's CR or LF. A lone LF will do in start lines and fields (2.2). */
static void line_end(struct feed *f) {
    bool cr = *f->p++ == '\r';
    if (cr && f->p < f->end && *f->p == '\n') {
        f->p++;
        cr = false;
    }
    f->s->state = cr ? AT_LINE_CR : AT_FIELD;
}

void field_line_cr(struct feed *f) {
    if (*f->p != '\n') {
        feed_stop(f, HTTP_BAD_END);
        return;
    }
    f->p++;
    f->s->state = AT_FIELD;
}

void field_head_cr(struct feed *f) {
    if (*f->p != '\n') {
        feed_stop(f, HTTP_BAD_END);
        return;
    }
    f->p++;
    message_head_end(f);
}

/* Other control characters are a nuisance, and in a value that nobody asks for they do no harm (RFC
 * 9110 5.5). */
void field_text(struct feed *f) {
    f->p = text_skip(f->p, f->end);
    if (f->p == f->end)
        return;
    if (*f->p == '\r' || *f->p == '\n')
        line_end(f);
    else if (*f->p == '\0')
        feed_stop(f, HTTP_BAD_FIELD);
    else
        f->p++;
}

/* At the first character of a line: another field, the last one's continuation, or the end. */
void field_begin(struct feed *f) {
    struct http_side *s = f->s;
    uint8_t c = *f->p;
    if (char_is_blank(c)) {
        if (s->field == FIELD_BEFORE_FIRST)
            feed_stop(f, HTTP_BAD_FIELD);
        else
            s->state = s->field == FIELD_OTHER ? AT_TEXT : AT_FIELD_VALUE;
        return;
    }
    value_end(f);
    if (char_is(c, CHAR_TOKEN)) {
        s->word = f->response ? WORD_CONNECTION : WORD_HOST;
        s->pos = 0;
        s->state = AT_FIELD_NAME;
    } else if (c == '\r') {
        f->p++;
        s->state = AT_HEAD_CR;
    } else if (c == '\n') {
        f->p++;
        message_head_end(f);
    } else {
        feed_stop(f, HTTP_BAD_FIELD);
    }
}

static void name_end(struct feed *f) {
    struct http_side *s = f->s;
    bool matters = word_ends(s->word, s->pos) && !(s->flags & MESSAGE_TRAILERS) &&
                   !(s->word == WORD_HOST && f->o->host_length);
    s->field = matters ? s->word : FIELD_OTHER;
    s->state = matters ? AT_FIELD_VALUE : AT_TEXT;
    s->value = 0;
    s->number = 0;
}

void field_name(struct feed *f) {
    struct http_side *s = f->s;
    enum word last = f->response ? WORD_KEEP_ALIVE : WORD_TRANSFER_ENCODING;
    const uint8_t *p = f->p;
    uint8_t word = s->word, pos = s->pos;
    for (; word != WORD_NONE && p < f->end && char_is(*p, CHAR_TOKEN); p++)
        word = word_step(word, pos++, char_lower(*p), last);
    s->word = word;
    s->pos = pos;
    while (p < f->end && char_is(*p, CHAR_TOKEN))
        p++;
    f->p = p;
    if (p == f->end)
        return;
    f->p++;
    if (*p == ':')
        name_end(f);
    else
        feed_stop(f, HTTP_BAD_FIELD);
}

void field_value(struct feed *f) {
    value_chars(f);
    if (f->s->field == FIELD_OTHER)
        f->s->state = AT_TEXT;
    else if (f->p == f->end)
        return;
    else if (*f->p == '\0')
        feed_stop(f, HTTP_BAD_FIELD);
    else
        line_end(f);
}
