/*
 * HTTP of a client and a server that are both in this process, over TCP or TLS. What is timed are
 * the client's calls; the server's turn is put aside.
 *
 *   exchange  a request in one write, its response in one read
 *   write     the writes alone, of 16 requests that go before their responses
 *   read      the reads alone, of 16 responses
 *   body      reads of 16 KiB of one response's body
 *   connect   connect, a request, its response, close (TCP only)
 *
 * "other" are the same bytes with a small first letter: no request of HTTP begins so.
 */
#include "loopback.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "../torture/programs/tls_pair.h"

#define AT_ONCE 16 /* requests without response: as many as are followed */
#define BATCH 4    /* times so many */
#define BLOCK 16384

static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Mon, 05 Jan 2026 10:00:00 GMT\r\n"
                               "Content-Type: application/json\r\n"
                               "Content-Length: 26\r\n"
                               "Connection: keep-alive\r\n\r\n"
                               "{\"id\":42,\"name\":\"example\"}";
static const char endless[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n";
static char request[] = "GET /api/v1/users/42 HTTP/1.1\r\n"
                        "Host: api.example.com\r\n"
                        "User-Agent: bench/1.0\r\n"
                        "Accept: */*\r\n"
                        "Connection: keep-alive\r\n\r\n";
static char room[BLOCK];

static int listener, port, is_tls;
static struct tls_pair pair;

/* --- the two ends ----------------------------------------------------------------------------- */

static void dial(void) {
    struct sockaddr_in peer = loopback(0, port);
    int on = 1;

    pair.out = connect_to(&peer);
    if (pair.out < 0)
        die("connect");
    setsockopt(pair.out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void answer(void) {
    int on = 1;

    pair.in = accept(listener, NULL, NULL);
    if (pair.in < 0)
        die("accept");
    setsockopt(pair.in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void open_pair(void) {
    dial();
    answer();
    if (is_tls) {
        tls_begin();
        tls_pair_new(&pair);
        tls_pair_shake(&pair);
    }
}

static void put(int fd, SSL *tls, const char *bytes, size_t n) {
    if ((tls ? SSL_write(tls, bytes, (int)n) : write(fd, bytes, n)) != (ssize_t)n)
        die("write");
}

static void take(int fd, SSL *tls, size_t n) {
    if ((tls ? SSL_read(tls, room, (int)n) : read(fd, room, n)) != (ssize_t)n)
        die("read");
}

/* --- turns ------------------------------------------------------------------------------------ */

static void requests(int n) {
    for (int i = 0; i < n; i++)
        put(pair.out, pair.client, request, sizeof request - 1);
}

static void responses(int n) {
    for (int i = 0; i < n; i++)
        take(pair.out, pair.client, sizeof response - 1);
}

static void server(int n) {
    for (int i = 0; i < n; i++)
        take(pair.in, pair.server, sizeof request - 1);
    for (int i = 0; i < n; i++)
        put(pair.in, pair.server, response, sizeof response - 1);
}

static void batch_of_exchanges(void) {
    for (int i = 0; i < BATCH * AT_ONCE; i++) {
        requests(1);
        ASIDE(server(1));
        responses(1);
    }
}

static void batch_of_writes(void) {
    for (int i = 0; i < BATCH; i++) {
        requests(AT_ONCE);
        ASIDE(server(AT_ONCE); responses(AT_ONCE));
    }
}

static void batch_of_reads(void) {
    for (int i = 0; i < BATCH; i++) {
        ASIDE(requests(AT_ONCE); server(AT_ONCE));
        responses(AT_ONCE);
    }
}

static void open_body(void) {
    open_pair();
    requests(1);
    take(pair.in, pair.server, sizeof request - 1);
    put(pair.in, pair.server, endless, sizeof endless - 1);
    take(pair.out, pair.client, sizeof endless - 1);
}

static void batch_of_body(void) {
    for (int i = 0; i < BATCH * AT_ONCE; i++) {
        ASIDE(put(pair.in, pair.server, room, BLOCK));
        take(pair.out, pair.client, BLOCK);
    }
}

static void batch_of_connections(void) {
    for (int i = 0; i < BATCH * AT_ONCE; i++) {
        dial();
        requests(1);
        ASIDE(answer(); server(1));
        responses(1);
        close(pair.out);
        ASIDE(close(pair.in));
    }
}

static const struct {
    const char *name;
    void (*begin)(void), (*batch)(void);
} turns[] = {
    {"exchange", open_pair, batch_of_exchanges}, {"write", open_pair, batch_of_writes},
    {"read", open_pair, batch_of_reads},         {"body", open_body, batch_of_body},
    {"connect", NULL, batch_of_connections},
};

int main(int argc, char **argv) {
    size_t i = 0, n = sizeof turns / sizeof *turns;

    while (argc == 4 && i < n && strcmp(argv[1], turns[i].name) != 0)
        i++;
    is_tls = argc == 4 && strcmp(argv[3], "tls") == 0;
    if (argc != 4 || i == n || (is_tls && !turns[i].begin))
        usage(argv[0], "exchange|write|read|body|connect http|other tcp|tls");
    if (strcmp(argv[2], "other") == 0)
        request[0] = 'g';
    listener = listen_on(0, &port);
    if (turns[i].begin)
        turns[i].begin();
    serve_rounds(turns[i].batch, BATCH * AT_ONCE);
    return 0;
}
