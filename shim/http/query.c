/* What an observer, or a copy of one, has to say. */
#include "http/feed.h"

enum http_why http_why(const struct http_observer *o) {
    return atomic_load_explicit(&o->why, memory_order_relaxed);
}

uint32_t http_requests(const struct http_observer *o) {
    return observer_stopped(o) == HTTP_NOT_HTTP ? 0 : observer_asked(o);
}

uint32_t http_responses(const struct http_observer *o) {
    return observer_answered(o);
}

uint32_t http_outstanding(const struct http_observer *o) {
    int32_t outstanding = observer_outstanding(o);
    return observer_stopped(o) == HTTP_NOT_HTTP || outstanding < 0 ? 0 : (uint32_t)outstanding;
}

/* Between two messages. */
static bool side_rests(const struct http_side *s) {
    return s->state <= AT_START_CR || s->state >= AT_HELD;
}

static enum http_phase phase_between_responses(const struct http_observer *o) {
    bool sending = !side_rests(&o->request);
    int32_t outstanding = observer_outstanding(o);
    /* A request whose method is not complete is not among the outstanding ones. */
    bool sending_last = sending && o->request.state != AT_METHOD;
    if (outstanding > sending_last)
        return HTTP_WAITING;
    if (sending)
        return HTTP_SENDING;
    return observer_asked(o) ? HTTP_COMPLETE : HTTP_IDLE;
}

enum http_phase http_phase(const struct http_observer *o) {
    uint8_t stop = observer_stopped(o), state = o->response.state;
    if (stop)
        return stop;
    if (side_rests(&o->response))
        return phase_between_responses(o);
    bool head = state < AT_BODY && !(o->response.flags & MESSAGE_TRAILERS);
    return head ? HTTP_RESPONSE_HEAD : HTTP_RESPONSE_BODY;
}

bool http_is_seen(const struct http_observer *o) {
    return atomic_load_explicit(&o->seen, memory_order_relaxed);
}

bool http_head_is_done(const struct http_observer *o) {
    const struct http_side *s = &o->request;
    return side_rests(s) || s->state >= AT_BODY || s->flags & MESSAGE_TRAILERS;
}

bool http_is_to_proxy(const struct http_observer *o) {
    return o->request.flags & MESSAGE_TO_PROXY;
}

bool http_cut(const struct http_observer *o, enum http_way way) {
    if (observer_stopped(o))
        return false;
    if (way == HTTP_REQUEST_BYTES)
        return atomic_load_explicit(&o->request_ended, memory_order_relaxed) &&
               !side_rests(&o->request);
    return atomic_load_explicit(&o->response_ended, memory_order_relaxed) &&
           (http_outstanding(o) || !side_rests(&o->response));
}

unsigned http_closes(const struct http_observer *o) {
    uint32_t answered = observer_answered(o);
    unsigned why = o->closes;
    if (observer_outstanding(o) > 0)
        why |= atomic_load_explicit(&o->ring[answered % HTTP_DEPTH], memory_order_relaxed);
    return why & ~(unsigned)(ASKED_HEAD | ASKED_CONNECT);
}

struct http_body http_body(const struct http_observer *o, enum http_way way) {
    const struct http_side *s = way == HTTP_RESPONSE_BYTES ? &o->response : &o->request;
    bool counts = s->state == AT_BODY || s->state == AT_CHUNK_DATA;
    return (struct http_body){
        .framing = s->framing,
        .read = s->body,
        .left = counts ? s->left : 0,
        .complete = side_rests(s),
    };
}

bool http_ambiguous(const struct http_observer *o, enum http_way way) {
    const struct http_side *s = way == HTTP_RESPONSE_BYTES ? &o->response : &o->request;
    return s->flags & MESSAGE_AMBIGUOUS;
}

const char *http_phase_name(enum http_phase phase) {
    static const char names[][16] = {
        [HTTP_IDLE] = "idle",
        [HTTP_SENDING] = "sending",
        [HTTP_WAITING] = "waiting",
        [HTTP_RESPONSE_HEAD] = "response-head",
        [HTTP_RESPONSE_BODY] = "response-body",
        [HTTP_COMPLETE] = "complete",
        [HTTP_HANDED_OVER] = "handed-over",
        [HTTP_IS_H2] = "h2",
        [HTTP_NOT_HTTP] = "not-http",
        [HTTP_BROKEN] = "broken",
    };
    return phase <= HTTP_BROKEN ? names[phase] : "-";
}

const char *http_why_text(enum http_why why) {
    static const char texts[][48] = {
        [HTTP_WHY_NONE] = "-",
        [HTTP_BAD_START] = "no request line or status line",
        [HTTP_BAD_VERSION] = "not of version 1.x",
        [HTTP_BAD_END] = "a line without a proper end",
        [HTTP_BAD_FIELD] = "no field line",
        [HTTP_BAD_LENGTH] = "an impossible Content-Length",
        [HTTP_BAD_CODING] = "an impossible Transfer-Encoding",
        [HTTP_BAD_CHUNK] = "no chunk",
        [HTTP_UNASKED] = "a response to no request",
        [HTTP_AFTER_CLOSE] = "bytes after the last response",
        [HTTP_AFTER_END] = "bytes after the end of the stream",
        [HTTP_TOO_DEEP] = "more pipelined requests than are followed",
        [HTTP_EARLY_BYTES] = "bytes after a CONNECT that was refused",
        [HTTP_UNSEEN] = "bytes that passed unseen",
    };
    return why <= HTTP_UNSEEN ? texts[why] : "-";
}

const char *http_method_name(enum http_method method) {
    static const char names[][8] = {
        [HTTP_METHOD_NONE] = "-", [HTTP_CONNECT] = "CONNECT", [HTTP_DELETE] = "DELETE",
        [HTTP_GET] = "GET",       [HTTP_HEAD] = "HEAD",       [HTTP_OPTIONS] = "OPTIONS",
        [HTTP_PATCH] = "PATCH",   [HTTP_POST] = "POST",       [HTTP_PRI] = "PRI",
        [HTTP_PUT] = "PUT",       [HTTP_TRACE] = "TRACE",     [HTTP_METHOD_OTHER] = "-",
    };
    return method <= HTTP_METHOD_OTHER ? names[method] : "-";
}
