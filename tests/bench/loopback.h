/*
 * Connections over the loopback network. All of 127.0.0.0/8 is this machine, so a listener on
 * 127.0.0.1, 127.0.0.2, ... ("aliases", counted from 0) offers the whole range of ephemeral
 * ports once for each alias.
 */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include "bench.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static inline struct sockaddr_in loopback(int alias, int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)alias),
    };
    return address;
}

/* Closing is to send RST: no TIME_WAIT is left, so the ports never run out. */
static inline void reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Returns a new connection, or -1 with errno set. */
static inline int connect_to(const struct sockaddr_in *peer) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)peer, sizeof *peer) < 0) {
        close(fd);
        return -1;
    }
    reset_on_close(fd);
    return fd;
}

/* The operation that the connect benches repeat: socket, connect, setsockopt, close. */
static inline void connect_and_close(const struct sockaddr_in *peer) {
    int fd = connect_to(peer);

    if (fd < 0)
        die("connect");
    close(fd);
}

/* Returns a listening socket; *port 0 takes any free port and says which in *port. */
static inline int listen_on(int alias, int *port) {
    struct sockaddr_in address = loopback(alias, *port);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    *port = ntohs(address.sin_port);
    return fd;
}

#endif
