/* Ends in one of the ways that there are, with two connections that the server has closed.
 * PORT MODE */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "torture.h"

static void at_quick_exit_(void) {
    say("at_quick_exit");
}

static void at_exit_(void) {
    say("atexit");
}

static void *outlive(void *main_thread) {
    pthread_join(*(pthread_t *)main_thread, NULL);
    say("last thread");
    exit(5);
}

static void end(const char *mode) {
    static pthread_t self, thread;
    self = pthread_self();
    if (is(mode, "exit"))
        exit(5);
    if (is(mode, "_exit"))
        _exit(5);
    if (is(mode, "_Exit"))
        _Exit(5);
    if (is(mode, "quick_exit"))
        quick_exit(5);
    if (is(mode, "abort"))
        abort();
    if (is(mode, "kill"))
        raise(SIGKILL);
    if (is(mode, "term"))
        raise(SIGTERM);
    if (is(mode, "segv"))
        *(volatile int *)16 = 1;
    if (is(mode, "exec"))
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    if (is(mode, "pthread_exit")) {
        pthread_create(&thread, NULL, outlive, &self);
        pthread_exit(NULL);
    }
}

/* A child that fails to exec ends by _exit(): what it shares with its parent is no leak of its. */
static void fail_to_exec(void) {
    pid_t child = fork();
    if (child == 0) {
        execl("/nowhere/at/all", "nothing", (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    char c;
    atexit(at_exit_);
    at_quick_exit(at_quick_exit_);
    for (int i = 0; i < 2; i++) {
        int fd = dial();
        if (write(fd, "Q", 1) != 1 || read(fd, &c, 1) != 0)
            die("read");
    }
    if (is(mode, "child")) {
        fail_to_exec();
        closefrom(3);
        _exit(5);
    }
    await_line();
    /* leak_after, 1 ms, passes by the clock of the records, whose ticks are of up to 10 ms. */
    usleep(20000);
    end(mode);
    return 5;
}
