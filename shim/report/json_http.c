/* The HTTP of a connection, as a JSON report has it. */
#include <string.h>

#include "report/json.h"

static const char *const framing[] = {[HTTP_NO_BODY] = "none",
                                      [HTTP_BY_LENGTH] = "length",
                                      [HTTP_BY_CHUNKS] = "chunked",
                                      [HTTP_BY_END] = "end"};

static void write_closes(struct json *j, unsigned closes) {
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {HTTP_CLOSE_REQUEST, "request"},   {HTTP_CLOSE_RESPONSE, "response"},
        {HTTP_OLD_REQUEST, "old-request"}, {HTTP_OLD_RESPONSE, "old-response"},
        {HTTP_CLOSE_IS_END, "end"},        {HTTP_CLOSE_AMBIGUOUS, "ambiguous"},
    };
    json_open(j, "closes", '[');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (closes & words[i].flag)
            json_text(j, NULL, words[i].word);
    json_close(j, ']');
}

static void write_request(struct json *j, const struct http_observer *h) {
    char path[HTTP_PATH_MAX + 1];
    size_t n = strnlen(h->path, sizeof h->path);
    if (h->method != HTTP_METHOD_NONE && h->method != HTTP_METHOD_OTHER)
        json_text(j, "method", http_method_name(h->method));
    memcpy(path, h->path, n);
    path[n] = '\0';
    if (n)
        json_text(j, "path", path);
}

static void write_response(struct json *j, const struct http_observer *h) {
    struct http_body b = http_body(h, HTTP_RESPONSE_BYTES);
    json_u64(j, "status", h->status);
    if (b.framing < sizeof framing / sizeof *framing)
        json_text(j, "framing", framing[b.framing]);
    json_u64(j, "body_read", b.read);
    if (b.framing == HTTP_BY_LENGTH)
        json_u64(j, "body_left", b.left);
    if (h->keep_alive)
        json_u64(j, "keep_alive", h->keep_alive);
}

void json_http(struct json_report *w, const struct fact *x) {
    const struct http_observer *h = &x->http;
    enum http_phase phase = fact_http_phase(x);
    struct json *j = &w->j;
    if (phase == HTTP_NOT_HTTP || phase == HTTP_IDLE)
        return;
    if (phase != HTTP_IS_H2)
        json_u64(j, "requests", http_requests(h));
    json_open(j, "http", '{');
    json_text(j, "phase", http_phase_name(phase));
    if (phase == HTTP_BROKEN)
        json_text(j, "why", http_why_text(http_why(h)));
    if (phase != HTTP_IS_H2) {
        write_request(j, h);
        write_closes(j, http_closes(h));
    }
    if (phase >= HTTP_RESPONSE_BODY && phase != HTTP_IS_H2 && h->status)
        write_response(j, h);
    json_close(j, '}');
}
