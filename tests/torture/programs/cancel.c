/* Threads are cancelled. PORT deferred|async read|connect|accept|any: blocked in that call, or at
 * any moment; a cleanup handler closes. Nothing is open at the end. */
#include <pthread.h>

#include "torture.h"

struct victim {
    pthread_t thread;
    int fd;
    _Atomic int tid; /* once it is about to block */
};

enum { FILLERS = 3 };
static const char *type, *where;
static int full_port, listener, filler[FILLERS];

static void close_it(void *fd) {
    if (*(int *)fd >= 0)
        close(*(int *)fd);
}

/* A port whose queue is full: connecting to it blocks. */
static void fill_queue(void) {
    int fd = bound(&full_port);
    if (listen(fd, 0) != 0)
        die("listen");
    struct sockaddr_in a = loopback(full_port);
    for (int i = 0; i < FILLERS; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filler[i], (struct sockaddr *)&a, sizeof a);
    }
}

static void block(struct victim *v) {
    struct sockaddr_in full = loopback(full_port);
    char c;
    if (is(where, "read"))
        (void)!read(v->fd, &c, 1);
    else if (is(where, "connect"))
        connect(v->fd, (struct sockaddr *)&full, sizeof full);
    else
        accept(listener, NULL, NULL);
}

static void *be_cancelled(void *arg) {
    struct victim *v = arg;
    v->fd = is(where, "connect") ? socket(AF_INET, SOCK_STREAM, 0) : dial();
    pthread_cleanup_push(close_it, &v->fd);
    pthread_setcanceltype(is(type, "async") ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED,
                          NULL);
    v->tid = gettid();
    block(v);
    pthread_cleanup_pop(0);
    return NULL;
}

/* A close() that is cancelled may not have closed: no program lets it be. */
static void close_surely(void *fd) {
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    close_it(fd);
    pthread_setcancelstate(before, &before);
}

static void *work(void *arg) {
    struct victim *v = arg;
    for (;;) {
        v->fd = socket(AF_INET, SOCK_STREAM, 0);
        pthread_cleanup_push(close_surely, &v->fd);
        struct sockaddr_in a = loopback(server_port);
        struct linger reset = {.l_onoff = 1};
        connect(v->fd, (struct sockaddr *)&a, sizeof a);
        setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        echo(v->fd);
        pthread_cleanup_pop(1);
    }
    return NULL;
}

/* Asleep in the kernel, as /proc says. */
static void await_sleep(struct victim *v) {
    char path[64], text[256];
    while (!v->tid)
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", v->tid);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
        close(fd);
        char *state = strrchr(text, ')');
        if (state && state[2] == 'S')
            return;
        sched_yield();
    }
}

static void cancel_one(unsigned round) {
    bool any = is(where, "any");
    struct victim v = {.fd = -1};
    struct timespec limit;
    void *result;
    if (pthread_create(&v.thread, NULL, any ? work : be_cancelled, &v) != 0)
        die("pthread_create");
    if (!any)
        await_sleep(&v);
    else
        usleep(round * 37 % 1000);
    pthread_cancel(v.thread);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 10;
    if (pthread_timedjoin_np(v.thread, &result, &limit) != 0)
        die("a cancelled thread did not end");
    if (result != PTHREAD_CANCELED)
        die("not cancelled");
}

int main(int argc, char **argv) {
    type = begin(argc, argv);
    where = argc > 3 ? argv[3] : "any";
    int port;
    unsigned rounds = 0;
    listener = bound(&port);
    listen(listener, 8);
    if (is(where, "connect"))
        fill_queue();
    do
        cancel_one(rounds);
    while (++rounds < 5 || more());
    for (int i = 0; i < FILLERS && is(where, "connect"); i++)
        close(filler[i]);
    dial_and_close();
    ready();
    return 0;
}
