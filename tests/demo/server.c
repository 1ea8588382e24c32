/* A small HTTP server for the demonstration: /keep keeps the connection open, /close closes it
 * after the response, /report answers at some length. Prints its port, then serves until it is
 * killed. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

enum { CLIENTS = 64 };

static const char keep[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
static const char once[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

static int listen_anywhere(void) {
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s, (struct sockaddr *)&a, n) != 0 || listen(s, CLIENTS) != 0 ||
        getsockname(s, (struct sockaddr *)&a, &n) != 0)
        return -1;
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return s;
}

/* 64 KiB behind a head. */
static int answer_report(int fd) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n";
    static char body[65536];
    return write(fd, head, sizeof head - 1) > 0 && write(fd, body, sizeof body) > 0;
}

/* Answers one request; false when the connection is over. */
static int answer(int fd) {
    char request[2048];
    ssize_t n = read(fd, request, sizeof request - 1);
    if (n <= 0)
        return 0;
    request[n] = '\0';
    if (strncmp(request, "GET /report ", 12) == 0)
        return answer_report(fd);
    int closes = strncmp(request, "GET /close ", 11) == 0;
    const char *response = closes ? once : keep;
    return write(fd, response, strlen(response)) > 0 && !closes;
}

int main(void) {
    struct pollfd set[CLIENTS + 1] = {{.fd = listen_anywhere(), .events = POLLIN}};
    nfds_t n = 1;
    if (set[0].fd < 0)
        return 1;
    while (poll(set, n, -1) > 0) {
        for (nfds_t i = n; i-- > 1;) {
            if (!set[i].revents || answer(set[i].fd))
                continue;
            close(set[i].fd);
            set[i] = set[--n];
        }
        if (set[0].revents && n <= CLIENTS) {
            set[n] = (struct pollfd){.fd = accept(set[0].fd, NULL, NULL), .events = POLLIN};
            n += set[n].fd >= 0;
        }
    }
    return 0;
}
