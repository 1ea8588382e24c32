/* Installs a filter that kills for whatever it does not do itself, and goes on connecting.
 * PORT prctl|syscall|tsync|strict [first]: `first` has connections before, else none.
 * Then: lines, each answered by connecting and closing; the end of input ends it. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "torture.h"

#define ALLOW(nr)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_read),
    ALLOW(SYS_write),
    ALLOW(SYS_socket),
    ALLOW(SYS_connect),
    ALLOW(SYS_close),
    ALLOW(SYS_rt_sigreturn),
    ALLOW(SYS_exit),
    ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static void handler(int sig) {
    int saved = errno;
    (void)sig;
    close(dial_plainly(server_port));
    errno = saved;
}

static _Atomic int running;

static void *dial_for_ever(void *unused) {
    for (running++;;)
        close(dial_plainly(server_port));
    return unused;
}

static void lock_down(const char *how) {
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    long r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (r == 0 && is(how, "strict"))
        r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    else if (r == 0 && is(how, "prctl"))
        r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    else if (r == 0)
        r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                    is(how, "tsync") ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program);
    if (r != 0)
        die("seccomp");
}

static int next_line(void) {
    char c = 0;
    while (c != '\n') {
        ssize_t n = read(0, &c, 1);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    const char *how = begin(argc, argv);
    pthread_t thread;
    alarm(60);
    signal(SIGUSR2, handler);
    for (int i = 0; i < 3 && argc > 3; i++)
        dial_plainly(server_port);
    for (int i = 0; i < 2 && is(how, "tsync"); i++)
        pthread_create(&thread, NULL, dial_for_ever, NULL);
    while (is(how, "tsync") && running < 2)
        sched_yield();
    lock_down(how);
    bool strict = is(how, "strict");
    (void)!write(1, "READY\n", 6);
    while (next_line()) {
        for (int i = 0; i < 100 && !strict; i++)
            close(dial_plainly(server_port));
        (void)!write(1, "OK\n", 3);
    }
    if (strict)
        syscall(SYS_exit, 7);
    exit(7);
}
