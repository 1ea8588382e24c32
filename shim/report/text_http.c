/* What the text says of HTTP. */
#include "report/evidence.h"
#include "report/text.h"

static void write_body(struct out *o, const struct http_observer *h) {
    struct http_body b = http_body(h, HTTP_RESPONSE_BYTES);
    if (b.framing == HTTP_NO_BODY)
        return;
    out_str(o, ", ");
    out_bytes(o, b.read);
    if (b.framing == HTTP_BY_LENGTH && !b.complete) {
        out_str(o, " of ");
        out_bytes(o, b.read + b.left);
    }
    out_str(o, " read");
}

void write_http(struct writer *w, const struct fact *x) {
    const struct http_observer *h = &x->http;
    enum http_phase phase = fact_http_phase(x);
    if (phase == HTTP_NOT_HTTP || phase == HTTP_IDLE)
        return;
    out_str(w->o, "      HTTP: ");
    if (phase != HTTP_IS_H2) {
        evidence_request(w->o, h->method, h->path);
        if (phase >= HTTP_RESPONSE_BODY && h->status) {
            out_str(w->o, " -> ");
            out_u64(w->o, h->status);
        }
        out_str(w->o, ", ");
    }
    out_str(w->o, http_phase_name(phase));
    if (phase == HTTP_BROKEN)
        out_strs(w->o, " (", http_why_text(http_why(h)), ")", NULL);
    if (phase == HTTP_RESPONSE_BODY || phase == HTTP_COMPLETE)
        write_body(w->o, h);
    if (phase != HTTP_IS_H2) {
        out_str(w->o, ", ");
        out_count(w->o, http_requests(h), "request");
    }
    out_char(w->o, '\n');
}
