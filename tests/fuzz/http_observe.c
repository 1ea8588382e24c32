/* Any bytes, each way, cut anywhere: the observer must not care how they are cut, keep to what its
 * header promises, and touch nothing that is not its own.
 *
 * An input is the bytes of a connection. Four of them direct it: SWITCH goes over to the other
 * way, END ends the way, SKIP and the byte behind it pass so many bytes unseen, EXPECT says that a
 * request is being sent, or that this is over. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"

enum { END = 0x1c, SKIP = 0x1d, SWITCH = 0x1e, EXPECT = 0x1f };

/* How a run of bytes is cut into pieces. */
enum cut { WHOLE, SINGLE, RANDOM };

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            failed(#x, __LINE__);                                                                  \
    } while (0)

static _Noreturn void failed(const char *what, int line) {
    fprintf(stderr, "line %d: %s\n", line, what);
    abort();
}

/* --- what always holds ------------------------------------------------------------------------ */

static void must_be_clean(const char *text, size_t size, size_t length) {
    MUST(length < size && strnlen(text, size) == length);
    for (size_t i = 0; i < length; i++)
        MUST(text[i] > ' ' && text[i] < 0x7f);
    for (size_t i = length; i < size; i++)
        MUST(text[i] == '\0');
}

/* A response, or a part of one, may be there before its request. */
static bool is_ahead(const struct http_observer *o) {
    return http_responses(o) >= http_requests(o);
}

static void phase_must_fit(const struct http_observer *o) {
    enum http_phase phase = http_phase(o);
    uint32_t outstanding = http_outstanding(o);
    MUST(phase <= HTTP_BROKEN && http_why(o) <= HTTP_UNSEEN);
    MUST((phase == HTTP_NOT_HTTP || phase == HTTP_BROKEN) == (http_why(o) != HTTP_WHY_NONE));
    if (phase == HTTP_IDLE || phase == HTTP_COMPLETE)
        MUST(outstanding == 0 && (phase == HTTP_COMPLETE) == (http_requests(o) > 0));
    if (phase == HTTP_WAITING)
        MUST(outstanding > 0);
    if (phase == HTTP_RESPONSE_BODY)
        MUST(outstanding > 0 || is_ahead(o));
    if (phase == HTTP_SENDING)
        MUST(outstanding <= 1);
    if (phase == HTTP_NOT_HTTP || phase == HTTP_IS_H2)
        MUST(!o->path_length && !o->host_length && http_requests(o) == 0 && outstanding == 0);
    if (http_cut(o, HTTP_RESPONSE_BYTES))
        MUST(outstanding > 0 || phase == HTTP_RESPONSE_HEAD || is_ahead(o));
    if (http_cut(o, HTTP_REQUEST_BYTES))
        MUST(!http_body(o, HTTP_REQUEST_BYTES).complete);
    if (phase == HTTP_HANDED_OVER)
        MUST(o->status / 100 == 2 || o->status == 101);
}

static void body_must_fit(const struct http_observer *o, enum http_way way, uint64_t passed) {
    struct http_body b = http_body(o, way);
    MUST(b.framing <= HTTP_BY_END && b.read <= passed);
    MUST(!b.left || b.framing == HTTP_BY_LENGTH || b.framing == HTTP_BY_CHUNKS);
    MUST(!b.complete || !b.left);
    MUST(b.framing != HTTP_NO_BODY || !b.read);
    MUST(way == HTTP_RESPONSE_BYTES || b.framing != HTTP_BY_END);
}

static void everything_must_fit(const struct http_observer *o, const uint64_t passed[2]) {
    must_be_clean(o->path, sizeof o->path, o->path_length);
    must_be_clean(o->host, sizeof o->host, o->host_length);
    MUST(http_outstanding(o) <= HTTP_DEPTH);
    MUST(o->status == 0 || (o->status < 1000 && http_phase(o) == HTTP_BROKEN) ||
         (o->status >= 100 && o->status < 1000));
    MUST(http_closes(o) < 64 && o->method <= HTTP_METHOD_OTHER);
    phase_must_fit(o);
    body_must_fit(o, HTTP_REQUEST_BYTES, passed[HTTP_REQUEST_BYTES]);
    body_must_fit(o, HTTP_RESPONSE_BYTES, passed[HTTP_RESPONSE_BYTES]);
}

/* From one step to the next. */
static void step_must_fit(const struct http_observer *before, const struct http_observer *o,
                          bool goes_on) {
    bool stopped = http_phase(before) >= HTTP_HANDED_OVER;
    MUST(goes_on == (http_phase(o) < HTTP_HANDED_OVER));
    MUST(!stopped || memcmp(before, o, sizeof *o) == 0);
    MUST(http_responses(o) >= http_responses(before));
    MUST(http_requests(o) >= http_requests(before) || http_phase(o) == HTTP_NOT_HTTP);
}

/* --- one connection --------------------------------------------------------------------------- */

static size_t piece_size(enum cut how, size_t left, uint32_t *random) {
    if (how == WHOLE)
        return left;
    *random = *random * 1664525u + 1013904223u;
    size_t n = how == SINGLE ? 1 : 1 + (*random >> 20) % 24;
    return n < left ? n : left;
}

/* A piece of memory of its own, so that what is read outside of it is seen. */
static bool feed_piece(struct http_observer *o, enum http_way way, const uint8_t *p, size_t n) {
    uint8_t *copy = malloc(n);
    memcpy(copy, p, n);
    bool goes_on = http_feed(o, way, copy, n);
    free(copy);
    return goes_on;
}

static bool feed_run(struct http_observer *o, enum http_way way, const uint8_t *p, size_t n,
                     enum cut how, uint32_t *random) {
    bool goes_on = http_phase(o) < HTTP_HANDED_OVER;
    for (size_t done = 0; done < n;) {
        size_t size = piece_size(how, n - done, random);
        goes_on = feed_piece(o, way, p + done, size);
        done += size;
    }
    return goes_on;
}

static size_t run_length(const uint8_t *p, size_t n) {
    size_t length = 0;
    while (length < n && p[length] != END && p[length] != SKIP && p[length] != SWITCH &&
           p[length] != EXPECT)
        length++;
    return length;
}

static struct http_observer observe(const uint8_t *p, size_t n, enum cut how, uint32_t random) {
    struct http_observer o = {0}, before;
    enum http_way way = HTTP_REQUEST_BYTES;
    uint64_t passed[2] = {0, 0};
    bool expecting = false;
    for (size_t i = 0; i < n; i++) {
        size_t length = run_length(p + i, n - i);
        bool goes_on = http_phase(&o) < HTTP_HANDED_OVER;
        memcpy(&before, &o, sizeof o);
        if (length) {
            goes_on = feed_run(&o, way, p + i, length, how, &random);
            passed[way] += length;
            i += length - 1;
        } else if (p[i] == SWITCH) {
            way = way == HTTP_REQUEST_BYTES ? HTTP_RESPONSE_BYTES : HTTP_REQUEST_BYTES;
        } else if (p[i] == EXPECT) {
            expecting = !expecting;
            http_expect(&o, expecting);
            memcpy(&before, &o, sizeof o);
        } else if (p[i] == END) {
            http_end(&o, way);
            goes_on = http_phase(&o) < HTTP_HANDED_OVER;
        } else if (++i < n) {
            goes_on = http_skip(&o, way, p[i]);
            passed[way] += p[i];
        }
        step_must_fit(&before, &o, goes_on);
        everything_must_fit(&o, passed);
    }
    return o;
}

static uint32_t hash_of(const uint8_t *p, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct http_observer whole = observe(p, n, WHOLE, 0);
    struct http_observer single = observe(p, n, SINGLE, 0);
    struct http_observer random = observe(p, n, RANDOM, hash_of(p, n));
    MUST(memcmp(&whole, &single, sizeof whole) == 0);
    MUST(memcmp(&whole, &random, sizeof whole) == 0);
    return 0;
}
