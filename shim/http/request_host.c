#include "http/request_host.h"

#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 8192 };

/* "5, how many methods, each of them", or "4, CONNECT or BIND, port, address, user's name, 0". */
static bool is_socks(const char *bytes, size_t n) {
    enum { FOUR_LEAST = 9 };
    if (n > 2 && bytes[0] == 5)
        return n == 2 + (size_t)(unsigned char)bytes[1];
    return n >= FOUR_LEAST && bytes[0] == 4 && (bytes[1] == 1 || bytes[1] == 2) && !bytes[n - 1];
}

bool http_asks_for_tunnel(const char *bytes, size_t n) {
    static const char word[] = "CONNECT ";
    return (n >= sizeof word - 1 && memcmp(bytes, word, sizeof word - 1) == 0) ||
           is_socks(bytes, n);
}

/* The end of a line, or NULL. */
static const char *line_end(const char *p, const char *end) {
    return memchr(p, '\n', (size_t)(end - p));
}

/* "GET /path HTTP/1.1": a token, and a target that is a path (or "*") of this very host. */
static bool is_request_line(const char *p, const char *end) {
    const char *space = memchr(p, ' ', (size_t)(end - p));
    if (!space || space == p || space + 1 >= end || (space[1] != '/' && space[1] != '*'))
        return false;
    for (; p < space; p++)
        if (*p < 'A' || *p > 'Z')
            return false;
    static const char version[] = " HTTP/1.";
    for (const char *v = end - 1; v > space; v--)
        if (*v == ' ')
            return (size_t)(end - v) > sizeof version - 1 &&
                   memcmp(v, version, sizeof version - 1) == 0;
    return false;
}

/* The value of a Host field without blanks and port; "[::1]:80" keeps its brackets. */
static bool take_host(const char *p, const char *end, char *host, size_t size) {
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    const char *q = p;
    if (q < end && *q == '[')
        while (q < end && *q != ']')
            q++;
    while (q < end && *q != ':' && *q != ' ' && *q != '\t' && *q != '\r' && *q != '\n')
        q++;
    size_t n = (size_t)(q - p);
    if (!n || n >= size)
        return false;
    memcpy(host, p, n);
    host[n] = '\0';
    return true;
}

bool http_request_host(const char *bytes, size_t n, char *host, size_t size) {
    static const char field[] = "host:";
    const char *end = bytes + (n < HEAD_MAX ? n : HEAD_MAX);
    if (!n || *bytes < 'A' || *bytes > 'Z')
        return false;
    const char *eol = line_end(bytes, end);
    if (!eol || !is_request_line(bytes, eol))
        return false;
    for (const char *p = eol + 1; (eol = line_end(p, end)); p = eol + 1) {
        if (eol == p || *p == '\r')
            break;
        if ((size_t)(eol - p) > sizeof field - 1 && strncasecmp(p, field, sizeof field - 1) == 0)
            return take_host(p + sizeof field - 1, eol, host, size);
    }
    return false;
}
