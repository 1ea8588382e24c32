/* Connects to HOST PORT, asks something, and waits for the answer in a blocking call:
 *
 *     blocks HOST PORT CALL WORD...
 *
 * CALL: connect (waits in that), read, readv, recv, recvfrom, recvmsg, recvmmsg, syscall, peek, poll.
 * The words, in their order: "receive" and "send" set SO_RCVTIMEO or SO_SNDTIMEO to an hour, "never"
 * takes both away, "connect" connects, "ask" sends a line, "dup" makes a second descriptor and waits
 * on that, "worker N" lets so many threads wait, each on a connection of its own, while the first
 * one joins them; "handler" and "restarts" install a handler for SIGUSR1 without and with
 * SA_RESTART.
 * Before it waits it says READY; then how many bytes came, and how often the handler ran. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static struct sockaddr_in to;
static const char *call;
static char **words;
static volatile sig_atomic_t handled;

static void on_signal(int sig) {
    (void)sig;
    handled++;
}

static ssize_t wait_in(int fd) {
    char buf[100];
    struct iovec v = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct mmsghdr mm = {.msg_hdr = m};
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (strcmp(call, "read") == 0)
        return read(fd, buf, sizeof buf);
    if (strcmp(call, "readv") == 0)
        return readv(fd, &v, 1);
    if (strcmp(call, "recv") == 0)
        return recv(fd, buf, sizeof buf, 0);
    if (strcmp(call, "recvfrom") == 0)
        return recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
    if (strcmp(call, "recvmsg") == 0)
        return recvmsg(fd, &m, 0);
    if (strcmp(call, "recvmmsg") == 0)
        return recvmmsg(fd, &mm, 1, 0, NULL) == 1 ? (ssize_t)mm.msg_len : -1;
    if (strcmp(call, "syscall") == 0)
        return syscall(SYS_read, fd, buf, sizeof buf);
    if (strcmp(call, "peek") == 0)
        return recv(fd, buf, sizeof buf, MSG_PEEK);
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    return recv(fd, buf, sizeof buf, 0);
}

static int dial(int fd) {
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}

static void set(int fd, int name, int seconds) {
    struct timeval t = {.tv_sec = seconds};
    if (setsockopt(fd, SOL_SOCKET, name, &t, sizeof t) != 0)
        exit(3);
}

/* The words for one connection. */
static int make(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    for (char **w = words; *w; w++) {
        if (strcmp(*w, "receive") == 0)
            set(fd, SO_RCVTIMEO, 3600);
        else if (strcmp(*w, "send") == 0)
            set(fd, SO_SNDTIMEO, 3600);
        else if (strcmp(*w, "never") == 0)
            set(fd, SO_RCVTIMEO, 0), set(fd, SO_SNDTIMEO, 0);
        else if (strcmp(*w, "connect") == 0 && dial(fd) != 0)
            exit(4);
        else if (strcmp(*w, "ask") == 0 && send(fd, "hello\n", 6, 0) != 6)
            exit(5);
        else if (strcmp(*w, "dup") == 0)
            fd = dup(fd);
    }
    return fd;
}

static void *work(void *ready) {
    int fd = make();
    pthread_barrier_wait(ready);
    if (gettid() == getpid())
        puts("READY");
    if (strcmp(call, "connect") == 0)
        return (void *)(long)dial(fd);
    ssize_t n;
    while ((n = wait_in(fd)) < 0 && errno == EINTR)
        ;
    return (void *)n;
}

static int number_of_workers(void) {
    for (char **w = words; *w; w++)
        if (strcmp(*w, "worker") == 0)
            return atoi(w[1]);
    return 0;
}

static void take_signal(int flags) {
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &act, NULL);
}

int main(int argc, char **argv) {
    enum { MOST = 64 };
    pthread_t worker[MOST];
    pthread_barrier_t ready;
    if (argc < 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        return 2;
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)atoi(argv[2]));
    call = argv[3];
    words = argv + 4;
    for (char **w = words; *w; w++)
        if (strcmp(*w, "handler") == 0 || strcmp(*w, "restarts") == 0)
            take_signal(**w == 'r' ? SA_RESTART : 0);
    int n = number_of_workers();
    void *got = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_barrier_init(&ready, NULL, n ? (unsigned)n + 1 : 1);
    for (int i = 0; i < n && i < MOST; i++)
        pthread_create(&worker[i], NULL, work, &ready);
    if (n == 0) {
        got = work(&ready);
    } else {
        pthread_barrier_wait(&ready);
        puts("READY");
    }
    for (int i = 0; i < n && i < MOST; i++)
        pthread_join(worker[i], &got);
    printf("%ld bytes, %d signals\n", (long)got, (int)handled);
    return 0;
}
