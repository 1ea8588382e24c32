/* A TCP endpoint's address: IPv4 or IPv6, with ::ffff:a.b.c.d folded to IPv4 (RFC 4291 2.5.5.2).
 * Pure functions, async-signal-safe. */
#ifndef PG_BASE_ADDR_H
#define PG_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/out.h"

enum { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
    uint8_t ip[16]; /* network order; IPv4 in the first four, the rest zero */
    uint16_t port;  /* host order */
    uint8_t family; /* ADDR_* */
    uint8_t pad;
    uint32_t scope; /* IPv6 link-local: interface index */
};

/* False, and *a is ADDR_NONE, when sa is no IPv4 or IPv6 address or len is too short for it. */
bool addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t len);
bool addr_equal(const struct addr *a, const struct addr *b);
/* 127.0.0.1:80, [::1]:80, [fe80::1%2]:80; "-" for ADDR_NONE. IPv6 as RFC 5952 wants it. */
void addr_write(struct out *o, const struct addr *a);
/* Room for any address as text. */
enum { ADDR_TEXT = 64 };
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT]);
/* The same without the port. */
const char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT]);
/* Reads what addr_text writes, an IP without a port (port 0), or with brackets. False: not one. */
bool addr_parse(struct addr *a, const char *text);

#endif
