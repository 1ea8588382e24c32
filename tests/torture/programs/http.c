/* HTTP on connections that threads share. PORT MODE HTTP_PORT.
 *   pairs            one thread writes the requests of a connection, another reads the responses
 *   chaos            threads write, read, shut and close whatever they find, whoever is at it
 *   cancel TYPE      threads are cancelled, deferred or async, in the middle of their exchanges
 *   handler          a signal handler writes and reads on the connection that main is at
 *   jump             it leaves by siglongjmp() out of the calls that it interrupts
 *   fork             children are forked from the middle of it all, with connections of their own
 * Then all is closed but some connections with an exchange each. Says how many were opened and how
 * many requests were sent, where each has had its response. */
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "timer.h"

#define GET(path) "GET /" path " HTTP/1.1\r\nHost: http.test\r\n\r\n"
static const char get[] = GET("a"), get_big[] = GET("b");
enum {
    KEPT = 5,
    PAIRS = 3,
    MOST_REQUESTS = 20,
    DEPTH = 8,
    ANSWER = 43,
    BIG_ANSWER = 42 + (64 << 10)
};

static _Atomic unsigned long opened, requests;
static _Atomic bool stop;

static unsigned pick(uint64_t *random, unsigned n) {
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*random >> 33) % n;
}

static int open_one(void) {
    opened++;
    return dial();
}

static void write_all(int fd, const char *text) {
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die("write");
}

static void read_all(int fd, size_t n) {
    char text[4096];
    while (n) {
        ssize_t got = read(fd, text, n < sizeof text ? n : sizeof text);
        if (got <= 0)
            die("read");
        n -= (size_t)got;
    }
}

static void exchange(int fd) {
    write_all(fd, get);
    read_all(fd, ANSWER);
    requests++;
}

/* --- pairs ------------------------------------------------------------------------------------ */

struct pair {
    pthread_t thread;
    uint64_t random;
    sem_t depth; /* requests that may be sent before their turn */
    int fd;
    unsigned count;
};

/* In one piece, or in two. */
static void *write_requests(void *arg) {
    struct pair *p = arg;
    uint64_t random = p->count;
    for (unsigned i = 0; i < p->count; i++) {
        while (sem_wait(&p->depth) != 0)
            ;
        struct iovec iov[3] = {{NULL, 0}, {(void *)get, pick(&random, sizeof get - 1)}, {0}};
        iov[2] =
            (struct iovec){(char *)(void *)get + iov[1].iov_len, sizeof get - 1 - iov[1].iov_len};
        if (i % 3)
            write_all(p->fd, get);
        else if (writev(p->fd, iov, 3) != sizeof get - 1)
            die("writev");
    }
    return NULL;
}

static void read_responses(struct pair *p) {
    char text[256];
    size_t left = p->count * (size_t)ANSWER;
    for (size_t done = 0; left > 0;) {
        size_t n = 1 + pick(&p->random, 100);
        ssize_t got = recv(p->fd, text, n < left ? n : left, 0);
        if (got <= 0)
            die("recv");
        left -= (size_t)got;
        for (done += (size_t)got; done >= ANSWER; done -= ANSWER)
            sem_post(&p->depth);
    }
}

static void *be_pair(void *arg) {
    struct pair p = {.random = (uintptr_t)arg};
    pthread_t writer;
    while (!stop) {
        p.fd = open_one();
        setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        p.count = 1 + pick(&p.random, MOST_REQUESTS);
        sem_init(&p.depth, 0, 1 + pick(&p.random, DEPTH));
        if (pthread_create(&writer, NULL, write_requests, &p) != 0)
            die("pthread_create");
        read_responses(&p);
        pthread_join(writer, NULL);
        requests += p.count;
        close(p.fd);
    }
    return NULL;
}

static void threads_do(void *(*work)(void *), int n, void (*meanwhile)(void)) {
    pthread_t thread[16];
    for (intptr_t i = 0; i < n; i++)
        pthread_create(&thread[i], NULL, work, (void *)(i + 1));
    meanwhile();
    stop = true;
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
}

static void wait_for_the_end(void) {
    while (more())
        usleep(1000);
}

/* --- chaos ------------------------------------------------------------------------------------ */

enum { SHARED = 4 };
static _Atomic int shared[SHARED];

static void one_of_many(uint64_t *random) {
    static const char *const texts[] = {
        get,      get,          get_big, GET("c"),
        GET("e"), "EHLO x\r\n", "GET /", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    char buf[600];
    struct iovec iov[3] = {{NULL, 0}, {buf, 7}, {buf + 7, 500}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 3};
    unsigned at = pick(random, SHARED), what = pick(random, 40);
    int fd = shared[at];
    const char *text = texts[pick(random, 8)];
    if (what == 0) {
        int next = dial();
        fd = atomic_exchange(&shared[at], next);
        if (pick(random, 2))
            shutdown(fd, SHUT_RDWR);
        close(fd);
    } else if (what == 1) {
        shutdown(fd, pick(random, 3) ? SHUT_WR : SHUT_RD);
    } else if (what < 20) {
        send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (what < 25) {
        recv(fd, buf, sizeof buf, MSG_DONTWAIT | (what % 2 ? MSG_PEEK : MSG_TRUNC));
    } else if (what < 30) {
        recvmsg(fd, &m, MSG_DONTWAIT);
    } else {
        recv(fd, buf, 1 + pick(random, 500), MSG_DONTWAIT);
    }
}

static void *be_chaotic(void *arg) {
    uint64_t random = (uintptr_t)arg;
    while (!stop)
        one_of_many(&random);
    return NULL;
}

static void chaos(void) {
    for (int i = 0; i < SHARED; i++)
        shared[i] = dial();
    threads_do(be_chaotic, 8, wait_for_the_end);
    for (int i = 0; i < SHARED; i++)
        close(shared[i]);
}

/* --- cancelled -------------------------------------------------------------------------------- */

static int cancel_type;

static void close_surely(void *fd) {
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    close(*(volatile int *)fd);
    pthread_setcancelstate(before, &before);
}

/* Asynchronously only while it reads: a system call away from wherever it may be left. */
static void *be_cancelled(void *arg) {
    char text[64];
    volatile int fd = -1; /* of before setjmp(), as the macro has it */
    (void)arg;
    pthread_cleanup_push(close_surely, (void *)(uintptr_t)&fd);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    fd = open_one();
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    for (;;) {
        write_all(fd, get_big);
        pthread_setcanceltype(cancel_type, NULL);
        for (size_t left = BIG_ANSWER; left;) {
            ssize_t n = read(fd, text, left < sizeof text ? left : sizeof text);
            if (n <= 0)
                die("read");
            left -= (size_t)n;
        }
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancels(const char *type) {
    cancel_type = is(type, "async") ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
    for (unsigned round = 0; round < 50 || more(); round++) {
        pthread_t thread;
        struct timespec limit;
        void *result;
        if (pthread_create(&thread, NULL, be_cancelled, NULL) != 0)
            die("pthread_create");
        usleep(100 + round * 37 % 900);
        pthread_cancel(thread);
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += 10;
        if (pthread_timedjoin_np(thread, &result, &limit) != 0 || result != PTHREAD_CANCELED)
            die("a cancelled thread did not end");
    }
}

/* --- interrupted ------------------------------------------------------------------------------ */

static volatile int current = -1;
static volatile bool may_jump;
static volatile unsigned long handled;
static sigjmp_buf back;

static void on_timer(int sig) {
    int saved = errno;
    char text[100];
    (void)sig;
    handled++;
    if (current >= 0) {
        (void)!send(current, get, sizeof get - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)!recv(current, text, sizeof text, MSG_DONTWAIT);
    }
    errno = saved;
    if (!stop)
        timer_arm();
    if (may_jump) {
        may_jump = false;
        siglongjmp(back, 1);
    }
}

/* How much comes is the handler's affair, too. */
static void talk(int fd) {
    char text[50];
    (void)!send(fd, get, sizeof get - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (int i = 0; i < 20; i++)
        (void)!recv(fd, text, 1 + (size_t)i, MSG_DONTWAIT);
}

static void is_interrupted(void) {
    timer_begin(on_timer);
    while (more()) {
        int fd = dial();
        current = fd;
        for (int i = 0; i < 20; i++)
            talk(fd);
        current = -1;
        close(fd);
    }
}

static void is_jumped_out_of(void) {
    volatile int fd = -1;
    timer_begin(on_timer);
    while (more()) {
        fd = dial();
        if (sigsetjmp(back, 1) == 0) {
            may_jump = true;
            while (may_jump)
                talk(fd);
        }
        may_jump = false;
        close(fd);
    }
}

/* --- forked ----------------------------------------------------------------------------------- */

static int kept;

static void be_child(void) {
    alarm(20);
    exchange(kept);
    int fd = dial();
    exchange(fd);
    close(fd);
    close(kept);
    _exit(0);
}

static void fork_all_the_time(void) {
    for (int i = 0; i < 20 || more(); i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            be_child();
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            die("child");
        exchange(kept);
    }
}

static void forks(void) {
    kept = open_one();
    exchange(kept);
    threads_do(be_pair, 2, fork_all_the_time);
    close(kept);
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    server_port = atoi(argv[3]);
    if (is(mode, "pairs"))
        threads_do(be_pair, PAIRS, wait_for_the_end);
    else if (is(mode, "chaos"))
        chaos();
    else if (is(mode, "cancel"))
        cancels(argv[4]);
    else if (is(mode, "handler"))
        is_interrupted();
    else if (is(mode, "jump"))
        is_jumped_out_of();
    else
        forks();
    stop = true;
    if (handled)
        timer_delete(timer);
    for (int i = 0; i < KEPT; i++)
        exchange(open_one());
    dprintf(1, "%lu %lu\n", opened, requests);
    ready();
    return 0;
}
