/*
 * A TLS 1.3 connection from beginning to end: connect, handshake, shutdown, free, close. Both ends
 * are in this process, so the cost of the guard is that of a client and of a server.
 */
#include "loopback.h"

#include "../torture/programs/tls_pair.h"

#define BATCH 2

static int listener, port;

static void connect_once(void) {
    struct sockaddr_in peer = loopback(0, port);
    struct tls_pair pair = {.out = connect_to(&peer), .in = accept(listener, NULL, NULL)};

    if (pair.out < 0 || pair.in < 0)
        die("connect");
    tls_pair_new(&pair);
    tls_pair_shake(&pair);
    tls_pair_free(&pair);
    close(pair.out);
    close(pair.in);
}

static void batch_of_handshakes(void) {
    for (int i = 0; i < BATCH; i++)
        connect_once();
}

int main(void) {
    listener = listen_on(0, &port);
    tls_begin();
    serve_rounds(batch_of_handshakes, BATCH);
    return 0;
}
