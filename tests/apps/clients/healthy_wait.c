/* redis: healthy_wait HOST PORT CALL. Three subscriptions, opened one after another, and a thread
 * that waits for all of them by that call: poll, ppoll, select, pselect or epoll. */
#define _GNU_SOURCE
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 3, PAUSE_MS = 100 };

static int fds[COUNT];
static const char *call;

static int subscribe(const char *host, const char *port) {
    static const char line[] = "subscribe news\r\n",
                      answer[] = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
    char got[sizeof answer - 1];
    struct addrinfo *a, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &hints, &a) != 0)
        exit(1);
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) != 0 ||
        write(fd, line, sizeof line - 1) != sizeof line - 1 ||
        recv(fd, got, sizeof got, MSG_WAITALL) != sizeof got ||
        memcmp(got, answer, sizeof got) != 0)
        exit(1);
    freeaddrinfo(a);
    return fd;
}

static void by_poll(void) {
    struct pollfd p[COUNT];
    for (int i = 0; i < COUNT; i++)
        p[i] = (struct pollfd){fds[i], POLLIN, 0};
    if (strcmp(call, "poll") == 0)
        poll(p, COUNT, -1);
    else
        ppoll(p, COUNT, NULL, NULL);
}

static void by_select(void) {
    fd_set set;
    FD_ZERO(&set);
    for (int i = 0; i < COUNT; i++)
        FD_SET(fds[i], &set);
    if (strcmp(call, "select") == 0)
        select(FD_SETSIZE, &set, NULL, NULL, NULL);
    else
        pselect(FD_SETSIZE, &set, NULL, NULL, NULL, NULL);
}

static void by_epoll(void) {
    struct epoll_event event[COUNT];
    int set = epoll_create1(0);
    for (int i = 0; i < COUNT; i++) {
        event[i] = (struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]};
        epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event[i]);
    }
    epoll_wait(set, event, COUNT, -1);
    close(set);
}

/* Any signal cuts such a wait short. */
static void *wait_for_all(void *unused) {
    (void)unused;
    for (;;) {
        if (strstr(call, "epoll"))
            by_epoll();
        else if (strstr(call, "poll"))
            by_poll();
        else
            by_select();
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread;
    char line[64];
    if (argc < 4)
        return 2;
    call = argv[3];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = subscribe(argv[1], argv[2]);
        poll(NULL, 0, PAUSE_MS);
    }
    if (pthread_create(&thread, NULL, wait_for_all, NULL) != 0)
        return 1;
    puts("READY");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
