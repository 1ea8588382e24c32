/* What differs by architecture, under the library: the calls that are assembly stubs (vfork,
 * syscall, dlopen), descriptors wiped in a forked child, stacks. Each connection that stays open is
 * opened by a function whose name says what tests/aarch64/run expects of it in the report, which
 * this program asks for by the signal. Exits with 1 when a call's own result is wrong. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "WRONG %s:%d: %s (%s)\n", __func__, __LINE__, #x, strerror(errno));    \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct sockaddr_in here;
static int listener;
#define PEER ((struct sockaddr *)&here)

static void listens(void) {
    socklen_t n = sizeof here;
    here = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, PEER, n) == 0 && getsockname(listener, PEER, &n) == 0);
    CHECK(listen(listener, 1000) == 0);
}

/* Not without the library: the signal would kill us. */
static void asks_for_report(void) {
    if (getenv("POOLGUARD_LEAK_AFTER"))
        CHECK(raise(SIGUSR1) == 0);
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && connect(fd, PEER, sizeof here) == 0);
    return fd;
}

static void nap(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void closes(void) {
    int fd = dial();
    CHECK(close(fd) == 0 && close(fd) == -1 && errno == EBADF);
}

static void closes_by_syscall(void) {
    int fd = dial();
    errno = 0;
    CHECK(syscall(SYS_close, fd) == 0 && errno == 0);
    CHECK(syscall(SYS_close, fd) == -1 && errno == EBADF);
    CHECK(syscall(SYS_getpid) == getpid()); /* a number that is none of the library's */
}

static void opens_by_syscall(void) {
    int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    CHECK(syscall(SYS_connect, fd, PEER, sizeof here) == 0);
    CHECK(syscall(SYS_write, fd, "x", 1) == 1);
}

static void keeps_a_duplicate(void) {
    int fd = dial(), other = dup(fd);
    CHECK(other >= 0 && close(fd) == 0);
}

static void closes_by_dup2(void) {
    int fd = dial(), other = dial();
    CHECK(dup2(fd, other) == other && close(fd) == 0 && close(other) == 0);
    fd = dial(), other = dial();
    CHECK(syscall(SYS_dup3, fd, other, 0) == other && close(fd) == 0 && close(other) == 0);
}

/* The child may do nothing but this: it runs on our memory (vfork(2)). */
static int true_status(int fd) {
    static char *const argv[] = {"true", NULL}, *const none[] = {NULL};
    int status = -1;
    pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        dup2(STDIN_FILENO, fd);
        execve("/bin/true", argv, none);
        _exit(127);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

/* The caller's registers and frame are as they were, each of the two times that vfork() returns. */
static void keeps_across_vfork(void) {
    volatile long above[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    int fd = dial(), sum = 0;
    for (int i = 0; i < 3; i++)
        CHECK(true_status(fd) == 0);
    for (int i = 0; i < 8; i++)
        sum += (int)above[i];
    CHECK(sum == 36);
}

static void keeps_by_plugin(void) {
    void *plugin = dlopen("libcallsplugin.so", RTLD_NOW | RTLD_DEEPBIND);
    if (!plugin)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(plugin);
    int (*dials)(const struct sockaddr_in *) =
        (int (*)(const struct sockaddr_in *))dlsym(plugin, "plugin_dials");
    CHECK(dials && dials(&here) >= 0);
}

/* The whole stack, frames of a signal handler among them. */
static void keeps_in_handler(int sig) {
    (void)sig;
    dial();
}

static void keeps_where_interrupted(void) {
    signal(SIGUSR2, keeps_in_handler);
    CHECK(raise(SIGUSR2) == 0);
}

static void leaks_peer_closed(void) {
    listens();
    dial();
    CHECK(close(accept(listener, NULL, NULL)) == 0);
}

static void leaks_never_closed(void) {
    for (int i = 0; i < 3; i++, nap(30))
        dial();
}

static void keeps_in_child(void) {
    dial();
}

/* The child knows nothing of the parent's but what it inherits, and what it closes stays open
 * there. */
static void forks(void) {
    int fd = dial(), status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 3; i < 64; i++)
            if (i != fd)
                close(i);
        keeps_in_child();
        asks_for_report();
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(close(fd) == 0);
}

/* Enough captures for libunwind to be loaded and used, closed again. */
static void closes_many(void) {
    for (int i = 0; i < 200; i++)
        close(dial());
}

/* One call site, whichever unwinder was at work. */
static void keeps_two(void) {
    for (int i = 0; i < 2; i++) {
        dial();
        if (i == 0) {
            closes_many();
            nap(30);
        }
    }
}

int main(void) {
    listens();
    closes();
    closes_by_syscall();
    opens_by_syscall();
    keeps_a_duplicate();
    closes_by_dup2();
    keeps_across_vfork();
    keeps_by_plugin();
    keeps_where_interrupted();
    leaks_never_closed();
    forks();
    keeps_two();
    leaks_peer_closed();
    nap(300);
    asks_for_report();
    return 0;
}
