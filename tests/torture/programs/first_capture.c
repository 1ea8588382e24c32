/* PORT DELAY COUNT: a handler leaves by siglongjmp() DELAY us after COUNT connections have been
 * made: the guard may be setting itself up then, or loading what it needs for deep stacks.
 * Afterwards another thread must be able to connect and to use the loader. */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "torture.h"

static sigjmp_buf back;

static void on_alarm(int sig) {
    (void)sig;
    siglongjmp(back, 1);
}

static void *use_loader(void *unused) {
    void *handle = dlopen("libresolv.so.2", RTLD_NOW);
    if (!handle || dlclose(handle) != 0)
        die("loader");
    dial_plainly(refusing_port);
    return unused;
}

int main(int argc, char **argv) {
    struct itimerval soon = {.it_value.tv_usec = 1 + atol(begin(argc, argv))}, none = {0};
    pthread_t thread;
    if (argc < 4)
        return 2;
    signal(SIGALRM, on_alarm);
    for (int i = 0; i < atoi(argv[3]); i++)
        dial_plainly(refusing_port);
    if (sigsetjmp(back, 1) == 0) {
        setitimer(ITIMER_REAL, &soon, NULL);
        for (;;)
            dial_plainly(refusing_port);
    }
    setitimer(ITIMER_REAL, &none, NULL);
    signal(SIGALRM, SIG_DFL);
    alarm(5);
    if (pthread_create(&thread, NULL, use_loader, NULL) != 0 || pthread_join(thread, NULL) != 0)
        die("thread");
    return 0;
}
