/* Closes a descriptor twice, in the way that its argument names; then waits for a line.
 *
 *   owner     one thread, two functions: finish() and then cleanup()
 *   stream    a stream's descriptor, then the stream
 *   raw       as owner, the second time by syscall()
 *   stranger  culprit() closes its own connection twice, and by then the number is owner()'s
 *   sweep     every number from 3 up, some of which were connections
 *   reopened  the number was a file meanwhile, properly closed
 *   swept     the number was a file meanwhile, and closed with all others
 *   moved     the number was a duplicate meanwhile, and closed by close_range()
 *   hole      every number but one
 *   directory the number was a directory's meanwhile, closed by closedir()
 *   interrupted  once too often again and again, while a handler closes many
 *   loop      connections opened and closed, once each */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone))
#define NO_TAIL_CALL __asm__ volatile("")

static struct sockaddr_in here = {.sin_family = AF_INET};
static socklen_t len = sizeof here;

KEPT static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&here, len) != 0)
        exit(3);
    return fd;
}

KEPT static void finish(int fd) {
    close(fd);
    NO_TAIL_CALL;
}

KEPT static void cleanup(int fd) {
    close(fd);
    __asm__ volatile("nop"); /* or the compiler makes it one with finish() */
}

KEPT static void by_owner(void) {
    int fd = dial();
    finish(fd);
    cleanup(fd);
}

KEPT static void by_stream(void) {
    FILE *f = fdopen(dial(), "r+");
    finish(fileno(f));
    fclose(f);
    NO_TAIL_CALL;
}

KEPT static void by_raw_call(void) {
    int fd = dial();
    finish(fd);
    syscall(SYS_close, fd);
    NO_TAIL_CALL;
}

static pthread_barrier_t turn;

KEPT static void *culprit(void *unused) {
    int fd = dial();
    finish(fd);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); /* the number is owner's now */
    finish(fd);
    pthread_barrier_wait(&turn);
    return unused;
}

KEPT static void by_stranger(void) {
    pthread_t t;
    pthread_barrier_init(&turn, NULL, 2);
    pthread_create(&t, NULL, culprit, NULL);
    pthread_barrier_wait(&turn);
    int fd = dial();
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    cleanup(fd);
    pthread_join(t, NULL);
}

KEPT static void by_sweep(void) {
    for (int i = 0; i < 5; i++)
        finish(dial());
    for (int fd = 3; fd < 64; fd++)
        close(fd);
}

KEPT static void by_sweep_downwards(void) {
    int fd[6];
    for (int i = 0; i < 6; i++)
        fd[i] = dial();
    for (int i = 0; i < 6; i++)
        finish(fd[i]);
    for (int n = 63; n >= 3; n--)
        close(n);
}

KEPT static void after_reopening(void) {
    int fd = dial();
    finish(fd);
    if (open("/dev/null", O_RDONLY) != fd)
        exit(4);
    finish(fd);
    close(fd); /* a mistake, but not the connection's */
}

KEPT static void after_sweeping(void) {
    int fd = dial();
    finish(fd);
    if (open("/dev/null", O_RDONLY) != fd)
        exit(4);
    closefrom(fd);
    close(fd);
}

KEPT static void after_moving(void) {
    int fd = dial();
    finish(fd);
    dup2(STDIN_FILENO, fd);
    close_range((unsigned)fd, (unsigned)fd, 0);
    close(fd);
}

/* Every number but one, in turn. */
KEPT static void by_sweep_with_a_hole(void) {
    int fd[5];
    for (int i = 0; i < 5; i++)
        fd[i] = dial();
    for (int i = 0; i < 5; i++)
        finish(fd[i]);
    for (int n = fd[0]; n <= fd[4]; n++)
        if (n != fd[2])
            close(n);
}

/* A directory had the number last, and libc closed it. */
KEPT static void after_a_directory(void) {
    int fd = dial();
    finish(fd);
    DIR *dir = opendir("/");
    if (dirfd(dir) != fd)
        exit(4);
    closedir(dir);
    close(fd);
}

static void close_sixteen(int sig) {
    (void)sig;
    for (int fd = 100; fd < 116; fd++)
        close(fd);
}

/* Signals come while a close too many is being noted, and their handler closes many others. */
KEPT static void by_owner_interrupted(void) {
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    int fd = dial();
    finish(fd);
    signal(SIGALRM, close_sixteen);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 50000; i++)
        cleanup(fd);
    setitimer(ITIMER_REAL, &never, NULL);
}

KEPT static void in_a_loop(void) {
    for (int i = 0; i < 50; i++)
        finish(dial());
}

static const struct {
    const char *name;
    void (*run)(void);
} way[] = {{"owner", by_owner},
           {"stream", by_stream},
           {"raw", by_raw_call},
           {"stranger", by_stranger},
           {"sweep", by_sweep},
           {"sweep-down", by_sweep_downwards},
           {"reopened", after_reopening},
           {"hole", by_sweep_with_a_hole},
           {"directory", after_a_directory},
           {"interrupted", by_owner_interrupted},
           {"swept", after_sweeping},
           {"moved", after_moving},
           {"loop", in_a_loop}};

int main(int argc, char **argv) {
    char line[8];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc < 2 || bind(listener, (struct sockaddr *)&here, len) != 0 ||
        listen(listener, 64) != 0 || getsockname(listener, (struct sockaddr *)&here, &len) != 0)
        return 2;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (strcmp(argv[1], way[i].name) == 0)
            way[i].run();
    puts("READY");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
