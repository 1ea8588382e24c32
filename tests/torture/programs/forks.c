/* Forks without exec from a process whose threads connect all the time. The children connect,
 * report and end. PORT fork|_Fork|raw-fork|raw-clone|clone: how. The last child stays, keeps what
 * it inherited, and says its pid. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "torture.h"

enum { THREADS = 3 };
static const char *how;
static int kept;
static volatile bool stop;

static void *dial_all_the_time(void *unused) {
    while (!stop) {
        int fd = dial(), twin = dup(fd);
        close(fd);
        close(twin);
    }
    return unused;
}

static int be_child(void *stays) {
    alarm(stays ? 60 : 15);
    dial();
    dial_and_close();
    if (!stays)
        close(kept);
    kill(getpid(), SIGUSR1);
    if (stays) {
        pid_t self = getpid();
        char text[16] = "";
        int at = sizeof text - 1;
        for (text[--at] = '\n'; self > 0; self /= 10)
            text[--at] = (char)('0' + self % 10);
        (void)!write(1, text + at, strlen(text + at));
        await_line();
    }
    return 0;
}

static pid_t split(bool stays) {
    static _Alignas(16) char stack[1 << 16];
    void *arg = stays ? &kept : NULL;
    pid_t pid = -1;
    if (is(how, "clone"))
        return clone(be_child, stack + sizeof stack, SIGCHLD, arg);
    if (is(how, "fork"))
        pid = fork();
    else if (is(how, "_Fork"))
        pid = _Fork();
    else if (is(how, "raw-fork"))
        pid = (pid_t)syscall(SYS_fork);
    else
        pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(be_child(arg));
    return pid;
}

static void await(pid_t child) {
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("waitpid");
    if (status != 0)
        dprintf(2, "a child ended with %x\n", status);
}

int main(int argc, char **argv) {
    pthread_t thread[THREADS];
    unsigned children = 0;
    how = begin(argc, argv);
    kept = dial();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, dial_all_the_time, NULL);
    do
        await(split(false));
    while (++children < 20 || more());
    pid_t last = split(true);
    await(last);
    stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    echo(kept);
    dprintf(1, "%u children\n", children);
    ready();
    return 0;
}
