/* The other end, always bare: says its port, then echoes what it is sent. A Q makes it close. */
#include <sys/epoll.h>
#include <sys/resource.h>

#include "torture.h"

static int epoll;

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static void answer(int fd) {
    char text[4096];
    ssize_t n = recv(fd, text, sizeof text, 0);
    if (n <= 0 || memchr(text, 'Q', (size_t)n))
        close(fd);
    else
        send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int main(void) {
    struct rlimit files;
    struct epoll_event e[64];
    int port, listener = bound(&port);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    if (listen(listener, 4096) != 0)
        die("listen");
    watch(listener);
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, e, 64, -1);
        for (int i = 0; i < n; i++)
            if (e[i].data.fd == listener)
                watch(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
            else
                answer(e[i].data.fd);
    }
}
