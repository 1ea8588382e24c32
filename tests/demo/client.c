/* The demonstration's program under guard: it leaks in four ways that real programs do. It knows
 * nothing of poolguard. Prints "ready" when it has done its work, then waits for its input to end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

static int port;

static void work(int ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static int dial(int to) {
    struct sockaddr_in a = loopback(to);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s >= 0 && connect(s, (struct sockaddr *)&a, sizeof a) != 0)
        return -1; /* leak 3: the error path skips the close() */
    return s;
}

/* One request and its response. */
static void get(int s, const char *path) {
    char request[128], response[512];
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (write(s, request, (size_t)n) != n || read(s, response, sizeof response) <= 0)
        perror("get");
}

/* Leak 1: a new connection for each user, and none of them closed. */
static void fetch_user(void) {
    int s = dial(port);
    get(s, "/keep");
}

/* Leak 2: the server closes after its response; we never do. */
static void post_metrics(void) {
    int s = dial(port);
    get(s, "/close");
}

/* Leak 3: nobody listens there. */
static void poll_standby(void) {
    dial(1);
}

/* Leak 4: the status is all that is wanted, and the rest of the response is never read. */
static void check_report(void) {
    int s = dial(port);
    get(s, "/report");
}

/* No leak: one connection, used again and again. */
static int fetch_config(void) {
    static int s = -1;
    if (s < 0)
        s = dial(port);
    get(s, "/keep");
    return s;
}

int main(int argc, char **argv) {
    port = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 0; i < 4; i++) {
        fetch_user();
        work(60);
    }
    for (int i = 0; i < 2; i++) {
        post_metrics();
        poll_standby();
        check_report();
    }
    for (int i = 0; i < 6; i++) {
        fetch_config();
        work(100);
    }
    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
