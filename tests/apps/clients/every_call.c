/* One line for each case of each call of shim/wrap/real.def, made on a connected loopback socket:
 * its result and errno. What is printed must be the same bare and guarded; what the table expects
 * is checked here, and the exit status says whether all of it came.
 *
 * Afterwards a pair stays open, for whoever looks from outside, until a line comes on stdin. With
 * the argument "unreadable": addresses in memory without rights, instead of the table. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNTOUCHED = 4242 }; /* errno before each call: success leaves it alone */
enum { HIGH = 300 };       /* a number that no other descriptor has */
enum { NO_FD = 1000000 };

/* Ends of one connection; `out` connected, `in` was accepted. */
struct pair {
    int out, in;
};

static volatile int few = -1; /* the compiler is not to know */
static int listener, wrong;
static struct sockaddr_in here;
static void *volatile nowhere = (void *)1;
#define PEER ((struct sockaddr *)&here)

static void show(const char *call, const char *what, long r, int error, int as_expected) {
    const char *name = error == UNTOUCHED ? "-" : strerrorname_np(error);
    printf("%s %s: %ld %s%s\n", call, what, r, name ? name : "0", as_expected ? "" : " WRONG");
    wrong |= !as_expected;
}

/* Makes the call and shows what came of it. */
#define MADE(call, what, right, ...)                                                               \
    do {                                                                                           \
        errno = UNTOUCHED;                                                                         \
        long r = (long)(__VA_ARGS__);                                                              \
        int e = errno;                                                                             \
        show(#call, what, r, e, right);                                                            \
    } while (0)
#define GIVES(call, what, value, ...) MADE(call, what, r == (value) && e == UNTOUCHED, __VA_ARGS__)
#define FAILS(call, what, error, ...) MADE(call, what, r == -1 && e == (error), __VA_ARGS__)
/* A new descriptor, closed again; its number is shown, and so must be the same. */
#define OPENS(call, what, ...)                                                                     \
    MADE(call, what, r >= 0 && e == UNTOUCHED && close((int)r) == 0, __VA_ARGS__)

static int is_open(int fd) {
    char path[40];
    int before = errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int there = access(path, F_OK) == 0;
    errno = before;
    return there;
}

static struct pair pair_open(void) {
    struct pair p = {.out = socket(AF_INET, SOCK_STREAM, 0)};
    if (connect(p.out, PEER, sizeof here) != 0 || (p.in = accept(listener, NULL, NULL)) < 0)
        exit(3);
    return p;
}

static void pair_close(const struct pair *p) {
    close(p->out);
    close(p->in);
}

/* n bytes for the other end, and waits until they are there. */
static void feed(int from, int to, size_t n) {
    char c;
    if (send(from, "abcdefgh", n, 0) != (ssize_t)n || recv(to, &c, 1, MSG_PEEK) != 1)
        exit(4);
}

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

static void try_sendto(struct pair *p) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    GIVES(sendto, "without an address", 3, sendto(p->out, "abc", 3, 0, NULL, 0));
    GIVES(sendto, "with the peer's", 3, sendto(p->out, "abc", 3, 0, PEER, sizeof here));
    FAILS(sendto, "of what is not connected", EPIPE,
          sendto(fd, "abc", 3, MSG_NOSIGNAL, PEER, sizeof here));
    FAILS(sendto, "of -1", EBADF, sendto(-1, "abc", 3, 0, NULL, 0));
    close(fd);
}

static void try_sendmsg(struct pair *p) {
    char text[] = "abc";
    struct iovec two[] = {{text, 1}, {text, 2}};
    struct msghdr m = {.msg_iov = two, .msg_iovlen = 2}, none = {0};
    GIVES(sendmsg, "of a vector", 3, sendmsg(p->out, &m, 0));
    GIVES(sendmsg, "of 0 bytes", 0, sendmsg(p->out, &none, 0));
    FAILS(sendmsg, "at no address", EFAULT, sendmsg(p->out, nowhere, 0));
    FAILS(sendmsg, "of -1", EBADF, sendmsg(-1, &m, 0));
}

/* --- the process --- */

static int status_of(pid_t child) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void try_fork(struct pair *p) {
    pid_t child = fork();
    if (child == 0) { /* it has both ends, and closes its own */
        int good = write(p->out, "abc", 3) == 3 && close(p->out) == 0 && close(p->in) == 0;
        _exit(good ? 7 : 8);
    }
    GIVES(fork, "gives a child that ends with 7", 7, status_of(child));
    GIVES(fork, "leaves the parent's open", 2, is_open(p->out) + is_open(p->in));
}

static void try_vfork(struct pair *p) {
    static pid_t child; /* not in a frame that the child shares */
    static struct pair shared;
    shared = *p;
    child = vfork();
    if (child == 0) {
        close(shared.out);
        dup2(STDIN_FILENO, shared.in);
        _exit(7);
    }
    GIVES(vfork, "gives a child that ends with 7", 7, status_of(child));
    GIVES(vfork, "leaves the parent's open", 2, is_open(shared.out) + is_open(shared.in));
    GIVES(vfork, "leaves the parent's connected", 3, write(shared.out, "abc", 3));
}

static void try_syscall(struct pair *p) {
    char c[8];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    GIVES(syscall, "getpid", 1, syscall(SYS_getpid) == getpid());
    FAILS(syscall, "of no number", ENOSYS, syscall(100000));
    OPENS(syscall, "socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    FAILS(syscall, "connect to NULL", EFAULT, syscall(SYS_connect, fd, NULL, sizeof here));
    FAILS(syscall, "connect of -1", EBADF, syscall(SYS_connect, -1, PEER, sizeof here));
    GIVES(syscall, "connect", 0, syscall(SYS_connect, fd, PEER, sizeof here));
    OPENS(syscall, "accept", syscall(SYS_accept, listener, NULL, NULL));
    FAILS(syscall, "accept4 with bad flags", EINVAL, syscall(SYS_accept4, listener, 0, 0, 7));
    feed(p->in, p->out, 3);
    GIVES(syscall, "read of 0 bytes", 0, syscall(SYS_read, p->out, c, 0));
    GIVES(syscall, "read", 3, syscall(SYS_read, p->out, c, sizeof c));
    GIVES(syscall, "write", 3, syscall(SYS_write, p->out, "abc", 3));
    OPENS(syscall, "dup", syscall(SYS_dup, p->out));
    OPENS(syscall, "fcntl F_DUPFD", syscall(SYS_fcntl, p->out, F_DUPFD, HIGH));
    FAILS(syscall, "dup3 of what is not open", EBADF, syscall(SYS_dup3, NO_FD, p->out, 0));
    OPENS(syscall, "dup3", syscall(SYS_dup3, p->out, HIGH, 0));
#ifdef SYS_dup2
    GIVES(syscall, "dup2 onto itself", p->out, syscall(SYS_dup2, p->out, p->out));
#endif
    GIVES(syscall, "shutdown", 0, syscall(SYS_shutdown, p->out, SHUT_WR));
    FAILS(syscall, "close_range with bad flags", EINVAL,
          syscall(SYS_close_range, p->out, p->out, 64));
    GIVES(syscall, "close_range", 0, syscall(SYS_close_range, p->in, p->in, 0));
    GIVES(syscall, "close", 0, syscall(SYS_close, fd));
    FAILS(syscall, "close of it again", EBADF, syscall(SYS_close, fd));
}

static void try_prctl(struct pair *p) {
    char name[16] = "";
    (void)p;
    GIVES(prctl, "PR_SET_NAME", 0, prctl(PR_SET_NAME, "renamed"));
    GIVES(prctl, "PR_GET_NAME", 0, prctl(PR_GET_NAME, name));
    GIVES(prctl, "has the name", 0, strcmp(name, "renamed"));
    GIVES(prctl, "PR_GET_DUMPABLE", 1, prctl(PR_GET_DUMPABLE));
    FAILS(prctl, "PR_SET_SECCOMP with a wrong mode", EINVAL, prctl(PR_SET_SECCOMP, 99, 0));
    FAILS(prctl, "of no operation", EINVAL, prctl(99999, 0, 0, 0, 0));
}

/* --- the loader; it sets errno as it likes --- */

static void try_dlopen(struct pair *p) {
    (void)p;
    dlerror();
    MADE(dlopen, "of the program", r == 1, dlopen(NULL, RTLD_NOW) != NULL);
    MADE(dlopen, "of libc", r == 1, dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD) != NULL);
    MADE(dlopen, "of no file", r == 0, dlopen("libnothing.so.9", RTLD_LAZY) != NULL);
    printf("dlopen says %s\n", dlerror());
    MADE(dlopen, "in no mode", r == 0, dlopen("libc.so.6", 0) != NULL);
    printf("dlopen says %s\n", dlerror());
}

static void try_dlclose(struct pair *p) {
    (void)p;
    MADE(dlclose, "of a library", r == 0, dlclose(dlopen("libresolv.so.2", RTLD_NOW)));
    MADE(dlclose, "of the program", r == 0, dlclose(dlopen(NULL, RTLD_NOW)));
}

/* --- signals: USR1 is the one that reports are written on --- */

static volatile sig_atomic_t handled;

static void handler(int sig) {
    handled = sig;
}

/* 0: default, 1: ignored, 2: our handler */
static int disposition(int sig) {
    struct sigaction now;
    if (sigaction(sig, NULL, &now) != 0)
        return -1;
    return now.sa_handler == SIG_DFL ? 0 : now.sa_handler == SIG_IGN ? 1 : 2;
}

static int raised(int sig) {
    handled = 0;
    return raise(sig) == 0 ? handled : -1;
}

static void try_sigaction_of(int sig) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    sigaddset(&act.sa_mask, SIGUSR2);
    GIVES(sigaction, "asked shows the default", 0, disposition(sig));
    GIVES(sigaction, "sets a handler", 0, sigaction(sig, &act, &old));
    GIVES(sigaction, "gave the one before", 1, old.sa_handler == SIG_DFL);
    GIVES(sigaction, "asked shows the handler", 2, disposition(sig));
    GIVES(sigaction, "gives the handler", 0, sigaction(sig, NULL, &old));
    GIVES(sigaction, "gives its flags", SA_RESTART, old.sa_flags & ~0x04000000 /* SA_RESTORER */);
    GIVES(sigaction, "gives its mask", 1, sigismember(&old.sa_mask, SIGUSR2));
    GIVES(sigaction, "has it called", sig, raised(sig));
    act.sa_flags = (int)SA_RESETHAND;
    GIVES(sigaction, "sets a handler for once", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "has it called", sig, raised(sig));
    GIVES(sigaction, "asked shows the default then", 0, disposition(sig));
    act.sa_handler = SIG_IGN;
    GIVES(sigaction, "ignores", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "asked shows that", 1, disposition(sig));
    GIVES(sigaction, "has nothing called", 0, raised(sig));
    act.sa_handler = SIG_DFL;
    GIVES(sigaction, "sets the default", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "asked shows the default", 0, disposition(sig));
}

static void try_sigaction(struct pair *p) {
    struct sigaction act = {.sa_handler = handler};
    (void)p;
    try_sigaction_of(SIGUSR1);
    try_sigaction_of(SIGUSR2);
    FAILS(sigaction, "of KILL", EINVAL, sigaction(SIGKILL, &act, NULL));
    FAILS(sigaction, "of no signal", EINVAL, sigaction(0, NULL, NULL));
    FAILS(sigaction, "of a large number", EINVAL, sigaction(4711, NULL, NULL));
}

#define TRY_SIGNAL(signal, once)                                                                   \
    static void try_##signal##_of(int sig) {                                                       \
        struct sigaction now;                                                                      \
        GIVES(signal, "gives the default", 1, signal(sig, handler) == SIG_DFL);                    \
        sigaction(sig, NULL, &now);                                                                \
        GIVES(signal, "masks it meanwhile", !once, sigismember(&now.sa_mask, sig));                \
        GIVES(signal, "restarts calls", !once, !!(now.sa_flags & SA_RESTART));                     \
        GIVES(signal, "has it called", sig, raised(sig));                                          \
        GIVES(signal, "then asked shows", once ? 0 : 2, disposition(sig));                         \
        signal(sig, SIG_IGN);                                                                      \
        GIVES(signal, "gives what is ignored", 1, signal(sig, SIG_DFL) == SIG_IGN);                \
        FAILS(signal, "of no handler", EINVAL, signal(sig, SIG_ERR));                              \
        GIVES(signal, "leaves the default", 0, disposition(sig));                                  \
        signal(sig, SIG_DFL);                                                                      \
    }                                                                                              \
    static void try_##signal(struct pair *p) {                                                     \
        (void)p;                                                                                   \
        try_##signal##_of(SIGUSR1);                                                                \
        try_##signal##_of(SIGUSR2);                                                                \
        FAILS(signal, "of KILL", EINVAL, signal(SIGKILL, handler));                                \
        FAILS(signal, "of no signal", EINVAL, signal(0, handler));                                 \
    }
TRY_SIGNAL(signal, 0)
TRY_SIGNAL(__sysv_signal, 1)

/* --- wrapped for libunwind's sake --- */

static void try_pipe2(struct pair *p) {
    int fds[2];
    (void)p;
    GIVES(pipe2, "of a pipe", 0, pipe2(fds, O_CLOEXEC));
    GIVES(pipe2, "carries bytes", 3, write(fds[1], "abc", 3));
    GIVES(pipe2, "is two", 0, close(fds[0]) + close(fds[1]));
    FAILS(pipe2, "with bad flags", EINVAL, pipe2(fds, 64));
}

static int stop_at_first(struct dl_phdr_info *info, size_t size, void *data) {
    (void)info;
    (void)size;
    return *(int *)data;
}

static void try_dl_iterate_phdr(struct pair *p) {
    int seven = 7;
    (void)p;
    GIVES(dl_iterate_phdr, "gives what is returned to it", 7,
          dl_iterate_phdr(stop_at_first, &seven));
}

/* --- the table --- */

#define ROW(call)                                                                                  \
    { #call, try_##call }
static const struct {
    const char *call;
    void (*try)(struct pair *);
} rows[] = {
    ROW(socket),   ROW(connect),       ROW(accept),      ROW(accept4),         ROW(close),
    ROW(shutdown), ROW(fclose),        ROW(close_range), ROW(closefrom),       ROW(dup),
    ROW(dup2),     ROW(dup3),          ROW(fcntl),       ROW(fcntl64),         ROW(read),
    ROW(readv),    ROW(recv),          ROW(recvfrom),    ROW(recvmsg),         ROW(write),
    ROW(writev),   ROW(send),          ROW(sendto),      ROW(sendmsg),         ROW(fork),
    ROW(vfork),    ROW(syscall),       ROW(dlopen),      ROW(dlclose),         ROW(sigaction),
    ROW(signal),   ROW(__sysv_signal), ROW(pipe2),       ROW(dl_iterate_phdr), ROW(prctl),
};

/* Where the kernel says EFAULT, whoever stands before it must not look. */
static void try_unreadable(void) {
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_in from;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    FAILS(connect, "to a page without rights", EFAULT, connect(fd, page, sizeof here));
    FAILS(syscall, "connect to that", EFAULT, syscall(SYS_connect, fd, page, sizeof here));
    FAILS(accept, "with a length there", EFAULT,
          (close(knock()), accept(listener, (struct sockaddr *)&from, page)));
    close(fd);
}

static int listen_here(void) {
    socklen_t len = sizeof here;
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    return bind(listener, PEER, len) == 0 && getsockname(listener, PEER, &len) == 0 &&
           listen(listener, 8) == 0;
}

static void try_rows(void) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p = pair_open();
        rows[i].try(&p);
        pair_close(&p);
    }
}

int main(int argc, char **argv) {
    char line[8];
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (!listen_here())
        return 2;
    pair_open(); /* and left open */
    if (argc > 1 && strcmp(argv[1], "unreadable") == 0)
        try_unreadable();
    else
        try_rows();
    puts("READY");
    return fgets(line, sizeof line, stdin) ? wrong : 2;
}
