#include "http/socks.h"

/* "5, how many methods, each of them", or "4, CONNECT or BIND, port, address, user's name, 0". */
bool socks_asks(const void *bytes, size_t n) {
    enum { FOUR_LEAST = 9 };
    const unsigned char *b = bytes;
    if (n > 2 && b[0] == 5)
        return n == 2 + (size_t)b[1];
    return n >= FOUR_LEAST && b[0] == 4 && (b[1] == 1 || b[1] == 2) && !b[n - 1];
}
