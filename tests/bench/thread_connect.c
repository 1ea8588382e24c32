/* A new thread for each connection, as small servers and Java programs do it. */
#include "loopback.h"

#include <pthread.h>

#define BATCH 50

static struct sockaddr_in peer;

static void *connect_once(void *unused) {
    (void)unused;
    connect_and_close(&peer);
    return NULL;
}

static void batch_of_threads(void) {
    for (int i = 0; i < BATCH; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, connect_once, NULL) != 0)
            die("pthread_create");
        pthread_join(thread, NULL);
    }
}

int main(int argc, char **argv) {
    if (argc != 2)
        usage(argv[0], "PORT");
    peer = loopback(0, number(argv[1]));
    serve_rounds(batch_of_threads, BATCH);
    return 0;
}
