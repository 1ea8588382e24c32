/* What the first bytes of a connection say of whom they are for. Pure functions on bytes. */
#ifndef PG_HTTP_REQUEST_HOST_H
#define PG_HTTP_REQUEST_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Do they ask a proxy for a way to somebody else: CONNECT (RFC 9110, 9.3.6), or SOCKS 4 or 5
 * (RFC 1928, 3)? `n`: all that was written at once. */
bool http_asks_for_tunnel(const char *bytes, size_t n);

/* The Host field of the request that they begin with (RFC 9112, 3.2), without its port, cut at
 * size - 1 characters. False: there is none, or not in these bytes, or the request is one to a
 * proxy, which names another host than the connection's (3.2.2). */
bool http_request_host(const char *bytes, size_t n, char *host, size_t size);

#endif
