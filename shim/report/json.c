/* The report for programs: one JSON object on a line of its own, with all that the text says. */
#include "report/json.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "report/hosts.h"
#include "report/notes.h"

static void write_time(struct json *j) {
    struct json_part part;
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct calendar c = calendar_utc(now / UINT64_C(1000000000));
    struct out *o = json_text_begin(&part, j, "time");
    const unsigned value[] = {c.year, c.month, c.day, c.hour, c.minute, c.second};
    for (int i = 0; i < 6; i++) {
        out_u64_zeros(o, value[i], i ? 2 : 4);
        out_char(o, "--T::."[i]);
    }
    out_u64_zeros(o, now / 1000000 % 1000, 3);
    out_char(o, 'Z');
    json_text_end(&part);
}

static const char *process_word(const struct report *r) {
    if (!r->ended)
        return "running";
    return atomic_load(&r->facts.view->header->flags) & BOX_EXECED ? "replaced" : "ended";
}

static void write_head(struct json_report *w) {
    static const char *const trigger[] = {[TRIGGER_SIGNAL] = "signal",
                                          [TRIGGER_EXIT] = "exit",
                                          [TRIGGER_EXHAUSTED] = "exhausted",
                                          [TRIGGER_REQUEST] = "request"};
    const struct report *r = w->r;
    const struct box_header *h = r->facts.view->header;
    struct json *j = &w->j;
    json_text(j, "schema", "poolguard.report/1");
    json_i64(j, "pid", h->pid);
    json_text(j, "program", base_name(h->program));
    json_text(j, "executable", h->program);
    write_time(j);
    json_text(j, "trigger", trigger[r->trigger]);
    json_text(j, "process", process_word(r));
    json_u64(j, "open", r->open);
    json_u64(j, "leaked", r->leaked);
    json_u64(j, "leaked_tls", r->tls_leaked);
    if (r->facts.unseen_known)
        json_u64(j, "unseen", r->facts.unseen);
}

static void write_notes(struct json_report *w) {
    json_open(&w->j, "notes", '[');
    for (unsigned i = 0; i < NOTES; i++)
        if (note_applies(w->r, i)) {
            struct json_part part;
            note_write(json_text_begin(&part, &w->j, NULL), w->r, i);
            json_text_end(&part);
        }
    json_close(&w->j, ']');
}

/* --- hosts ------------------------------------------------------------------------------------ */

void json_host(struct json_report *w, uint32_t host_id, const struct addr *a) {
    const struct box_host *h = view_host(w->r->facts.view, host_id);
    const struct box_name *n = h ? view_name(w->r->facts.view, h->name) : NULL;
    char ip[ADDR_TEXT];
    a = h ? &h->addr : a;
    if (n || a->family != ADDR_NONE) {
        json_text(&w->j, "host", n ? n->text : addr_ip_text(a, ip));
        json_u64(&w->j, "port", a->port);
    }
}

static void write_host(struct json_report *w, const struct host_row *h) {
    static const struct addr none;
    const struct box_name *alias = view_name(w->r->facts.view, h->alias);
    struct json *j = &w->j;
    json_open(j, NULL, '{');
    json_host(w, h->id, &none);
    if (alias)
        json_text(j, "alias", alias->text);
    json_u64(j, "open", h->open);
    json_u64(j, "in_use", h->in_use);
    json_u64(j, "idle", h->open - h->in_use);
    json_u64(j, "leaked", h->leaked);
    json_u64(j, "opened", h->opened);
    json_u64(j, "failed", h->failed);
    json_close(j, '}');
}

static void write_hosts(struct json_report *w) {
    struct hosts h;
    hosts_make(&h, w->r);
    json_open(&w->j, "hosts", '[');
    for (uint32_t i = 0; i < h.count; i++)
        write_host(w, &h.row[i]);
    json_close(&w->j, ']');
    hosts_free(&h);
}

void report_write_json(struct report *r, struct out *o) {
    struct json_report w = {.r = r};
    json_begin(&w.j, o);
    symbols_begin(&w.symbols, r->facts.view, r->is_loaded);
    json_stacks_begin(&w);
    json_open(&w.j, NULL, '{');
    write_head(&w);
    write_notes(&w);
    write_hosts(&w);
    json_retractions(&w);
    json_stacks(&w);
    json_groups(&w);
    json_connections(&w);
    json_close(&w.j, '}');
    out_char(o, '\n');
    json_stacks_free(&w);
    symbols_free(&w.symbols);
    out_flush(o);
}
