/* Content: what has a length is skipped at once, chunks are read as RFC 9112 7.1 has them. Of
 * chunks the line ends must be whole: a lone LF there is read differently by different recipients.
 */
#include "http/feed.h"

/* Takes what is there of the `left` bytes; true when that was all of them. */
static bool body_take(struct feed *f) {
    uint64_t n = (uint64_t)(f->end - f->p);
    if (n > f->s->left)
        n = f->s->left;
    f->p += n;
    f->s->body += n;
    f->s->left -= n;
    return !f->s->left;
}

void body_through(struct feed *f) {
    if (f->s->state == AT_CHUNK_DATA)
        f->s->state = AT_CHUNK_CR;
    else
        message_end(f);
}

void body_counted(struct feed *f) {
    if (body_take(f))
        body_through(f);
}

void body_to_end(struct feed *f) {
    f->s->body += (uint64_t)(f->end - f->p);
    f->p = f->end;
}

static unsigned hex_value(uint8_t c) {
    return char_is(c, CHAR_DIGIT) ? c & 15u : (c & 15u) + 9;
}

static void chunk_goes_on(struct feed *f, bool allowed, enum state next) {
    if (!allowed) {
        feed_stop(f, HTTP_BAD_CHUNK);
        return;
    }
    f->p++;
    f->s->state = (uint8_t)next;
}

void chunk_begin(struct feed *f) {
    f->s->number = 0;
    if (char_is(*f->p, CHAR_HEX))
        f->s->state = AT_CHUNK_SIZE;
    else
        feed_stop(f, HTTP_BAD_CHUNK);
}

/* Behind the size: an extension, which nobody need understand, or the line's end. Blanks are bad
 * form there, and some servers pad with them. */
void chunk_blank(struct feed *f) {
    uint8_t c = *f->p;
    if (char_is_blank(c))
        chunk_goes_on(f, true, AT_CHUNK_BLANK);
    else if (c == ';')
        chunk_goes_on(f, true, AT_CHUNK_EXTENSION);
    else
        chunk_goes_on(f, c == '\r', AT_CHUNK_LINE_LF);
}

void chunk_size(struct feed *f) {
    struct http_side *s = f->s;
    for (; f->p < f->end && char_is(*f->p, CHAR_HEX); f->p++) {
        if (s->number >> 59) {
            feed_stop(f, HTTP_BAD_CHUNK);
            return;
        }
        s->number = s->number << 4 | hex_value(*f->p);
    }
    if (f->p < f->end)
        chunk_blank(f);
}

void chunk_extension(struct feed *f) {
    f->p = text_skip(f->p, f->end);
    if (f->p == f->end)
        return;
    if (*f->p == '\t')
        f->p++;
    else
        chunk_goes_on(f, *f->p == '\r', AT_CHUNK_LINE_LF);
}

void chunk_line_lf(struct feed *f) {
    struct http_side *s = f->s;
    bool last = s->number == 0;
    chunk_goes_on(f, *f->p == '\n', last ? AT_FIELD : AT_CHUNK_DATA);
    if (last) {
        s->flags |= MESSAGE_TRAILERS;
        s->field = FIELD_BEFORE_FIRST;
    }
    s->left = s->number;
}

void chunk_cr(struct feed *f) {
    chunk_goes_on(f, *f->p == '\r', AT_CHUNK_LF);
}

void chunk_lf(struct feed *f) {
    chunk_goes_on(f, *f->p == '\n', AT_CHUNK);
}
