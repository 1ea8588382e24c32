/* Resolving names: learned from, never changed. */
#include <string.h>

#include "conn/name.h"
#include "wrap/wrap.h"

static void learn(const char *name, const struct addrinfo *found) {
    struct addr a;
    for (const struct addrinfo *i = found; i; i = i->ai_next)
        if (addr_from_sockaddr(&a, i->ai_addr, i->ai_addrlen))
            name_resolved(name, &a);
}

EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found) {
    int r = real.getaddrinfo(node, service, hints, found);
    if (r == 0 && node)
        KEEP_ERRNO(learn(node, *found));
    return r;
}

/* The addresses of a struct hostent have neither port nor scope. */
static void learn_host(const char *name, const struct hostent *h) {
    struct addr a;
    if ((h->h_addrtype != AF_INET || h->h_length != 4) &&
        (h->h_addrtype != AF_INET6 || h->h_length != 16))
        return;
    for (char **p = h->h_addr_list; *p; p++) {
        memset(&a, 0, sizeof a);
        a.family = h->h_addrtype == AF_INET ? ADDR_V4 : ADDR_V6;
        memcpy(a.ip, *p, (size_t)h->h_length);
        name_resolved(name, &a);
    }
}

static struct hostent *learned(const char *name, struct hostent *h) {
    if (h && name)
        KEEP_ERRNO(learn_host(name, h));
    return h;
}

EXPORT struct hostent *gethostbyname(const char *name) {
    return learned(name, real.gethostbyname(name));
}

EXPORT struct hostent *gethostbyname2(const char *name, int family) {
    return learned(name, real.gethostbyname2(name, family));
}

EXPORT int gethostbyname_r(const char *name, struct hostent *host, char *buf, size_t n,
                           struct hostent **found, int *error) {
    int r = real.gethostbyname_r(name, host, buf, n, found, error);
    if (r == 0)
        learned(name, *found);
    return r;
}

EXPORT int gethostbyname2_r(const char *name, int family, struct hostent *host, char *buf, size_t n,
                            struct hostent **found, int *error) {
    int r = real.gethostbyname2_r(name, family, host, buf, n, found, error);
    if (r == 0)
        learned(name, *found);
    return r;
}
