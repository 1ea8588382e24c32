/* The connections of a JSON report. A member that is not known, or does not apply, is left out. */
#include <string.h>

#include "report/blocked.h"
#include "report/json.h"
#include "report/stacks.h"

static void write_flags(struct json *j, const struct fact *x) {
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {CONN_SHUT_READ, "shut-read"},     {CONN_SHUT_WRITE, "shut-write"},
        {CONN_PEER_EOF, "peer-eof"},       {CONN_RESET, "reset"},
        {CONN_INHERITED, "inherited"},     {CONN_BY_EXEC, "by-exec"},
        {CONN_RECEIVED, "received"},       {CONN_PASSED, "passed"},
        {CONN_TUNNEL, "tunnel"},           {CONN_READ_TIMED, "read-timed"},
        {CONN_WRITE_TIMED, "write-timed"},
    };
    json_open(j, "flags", '[');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (x->flags & words[i].flag)
            json_text(j, NULL, words[i].word);
    if (x->watched)
        json_text(j, NULL, "watched");
    json_close(j, ']');
}

static void write_fds(struct json *j, const struct fact *x) {
    json_open(j, "fds", '[');
    for (uint32_t i = 0; i < x->fd_count && i < FACT_FDS; i++)
        json_i64(j, NULL, x->fds[i]);
    json_close(j, ']');
    if (x->fd_count > FACT_FDS)
        json_u64(j, "fd_count", x->fd_count);
}

static void write_addr(struct json *j, const char *name, const struct addr *a) {
    char text[ADDR_TEXT];
    if (a->family != ADDR_NONE)
        json_text(j, name, addr_text(a, text));
}

static void write_traffic(struct json *j, const struct fact *x) {
    json_u64(j, "bytes_in", x->bytes_in);
    json_u64(j, "bytes_out", x->bytes_out);
    json_u64(j, "reads", x->calls_in);
    json_u64(j, "writes", x->calls_out);
    json_u64(j, "unread", x->unread);
}

static void write_blocked(struct json *j, const struct fact *x) {
    if (!x->blocked_thread)
        return;
    json_open(j, "blocked", '{');
    json_i64(j, "thread", x->blocked_thread);
    json_text(j, "call", blocked_call_name(x->blocked_call));
    json_close(j, '}');
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void write_name(struct json_report *w, const char *name, uint32_t record) {
    const struct box_name *n = view_name(w->r->facts.view, record);
    if (n)
        json_text(&w->j, name, n->text);
}

static void write_session(struct json_report *w, const struct fact *x) {
    const struct fact_tls *t = &x->tls;
    struct json *j = &w->j;
    const char *version = tls_version_name(t->version);
    if (version)
        json_text(j, "version", version);
    write_name(w, "cipher", t->cipher);
    write_name(w, "alpn", t->alpn);
    json_bool(j, "resumed", t->flags & TLS_RESUMED);
    if (t->begun)
        json_ms_fraction(j, "handshake_ms", since(t->done, t->begun));
    if (fact_tls_counts_in(x))
        json_u64(j, "data_in", t->bytes_in);
    if (fact_tls_counts_out(x))
        json_u64(j, "data_out", t->bytes_out);
    json_u64(j, "pending", t->pending);
}

static void write_tls(struct json_report *w, const struct fact *x) {
    const struct fact_tls *t = &x->tls;
    struct json *j = &w->j;
    uint64_t now = w->r->facts.now;
    if (!fact_tls_is_known(x))
        return;
    json_open(j, "tls", '{');
    json_text(j, "library", t->made_by == TLS_GNUTLS ? "gnutls" : "openssl");
    if (t->flags & TLS_DONE)
        write_session(w, x);
    else
        json_ms(j, "handshake_begun_ms_ago", since(now, t->begun));
    write_name(w, "server_name", t->name);
    json_bool(j, "close_notify_sent", t->flags & TLS_NOTIFY_SENT);
    json_bool(j, "close_notify_received", t->flags & TLS_NOTIFY_CAME);
    if (t->freed)
        json_ms(j, "freed_ms_ago", since(now, t->freed));
    json_close(j, '}');
}

/* --- a connection ----------------------------------------------------------------------------- */

static void write_state(struct json *j, const struct fact *x) {
    const char *error = x->error ? strerrorname_np(x->error) : NULL;
    json_text(j, "direction", x->direction == CONN_INBOUND ? "inbound" : "outbound");
    json_text(j, "state", tcp_state_name(x->tcp));
    if (error)
        json_text(j, "error", error);
}

static void write_connection(struct json_report *w, const struct fact *x) {
    static const struct addr none;
    const struct box_site *s = view_site(w->r->facts.view, x->site);
    struct json *j = &w->j;
    uint64_t now = w->r->facts.now;
    json_open(j, NULL, '{');
    json_u64(j, "id", x->id);
    write_fds(j, x);
    write_addr(j, "local", &x->local);
    write_addr(j, "remote", &x->peer);
    json_host(w, s ? s->host : BOX_NONE, &none);
    write_state(j, x);
    json_ms(j, "age_ms", since(now, x->opened));
    json_ms(j, "idle_ms", since(now, fact_last_use(x)));
    write_traffic(j, x);
    json_i64(j, "thread", x->thread);
    write_flags(j, x);
    write_blocked(j, x);
    write_tls(w, x);
    json_http(w, x);
    if (s && view_stack(w->r->facts.view, s->stack))
        json_u64(j, "opened", s->stack);
    struct shown_stack used = stack_of_last_use(x);
    if (view_stack(w->r->facts.view, used.stack))
        json_u64(j, "last_used", used.stack);
    json_close(j, '}');
}

/* As the groups name them. */
void json_connections(struct json_report *w) {
    json_open(&w->j, "connections", '[');
    for (uint32_t g = 0; g < w->r->groups.count; g++) {
        const struct group *group = &w->r->groups.group[g];
        uint32_t i = group->verdict == VERDICT_TLS_ORPHAN ? UINT32_MAX : group->first;
        for (; i != UINT32_MAX; i = w->r->facts.fact[i].next)
            write_connection(w, &w->r->facts.fact[i]);
    }
    json_close(&w->j, ']');
}
