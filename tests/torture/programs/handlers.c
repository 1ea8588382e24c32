/* A signal handler writes, connects and closes at several kHz. PORT connect|dlopen|jump [PLUGIN]:
 * what the main thread does meanwhile; in `jump`, the handler leaves by siglongjmp() and other
 * threads measure whether a call of theirs stalls. Five connections are open at the end. */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>

#include "timer.h"

enum { KEPT = 5, THREADS = 2, HIGHEST = 256 };
static const double STALL = 1.2; /* a second is what a lost SYN costs: no fault of ours */

static int pipes[2];
static volatile sig_atomic_t jumps;
static volatile bool may_jump, stop;
static sigjmp_buf back;
static volatile unsigned long handled, rounds;

static void on_timer(int sig) {
    int saved = errno;
    (void)sig;
    handled++;
    (void)!write(pipes[1], "x", 1);
    int fd = dial_plainly(handled % 2 ? server_port : refusing_port);
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (!stop)
        timer_arm();
    if (may_jump) {
        may_jump = false;
        siglongjmp(back, 1);
    }
}

static void connects(void) {
    for (; more(); rounds++) {
        int fd = dial();
        echo(fd);
        close(dup(fd));
        close(fd);
    }
}

static void *dial_once(void *unused) {
    dial_and_close();
    return unused;
}

static void dlopens(const char *plugin) {
    for (; more(); rounds++) {
        pthread_t thread;
        void *handle = dlopen(plugin, RTLD_NOW);
        if (!handle)
            die(dlerror());
        dial_and_close();
        dlclose(handle);
        if (rounds % 8 == 0 && pthread_create(&thread, NULL, dial_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
}

static void *measure(void *unused) {
    static const char complaint[] = "a call stalled\n";
    while (!stop) {
        double before = now();
        dial_plainly(refusing_port);
        if (now() - before > STALL && write(2, complaint, sizeof complaint - 1) < 0)
            die("write");
    }
    return unused;
}

/* What a jump left open is closed one by one. */
static void jump(void) {
    while (more()) {
        if (sigsetjmp(back, 1) == 0) {
            may_jump = true;
            for (;; rounds++)
                close(dial_plainly(server_port));
        }
        jumps++;
        for (int fd = pipes[1] + 1; jumps % 64 == 0 && fd < HIGHEST; fd++)
            close(fd);
    }
}

static void jumps_among_threads(void) {
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, measure, NULL);
    jump();
    stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    closefrom(pipes[1] + 1);
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    if (pipe2(pipes, O_NONBLOCK) != 0)
        die("pipe2");
    timer_begin(on_timer);
    if (is(mode, "connect"))
        connects();
    else if (is(mode, "dlopen"))
        dlopens(argv[3]);
    else
        jumps_among_threads();
    stop = true;
    timer_delete(timer);
    for (int i = 0; i < KEPT; i++)
        dial();
    dprintf(1, "handled %lu rounds %lu jumps %d\n", handled, rounds, (int)jumps);
    ready();
    return 0;
}
