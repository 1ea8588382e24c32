/* A library that connects in its constructor and closes in its destructor; one connection is left
 * to an atexit() handler. */
#include "torture.h"

static int first, second;

static void close_second(void) {
    close(second);
}

__attribute__((constructor)) static void open_both(void) {
    const char *port = getenv("TORTURE_PORT");
    server_port = port ? atoi(port) : 0;
    first = dial();
    second = dial();
    atexit(close_second);
    if (write(first, "Q", 1) != 1 || write(second, "Q", 1) != 1)
        die("write");
}

__attribute__((destructor)) static void close_first(void) {
    close(first);
}
