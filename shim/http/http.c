#include "http/http.h"

#include <string.h>

#include "http/feed.h"

static feed_handler *const handlers[STATES] = {
    [AT_START] = start_any,
    [AT_START_CR] = start_cr,
    [AT_METHOD] = start_method,
    [AT_TARGET] = start_target,
    [AT_TARGET_AUTHORITY] = start_authority,
    [AT_TARGET_PATH] = start_path,
    [AT_TARGET_REST] = start_rest,
    [AT_VERSION] = start_version,
    [AT_REQUEST_LINE_END] = start_request_end,
    [AT_STATUS] = start_status,
    [AT_STATUS_END] = start_status_end,
    [AT_TEXT] = field_text,
    [AT_LINE_CR] = field_line_cr,
    [AT_FIELD] = field_begin,
    [AT_FIELD_NAME] = field_name,
    [AT_FIELD_VALUE] = field_value,
    [AT_HEAD_CR] = field_head_cr,
    [AT_BODY] = body_counted,
    [AT_BODY_TO_END] = body_to_end,
    [AT_CHUNK] = chunk_begin,
    [AT_CHUNK_SIZE] = chunk_size,
    [AT_CHUNK_BLANK] = chunk_blank,
    [AT_CHUNK_EXTENSION] = chunk_extension,
    [AT_CHUNK_LINE_LF] = chunk_line_lf,
    [AT_CHUNK_DATA] = body_counted,
    [AT_CHUNK_CR] = chunk_cr,
    [AT_CHUNK_LF] = chunk_lf,
    [AT_HELD] = message_held,
    [AT_CLOSE] = start_close,
};

static struct feed feed_of(struct http_observer *o, enum http_way way) {
    bool response = way == HTTP_RESPONSE_BYTES;
    return (struct feed){.o = o, .s = response ? &o->response : &o->request, .response = response};
}

static _Atomic uint8_t *ended(struct http_observer *o, enum http_way way) {
    return way == HTTP_RESPONSE_BYTES ? &o->response_ended : &o->request_ended;
}

/* What was kept of something that is no HTTP/1.x is nobody's business. */
static void observer_wipe(struct http_observer *o) {
    memset(o->path, 0, sizeof o->path);
    memset(o->host, 0, sizeof o->host);
    o->path_length = o->host_length = 0;
    o->method = HTTP_METHOD_NONE;
}

void feed_hand_over(struct feed *f, enum http_phase phase) {
    if (phase != HTTP_HANDED_OVER && phase != HTTP_BROKEN)
        observer_wipe(f->o);
    f->end = f->p;
    atomic_store_explicit(&f->o->stop, (uint8_t)phase, memory_order_release);
}

void feed_stop(struct feed *f, enum http_why why) {
    atomic_store_explicit(&f->o->why, (uint8_t)why, memory_order_relaxed);
    feed_hand_over(f, atomic_load_explicit(&f->o->seen, memory_order_relaxed) ? HTTP_BROKEN
                                                                              : HTTP_NOT_HTTP);
}

void http_expect(struct http_observer *o, bool expecting) {
    atomic_store_explicit(&o->expecting, expecting, memory_order_relaxed);
}

void http_give_up(struct http_observer *o) {
    bool seen = atomic_load_explicit(&o->seen, memory_order_relaxed);
    if (observer_stopped(o))
        return;
    atomic_store_explicit(&o->why, HTTP_UNSEEN, memory_order_relaxed);
    atomic_store_explicit(&o->stop, seen ? HTTP_BROKEN : HTTP_NOT_HTTP, memory_order_release);
}

bool http_feed(struct http_observer *o, enum http_way way, const void *bytes, size_t n) {
    struct feed f = feed_of(o, way);
    if (!n || observer_stopped(o))
        return !observer_stopped(o);
    f.p = bytes;
    f.end = f.p + n;
    if (atomic_load_explicit(ended(o, way), memory_order_relaxed))
        feed_stop(&f, HTTP_AFTER_END);
    while (f.p < f.end)
        handlers[f.s->state](&f);
    return !observer_stopped(o);
}

bool http_skip(struct http_observer *o, enum http_way way, uint64_t n) {
    struct feed f = feed_of(o, way);
    uint8_t state = f.s->state;
    if (!n || observer_stopped(o))
        return !observer_stopped(o);
    bool counted = state == AT_BODY || state == AT_CHUNK_DATA;
    if ((!counted && state != AT_BODY_TO_END) || (counted && n > f.s->left) ||
        atomic_load_explicit(ended(o, way), memory_order_relaxed)) {
        feed_stop(&f, HTTP_UNSEEN);
        return false;
    }
    f.s->body += n;
    f.s->left -= counted ? n : 0;
    if (counted && !f.s->left)
        body_through(&f);
    return !observer_stopped(o);
}

void http_end(struct http_observer *o, enum http_way way) {
    struct feed f = feed_of(o, way);
    if (observer_stopped(o))
        return;
    atomic_store_explicit(ended(o, way), 1, memory_order_relaxed);
    if (f.s->state == AT_BODY_TO_END)
        message_end(&f);
}
