/* Values that framing depends on, a character at a time. A line that is folded reads as if a blank
 * stood there (RFC 9112 5.2). */
#include <string.h>

#include "http/feed.h"

/* http_side.value */
enum { VALUE_BEFORE, VALUE_INSIDE, VALUE_BEHIND, VALUE_NUMBER };

/* The rest of this field does not matter. */
static void value_ignore(struct feed *f, unsigned flag) {
    f->s->flags |= (uint16_t)flag;
    f->s->field = FIELD_OTHER;
}

/* --- Content-Length: a number, or the same one several times (RFC 9110 8.6) ------------------- */

static void length_end(struct feed *f) {
    struct http_side *s = f->s;
    if (s->flags & MESSAGE_LENGTH && s->left != s->number)
        s->flags |= MESSAGE_BAD_LENGTH;
    s->flags |= MESSAGE_LENGTH;
    s->left = s->number;
    s->number = 0;
}

static void length_char(struct feed *f, uint8_t c) {
    struct http_side *s = f->s;
    bool digit = char_is(c, CHAR_DIGIT) && s->value != VALUE_BEHIND;
    if (digit && s->number < UINT64_MAX / 10) {
        s->number = s->number * 10 + (c - '0');
        s->value = VALUE_INSIDE;
    } else if (char_is_blank(c)) {
        s->value = s->value == VALUE_INSIDE ? VALUE_BEHIND : s->value;
    } else if (c == ',' && s->value != VALUE_BEFORE) {
        length_end(f);
        s->value = VALUE_BEFORE;
    } else {
        value_ignore(f, MESSAGE_BAD_LENGTH);
    }
}

/* --- lists of tokens (RFC 9110 5.6.1); empty elements do not count ---------------------------- */

struct list {
    enum word first, last;
    void (*element)(struct http_side *s, struct http_observer *o, uint8_t word);
    void (*odd)(struct feed *f, uint8_t c); /* a character that no token has, inside an element */
};

static void list_element(struct feed *f, const struct list *l) {
    struct http_side *s = f->s;
    if (s->value == VALUE_INSIDE || s->value == VALUE_BEHIND)
        l->element(s, f->o, word_ends(s->word, s->pos) ? s->word : WORD_NONE);
    s->value = VALUE_BEFORE;
}

static void list_char(struct feed *f, uint8_t c, const struct list *l) {
    struct http_side *s = f->s;
    if (c == ',') {
        list_element(f, l);
    } else if (char_is_blank(c)) {
        s->value = s->value == VALUE_INSIDE ? VALUE_BEHIND : s->value;
    } else if (!char_is(c, CHAR_TOKEN) || s->value == VALUE_BEHIND) {
        s->value = s->value == VALUE_BEFORE ? VALUE_INSIDE : s->value;
        l->odd(f, c);
    } else {
        if (s->value == VALUE_BEFORE) {
            s->word = (uint8_t)l->first;
            s->pos = 0;
        }
        s->value = VALUE_INSIDE;
        s->word = word_step(s->word, s->pos, char_lower(c), l->last);
        if (s->word != WORD_NONE)
            s->pos++;
    }
}

static void element_spoiled(struct feed *f, uint8_t c) {
    (void)c;
    f->s->word = WORD_NONE;
    f->s->value = VALUE_INSIDE;
}

/* Connection (RFC 9112 9.3). */
static void connection_option(struct http_side *s, struct http_observer *o, uint8_t word) {
    (void)o;
    if (word == WORD_CLOSE)
        s->flags |= MESSAGE_CLOSE;
    else if (word == WORD_KEEP)
        s->flags |= MESSAGE_KEEP;
}

/* Transfer-Encoding (RFC 9112 6.1): chunked once at most, and last. */
static void coding(struct http_side *s, struct http_observer *o, uint8_t word) {
    (void)o;
    bool chunked = word == WORD_CHUNKED;
    if (chunked && s->flags & MESSAGE_CHUNKED_ONCE)
        s->flags |= MESSAGE_BAD_CODING;
    s->flags &= (uint16_t)~MESSAGE_CHUNKED;
    s->flags |= (uint16_t)(MESSAGE_CODING | (chunked ? MESSAGE_CHUNKED | MESSAGE_CHUNKED_ONCE : 0));
}

/* Parameters: chunked has none (7.1), and no coding that is registered has any. */
static void coding_odd(struct feed *f, uint8_t c) {
    (void)c;
    value_ignore(f, MESSAGE_CODING | MESSAGE_BAD_CODING);
}

/* --- Keep-Alive: timeout=5, max=100 (RFC 2068 19.7.1.1) --------------------------------------- */

static void keep_alive_none(struct http_side *s, struct http_observer *o, uint8_t word) {
    (void)s, (void)o, (void)word;
}

static void keep_alive_odd(struct feed *f, uint8_t c) {
    struct http_side *s = f->s;
    bool named = c == '=' && s->word == WORD_TIMEOUT && word_ends(s->word, s->pos);
    element_spoiled(f, c);
    if (named) {
        s->number = 0;
        s->value = VALUE_NUMBER;
    }
}

/* The number of seconds; what is not one is no hint. */
static void keep_alive_number(struct feed *f, uint8_t c) {
    struct http_side *s = f->s;
    if (char_is(c, CHAR_DIGIT)) {
        s->number = s->number * 10 + (c - '0');
        if (s->number > UINT32_MAX)
            s->number = UINT32_MAX;
    } else if (c == ',') {
        f->o->keep_alive = (uint32_t)s->number;
        s->value = VALUE_BEFORE;
    } else if (!char_is_blank(c)) {
        element_spoiled(f, c);
    }
}

/* --- Host ------------------------------------------------------------------------------------- */

static void host_char(struct feed *f, uint8_t c) {
    struct http_observer *o = f->o;
    if (char_is_blank(c)) {
        f->s->value = f->s->value == VALUE_BEFORE ? VALUE_BEFORE : VALUE_BEHIND;
        return;
    }
    if (f->s->value == VALUE_BEHIND)
        return;
    f->s->value = VALUE_INSIDE;
    if (o->host_length < HTTP_HOST_MAX - 1)
        o->host[o->host_length++] = c > ' ' && c < 0x7f ? (char)c : '?';
    if (c == '@') {
        memset(o->host, 0, o->host_length);
        o->host_length = 0;
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct list *list_of(uint8_t field) {
    static const struct list connection = {WORD_CLOSE, WORD_KEEP, connection_option,
                                           element_spoiled};
    static const struct list codings = {WORD_CHUNKED, WORD_CHUNKED, coding, coding_odd};
    static const struct list keep_alive = {WORD_TIMEOUT, WORD_TIMEOUT, keep_alive_none,
                                           keep_alive_odd};
    switch (field) {
    case WORD_CONNECTION: return &connection;
    case WORD_TRANSFER_ENCODING: return &codings;
    case WORD_KEEP_ALIVE: return &keep_alive;
    default: return NULL;
    }
}

static void value_char(struct feed *f, uint8_t c) {
    struct http_side *s = f->s;
    if (s->field == WORD_CONTENT_LENGTH)
        length_char(f, c);
    else if (s->field == WORD_HOST)
        host_char(f, c);
    else if (s->value == VALUE_NUMBER)
        keep_alive_number(f, c);
    else
        list_char(f, c, list_of(s->field));
}

void value_chars(struct feed *f) {
    const uint8_t *p = f->p;
    while (p < f->end && *p != '\r' && *p != '\n' && *p != '\0' && f->s->field != FIELD_OTHER)
        value_char(f, *p++);
    f->p = p;
}

void value_end(struct feed *f) {
    struct http_side *s = f->s;
    const struct list *list = list_of(s->field);
    if (s->field == WORD_CONTENT_LENGTH) {
        if (s->value == VALUE_BEFORE)
            s->flags |= MESSAGE_BAD_LENGTH;
        else
            length_end(f);
    } else if (list && s->value == VALUE_NUMBER) {
        keep_alive_number(f, ',');
    } else if (list) {
        list_element(f, list);
    }
}
