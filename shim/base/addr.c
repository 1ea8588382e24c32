/* Addresses: from what connect() was given, to what a report shows, and back from a config file.
 *
 * Formatting is our own, because reports are written in signal handlers and glibc's inet_ntop goes
 * through sprintf; inet_pton only looks at its arguments, so it parses. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/option_value.h"

enum { SOCKADDR_IN6_MIN = 24 }; /* without the scope, as RFC 2133 had it; the kernel takes it */

/* Folds IPv4-mapped addresses, and drops a scope that means nothing. */
static void addr_set_v6(struct addr *a, const uint8_t ip[16], uint32_t scope) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        a->family = ADDR_V4;
        memcpy(a->ip, ip + 12, 4);
        return;
    }
    a->family = ADDR_V6;
    memcpy(a->ip, ip, 16);
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
        a->scope = scope;
}

bool addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t len) {
    *a = (struct addr){0};
    sa_family_t family;
    if (!sa || len < sizeof family)
        return false;
    /* Copies: the program's structure may lie at any address. */
    memcpy(&family, sa, sizeof family);
    if (family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        a->family = ADDR_V4;
        a->port = ntohs(in.sin_port);
        memcpy(a->ip, &in.sin_addr, 4);
        return true;
    }
    if (family == AF_INET6 && len >= SOCKADDR_IN6_MIN) {
        struct sockaddr_in6 in6 = {0};
        memcpy(&in6, sa, len < sizeof in6 ? len : sizeof in6);
        a->port = ntohs(in6.sin6_port);
        addr_set_v6(a, in6.sin6_addr.s6_addr, in6.sin6_scope_id);
        return true;
    }
    return false;
}

bool addr_equal(const struct addr *a, const struct addr *b) {
    return a->family == b->family && a->port == b->port && a->scope == b->scope &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static void v4_write(struct out *o, const uint8_t ip[4]) {
    for (int i = 0; i < 4; i++) {
        if (i)
            out_char(o, '.');
        out_u64(o, ip[i]);
    }
}

static void group_write(struct out *o, unsigned group) {
    int shift = 12;
    while (shift && !(group >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        out_char(o, "0123456789abcdef"[group >> shift & 15]);
}

/* The length of the longest run of two or more zero groups, the first of equals (RFC 5952 4.2);
 * without one, *start is behind the last group. */
static int zero_run(const unsigned group[8], int *start) {
    int best = 1;
    *start = 8;
    for (int i = 0, run = 0; i < 8; i++) {
        run = group[i] ? 0 : run + 1;
        if (run > best) {
            best = run;
            *start = i + 1 - run;
        }
    }
    return best;
}

static void v6_write(struct out *o, const uint8_t ip[16]) {
    unsigned group[8];
    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    int start, length = zero_run(group, &start);
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            out_str(o, "::");
            i += length - 1;
            continue;
        }
        if (i && i != start + length)
            out_char(o, ':');
        group_write(o, group[i]);
    }
}

static void ip_write(struct out *o, const struct addr *a) {
    if (a->family == ADDR_V4)
        v4_write(o, a->ip);
    else if (a->family == ADDR_V6)
        v6_write(o, a->ip);
    else
        out_char(o, '-');
    if (a->scope) {
        out_char(o, '%');
        out_u64(o, a->scope);
    }
}

void addr_write(struct out *o, const struct addr *a) {
    bool v6 = a->family == ADDR_V6;
    if (v6)
        out_char(o, '[');
    ip_write(o, a);
    if (v6)
        out_char(o, ']');
    if (a->family != ADDR_NONE) {
        out_char(o, ':');
        out_u64(o, a->port);
    }
}

static const char *text_of(void (*write)(struct out *, const struct addr *), const struct addr *a,
                           char buf[ADDR_TEXT]) {
    struct out o;
    out_init(&o, -1, buf, ADDR_TEXT - 1);
    write(&o, a);
    buf[o.len] = '\0';
    return buf;
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT]) {
    return text_of(addr_write, a, buf);
}

const char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT]) {
    return text_of(ip_write, a, buf);
}

/* An IP of n characters without brackets and port; IPv6 may have %interface-index behind it. */
static bool ip_parse(struct addr *a, const char *text, size_t n) {
    char ip[ADDR_TEXT];
    uint8_t bytes[16];
    uint64_t scope = 0;
    if (n >= sizeof ip)
        return false;
    memcpy(ip, text, n);
    ip[n] = '\0';
    if (inet_pton(AF_INET, ip, a->ip) == 1) {
        a->family = ADDR_V4;
        return true;
    }
    char *percent = strchr(ip, '%');
    if (percent) {
        *percent = '\0';
        if (!decimal_parse(percent + 1, UINT32_MAX, &scope))
            return false;
    }
    if (inet_pton(AF_INET6, ip, bytes) != 1)
        return false;
    addr_set_v6(a, bytes, (uint32_t)scope);
    return true;
}

/* Finds where the IP lies in the text, and the port's digits or NULL. */
static bool text_split(const char *text, const char **ip, size_t *n, const char **port) {
    const char *colon = strchr(text, ':');
    *ip = text;
    *n = strlen(text);
    *port = NULL;
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end || !colon || colon > end || (end[1] && end[1] != ':'))
            return false;
        *ip = text + 1;
        *n = (size_t)(end - *ip);
        *port = end[1] ? end + 2 : NULL;
    } else if (colon && !strchr(colon + 1, ':')) {
        *n = (size_t)(colon - text);
        *port = colon + 1;
    }
    return true;
}

bool addr_parse(struct addr *a, const char *text) {
    const char *ip, *port_text;
    size_t n;
    uint64_t port = 0;
    struct addr parsed = {0};
    *a = parsed;
    if (!text_split(text, &ip, &n, &port_text) || !ip_parse(&parsed, ip, n))
        return false;
    if (port_text && !decimal_parse(port_text, UINT16_MAX, &port))
        return false;
    *a = parsed;
    a->port = (uint16_t)port;
    return true;
}
