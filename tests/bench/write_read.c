/*
 * write + read of one byte: "socketpair" is what the guard never tracks; of "tcp" it tracks
 * both ends, the one that connected and the one that was accepted, since both are in this
 * process. LETTER is the byte, x if it is not said: no request of HTTP begins so, but one could
 * begin with X.
 */
#include "loopback.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define BATCH 1000

static int from, to;
static char byte = 'x';

static void open_socketpair(void) {
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        die("socketpair");
    from = ends[0];
    to = ends[1];
}

static void open_tcp(void) {
    int port = 0, on = 1;
    int listener = listen_on(0, &port);
    struct sockaddr_in peer = loopback(0, port);

    from = connect_to(&peer);
    to = accept(listener, NULL, NULL);
    if (from < 0 || to < 0)
        die("connect");
    setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
}

static void batch_of_bytes(void) {
    for (int i = 0; i < BATCH; i++)
        if (write(from, &byte, 1) != 1 || read(to, &byte, 1) != 1)
            die("write + read");
}

int main(int argc, char **argv) {
    if (argc != 2 && argc != 3)
        usage(argv[0], "socketpair|tcp [LETTER]");
    if (argc == 3)
        byte = *argv[2];
    if (strcmp(argv[1], "tcp") == 0)
        open_tcp();
    else
        open_socketpair();
    serve_rounds(batch_of_bytes, BATCH);
    return 0;
}
