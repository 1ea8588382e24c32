/* SOCKS: a proxy that is asked for a way to somebody else. Pure function on bytes. */
#ifndef PG_HTTP_SOCKS_H
#define PG_HTTP_SOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Are the n bytes, all that was written at once, the beginning of SOCKS 4 or 5 (RFC 1928, 3)? */
bool socks_asks(const void *bytes, size_t n);

#endif
