/* Messages: where the head ends and what that means for the body (RFC 9112 6.3), and what the end
 * of a message means for the connection (9.3). */
#include "http/feed.h"

enum { CONTINUE = 100, SWITCHING_PROTOCOLS = 101, OK = 200, NO_CONTENT = 204, NOT_MODIFIED = 304 };

void message_begin(struct feed *f) {
    struct http_side *s = f->s;
    s->left = s->body = s->number = 0;
    s->flags = 0;
    s->field = FIELD_BEFORE_FIRST;
    s->value = s->word = s->pos = 0;
    s->framing = HTTP_NO_BODY;
}

/* --- framing ---------------------------------------------------------------------------------- */

/* Transfer-Encoding is there (6.1, 6.3). One of HTTP/1.0 is faulty. Where chunked is not last, a
 * request has no end, and a response ends with the stream, unless it has a length too: then
 * clients differ. */
static void frame_by_coding(struct feed *f) {
    struct http_side *s = f->s;
    bool to_end = f->response && !(s->flags & (MESSAGE_CHUNKED | MESSAGE_AMBIGUOUS));
    if (s->flags & (MESSAGE_OLD | MESSAGE_BAD_CODING) || !(to_end || s->flags & MESSAGE_CHUNKED)) {
        feed_stop(f, HTTP_BAD_CODING);
        return;
    }
    s->framing = to_end ? HTTP_BY_END : HTTP_BY_CHUNKS;
    s->state = to_end ? AT_BODY_TO_END : AT_CHUNK;
}

static void frame_by_length(struct feed *f) {
    f->s->framing = HTTP_BY_LENGTH;
    f->s->state = AT_BODY;
    if (!f->s->left)
        message_end(f);
}

static void frame(struct feed *f) {
    struct http_side *s = f->s;
    if (s->flags & MESSAGE_CODING) {
        frame_by_coding(f);
    } else if (s->flags & MESSAGE_BAD_LENGTH) {
        feed_stop(f, HTTP_BAD_LENGTH);
    } else if (s->flags & MESSAGE_LENGTH) {
        frame_by_length(f);
    } else if (f->response) {
        s->framing = HTTP_BY_END;
        s->state = AT_BODY_TO_END;
    } else {
        message_end(f);
    }
}

/* --- heads ------------------------------------------------------------------------------------ */

/* Does this message let the connection live on (9.3)? */
static unsigned closes(uint16_t flags, unsigned said, unsigned old) {
    if (flags & MESSAGE_CLOSE)
        return said;
    return (flags & (MESSAGE_OLD | MESSAGE_KEEP)) == MESSAGE_OLD ? old : 0;
}

static _Atomic uint8_t *ring_entry(struct http_observer *o, uint32_t number) {
    return &o->ring[number % HTTP_DEPTH];
}

static void request_head_end(struct feed *f) {
    uint32_t number = observer_asked(f->o) - 1;
    _Atomic uint8_t *entry = ring_entry(f->o, number);
    uint8_t known = atomic_load_explicit(entry, memory_order_relaxed);
    unsigned why = closes(f->s->flags, HTTP_CLOSE_REQUEST, HTTP_OLD_REQUEST);
    if (f->s->flags & MESSAGE_AMBIGUOUS)
        why |= HTTP_CLOSE_AMBIGUOUS;
    atomic_store_explicit(entry, (uint8_t)(known | why), memory_order_relaxed);
    if (observer_answered(f->o) == number + 1)
        f->o->closes |= (uint8_t)why;
    frame(f);
}

/* What the request of this response said; of one that is not known yet: that it is a GET. */
static uint8_t response_request(struct http_observer *o) {
    if (observer_outstanding(o) <= 0) {
        atomic_store(&o->assumed, 1);
        if (observer_outstanding(o) <= 0)
            return 0;
        atomic_store(&o->assumed, 0);
    }
    return atomic_load_explicit(&o->ring[observer_answered(o) % HTTP_DEPTH], memory_order_relaxed);
}

static void response_count(struct http_observer *o) {
    atomic_store_explicit(&o->answered, observer_answered(o) + 1, memory_order_release);
}

static void response_hand_over(struct feed *f) {
    f->s->state = AT_START;
    response_count(f->o);
    feed_hand_over(f, HTTP_HANDED_OVER);
}

static void response_final(struct feed *f, uint8_t request) {
    struct http_observer *o = f->o;
    o->closes = (uint8_t)closes(f->s->flags, HTTP_CLOSE_RESPONSE, HTTP_OLD_RESPONSE);
    if (request & ASKED_HEAD || o->status == NO_CONTENT || o->status == NOT_MODIFIED) {
        message_end(f);
        return;
    }
    frame(f);
    if (f->s->framing == HTTP_BY_END)
        o->closes |= HTTP_CLOSE_IS_END;
}

static void response_head_end(struct feed *f) {
    uint8_t request = response_request(f->o);
    uint16_t status = f->o->status;
    if (status == SWITCHING_PROTOCOLS || (request & ASKED_CONNECT && status / 100 * 100 == OK))
        response_hand_over(f);
    else if (status / 100 * 100 == CONTINUE)
        f->s->state = AT_START; /* interim: the final one follows (RFC 9110 15.2) */
    else
        response_final(f, request);
}

void message_head_end(struct feed *f) {
    uint16_t flags = f->s->flags;
    if (flags & MESSAGE_CODING && flags & (MESSAGE_LENGTH | MESSAGE_BAD_LENGTH))
        f->s->flags |= MESSAGE_AMBIGUOUS;
    if (flags & MESSAGE_TRAILERS)
        message_end(f);
    else if (f->response)
        response_head_end(f);
    else
        request_head_end(f);
}

/* --- the end of a message --------------------------------------------------------------------- */

static void response_end(struct feed *f) {
    struct http_observer *o = f->o;
    uint8_t request = response_request(o);
    o->closes |= request & (uint8_t) ~(ASKED_HEAD | ASKED_CONNECT);
    f->s->state = o->closes ? AT_CLOSE : AT_START;
    response_count(o);
    if (request & ASKED_CONNECT && atomic_load_explicit(&o->early, memory_order_acquire))
        feed_stop(f, HTTP_EARLY_BYTES);
}

void message_end(struct feed *f) {
    if (f->response)
        response_end(f);
    else
        f->s->state = f->o->method == HTTP_CONNECT ? AT_HELD : AT_START;
}

/* Bytes behind a CONNECT: of the tunnel, if it is granted, and else of the next request. Until that
 * is known nobody can tell (RFC 9110 9.3.6). */
void message_held(struct feed *f) {
    if (observer_outstanding(f->o) <= 0) {
        f->s->state = AT_START;
        return;
    }
    atomic_store_explicit(&f->o->early, 1, memory_order_release);
    f->p = f->end;
}
