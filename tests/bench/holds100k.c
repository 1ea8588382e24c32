/*
 * Opens COUNT connections to a holding listener, or as many as the limits allow, and keeps
 * them until stdin ends. Prints how many, the milliseconds that opening them took and what
 * stopped it. A few files stay free: a report must be able to open its own.
 */
#include "loopback.h"

#include <errno.h>
#include <string.h>

#define SPARE_FILES 64

static int open_connections(int port, int aliases, int wanted) {
    int opened;

    for (opened = 0; opened < wanted; opened++) {
        struct sockaddr_in peer = loopback(opened % aliases, port);

        if (connect_to(&peer) < 0)
            break;
    }
    return opened;
}

int main(int argc, char **argv) {
    int wanted, allowed, opened;
    const char *why = "all";
    int64_t start;

    if (argc != 4)
        usage(argv[0], "PORT ALIASES COUNT");
    wanted = number(argv[3]);
    allowed = raise_file_limit(wanted + SPARE_FILES) - SPARE_FILES;
    start = now_ns();
    if (allowed > wanted)
        allowed = wanted;
    opened = open_connections(number(argv[1]), number(argv[2]), allowed);
    if (opened < wanted)
        why = opened < allowed ? strerror(errno) : "the limit of open files";
    printf("%d %.1f %s\n", opened, (double)(now_ns() - start) / 1e6, why);
    fflush(stdout);
    wait_for_end();
    return 0;
}
