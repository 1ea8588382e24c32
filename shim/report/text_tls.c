/* What the text says of TLS. */
#include "report/text.h"

/* --- a connection's line ---------------------------------------------------------------------- */

static void write_name(struct writer *w, const char *before, uint32_t name) {
    const struct box_name *n = view_name(w->r->facts.view, name);
    if (!n)
        return;
    out_str(w->o, before);
    for (const char *c = n->text; *c; c++) /* one word: peers choose some of these */
        out_char(w->o, *c <= ' ' || *c == 0x7f ? '?' : *c);
}

static void write_notified(struct out *o, unsigned flags) {
    bool sent = flags & TLS_NOTIFY_SENT, came = flags & TLS_NOTIFY_CAME;
    if (sent || came)
        out_strs(o, "  close_notify ",
                 sent && came ? "sent, received"
                 : sent       ? "sent"
                              : "received",
                 NULL);
}

static void write_data(struct out *o, const char *what, uint64_t n) {
    out_strs(o, "  ", what, " ", NULL);
    out_u64(o, n);
    out_str(o, " B");
}

static void write_session(struct writer *w, const struct fact *x) {
    const struct fact_tls *t = &x->tls;
    struct out *o = w->o;
    const char *version = tls_version_name(t->version);
    out_str(o, version ? version : "TLS");
    write_name(w, "  ", t->cipher);
    write_name(w, "  server name ", t->name);
    write_name(w, "  ALPN ", t->alpn);
    out_str(o, t->flags & TLS_RESUMED ? "  resumed handshake" : "  full handshake");
    if (t->begun) {
        out_str(o, " in ");
        out_duration(o, since(t->done, t->begun));
    }
    if (fact_tls_counts_in(x))
        write_data(o, "data in", t->bytes_in);
    if (fact_tls_counts_out(x))
        write_data(o, "data out", t->bytes_out);
    if (t->pending)
        write_data(o, "pending", t->pending);
}

void write_tls(struct writer *w, const struct fact *x) {
    const struct fact_tls *t = &x->tls;
    uint64_t now = w->r->facts.now;
    if (!fact_tls_is_known(x))
        return;
    out_str(w->o, "      ");
    if (t->flags & TLS_DONE) {
        write_session(w, x);
    } else {
        out_str(w->o, "TLS handshake begun ");
        out_duration(w->o, since(now, t->begun));
        out_str(w->o, " ago, not finished");
        write_name(w, "  server name ", t->name);
    }
    write_notified(w->o, t->flags);
    if (t->freed) {
        out_str(w->o, "  freed ");
        out_duration(w->o, since(now, t->freed));
        out_str(w->o, " ago");
    }
    out_char(w->o, '\n');
}
