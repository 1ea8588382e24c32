/*
 * The other end, always bare: listens on one port of ALIASES loopback addresses with a thread
 * for each, and prints the port. "close" closes what it accepts at once; "hold" keeps it open
 * until stdin ends.
 *
 * A thread that every connection wakes disturbs the loop that is being measured: its ratios
 * then scatter by several percent, else by about one. So each sleeps a millisecond and takes
 * all that wait.
 */
#include "loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#define MOST_HELD 1000000

static int hold;

static _Noreturn void *accept_all(void *argument) {
    int listener = (int)(intptr_t)argument;

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 && hold && errno != EAGAIN && errno != ECONNABORTED)
            die("accept");
        if (fd < 0)
            usleep(1000);
        else if (!hold)
            close(fd);
    }
}

int main(int argc, char **argv) {
    int port = 0;

    if (argc != 3)
        usage(argv[0], "close|hold ALIASES");
    hold = strcmp(argv[1], "hold") == 0;
    if (hold)
        raise_file_limit(MOST_HELD);
    for (int alias = 0; alias < number(argv[2]); alias++) {
        pthread_t thread;
        int listener = listen_on(alias, &port);

        fcntl(listener, F_SETFL, O_NONBLOCK);
        if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) != 0)
            die("pthread_create");
    }
    printf("%d\n", port);
    fflush(stdout);
    wait_for_end();
    return 0;
}
