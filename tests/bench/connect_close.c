/*
 * socket + connect + close, called DEPTH frames below the loop, by THREADS threads that live
 * as long as the process and share the work. Thread N connects to alias
 * N modulo ALIASES of the listener.
 */
#include "loopback.h"

#include <pthread.h>

#define SHARE 50 /* operations of each thread in a batch */

static int port, aliases, depth;
static pthread_barrier_t start, done;

/* The empty asm keeps each call from becoming a jump, so that every level has its frame. */
static __attribute__((noinline)) void connect_at_depth(int levels, const struct sockaddr_in *peer) {
    if (levels > 0)
        connect_at_depth(levels - 1, peer);
    else
        connect_and_close(peer);
    __asm__ volatile("" ::: "memory");
}

static void share_of_batch(int thread) {
    struct sockaddr_in peer = loopback(thread % aliases, port);

    pthread_barrier_wait(&start);
    for (int i = 0; i < SHARE; i++)
        connect_at_depth(depth, &peer);
    pthread_barrier_wait(&done);
}

static _Noreturn void *work(void *argument) {
    for (;;)
        share_of_batch((int)(intptr_t)argument);
}

/* The main thread is worker 0. */
static void batch_of_connects(void) {
    share_of_batch(0);
}

int main(int argc, char **argv) {
    int threads;

    if (argc != 5)
        usage(argv[0], "PORT ALIASES DEPTH THREADS");
    port = number(argv[1]);
    aliases = number(argv[2]);
    depth = number(argv[3]);
    threads = number(argv[4]);
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    pthread_barrier_init(&done, NULL, (unsigned)threads);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, work, (void *)(intptr_t)i) != 0)
            die("pthread_create");
    }
    serve_rounds(batch_of_connects, SHARE * threads);
    return 0;
}
