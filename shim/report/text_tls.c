/* What the text says of TLS. */
#include "report/text.h"

/* --- a connection's line ---------------------------------------------------------------------- */

static void write_version(struct out *o, unsigned version) {
    static const char *const name[] = {"SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
    unsigned minor = version - 0x0300;
    if (minor < sizeof name / sizeof *name)
        out_str(o, name[minor]);
    else
        out_str(o, "TLS");
}

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
    write_version(o, t->version);
    write_name(w, "  ", t->cipher);
    write_name(w, "  server name ", t->name);
    write_name(w, "  ALPN ", t->alpn);
    out_str(o, t->flags & TLS_RESUMED ? "  resumed handshake" : "  full handshake");
    if (t->begun) {
        out_str(o, " in ");
        out_duration(o, since(t->done, t->begun));
    }
    /* Data that goes through a filter of the library's own (BIO_f_ssl) passes no call that we see.
     */
    if (t->flags & TLS_COUNTED_IN || x->bytes_in <= t->wire_in)
        write_data(o, "data in", t->bytes_in);
    if (t->flags & TLS_COUNTED_OUT || x->bytes_out <= t->wire_out)
        write_data(o, "data out", t->bytes_out);
    if (t->pending)
        write_data(o, "pending", t->pending);
}

void write_tls(struct writer *w, const struct fact *x) {
    const struct fact_tls *t = &x->tls;
    uint64_t now = w->r->facts.now;
    if (!x->has_tls || (!(t->flags & TLS_DONE) && !t->begun))
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
