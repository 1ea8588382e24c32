/* HTTP by stdio: healthy_stdio HOST PORT HOW. Two connections that one function opens, one after
 * another, and that are used again and again; HOW: "both" ways by stdio, whose reads and writes
 * nobody sees, or only what is read ("in") or written ("out"). */
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 2, PAUSE_MS = 100, STEADY_MS = 100 };

struct peer {
    int fd;
    FILE *in, *out;
};

static const char *host, *port, *how;

static int dial(void) {
    struct addrinfo *a, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &hints, &a) != 0)
        exit(1);
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) != 0)
        exit(1);
    freeaddrinfo(a);
    return fd;
}

static struct peer open_peer(void) {
    struct peer p = {.fd = dial()};
    if (strcmp(how, "out") != 0)
        p.in = fdopen(dup(p.fd), "r");
    if (strcmp(how, "in") != 0)
        p.out = fdopen(dup(p.fd), "w");
    return p;
}

static int next_byte(struct peer *p) {
    unsigned char c;
    if (p->in)
        return fgetc(p->in);
    return recv(p->fd, &c, 1, 0) == 1 ? c : EOF;
}

static void ask(struct peer *p) {
    char request[256];
    int n =
        snprintf(request, sizeof request, "GET /small HTTP/1.1\r\nHost: %s:%s\r\n\r\n", host, port);
    if (p->out ? fputs(request, p->out) < 0 || fflush(p->out) != 0
               : send(p->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        exit(1);
}

static void answer(struct peer *p) {
    char last[4] = "", body[5];
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        int c = next_byte(p);
        if (c == EOF)
            exit(1);
        memmove(last, last + 1, 3);
        last[3] = (char)c;
    }
    for (int i = 0; i < 5; i++)
        body[i] = (char)next_byte(p);
    if (memcmp(body, "small", 5) != 0)
        exit(1);
}

static void use(struct peer *p) {
    ask(p);
    answer(p);
}

int main(int argc, char **argv) {
    struct peer peer[COUNT];
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    if (argc < 4)
        return 2;
    host = argv[1];
    port = argv[2];
    how = argv[3];
    for (int i = 0; i < COUNT; i++) {
        peer[i] = open_peer();
        use(&peer[i]);
        poll(NULL, 0, PAUSE_MS);
    }
    puts("READY");
    fflush(stdout);
    while (poll(&in, 1, STEADY_MS) <= 0)
        for (int i = 0; i < COUNT; i++)
            use(&peer[i]);
    return 0;
}
