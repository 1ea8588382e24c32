/* The table of hosts at the head of a report. */
#include <string.h>

#include "report/hosts.h"
#include "report/text.h"

enum { HOST_WIDTH = 24 };

/* A name that only requests used stands beside the address. */
static void write_host_name(struct out *o, const struct view *v, const struct host_row *h) {
    char text[2 * HOST_TEXT];
    const struct box_name *alias = view_name(v, h->alias);
    struct out t;
    host_text(v, h->id, text);
    out_init(&t, -1, text, sizeof text - 1);
    t.len = strlen(text);
    if (alias) {
        out_str(&t, " (");
        out_clean(&t, alias->text);
        out_char(&t, ')');
    }
    text[t.len] = '\0';
    out_pad(o, text, HOST_WIDTH);
}

static void write_host_row(struct out *o, const struct view *v, const struct host_row *h) {
    write_host_name(o, v, h);
    out_u64_right(o, h->open, 6);
    out_u64_right(o, h->in_use, 8);
    out_u64_right(o, h->open - h->in_use, 6);
    out_u64_right(o, h->leaked, 8);
    out_u64_right(o, h->opened, 8);
    out_u64_right(o, h->failed, 8);
    out_char(o, '\n');
}

/* A program that talks to thousands of peers gets a summary. */
enum { HOST_ROWS = 50 };

void report_write_hosts(const struct report *r, struct out *o) {
    struct hosts h;
    hosts_make(&h, r);
    if (!h.row)
        return;
    out_pad(o, "host", HOST_WIDTH);
    out_str(o, "  open  in use  idle  leaked  opened  failed\n");
    for (uint32_t i = 0; i < h.count && i < HOST_ROWS; i++)
        write_host_row(o, r->facts.view, &h.row[i]);
    if (h.count > HOST_ROWS) {
        out_str(o, "and ");
        out_count(o, h.count - HOST_ROWS, "more host");
        out_char(o, '\n');
    }
    hosts_free(&h);
}
