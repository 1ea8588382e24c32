/* What every_call.c and every_process_call.c share: one line for each case of each call of
 * shim/wrap/real.def, made on a connected loopback socket: its result and errno. What is printed
 * must be the same bare and guarded; what the table expects is checked here, and the exit status
 * says whether all of it came. Afterwards a pair stays open, for whoever looks from outside, until
 * a line comes on stdin. */
#ifndef EVERY_CALL_H
#define EVERY_CALL_H

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

__attribute__((unused)) static volatile int few = -1; /* the compiler is not to know */
static int listener, wrong;
static struct sockaddr_in here;
__attribute__((unused)) static void *volatile nowhere = (void *)1;
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
__attribute__((unused)) static void feed(int from, int to, size_t n) {
    char c;
    if (send(from, "abcdefgh", n, 0) != (ssize_t)n || recv(to, &c, 1, MSG_PEEK) != 1)
        exit(4);
}

struct row {
    const char *call;
    void (*try)(struct pair *);
};
#define ROW(call)                                                                                  \
    { #call, try_##call }

static int listen_here(void) {
    socklen_t len = sizeof here;
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    return bind(listener, PEER, len) == 0 && getsockname(listener, PEER, &len) == 0 &&
           listen(listener, 8) == 0;
}

static void rows_try(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct pair p = pair_open();
        rows[i].try(&p);
        pair_close(&p);
    }
}

static int rows_begin(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (!listen_here())
        return 0;
    pair_open(); /* and left open */
    return 1;
}

static int rows_end(void) {
    char line[8];
    puts("READY");
    return fgets(line, sizeof line, stdin) ? wrong : 2;
}

#endif
