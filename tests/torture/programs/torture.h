/* What the torture programs share: connections over loopback, a loop with an end, lines to and from
 * the test. Arguments: PORT of a server that echoes, then what each program wants. TORTURE_LOOP
 * says for how many seconds more() is true. Whatever hangs is ended by SIGALRM. */
#ifndef TORTURE_H
#define TORTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int server_port, refusing_port;
static double loop_end;

static inline _Noreturn void die(const char *what) {
    dprintf(2, "%s: %s\n", what, strerror(errno));
    _exit(97);
}

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline bool more(void) {
    return now() < loop_end;
}

static inline struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A socket with a port of its own, on which it does not listen. */
static inline int bound(int *port) {
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, n) != 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        die("bind");
    *port = ntohs(a.sin_port);
    return fd;
}

/* Nothing but socket() and connect(); -1 when it is refused. */
static inline int dial_plainly(int port) {
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Closing sends RST: no TIME_WAIT is left, so the ports never run out. */
static inline int dial(void) {
    struct linger reset = {.l_onoff = 1};
    int fd = dial_plainly(server_port);
    if (fd < 0)
        die("connect");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return fd;
}

static inline void dial_and_close(void) {
    close(dial());
}

/* Sends a byte and waits until the server has sent it back. */
static inline void echo(int fd) {
    char c = 'x';
    if (write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
        die("echo");
}

static inline void say(const char *line) {
    if (dprintf(1, "%s\n", line) < 0)
        _exit(98);
}

/* Waits for a line from the test; at the end of its input the program is to end. */
static inline void await_line(void) {
    char c = 0;
    while (c != '\n') {
        ssize_t n = read(0, &c, 1);
        if (n == 0 || (n < 0 && errno != EINTR))
            _exit(96);
    }
}

static inline void ready(void) {
    say("READY");
    await_line();
}

static inline const char *begin(int argc, char **argv) {
    const char *loop = getenv("TORTURE_LOOP");
    double seconds = loop ? atof(loop) : 0.3;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PORT [MODE ...]\n", argv[0]);
        exit(2);
    }
    server_port = atoi(argv[1]);
    bound(&refusing_port);
    loop_end = now() + seconds;
    alarm((unsigned)seconds + 25);
    return argc > 2 ? argv[2] : "";
}

static inline bool is(const char *mode, const char *name) {
    return strcmp(mode, name) == 0;
}

#endif
