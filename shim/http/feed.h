/* Inside the room: the state machine of one way.
 *
 * Each state has a handler, which takes at least one byte of what is left, or changes the state, or
 * stops. Everything that has to be remembered between two bytes stands in the observer, so that it
 * does not matter where the bytes were cut. */
#ifndef PG_HTTP_FEED_H
#define PG_HTTP_FEED_H

#include "http/http.h"
#include "http/words.h"

enum state {
    AT_START, /* before a message; empty lines are skipped (RFC 9112 2.2, 9.2) */
    AT_START_CR,
    AT_METHOD,
    AT_TARGET,
    AT_TARGET_AUTHORITY, /* of an absolute form: up to the path */
    AT_TARGET_PATH,
    AT_TARGET_REST, /* query, fragment, or what is not to be kept */
    AT_VERSION,
    AT_REQUEST_LINE_END,
    AT_STATUS,
    AT_STATUS_END,
    AT_TEXT, /* the reason, the value of a field that does not matter */
    AT_LINE_CR,
    AT_FIELD,
    AT_FIELD_NAME,
    AT_FIELD_VALUE,
    AT_HEAD_CR,
    AT_BODY,
    AT_BODY_TO_END,
    AT_CHUNK,
    AT_CHUNK_SIZE,
    AT_CHUNK_BLANK,
    AT_CHUNK_EXTENSION,
    AT_CHUNK_LINE_LF,
    AT_CHUNK_DATA,
    AT_CHUNK_CR,
    AT_CHUNK_LF,
    AT_HELD,  /* requests: behind a CONNECT, until it is answered */
    AT_CLOSE, /* responses: behind the last one */
    STATES
};

/* http_side.field: a word, or */
enum { FIELD_BEFORE_FIRST = 0, FIELD_OTHER = 255 };

/* http_side.flags, of one message. */
enum {
    MESSAGE_OLD = 1, /* HTTP/1.0 */
    MESSAGE_LENGTH = 2,
    MESSAGE_BAD_LENGTH = 4,
    MESSAGE_CODING = 8,
    MESSAGE_CHUNKED = 16, /* chunked is the last coding so far */
    MESSAGE_CHUNKED_ONCE = 32,
    MESSAGE_BAD_CODING = 64,
    MESSAGE_CLOSE = 128,
    MESSAGE_KEEP = 256,
    MESSAGE_TRAILERS = 512,
    MESSAGE_UNASKED = 1024,
    MESSAGE_AMBIGUOUS = 2048,
    MESSAGE_TO_PROXY = 4096, /* a target in absolute form */
};

/* ring: HTTP_CLOSE_* of the request, and what its response must know. */
enum { ASKED_HEAD = 64, ASKED_CONNECT = 128 };

struct feed {
    struct http_observer *o;
    struct http_side *s;
    bool response;
    const uint8_t *p, *end;
};

typedef void feed_handler(struct feed *);

/* Stops for good. */
void feed_stop(struct feed *f, enum http_why why);
void feed_hand_over(struct feed *f, enum http_phase phase);

/* start_line.c */
feed_handler start_any, start_cr, start_method, start_target, start_authority, start_path,
    start_rest, start_version, start_request_end, start_status, start_status_end, start_close;

/* fields.c */
feed_handler field_line_cr, field_begin, field_name, field_value, field_text, field_head_cr;

/* values.c: a value, as long as it matters, up to its line end or a NUL; and the end of it. */
void value_chars(struct feed *f);
void value_end(struct feed *f);

/* message.c */
void message_begin(struct feed *f);
void message_head_end(struct feed *f);
void message_end(struct feed *f);
feed_handler message_held;

/* body.c */
feed_handler body_counted, body_to_end, chunk_begin, chunk_size, chunk_blank, chunk_extension,
    chunk_line_lf, chunk_cr, chunk_lf;
/* All that was `left` has gone by. */
void body_through(struct feed *f);

/* The first control character from p on, or end; eight bytes at a time. */
const uint8_t *text_skip(const uint8_t *p, const uint8_t *end);

static inline uint32_t observer_asked(const struct http_observer *o) {
    return atomic_load_explicit(&o->asked, memory_order_acquire);
}

static inline uint32_t observer_answered(const struct http_observer *o) {
    return atomic_load_explicit(&o->answered, memory_order_acquire);
}

/* Requests without a response; -1: one has its response already and was not fed yet. */
static inline int32_t observer_outstanding(const struct http_observer *o) {
    uint32_t answered = observer_answered(o);
    return (int32_t)(observer_asked(o) - answered);
}

static inline uint8_t observer_stopped(const struct http_observer *o) {
    return atomic_load_explicit(&o->stop, memory_order_acquire);
}

#endif
