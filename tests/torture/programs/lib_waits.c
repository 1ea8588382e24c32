/* A library whose constructor waits for a thread that opens many connections: while it waits, the
 * loader is locked. */
#include <pthread.h>

#include "torture.h"

static void *dial_often(void *unused) {
    for (int i = 0; i < 200; i++)
        close(dial());
    return unused;
}

__attribute__((constructor)) static void wait_for_it(void) {
    const char *port = getenv("TORTURE_PORT");
    pthread_t t;
    server_port = port ? atoi(port) : 0;
    pthread_create(&t, NULL, dial_often, NULL);
    pthread_join(t, NULL);
}
