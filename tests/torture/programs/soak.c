/* PORT SECONDS CONNECTIONS: 24 threads do what programs do with connections, at random, for so long
 * and so often; then everything is closed. Says what it has opened and what failed. */
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

#include "torture.h"

enum { THREADS = 24, HELD = 16 };

static _Atomic unsigned long opened, failed, children;
static unsigned long enough;
static int file;

struct worker {
    pthread_t thread;
    uint64_t random;
    int fd[HELD]; /* -1: none */
};

static unsigned pick(struct worker *w, unsigned n) {
    w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(w->random >> 33) % n;
}

static void drop(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void renew(int *fd) {
    drop(fd);
    *fd = dial();
    opened++;
}

static void fail_to_connect(void) {
    if (dial_plainly(refusing_port) >= 0)
        die("not refused");
    opened++;
    failed++;
}

/* Another descriptor of the same connection may have been shut down: then it fails. */
static void talk(int fd, bool from_file) {
    off_t from = 0;
    char text[64] = "x";
    ssize_t n = from_file ? sendfile(fd, file, &from, 32) : write(fd, text, 32);
    if (n == 32)
        (void)!read(fd, text, sizeof text);
}

static __attribute__((noinline, noreturn)) void be_new(int fd) {
    if (fd >= 0)
        close(fd);
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

static void await(pid_t child) {
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die("child");
    children++;
}

static void spawn(int fd) {
    pid_t child = vfork();
    if (child == 0)
        be_new(fd);
    await(child);
}

/* The child has connections of its own, too, and closes its parent's. */
static void split(int fd) {
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        if (fd >= 0)
            close(fd);
        dial_and_close();
        _exit(0);
    }
    await(child);
}

/* Half of them live for seconds, so that whoever looks from outside sees some before and after. */
static int *pick_one(struct worker *w) {
    return &w->fd[pick(w, pick(w, 100) ? HELD / 2 : HELD)];
}

static void act(struct worker *w) {
    int *a = pick_one(w), *b = pick_one(w);
    unsigned what = pick(w, 4000);
    if (what < 2)
        split(*a);
    else if (what < 4)
        spawn(*a);
    else if (what < 1800)
        renew(a);
    else if (what < 2000)
        fail_to_connect();
    else if (*a < 0)
        return;
    else if (what < 2600)
        drop(a);
    else if (what < 2800)
        talk(*a, false);
    else if (what < 3000)
        talk(*a, true);
    else if (what < 3300 && a != b)
        drop(b), *b = dup(*a);
    else if (what < 3600 && *b >= 0)
        dup2(*a, *b);
    else if (what < 3700)
        shutdown(*a, SHUT_WR), drop(a);
    else if (what < 3710)
        usleep(100000);
}

static void *work(void *arg) {
    struct worker *w = arg;
    while (more() || opened < enough)
        act(w);
    for (int i = 0; i < HELD; i++)
        drop(&w->fd[i]);
    return NULL;
}

int main(int argc, char **argv) {
    static struct worker worker[THREADS];
    double seconds = atof(begin(argc, argv));
    enough = strtoul(argv[3], NULL, 10);
    loop_end = now() + seconds;
    alarm(0);
    signal(SIGPIPE, SIG_IGN);
    file = open("/proc/self/exe", O_RDONLY);
    for (int i = 0; i < THREADS; i++) {
        worker[i].random = (uint64_t)i * 977 + 1;
        memset(worker[i].fd, -1, sizeof worker[i].fd);
        pthread_create(&worker[i].thread, NULL, work, &worker[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(worker[i].thread, NULL);
    dprintf(1, "%lu %lu %lu\n", opened, failed, children);
    ready();
    return 0;
}
