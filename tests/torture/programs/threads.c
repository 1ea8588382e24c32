/* Threads that connect and end, all the time; for sanitizers, allocators and other preloads.
 * PORT plain|overflow: the second reads past the end of its memory in the end. */
#include <pthread.h>

#include "torture.h"

static void *talk(void *unused) {
    char *text = malloc(64);
    int fd = dial();
    strcpy(text, "hello");
    if (write(fd, text, 6) != 6 || read(fd, text, 6) != 6)
        die("talk");
    close(fd);
    free(text);
    return unused;
}

static void overflow(void) {
    volatile size_t size = 4;
    char *room = malloc(size);
    int fd = dial();
    if (write(fd, "12345678", 8) != 8 || read(fd, room, size + 4) < 0)
        die("overflow");
    free(room);
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    enum { THREADS = 4, KEPT = 2 };
    pthread_t thread[THREADS];
    for (int i = 0; i < KEPT; i++)
        dial();
    do {
        for (int i = 0; i < THREADS; i++)
            pthread_create(&thread[i], NULL, talk, NULL);
        for (int i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
    } while (more());
    if (is(mode, "overflow"))
        overflow();
    ready();
    return 0;
}
