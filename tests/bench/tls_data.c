/*
 * SSL_write + SSL_read of SIZE bytes over a TCP connection whose ends are both in this process, as
 * a client and as a server, and both tracked.
 */
#include "loopback.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "../torture/programs/tls_pair.h"

#define BATCH 100
#define RECORD 16384

static struct tls_pair pair;
static int size;

static void open_pair(void) {
    int port = 0, on = 1;
    int listener = listen_on(0, &port);
    struct sockaddr_in peer = loopback(0, port);

    pair.out = connect_to(&peer);
    pair.in = accept(listener, NULL, NULL);
    if (pair.out < 0 || pair.in < 0)
        die("connect");
    setsockopt(pair.out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
    tls_begin();
    tls_pair_new(&pair);
    tls_pair_shake(&pair);
}

static void batch_of_data(void) {
    static char room[RECORD];

    for (int i = 0; i < BATCH; i++)
        tls_pair_pass(&pair, room, size);
}

int main(int argc, char **argv) {
    if (argc != 2 || (size = number(argv[1])) > RECORD)
        usage(argv[0], "SIZE, at most 16384");
    open_pair();
    serve_rounds(batch_of_data, BATCH);
    return 0;
}
