/* The other end of http.c, always bare: says its port, then answers each request as its path says:
 * /a a few bytes, /b 64 KiB, /c the few bytes in a chunk, /e up to the end of the connection. */
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "torture.h"

enum { BIG = 64 << 10, MOST = 1 << 16 };

/* How far a connection's request has come: its target, and how much of the empty line. */
static struct {
    char before, path;
    unsigned char ends;
} request[MOST];

static char big[BIG + 64]; /* zeroes behind it */
static int epoll;

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || fd >= MOST)
        return;
    memset(&request[fd], 0, sizeof request[fd]);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static size_t answer_of(char path, const char **text) {
    *text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    if (path == 'b')
        *text = big;
    else if (path == 'c')
        *text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    else if (path == 'e')
        *text = "HTTP/1.1 200 OK\r\n\r\nhello";
    return strlen(*text);
}

/* False: it is over. */
static bool take(int fd, char c) {
    const char *text;
    if (request[fd].before == '/' && !request[fd].path)
        request[fd].path = c;
    request[fd].before = c;
    request[fd].ends = c == "\r\n\r\n"[request[fd].ends] ? request[fd].ends + 1 : c == '\r';
    if (request[fd].ends < 4)
        return true;
    char path = request[fd].path;
    memset(&request[fd], 0, sizeof request[fd]);
    size_t n = answer_of(path, &text);
    return send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n && path != 'e';
}

static void answer(int fd) {
    char text[4096];
    ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
    bool goes_on = n > 0;
    for (ssize_t i = 0; i < n && goes_on; i++)
        goes_on = take(fd, text[i]);
    if (!goes_on)
        close(fd);
}

int main(void) {
    struct epoll_event e[64];
    int port, listener = bound(&port);
    epoll = epoll_create1(0);
    if (listen(listener, 4096) != 0)
        die("listen");
    int head = sprintf(big, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG);
    memset(big + head, 'x', BIG);
    watch(listener);
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, e, 64, -1);
        for (int i = 0; i < n; i++)
            if (e[i].data.fd == listener)
                watch(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
            else
                answer(e[i].data.fd);
    }
}
