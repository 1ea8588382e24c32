#include "base/json.h"

#include <stddef.h>
#include <string.h>

void json_begin(struct json *j, struct out *o) {
    *j = (struct json){.o = o};
}

static void write_name(struct json *j, const char *name) {
    if (j->comma)
        out_char(j->o, ',');
    j->comma = true;
    if (name)
        out_strs(j->o, "\"", name, "\":", NULL);
}

void json_open(struct json *j, const char *name, char bracket) {
    write_name(j, name);
    out_char(j->o, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket) {
    out_char(j->o, bracket);
    j->comma = true;
}

void json_u64(struct json *j, const char *name, uint64_t v) {
    write_name(j, name);
    out_u64(j->o, v);
}

void json_i64(struct json *j, const char *name, int64_t v) {
    write_name(j, name);
    out_i64(j->o, v);
}

void json_bool(struct json *j, const char *name, bool v) {
    write_name(j, name);
    out_str(j->o, v ? "true" : "false");
}

void json_ms(struct json *j, const char *name, uint64_t ns) {
    json_u64(j, name, ns / 1000000);
}

void json_ms_fraction(struct json *j, const char *name, uint64_t ns) {
    json_ms(j, name, ns);
    out_char(j->o, '.');
    out_u64_zeros(j->o, ns / 1000 % 1000, 3);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Bytes that may follow a lead byte (RFC 3629, 4): how many, and from where to where the first. */
struct follow {
    unsigned char count, low, high;
};

static struct follow follow_of(unsigned char lead) {
    if (lead < 0x80)
        return (struct follow){0, 0, 0};
    if (lead >= 0xc2 && lead <= 0xdf)
        return (struct follow){1, 0x80, 0xbf};
    if (lead >= 0xe0 && lead <= 0xef)
        return (struct follow){2, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf};
    if (lead >= 0xf0 && lead <= 0xf4)
        return (struct follow){3, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf};
    return (struct follow){0, 1, 0}; /* never a lead byte */
}

enum character { WHOLE, WRONG, CUT };

/* The character at s, or what there is of one; *length: how many of the n bytes are it. */
static enum character look(const unsigned char *s, size_t n, size_t *length) {
    struct follow f = follow_of(*s);
    *length = 1;
    if (f.low > f.high)
        return WRONG;
    for (; *length <= f.count; ++*length) {
        if (*length == n)
            return CUT;
        if (s[*length] < f.low || s[*length] > f.high)
            return WRONG;
        f.low = 0x80;
        f.high = 0xbf;
    }
    return WHOLE;
}

static bool is_plain(unsigned char c) {
    return c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

static void write_escape(struct out *o, unsigned char c) {
    static const char digit[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        out_char(o, '\\');
        out_char(o, (char)c);
        return;
    }
    out_str(o, "\\u00");
    out_char(o, digit[c >> 4]);
    out_char(o, digit[c & 15]);
}

/* Writes n bytes; returns how many are left at the end, of a character whose rest may yet come. */
static size_t write_text(struct out *o, const char *text, size_t n) {
    const unsigned char *s = (const unsigned char *)text;
    size_t length;
    for (; n > 0; s += length, n -= length) {
        enum character c = look(s, n, &length);
        if (c == CUT)
            return n;
        if (c == WRONG)
            out_str(o, "\xef\xbf\xbd");
        else if (is_plain(*s))
            out_mem(o, (const char *)s, length);
        else
            write_escape(o, *s);
    }
    return 0;
}

void json_text(struct json *j, const char *name, const char *text) {
    struct json_part part;
    out_str(json_text_begin(&part, j, name), text);
    json_text_end(&part);
}

static void drain(struct out *o) {
    const struct json_part *part = (const void *)((char *)o - offsetof(struct json_part, o));
    size_t left = write_text(part->to->o, o->buf, o->len);
    memmove(o->buf, o->buf + o->len - left, left);
    o->len = left;
}

struct out *json_text_begin(struct json_part *part, struct json *j, const char *name) {
    write_name(j, name);
    out_char(j->o, '"');
    part->to = j;
    out_init(&part->o, -1, part->buf, sizeof part->buf);
    part->o.drain = drain;
    return &part->o;
}

void json_text_end(struct json_part *part) {
    out_flush(&part->o);
    if (part->o.len)
        out_str(part->to->o, "\xef\xbf\xbd");
    out_char(part->to->o, '"');
}
