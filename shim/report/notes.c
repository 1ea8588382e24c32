#include "report/notes.h"

#include <string.h>

static bool has_unseen(const struct report *r) {
    return r->facts.unseen;
}
static void write_unseen(struct out *o, const struct report *r) {
    out_str(o, "not seen being opened: ");
    out_count(o, r->facts.unseen, "TCP connection");
    out_str(o, " (opened by raw system calls)");
}

static bool has_watch_unknown(const struct report *r) {
    return r->facts.watch_unknown;
}
static void write_watch_unknown(struct out *o, const struct report *r) {
    (void)r;
    out_str(o, "its epoll sets could not be looked at (no descriptor left, or no /proc): what "
               "they may watch is not called leaked");
}

static bool has_never_closed(const struct report *r) {
    for (uint32_t i = 0; i < r->groups.count; i++)
        if (r->groups.group[i].verdict == VERDICT_NEVER_CLOSED)
            return true;
    return false;
}
static bool has_blocked_unknown(const struct report *r) {
    return r->facts.blocked_unknown || (r->facts.calls_unknown && has_never_closed(r));
}
static void write_blocked_unknown(struct out *o, const struct report *r) {
    out_str(o, "which calls its threads are in could not be looked at (no permission to trace it, "
               "no descriptor left, or no /proc): nothing is called no-timeout");
    if (has_never_closed(r))
        out_str(o, ", and what is called never-closed may be waited for in poll() or select()");
}

static bool has_uring(const struct report *r) {
    return r->facts.holes & FACT_HOLE_URING;
}
static void write_uring(struct out *o, const struct report *r) {
    (void)r;
    out_str(o, "it has an io_uring: what is opened, used or closed through it is not seen");
}

static bool has_namespace(const struct report *r) {
    return r->facts.holes & FACT_HOLE_NAMESPACE;
}
static void write_namespace(struct out *o, const struct report *r) {
    (void)r;
    out_str(o, "it has loaded objects into a namespace of their own (dlmopen): what they open is "
               "not seen being opened");
}

static bool has_tls_unmapped(const struct report *r) {
    return atomic_load(&r->facts.view->header->tls_unmapped);
}
static void write_tls_unmapped(struct out *o, const struct report *r) {
    out_str(o, "TLS through memory: ");
    out_count(o, atomic_load(&r->facts.view->header->tls_unmapped), "TLS object");
    out_str(o, " whose connections are not known to the TLS library (memory BIO): those are "
               "reported as TCP");
}

static bool is_h2(const struct report *r, const struct fact *x) {
    const struct box_name *alpn = x->has_tls ? view_name(r->facts.view, x->tls.alpn) : NULL;
    return fact_http_phase(x) == HTTP_IS_H2 || (alpn && strcmp(alpn->text, "h2") == 0);
}
static uint32_t count_h2(const struct report *r) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->facts.count; i++)
        n += fact_is_open(&r->facts.fact[i]) && is_h2(r, &r->facts.fact[i]);
    return n;
}
static bool has_h2(const struct report *r) {
    return count_h2(r);
}
static void write_h2(struct out *o, const struct report *r) {
    out_str(o, "HTTP/2: ");
    out_count(o, count_h2(r), "connection");
    out_str(o, ", whose streams are not followed");
}

static uint64_t dropped(const struct report *r) {
    uint64_t n = 0;
    for (int i = 0; i < REGION_COUNT; i++)
        n += atomic_load(&r->facts.view->header->region[i].dropped);
    return n;
}
static bool has_dropped(const struct report *r) {
    return dropped(r);
}
static void write_dropped(struct out *o, const struct report *r) {
    out_str(o, "the tables were full: ");
    out_count(o, dropped(r), "record");
    out_str(o, " could not be kept");
}

static bool is_incomplete(const struct report *r) {
    return !r->is_loaded && atomic_load(&r->facts.view->header->flags) & BOX_PARTLY_PRIVATE;
}
static void write_incomplete(struct out *o, const struct report *r) {
    (void)r;
    out_str(o, "incomplete: the state file's file system was full; a report on the signal has "
               "everything");
}

static bool has_suppressed(const struct report *r) {
    for (const struct suppression *s = r->suppressions; s; s = s->next)
        if (s->used)
            return true;
    return false;
}
static void write_suppressed(struct out *o, const struct report *r) {
    static const char *const word[] = {"leak:", "host:", "class:"};
    const char *before = "suppressed by ";
    for (const struct suppression *s = r->suppressions; s; s = s->next) {
        if (!s->used)
            continue;
        out_strs(o, before, word[s->kind], NULL);
        out_clean(o, s->pattern);
        before = ", ";
    }
    if (r->suppressed) { /* else what call sites have done */
        out_str(o, ": ");
        out_count(o, r->suppressed, "connection");
    }
}

static const struct {
    bool (*applies)(const struct report *r);
    void (*write)(struct out *o, const struct report *r);
} note[NOTES] = {
    {has_unseen, write_unseen},
    {has_watch_unknown, write_watch_unknown},
    {has_blocked_unknown, write_blocked_unknown},
    {has_uring, write_uring},
    {has_namespace, write_namespace},
    {has_tls_unmapped, write_tls_unmapped},
    {has_h2, write_h2},
    {has_dropped, write_dropped},
    {is_incomplete, write_incomplete},
    {has_suppressed, write_suppressed},
};

bool note_applies(const struct report *r, unsigned i) {
    return note[i].applies(r);
}

void note_write(struct out *o, const struct report *r, unsigned i) {
    note[i].write(o, r);
}
