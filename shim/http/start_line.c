/* Request lines and status lines (RFC 9112 3, 4), and what may stand before them. */
#include <string.h>

#include "http/feed.h"

/* Longer than that no method is: registered ones have 17 at most. */
enum { METHOD_MAX = 24, STATUS_DIGITS = 3, STATUS_MIN = 100, SLASHES_BEFORE_PATH = 3 };

static void start_response(struct feed *f) {
    message_begin(f);
    int32_t outstanding = observer_outstanding(f->o);
    bool expected = atomic_load_explicit(&f->o->expecting, memory_order_relaxed);
    if (outstanding < 0 || (outstanding == 0 && !expected))
        f->s->flags |= MESSAGE_UNASKED;
    f->o->closes = 0;
    f->o->keep_alive = 0;
    f->s->state = AT_VERSION;
}

static void start_request(struct feed *f) {
    message_begin(f);
    f->s->word = WORD_CONNECT;
    f->s->state = AT_METHOD;
}

void start_any(struct feed *f) {
    if (*f->p == '\n' || *f->p == '\r')
        f->s->state = *f->p++ == '\r' ? AT_START_CR : AT_START;
    else if (f->response)
        start_response(f);
    else if (char_is(*f->p, CHAR_TOKEN))
        start_request(f);
    else
        feed_stop(f, HTTP_BAD_START);
}

void start_cr(struct feed *f) {
    if (*f->p != '\n') {
        feed_stop(f, HTTP_BAD_START);
        return;
    }
    f->p++;
    f->s->state = AT_START;
}

/* After the last response of a connection (RFC 9112 9.6). */
void start_close(struct feed *f) {
    if (*f->p != '\r' && *f->p != '\n')
        feed_stop(f, HTTP_AFTER_CLOSE);
    else
        f->p++;
}

/* --- the request line ------------------------------------------------------------------------- */

/* The method is known: from here on a response can come, however early (RFC 9112 9.2). */
static void request_asked(struct feed *f) {
    struct http_observer *o = f->o;
    uint32_t asked = observer_asked(o);
    if (observer_outstanding(o) >= HTTP_DEPTH) {
        feed_stop(f, HTTP_TOO_DEEP);
        return;
    }
    uint8_t entry = o->method == HTTP_HEAD ? ASKED_HEAD : 0;
    if (o->method == HTTP_CONNECT)
        entry = ASKED_CONNECT;
    atomic_store_explicit(&o->ring[asked % HTTP_DEPTH], entry, memory_order_relaxed);
    atomic_store(&o->asked, asked + 1);
    /* The response was taken for one to a GET. */
    if (atomic_exchange(&o->assumed, 0) && entry)
        feed_stop(f, HTTP_UNSEEN);
}

static void method_end(struct feed *f) {
    struct http_observer *o = f->o;
    bool known = word_ends(f->s->word, f->s->pos);
    o->method = known ? f->s->word : HTTP_METHOD_OTHER;
    memset(o->path, 0, sizeof o->path);
    memset(o->host, 0, sizeof o->host);
    o->path_length = o->host_length = 0;
    f->s->state = AT_TARGET;
    if (o->method != HTTP_PRI)
        request_asked(f);
}

void start_method(struct feed *f) {
    struct http_side *s = f->s;
    for (; f->p < f->end && char_is(*f->p, CHAR_TOKEN) && s->pos < METHOD_MAX; f->p++)
        s->word = word_step(s->word, s->pos++, *f->p, WORD_TRACE);
    if (f->p == f->end)
        return;
    if (*f->p++ == ' ')
        method_end(f);
    else
        feed_stop(f, HTTP_BAD_START);
}

/* A request is not known to be HTTP before its version: what looks like one of an unknown method
 * may be a command of another protocol with a password behind it, and is not kept. */
static bool target_may_be_kept(const struct http_observer *o) {
    return o->method != HTTP_METHOD_OTHER || atomic_load_explicit(&o->seen, memory_order_relaxed);
}

void start_target(struct feed *f) {
    struct http_side *s = f->s;
    s->pos = 0;
    if (!char_is(*f->p, CHAR_TARGET))
        feed_stop(f, HTTP_BAD_START);
    else if (!target_may_be_kept(f->o))
        s->state = AT_TARGET_REST;
    else if (*f->p == '/' || *f->p == '*' || f->o->method == HTTP_CONNECT)
        s->state = AT_TARGET_PATH;
    else
        s->state = AT_TARGET_AUTHORITY;
    if (s->state == AT_TARGET_AUTHORITY)
        s->flags |= MESSAGE_TO_PROXY;
}

static void path_add(struct http_observer *o, uint8_t c) {
    if (o->path_length < HTTP_PATH_MAX - 1)
        o->path[o->path_length++] = c > ' ' && c < 0x7f ? (char)c : '?';
}

/* At a character that no target has. */
static void target_end(struct feed *f) {
    if (*f->p != ' ') {
        feed_stop(f, *f->p == '\r' || *f->p == '\n' ? HTTP_BAD_VERSION : HTTP_BAD_START);
        return;
    }
    f->p++;
    f->s->pos = 0;
    f->s->state = AT_VERSION;
}

/* http://user:password@host/path, of which the path is kept (RFC 9112 3.2.2). */
void start_authority(struct feed *f) {
    struct http_side *s = f->s;
    for (; f->p < f->end && char_is(*f->p, CHAR_TARGET); f->p++) {
        if (*f->p == '/')
            s->pos++;
        if (s->pos == SLASHES_BEFORE_PATH) {
            s->state = AT_TARGET_PATH;
            return;
        }
        if (*f->p == '?' || *f->p == '#')
            break;
    }
    if (f->p == f->end)
        return;
    if (s->pos == SLASHES_BEFORE_PATH - 1)
        path_add(f->o, '/');
    s->state = AT_TARGET_REST;
}

void start_path(struct feed *f) {
    struct http_observer *o = f->o;
    for (; f->p < f->end && char_is(*f->p, CHAR_TARGET); f->p++) {
        if (*f->p == '?' || *f->p == '#') {
            f->s->state = AT_TARGET_REST;
            return;
        }
        path_add(o, *f->p);
        if (*f->p == '@' && o->method == HTTP_CONNECT) {
            memset(o->path, 0, o->path_length);
            o->path_length = 0;
        }
    }
    if (f->p < f->end)
        target_end(f);
}

void start_rest(struct feed *f) {
    while (f->p < f->end && char_is(*f->p, CHAR_TARGET))
        f->p++;
    if (f->p < f->end)
        target_end(f);
}

void start_request_end(struct feed *f) {
    uint8_t c = *f->p++;
    if (c == '\r')
        f->s->state = AT_LINE_CR;
    else if (c == '\n')
        f->s->state = AT_FIELD;
    else
        feed_stop(f, HTTP_BAD_START);
}

/* --- the version ------------------------------------------------------------------------------ */

static const char version[] = "HTTP/1.";
enum { VERSION_MAJOR = 5, VERSION_MINOR = sizeof version - 1, VERSION_END };

/* The first line of HTTP/2's preface, "PRI * HTTP/2.0": nothing before it, and no other target. */
static bool is_h2_preface(const struct feed *f) {
    return !f->response && f->o->method == HTTP_PRI && f->o->path[0] == '*' &&
           f->o->path_length == 1 && observer_asked(f->o) == 0;
}

static void version_other(struct feed *f) {
    if (f->s->pos == VERSION_MAJOR && *f->p == '2' && is_h2_preface(f))
        feed_hand_over(f, HTTP_IS_H2);
    else
        feed_stop(f, HTTP_BAD_VERSION);
}

/* Behind the version of a response there is one blank. */
static void version_end(struct feed *f) {
    if (!f->response) {
        f->s->state = AT_REQUEST_LINE_END;
        return;
    }
    if (*f->p++ != ' ') {
        feed_stop(f, HTTP_BAD_START);
        return;
    }
    f->s->pos = 0;
    f->s->state = AT_STATUS;
}

/* It is HTTP. A response that answers nothing belongs to no later request either (9.2). */
static void version_seen(struct feed *f) {
    if (*f->p == '0')
        f->s->flags |= MESSAGE_OLD;
    atomic_store_explicit(&f->o->seen, 1, memory_order_relaxed);
    if (f->s->flags & MESSAGE_UNASKED)
        feed_stop(f, HTTP_UNASKED);
    else if (!f->response && f->o->method == HTTP_PRI)
        feed_stop(f, HTTP_BAD_START);
}

void start_version(struct feed *f) {
    struct http_side *s = f->s;
    for (; f->p < f->end && s->pos < VERSION_MINOR; f->p++, s->pos++)
        if (*f->p != (uint8_t)version[s->pos]) {
            version_other(f);
            return;
        }
    if (f->p == f->end)
        return;
    if (s->pos == VERSION_END) {
        version_end(f);
    } else if (!char_is(*f->p, CHAR_DIGIT)) {
        feed_stop(f, HTTP_BAD_VERSION);
    } else {
        s->pos = VERSION_END;
        version_seen(f);
        f->p++;
    }
}

/* --- the status line -------------------------------------------------------------------------- */

void start_status(struct feed *f) {
    struct http_side *s = f->s;
    for (; f->p < f->end && s->pos < STATUS_DIGITS; f->p++, s->pos++) {
        if (!char_is(*f->p, CHAR_DIGIT)) {
            feed_stop(f, HTTP_BAD_START);
            return;
        }
        s->number = s->number * 10 + (*f->p - '0');
    }
    if (s->pos < STATUS_DIGITS)
        return;
    f->o->status = (uint16_t)s->number;
    s->state = AT_STATUS_END;
    if (s->number < STATUS_MIN)
        feed_stop(f, HTTP_BAD_START);
}

/* Servers that leave out the reason often leave out the blank before it, too. */
void start_status_end(struct feed *f) {
    if (*f->p == ' ') {
        f->p++;
        f->s->state = AT_TEXT;
    } else if (*f->p == '\r' || *f->p == '\n') {
        f->s->state = AT_TEXT;
    } else {
        feed_stop(f, HTTP_BAD_START);
    }
}
