/* The calls that open, close, move and use connections (see every_call.h). With the argument
 * "unreadable": addresses in memory without rights, instead of the table. */
#define _GNU_SOURCE
#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/time.h>

#include "every_call.h"

static DIR *volatile nowhere_at_all; /* the compiler is not to know */

/* What fortified programs call; declared in no header. */
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr,
                       socklen_t *len);

/* --- where connections begin and end --- */

static void try_socket(struct pair *p) {
    (void)p;
    OPENS(socket, "of TCP", socket(AF_INET, SOCK_STREAM, 0));
    OPENS(socket, "of UDP", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    FAILS(socket, "of a wrong protocol", EPROTONOSUPPORT,
          socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    FAILS(socket, "of no family", EAFNOSUPPORT, socket(9999, SOCK_STREAM, 0));
}

static void try_connect(struct pair *p) {
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in nobody = here;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    FAILS(connect, "of -1", EBADF, connect(-1, PEER, sizeof here));
    FAILS(connect, "of a pipe's number", EBADF, connect(NO_FD, PEER, sizeof here));
    FAILS(connect, "of no socket", ENOTSOCK, connect(STDIN_FILENO, PEER, sizeof here));
    FAILS(connect, "to NULL", EFAULT, connect(fd, NULL, sizeof here));
    FAILS(connect, "to address 1", EFAULT, connect(fd, nowhere, sizeof here));
    FAILS(connect, "to a short address", EINVAL, connect(fd, PEER, 4));
    FAILS(connect, "to an empty address", EINVAL, connect(fd, PEER, 0));
    FAILS(connect, "to a negative length", EINVAL, connect(fd, PEER, (socklen_t)-1));
    nobody.sin_port = htons(1);
    FAILS(connect, "refused", ECONNREFUSED, connect(fd, (struct sockaddr *)&nobody, sizeof nobody));
    GIVES(connect, "after that", 0, connect(fd, PEER, sizeof here));
    close(accept(listener, NULL, NULL));
    FAILS(connect, "again", EISCONN, connect(p->out, PEER, sizeof here));
    GIVES(connect, "to no family", 0, connect(fd, &none, sizeof none));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    FAILS(connect, "without waiting", EINPROGRESS, connect(fd, PEER, sizeof here));
    close(accept(listener, NULL, NULL));
    close(fd);
}

/* A connection that waits to be accepted. */
static int knock(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, PEER, sizeof here) != 0)
        exit(5);
    return fd;
}

static void knock_and_reset(void) {
    struct linger hard = {.l_onoff = 1};
    int fd = knock();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

static void try_accept(struct pair *p) {
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fd = knock();
    OPENS(accept, "without an address", accept(listener, NULL, NULL));
    close(fd);
    fd = knock();
    OPENS(accept, "without an address and with a length", accept(listener, NULL, &len));
    close(fd);
    fd = knock();
    OPENS(accept, "with an address", accept(listener, (struct sockaddr *)&from, &len));
    GIVES(accept, "has its length", sizeof from, len);
    GIVES(accept, "has its family", AF_INET, from.sin_family);
    close(fd);
    fd = knock();
    len = 2;
    OPENS(accept, "with little room", accept(listener, (struct sockaddr *)&from, &len));
    GIVES(accept, "has the whole length", sizeof from, len);
    close(fd);
    knock_and_reset();
    OPENS(accept, "of one that was reset", accept(listener, NULL, NULL));
    fd = knock();
    FAILS(accept, "with no length", EFAULT, accept(listener, (struct sockaddr *)&from, NULL));
    close(fd);
    FAILS(accept, "of a connection", EINVAL, accept(p->out, NULL, NULL));
    FAILS(accept, "of -1", EBADF, accept(-1, NULL, NULL));
}

static void try_accept4(struct pair *p) {
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fd = knock();
    OPENS(accept4, "without an address", accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    close(fd);
    fd = knock();
    OPENS(accept4, "with an address",
          accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK));
    close(fd);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    FAILS(accept4, "of nobody", EAGAIN, accept4(listener, NULL, NULL, 0));
    fcntl(listener, F_SETFL, 0);
    FAILS(accept4, "with bad flags", EINVAL, accept4(listener, NULL, NULL, 7));
    FAILS(accept4, "of a connection", EINVAL, accept4(p->out, NULL, NULL, 0));
}

static void try_setsockopt(struct pair *p) {
    struct timeval second = {.tv_sec = 1}, wrong = {.tv_usec = 5000000}, got;
    socklen_t len = sizeof got;
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    GIVES(setsockopt, "SO_RCVTIMEO", 0,
          setsockopt(p->out, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    GIVES(setsockopt, "SO_SNDTIMEO before connect", 0,
          setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second));
    getsockopt(p->out, SOL_SOCKET, SO_RCVTIMEO, &got, &len);
    GIVES(setsockopt, "has set it", 1, got.tv_sec);
    GIVES(setsockopt, "SO_KEEPALIVE", 0,
          setsockopt(p->out, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one));
    FAILS(setsockopt, "of a wrong time", EDOM,
          setsockopt(p->out, SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong));
    FAILS(setsockopt, "of a short one", EINVAL,
          setsockopt(p->out, SOL_SOCKET, SO_RCVTIMEO, &second, 4));
    FAILS(setsockopt, "at no address", EFAULT,
          setsockopt(p->out, SOL_SOCKET, SO_RCVTIMEO, nowhere, sizeof second));
    FAILS(setsockopt, "of no option", ENOPROTOOPT,
          setsockopt(p->out, SOL_SOCKET, 9999, &one, sizeof one));
    FAILS(setsockopt, "of no socket", ENOTSOCK,
          setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    FAILS(setsockopt, "of -1", EBADF,
          setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    close(fd);
}

static void try_close(struct pair *p) {
    GIVES(close, "of a connection", 0, close(p->out));
    FAILS(close, "of it again", EBADF, close(p->out));
    FAILS(close, "of -1", EBADF, close(-1));
    FAILS(close, "of a large number", EBADF, close(NO_FD));
}

static void try_shutdown(struct pair *p) {
    char c;
    FAILS(shutdown, "in a wrong way", EINVAL, shutdown(p->out, 7));
    GIVES(shutdown, "of writing", 0, shutdown(p->out, SHUT_WR));
    GIVES(shutdown, "is seen by the peer", 0, read(p->in, &c, 1));
    GIVES(shutdown, "of both", 0, shutdown(p->out, SHUT_RDWR));
    FAILS(shutdown, "of a listening socket's like", ENOTSOCK, shutdown(STDIN_FILENO, SHUT_RD));
    FAILS(shutdown, "of -1", EBADF, shutdown(-1, SHUT_RDWR));
}

static void try_fclose(struct pair *p) {
    char text[8] = "text";
    FILE *f = fdopen(p->out, "r+");
    GIVES(fclose, "of a connection", 0, fclose(f));
    GIVES(fclose, "leaves nothing open", 0, is_open(p->out));
    GIVES(fclose, "of a stream in memory", 0, fclose(fmemopen(text, sizeof text, "r")));
    f = fdopen(p->in, "r");
    close(p->in);
    FAILS(fclose, "of what is closed", EBADF, fclose(f));
}

static void try_close_range(struct pair *p) {
    GIVES(close_range, "of a connection", 0, close_range((unsigned)p->out, (unsigned)p->out, 0));
    GIVES(close_range, "has closed it", 0, is_open(p->out));
    GIVES(close_range, "of nothing", 0, close_range(HIGH, HIGH + 9, 0));
    FAILS(close_range, "the wrong way round", EINVAL, close_range(HIGH, 3, 0));
    FAILS(close_range, "with bad flags", EINVAL, close_range((unsigned)p->in, (unsigned)p->in, 64));
    GIVES(close_range, "with bad flags closes nothing", 1, is_open(p->in));
    GIVES(close_range, "for exec only", 0,
          close_range((unsigned)p->in, (unsigned)p->in, CLOSE_RANGE_CLOEXEC));
    GIVES(close_range, "for exec only closes nothing", FD_CLOEXEC, fcntl(p->in, F_GETFD));
}

static void try_closefrom(struct pair *p) {
    int high = fcntl(p->out, F_DUPFD, HIGH);
    GIVES(closefrom, "of a large number", 0, (closefrom(HIGH - 9), 0));
    GIVES(closefrom, "has closed it", 0, is_open(high));
    GIVES(closefrom, "has closed it alone", 1, is_open(p->out));
}

static void try_freopen_by(FILE *(*reopen)(const char *, const char *, FILE *), const char *call,
                           struct pair *p) {
    FILE *f = fdopen(p->out, "r+");
    errno = UNTOUCHED;
    f = reopen("/dev/null", "w", f);
    int e = errno;
    show(call, "over a connection's stream", f ? fileno(f) : -1, e, f && fileno(f) == p->out);
    char c;
    GIVES(read, "after that finds its end", 0, read(p->in, &c, 1));
    fclose(f);
    p->out = -1;
    f = fdopen(p->in, "r+");
    errno = UNTOUCHED;
    f = reopen("/nowhere/at/all", "w", f);
    e = errno;
    show(call, "of no file", f != NULL, e, !f && e == ENOENT);
    show(call, "of no file closes", is_open(p->in), UNTOUCHED, !is_open(p->in));
    p->in = -1;
}

static void try_freopen(struct pair *p) {
    try_freopen_by(freopen, "freopen", p);
}

static void try_freopen64(struct pair *p) {
    try_freopen_by(freopen64, "freopen64", p);
}

/* --- other numbers for the same --- */

static void try_dup(struct pair *p) {
    OPENS(dup, "of a connection", dup(p->out));
    FAILS(dup, "of -1", EBADF, dup(-1));
}

static void try_dup2(struct pair *p) {
    GIVES(dup2, "onto itself", p->out, dup2(p->out, p->out));
    GIVES(dup2, "onto itself leaves it open", 1, is_open(p->out));
    FAILS(dup2, "of what is not open over a live one", EBADF, dup2(NO_FD, p->out));
    GIVES(dup2, "leaves that open", 1, is_open(p->out));
    FAILS(dup2, "of what is not open onto itself", EBADF, dup2(HIGH, HIGH));
    OPENS(dup2, "to a free number", dup2(p->out, HIGH));
    FAILS(dup2, "to a number too large", EBADF, dup2(p->out, NO_FD));
    FAILS(dup2, "to -1", EBADF, dup2(p->out, -1));
    GIVES(dup2, "over a live one", p->in, dup2(p->out, p->in));
}

static void try_dup3(struct pair *p) {
    FAILS(dup3, "onto itself", EINVAL, dup3(p->out, p->out, 0));
    FAILS(dup3, "with bad flags over a live one", EINVAL, dup3(p->out, p->in, 64));
    GIVES(dup3, "leaves that open", 1, is_open(p->in));
    FAILS(dup3, "of what is not open over a live one", EBADF, dup3(NO_FD, p->in, 0));
    OPENS(dup3, "to a free number", dup3(p->out, HIGH, O_CLOEXEC));
    GIVES(dup3, "over a live one", p->in, dup3(p->out, p->in, 0));
}

#define TRY_FCNTL(fcntl)                                                                           \
    static void try_##fcntl(struct pair *p) {                                                      \
        OPENS(fcntl, "F_DUPFD", fcntl(p->out, F_DUPFD, HIGH));                                     \
        OPENS(fcntl, "F_DUPFD_CLOEXEC", fcntl(p->out, F_DUPFD_CLOEXEC, HIGH));                     \
        FAILS(fcntl, "F_DUPFD too large", EINVAL, fcntl(p->out, F_DUPFD, NO_FD));                  \
        FAILS(fcntl, "F_DUPFD of -1", EBADF, fcntl(-1, F_DUPFD, 0));                               \
        GIVES(fcntl, "F_GETFL", O_RDWR, fcntl(p->out, F_GETFL));                                   \
        GIVES(fcntl, "F_SETFL", 0, fcntl(p->out, F_SETFL, O_NONBLOCK));                            \
        GIVES(fcntl, "F_GETFL after that", O_RDWR | O_NONBLOCK, fcntl(p->out, F_GETFL));           \
        GIVES(fcntl, "F_SETOWN", 0, fcntl(p->out, F_SETOWN, getpid()));                            \
        GIVES(fcntl, "F_GETOWN", 1, fcntl(p->out, F_GETOWN) == getpid());                          \
        FAILS(fcntl, "F_GETLK of no address", EFAULT, fcntl(p->out, F_GETLK, nowhere));            \
        FAILS(fcntl, "of no command", EINVAL, fcntl(p->out, 4711, 0));                             \
    }
TRY_FCNTL(fcntl)
TRY_FCNTL(fcntl64)

/* --- data --- */

static void try_read(struct pair *p) {
    char c[8];
    feed(p->in, p->out, 3);
    GIVES(read, "of 0 bytes", 0, read(p->out, c, 0));
    FAILS(read, "to no address", EFAULT, read(p->out, nowhere, 3));
    GIVES(read, "of less than there is", 2, read(p->out, c, 2));
    GIVES(read, "of the rest", 1, read(p->out, c, sizeof c));
    fcntl(p->out, F_SETFL, O_NONBLOCK);
    FAILS(read, "of nothing", EAGAIN, read(p->out, c, sizeof c));
    shutdown(p->in, SHUT_WR);
    fcntl(p->out, F_SETFL, 0);
    GIVES(read, "at the end", 0, read(p->out, c, sizeof c));
    FAILS(read, "of -1", EBADF, read(-1, c, sizeof c));
    FAILS(read, "of a large number", EBADF, read(NO_FD, c, sizeof c));
}

static void try_readv(struct pair *p) {
    char c[8];
    struct iovec two[] = {{c, 0}, {c, 2}}, none[] = {{c, 0}};
    feed(p->in, p->out, 3);
    GIVES(readv, "of a vector", 2, readv(p->out, two, 2));
    GIVES(readv, "of 0 bytes", 0, readv(p->out, none, 1));
    GIVES(readv, "of no vector", 0, readv(p->out, NULL, 0));
    FAILS(readv, "of a vector at no address", EFAULT, readv(p->out, nowhere, 1));
    FAILS(readv, "of -1 parts", EINVAL, readv(p->out, two, few));
    FAILS(readv, "of -1", EBADF, readv(-1, two, 2));
}

static void try_recv(struct pair *p) {
    char c[8];
    feed(p->in, p->out, 3);
    GIVES(recv, "MSG_PEEK", 3, recv(p->out, c, sizeof c, MSG_PEEK));
    GIVES(recv, "of 0 bytes", 0, recv(p->out, c, 0, 0));
    FAILS(recv, "to no address", EFAULT, recv(p->out, nowhere, 3, 0));
    GIVES(recv, "after the peek", 3, recv(p->out, c, sizeof c, 0));
    FAILS(recv, "MSG_DONTWAIT", EAGAIN, recv(p->out, c, sizeof c, MSG_DONTWAIT));
    FAILS(recv, "MSG_ERRQUEUE", EAGAIN, recv(p->out, c, sizeof c, MSG_ERRQUEUE));
    FAILS(recv, "of no socket", ENOTSOCK, recv(STDIN_FILENO, c, sizeof c, 0));
    FAILS(recv, "of -1", EBADF, recv(-1, c, sizeof c, 0));
}

static void try_recvfrom(struct pair *p) {
    char c[8];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    feed(p->in, p->out, 3);
    GIVES(recvfrom, "MSG_PEEK", 2, recvfrom(p->out, c, 2, MSG_PEEK, NULL, NULL));
    GIVES(recvfrom, "with an address", 3,
          recvfrom(p->out, c, sizeof c, 0, (struct sockaddr *)&from, &len));
    GIVES(recvfrom, "has no address on TCP", 0, len);
    FAILS(recvfrom, "MSG_DONTWAIT", EAGAIN, recvfrom(p->out, c, 1, MSG_DONTWAIT, NULL, NULL));
    FAILS(recvfrom, "of -1", EBADF, recvfrom(-1, c, 1, 0, NULL, NULL));
}

static void try_recvmsg(struct pair *p) {
    char c[8];
    struct iovec two[] = {{c, 1}, {c, 2}};
    struct msghdr m = {.msg_iov = two, .msg_iovlen = 2}, none = {0};
    feed(p->in, p->out, 4);
    GIVES(recvmsg, "MSG_PEEK", 3, recvmsg(p->out, &m, MSG_PEEK));
    GIVES(recvmsg, "of 0 bytes", 0, recvmsg(p->out, &none, 0));
    GIVES(recvmsg, "of a vector", 3, recvmsg(p->out, &m, 0));
    FAILS(recvmsg, "at no address", EFAULT, recvmsg(p->out, nowhere, 0));
    FAILS(recvmsg, "of -1", EBADF, recvmsg(-1, &m, 0));
}

static void try_write(struct pair *p) {
    GIVES(write, "of 3 bytes", 3, write(p->out, "abc", 3));
    GIVES(write, "of 0 bytes", 0, write(p->out, "abc", 0));
    FAILS(write, "from no address", EFAULT, write(p->out, nowhere, 3));
    FAILS(write, "of -1", EBADF, write(-1, "abc", 3));
    shutdown(p->out, SHUT_WR);
    FAILS(write, "after shutdown", EPIPE, write(p->out, "abc", 3));
}

static void try_writev(struct pair *p) {
    char text[] = "abc";
    struct iovec two[] = {{text, 1}, {text, 2}};
    GIVES(writev, "of a vector", 3, writev(p->out, two, 2));
    GIVES(writev, "of no vector", 0, writev(p->out, NULL, 0));
    FAILS(writev, "of a vector at no address", EFAULT, writev(p->out, nowhere, 1));
    FAILS(writev, "of -1 parts", EINVAL, writev(p->out, two, few));
    FAILS(writev, "of -1", EBADF, writev(-1, two, 2));
}

static void try_send(struct pair *p) {
    GIVES(send, "of 3 bytes", 3, send(p->out, "abc", 3, 0));
    GIVES(send, "of 0 bytes", 0, send(p->out, "abc", 0, MSG_NOSIGNAL));
    FAILS(send, "from no address", EFAULT, send(p->out, nowhere, 3, 0));
    FAILS(send, "of no socket", ENOTSOCK, send(STDIN_FILENO, "abc", 3, 0));
    FAILS(send, "of -1", EBADF, send(-1, "abc", 3, 0));
    shutdown(p->out, SHUT_WR);
    FAILS(send, "after shutdown", EPIPE, send(p->out, "abc", 3, MSG_NOSIGNAL));
}

/* Opens a connection with its first bytes, or says that it may not (tcp(7)): the same both ways. */
static void try_fast_open(void) {
    char text[] = "abc";
    struct iovec one = {text, 3};
    struct msghdr m = {
        .msg_name = &here, .msg_namelen = sizeof here, .msg_iov = &one, .msg_iovlen = 1};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    MADE(sendto, "MSG_FASTOPEN", r == 3 || e == EOPNOTSUPP,
         sendto(fd, text, 3, MSG_FASTOPEN, PEER, sizeof here));
    MADE(sendto, "MSG_FASTOPEN again", r == -1,
         sendto(fd, text, 3, MSG_FASTOPEN, PEER, sizeof here));
    MADE(sendto, "MSG_FASTOPEN to NULL", r == -1, sendto(fd, text, 3, MSG_FASTOPEN, NULL, 0));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    MADE(sendmsg, "MSG_FASTOPEN", r == 3 || e == EOPNOTSUPP, sendmsg(fd, &m, MSG_FASTOPEN));
    FAILS(sendmsg, "at no address, with MSG_FASTOPEN", EFAULT, sendmsg(fd, nowhere, MSG_FASTOPEN));
    close(fd);
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    while (poll(&waiting, 1, 0) > 0)
        close(accept(listener, NULL, NULL));
}

static void try_closedir(struct pair *p) {
    (void)p;
    GIVES(closedir, "of a directory", 0, closedir(opendir("/")));
    FAILS(closedir, "of NULL", EINVAL, closedir(nowhere_at_all));
}

/* A descriptor's way through a message, there and back. */
static void try_rights(const struct pair *p) {
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    char c = 'x';
    int local[2], came = -1;
    struct iovec one = {&c, 1};
    struct msghdr m = {.msg_iov = &one,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, local) != 0)
        exit(6);
    memset(&control, 0, sizeof control);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &p->out, sizeof(int));
    GIVES(sendmsg, "of a descriptor", 1, sendmsg(local[0], &m, 0));
    m.msg_controllen = sizeof control;
    GIVES(recvmsg, "of a descriptor", 1, recvmsg(local[1], &m, 0));
    memcpy(&came, CMSG_DATA(h), sizeof came);
    GIVES(recvmsg, "has one that works", 3, write(came, "abc", 3));
    GIVES(recvmsg, "has one to be closed", 0, close(came) + close(local[0]) + close(local[1]));
}

static void try_sendto(struct pair *p) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    GIVES(sendto, "without an address", 3, sendto(p->out, "abc", 3, 0, NULL, 0));
    GIVES(sendto, "with the peer's", 3, sendto(p->out, "abc", 3, 0, PEER, sizeof here));
    FAILS(sendto, "of what is not connected", EPIPE,
          sendto(fd, "abc", 3, MSG_NOSIGNAL, PEER, sizeof here));
    FAILS(sendto, "of -1", EBADF, sendto(-1, "abc", 3, 0, NULL, 0));
    close(fd);
    try_fast_open();
}

static void try_sendmsg(struct pair *p) {
    char text[] = "abc";
    struct iovec two[] = {{text, 1}, {text, 2}};
    struct msghdr m = {.msg_iov = two, .msg_iovlen = 2}, none = {0};
    GIVES(sendmsg, "of a vector", 3, sendmsg(p->out, &m, 0));
    GIVES(sendmsg, "of 0 bytes", 0, sendmsg(p->out, &none, 0));
    FAILS(sendmsg, "at no address", EFAULT, sendmsg(p->out, nowhere, 0));
    FAILS(sendmsg, "of -1", EBADF, sendmsg(-1, &m, 0));
    try_rights(p);
}

static void try___read_chk(struct pair *p) {
    char c[8];
    feed(p->in, p->out, 3);
    GIVES(__read_chk, "of 0 bytes", 0, __read_chk(p->out, c, 0, sizeof c));
    GIVES(__read_chk, "of what is there", 3, __read_chk(p->out, c, sizeof c, sizeof c));
    FAILS(__read_chk, "of -1", EBADF, __read_chk(-1, c, 1, sizeof c));
}

static void try___recv_chk(struct pair *p) {
    char c[8];
    feed(p->in, p->out, 3);
    GIVES(__recv_chk, "MSG_PEEK", 2, __recv_chk(p->out, c, 2, sizeof c, MSG_PEEK));
    GIVES(__recv_chk, "of what is there", 3, __recv_chk(p->out, c, sizeof c, sizeof c, 0));
    FAILS(__recv_chk, "MSG_DONTWAIT", EAGAIN, __recv_chk(p->out, c, 1, sizeof c, MSG_DONTWAIT));
}

static void try___recvfrom_chk(struct pair *p) {
    char c[8];
    feed(p->in, p->out, 3);
    GIVES(__recvfrom_chk, "of what is there", 3,
          __recvfrom_chk(p->out, c, sizeof c, sizeof c, 0, NULL, NULL));
    FAILS(__recvfrom_chk, "of -1", EBADF, __recvfrom_chk(-1, c, 1, sizeof c, 0, NULL, NULL));
}

static void try_recvmmsg(struct pair *p) {
    char c[8];
    struct iovec one[] = {{c, 2}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = one, .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = one, .msg_iovlen = 1}}};
    feed(p->in, p->out, 3);
    GIVES(recvmmsg, "of two messages", 2, recvmmsg(p->out, m, 2, MSG_DONTWAIT, NULL));
    GIVES(recvmmsg, "has their sizes", 3, m[0].msg_len + m[1].msg_len);
    FAILS(recvmmsg, "of nothing", EAGAIN, recvmmsg(p->out, m, 2, MSG_DONTWAIT, NULL));
    FAILS(recvmmsg, "at no address", EFAULT, recvmmsg(p->out, nowhere, 1, MSG_DONTWAIT, NULL));
    FAILS(recvmmsg, "of -1", EBADF, recvmmsg(-1, m, 2, 0, NULL));
}

static void try_sendmmsg(struct pair *p) {
    char text[] = "abc";
    struct iovec one[] = {{text, 3}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = one, .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = one, .msg_iovlen = 1}}};
    GIVES(sendmmsg, "of two messages", 2, sendmmsg(p->out, m, 2, 0));
    GIVES(sendmmsg, "has their sizes", 6, m[0].msg_len + m[1].msg_len);
    GIVES(sendmmsg, "of no message", 0, sendmmsg(p->out, m, 0, MSG_FASTOPEN));
    FAILS(sendmmsg, "at no address", EFAULT, sendmmsg(p->out, nowhere, 1, 0));
    FAILS(sendmmsg, "at no address, with MSG_FASTOPEN", EFAULT,
          sendmmsg(p->out, nowhere, 1, MSG_FASTOPEN));
    FAILS(sendmmsg, "of -1", EBADF, sendmmsg(-1, m, 2, 0));
}

/* The program's own file, to send from; its first three bytes are those of every ELF file. */
static void try_sendfile(struct pair *p) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    off_t at = 1;
    GIVES(sendfile, "of 3 bytes", 3, sendfile(p->out, file, NULL, 3));
    GIVES(sendfile, "from an offset", 3, sendfile(p->out, file, &at, 3));
    GIVES(sendfile, "moves it", 4, at);
    GIVES(sendfile, "of 0 bytes", 0, sendfile(p->out, file, NULL, 0));
    FAILS(sendfile, "from -1", EBADF, sendfile(p->out, -1, NULL, 3));
    FAILS(sendfile, "to -1", EBADF, sendfile(-1, file, NULL, 3));
    close(file);
}

static void try_sendfile64(struct pair *p) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    GIVES(sendfile64, "of 3 bytes", 3, sendfile64(p->out, file, NULL, 3));
    FAILS(sendfile64, "to -1", EBADF, sendfile64(-1, file, NULL, 3));
    close(file);
}

static void try_splice(struct pair *p) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0)
        exit(6);
    feed(p->in, p->out, 3);
    GIVES(splice, "from a connection", 3, splice(p->out, NULL, pipe[1], NULL, 8, 0));
    GIVES(splice, "to a connection", 3, splice(pipe[0], NULL, p->out, NULL, 3, 0));
    GIVES(splice, "of 0 bytes", 0, splice(p->out, NULL, pipe[1], NULL, 0, 0));
    fcntl(p->out, F_SETFL, O_NONBLOCK);
    FAILS(splice, "of nothing there", EAGAIN, splice(p->out, NULL, pipe[1], NULL, 8, 0));
    FAILS(splice, "without a pipe", EINVAL, splice(p->out, NULL, p->in, NULL, 8, 0));
    FAILS(splice, "of -1", EBADF, splice(-1, NULL, pipe[1], NULL, 8, 0));
    close(pipe[0]);
    close(pipe[1]);
}

/* --- names --- */

/* Which error is told by the result; errno says what it says bare. */
static void try_getaddrinfo(struct pair *p) {
    struct addrinfo *found = NULL, v4 = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    (void)p;
    MADE(getaddrinfo, "of a name", r == 0, getaddrinfo("localhost", "80", &v4, &found));
    MADE(getaddrinfo, "which is here", r == 1,
         found && ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    freeaddrinfo(found);
    MADE(getaddrinfo, "of an address", r == 0, getaddrinfo("127.0.0.1", NULL, &v4, &found));
    freeaddrinfo(found);
    MADE(getaddrinfo, "of nobody", r == 0, getaddrinfo(NULL, "80", &v4, &found));
    freeaddrinfo(found);
    MADE(getaddrinfo, "of nothing", r == EAI_NONAME, getaddrinfo(NULL, NULL, &v4, &found));
    MADE(getaddrinfo, "of a bad service", r == EAI_SERVICE || r == EAI_NONAME,
         getaddrinfo("127.0.0.1", "no such service", &v4, &found));
}

/* The address that a struct hostent begins with, in host order; 0: none. */
static unsigned first_of(const struct hostent *h) {
    struct in_addr a;
    if (!h || h->h_addrtype != AF_INET || !h->h_addr_list[0])
        return 0;
    memcpy(&a, h->h_addr_list[0], sizeof a);
    return ntohl(a.s_addr);
}

static void try_gethostbyname(struct pair *p) {
    (void)p;
    MADE(gethostbyname, "of a name", r == INADDR_LOOPBACK, first_of(gethostbyname("localhost")));
    MADE(gethostbyname, "of an address", r == 0x7f000002, first_of(gethostbyname("127.0.0.2")));
    MADE(gethostbyname, "of an empty name", r == 0, first_of(gethostbyname("")));
}

static void try_gethostbyname2(struct pair *p) {
    (void)p;
    MADE(gethostbyname2, "of a name", r == INADDR_LOOPBACK,
         first_of(gethostbyname2("localhost", AF_INET)));
    MADE(gethostbyname2, "of a wrong family", r == 0, first_of(gethostbyname2("localhost", 99)));
}

static void try_gethostbyname_r(struct pair *p) {
    struct hostent own, *found;
    char buf[1024], small[1];
    int error;
    (void)p;
    MADE(gethostbyname_r, "of a name", r == 0,
         gethostbyname_r("localhost", &own, buf, sizeof buf, &found, &error));
    MADE(gethostbyname_r, "which is here", r == INADDR_LOOPBACK, first_of(found));
    MADE(gethostbyname_r, "without room", r == ERANGE,
         gethostbyname_r("localhost", &own, small, sizeof small, &found, &error));
}

static void try_gethostbyname2_r(struct pair *p) {
    struct hostent own, *found;
    char buf[1024];
    int error;
    (void)p;
    MADE(gethostbyname2_r, "of a name", r == 0,
         gethostbyname2_r("localhost", AF_INET, &own, buf, sizeof buf, &found, &error));
    MADE(gethostbyname2_r, "which is here", r == INADDR_LOOPBACK, first_of(found));
}

/* --- the table --- */

static const struct row rows[] = {
    ROW(socket),         ROW(connect),   ROW(accept),   ROW(accept4),    ROW(close),
    ROW(shutdown),       ROW(fclose),    ROW(closedir), ROW(freopen),    ROW(freopen64),
    ROW(close_range),    ROW(closefrom), ROW(dup),      ROW(dup2),       ROW(dup3),
    ROW(fcntl),          ROW(fcntl64),   ROW(read),     ROW(readv),      ROW(recv),
    ROW(recvfrom),       ROW(recvmsg),   ROW(recvmmsg), ROW(__read_chk), ROW(__recv_chk),
    ROW(__recvfrom_chk), ROW(write),     ROW(writev),   ROW(send),       ROW(sendto),
    ROW(sendmsg),        ROW(sendmmsg),  ROW(sendfile), ROW(sendfile64), ROW(splice),
    ROW(setsockopt), ROW(getaddrinfo), ROW(gethostbyname), ROW(gethostbyname2), ROW(gethostbyname_r), ROW(gethostbyname2_r),
};

/* Where the kernel says EFAULT, whoever stands before it must not look. */
static void try_unreadable(void) {
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_in from;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    FAILS(connect, "to a page without rights", EFAULT, connect(fd, page, sizeof here));
    FAILS(syscall, "connect to that", EFAULT, syscall(SYS_connect, fd, page, sizeof here));
    FAILS(setsockopt, "from there", EFAULT,
          setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, page, sizeof(struct timeval)));
    FAILS(accept, "with a length there", EFAULT,
          (close(knock()), accept(listener, (struct sockaddr *)&from, page)));
    close(fd);
}

int main(int argc, char **argv) {
    if (!rows_begin())
        return 2;
    if (argc > 1 && strcmp(argv[1], "unreadable") == 0)
        try_unreadable();
    else
        rows_try(rows, sizeof rows / sizeof *rows);
    return rows_end();
}
