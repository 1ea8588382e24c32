#include "json_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const char *at, *end;
};

enum { DEPTH_MOST = 32 };

static bool value(struct reader *r, unsigned depth);

static int peek(const struct reader *r) {
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(struct reader *r, char c) {
    bool found = peek(r) == (unsigned char)c;
    r->at += found;
    return found;
}

static void blanks(struct reader *r) {
    while (r->at < r->end && memchr(" \t\r\n", *r->at, 4))
        r->at++;
}

static bool word(struct reader *r, const char *w) {
    size_t n = strlen(w);
    bool found = (size_t)(r->end - r->at) >= n && memcmp(r->at, w, n) == 0;
    r->at += found ? n : 0;
    return found;
}

static bool digits(struct reader *r) {
    const char *start = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > start;
}

static bool number(struct reader *r) {
    take(r, '-');
    if (!take(r, '0') && !digits(r))
        return false;
    if (take(r, '.') && !digits(r))
        return false;
    return peek(r) != 'e' && peek(r) != 'E'; /* ours have none */
}

static bool hex(struct reader *r) {
    int c = peek(r);
    r->at++;
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool escape(struct reader *r) {
    if (!take(r, 'u')) {
        int c = peek(r);
        r->at++;
        return c > 0 && strchr("\"\\/bfnrt", c);
    }
    return hex(r) && hex(r) && hex(r) && hex(r);
}

/* One character of several bytes, decoded and held against the limits of its length. */
static bool utf8(struct reader *r) {
    unsigned lead = (unsigned char)*r->at++;
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t c = lead & (0x3fu >> more);
    if (lead < 0xc0 || lead > 0xf7)
        return false;
    for (unsigned i = 0; i < more; i++) {
        int next = peek(r);
        if (next < 0x80 || next > 0xbf)
            return false;
        c = c << 6 | ((unsigned)next & 0x3f);
        r->at++;
    }
    return c >= least[more] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static bool string(struct reader *r) {
    if (!take(r, '"'))
        return false;
    while (!take(r, '"')) {
        int c = peek(r);
        if (c < ' ' || c == 0x7f)
            return false;
        if (c >= 0x80 ? !utf8(r) : take(r, '\\') ? !escape(r) : (r->at++, false))
            return false;
    }
    return true;
}

static bool members(struct reader *r, unsigned depth, char close, bool named) {
    blanks(r);
    if (take(r, close))
        return true;
    do {
        blanks(r);
        if (named && (!string(r) || (blanks(r), !take(r, ':'))))
            return false;
        if (!value(r, depth + 1))
            return false;
    } while (take(r, ','));
    return take(r, close);
}

static bool value(struct reader *r, unsigned depth) {
    bool ok;
    blanks(r);
    if (depth > DEPTH_MOST)
        return false;
    if (take(r, '{'))
        ok = members(r, depth, '}', true);
    else if (take(r, '['))
        ok = members(r, depth, ']', false);
    else if (peek(r) == '"')
        ok = string(r);
    else
        ok = word(r, "true") || word(r, "false") || word(r, "null") || number(r);
    blanks(r);
    return ok;
}

const char *json_fault(const char *text, size_t n) {
    struct reader r = {text, text + n};
    return value(&r, 0) && r.at == r.end ? NULL : r.at;
}
