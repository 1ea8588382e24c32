/* The calls that concern the process, the loader and signals (see every_call.h). */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "every_call.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset and its kin are wrapped too   \
                                                            */

sighandler_t bsd_signal(int sig, sighandler_t handler); /* in no header any more */

/* --- the process --- */

static int status_of(pid_t child) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void try_fork(struct pair *p) {
    pid_t child = fork();
    if (child == 0) { /* it has both ends, and closes its own */
        int good = write(p->out, "abc", 3) == 3 && close(p->out) == 0 && close(p->in) == 0;
        _exit(good ? 7 : 8);
    }
    GIVES(fork, "gives a child that ends with 7", 7, status_of(child));
    GIVES(fork, "leaves the parent's open", 2, is_open(p->out) + is_open(p->in));
}

static void try__Fork(struct pair *p) {
    pid_t child = _Fork();
    if (child == 0) {
        int good = write(p->out, "abc", 3) == 3 && close(p->out) == 0 && close(p->in) == 0;
        _exit(good ? 7 : 8);
    }
    GIVES(_Fork, "gives a child that ends with 7", 7, status_of(child));
    GIVES(_Fork, "leaves the parent's open", 2, is_open(p->out) + is_open(p->in));
}

/* What a child of ours, run in a process of its own, writes to a pipe before it ends. */
static int told_by(void (*run)(int to)) {
    int pipe[2], told = -1;
    if (pipe2(pipe, O_CLOEXEC) != 0)
        return -2;
    pid_t child = fork();
    if (child == 0)
        run(pipe[1]);
    close(pipe[1]);
    if (read(pipe[0], &told, sizeof told) != sizeof told)
        told = -3;
    close(pipe[0]);
    return child > 0 ? told + 100 * status_of(child) : -4;
}

static void daemonize(int to) {
    int r = daemon(0, 1);
    r = r == 0 && getppid() != 0 && write(to, &r, sizeof r) == sizeof r ? 7 : 8;
    _exit(r);
}

static void daemonize_silently(int to) {
    int r = daemon(1, 0);
    if (r == 0 && write(STDOUT_FILENO, "lost", 4) == 4 && write(STDERR_FILENO, "lost", 4) == 4)
        r = 5;
    _exit(write(to, &r, sizeof r) == sizeof r ? 7 : 8);
}

static void try_daemon(struct pair *p) {
    (void)p;
    GIVES(daemon, "comes back in a child, its parent ends with 0", 0, told_by(daemonize));
    GIVES(daemon, "puts /dev/null in place of the streams", 5, told_by(daemonize_silently));
}

static void end_at_once(int to) {
    int told = write(to, "\1\0\0", 4) == 4 ? 9 : 8;
    _exit(told);
}

static void end_at_once_by_c99(int to) {
    int told = write(to, "\1\0\0", 4) == 4 ? 9 : 8;
    _Exit(told);
}

static void try__exit(struct pair *p) {
    (void)p;
    GIVES(_exit, "ends with its status", 901, told_by(end_at_once));
}

static void try__Exit(struct pair *p) {
    (void)p;
    GIVES(_Exit, "ends with its status", 901, told_by(end_at_once_by_c99));
}

static int to_tell;

static void tell(void) {
    int two = 2;
    if (write(to_tell, &two, sizeof two) != sizeof two)
        abort();
}

static void end_quickly(int to) {
    to_tell = to;
    at_quick_exit(tell);
    quick_exit(9);
}

static void try_quick_exit(struct pair *p) {
    (void)p;
    GIVES(quick_exit, "runs its handlers and ends with its status", 902, told_by(end_quickly));
}

static void try_vfork(struct pair *p) {
    static pid_t child; /* not in a frame that the child shares */
    static struct pair shared;
    shared = *p;
    child = vfork();
    if (child == 0) {
        close(shared.out);
        dup2(STDIN_FILENO, shared.in);
        _exit(7);
    }
    GIVES(vfork, "gives a child that ends with 7", 7, status_of(child));
    GIVES(vfork, "leaves the parent's open", 2, is_open(shared.out) + is_open(shared.in));
    GIVES(vfork, "leaves the parent's connected", 3, write(shared.out, "abc", 3));
}

static int cloned(void *arg) {
    return *(int *)arg;
}

/* A child that shares our memory and ends the parent's connections, were it taken for the parent.
 */
static int cloned_vfork(void *arg) {
    const struct pair *p = arg;
    close(p->out);
    dup2(STDIN_FILENO, p->in);
    _exit(7);
}

static void try_clone(struct pair *p) {
    static char stack[64 << 10] __attribute__((aligned(16)));
    static int seven = 7;
    char *top = stack + sizeof stack;
    GIVES(clone, "gives a child that ends with 7", 7,
          status_of(clone(cloned, top, SIGCHLD, &seven)));
    GIVES(clone, "as vfork() gives one too", 7,
          status_of(clone(cloned_vfork, top, CLONE_VM | CLONE_VFORK | SIGCHLD, p)));
    GIVES(clone, "leaves the parent's open", 2, is_open(p->out) + is_open(p->in));
    GIVES(clone, "leaves the parent's connected", 3, write(p->out, "abc", 3));
    FAILS(clone, "without a function", EINVAL, clone(NULL, top, SIGCHLD, NULL));
}

#define TRY_EXEC(name, good, bad)                                                                  \
    static void try_##name(struct pair *p) {                                                       \
        char *const argv[] = {"sh", "-c", "exit 9", NULL};                                         \
        int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC), none = open("/", O_RDONLY | O_CLOEXEC);    \
        pid_t pid = fork();                                                                        \
        if (pid == 0) {                                                                            \
            name good;                                                                             \
            _exit(1);                                                                              \
        }                                                                                          \
        GIVES(name, "starts a program", 9, status_of(pid));                                        \
        MADE(name, "of no program", r == -1 && (e == ENOENT || e == EACCES), name bad);            \
        GIVES(name, "that failed leaves the connection", 3, write(p->out, "abc", 3));              \
        close(fd);                                                                                 \
        close(none);                                                                               \
    }
TRY_EXEC(execve, ("/bin/sh", argv, environ), ("/nowhere", argv, environ))
TRY_EXEC(execv, ("/bin/sh", argv), ("/nowhere", argv))
TRY_EXEC(execvp, ("sh", argv), ("no-such-program", argv))
TRY_EXEC(execvpe, ("sh", argv, environ), ("no-such-program", argv, environ))
TRY_EXEC(fexecve, (fd, argv, environ), (none, argv, environ))

static void try_syscall(struct pair *p) {
    struct timeval second = {.tv_sec = 1};
    char c[8];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    GIVES(syscall, "getpid", 1, syscall(SYS_getpid) == getpid());
    FAILS(syscall, "of no number", ENOSYS, syscall(100000));
    OPENS(syscall, "socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    FAILS(syscall, "connect to NULL", EFAULT, syscall(SYS_connect, fd, NULL, sizeof here));
    FAILS(syscall, "connect of -1", EBADF, syscall(SYS_connect, -1, PEER, sizeof here));
    GIVES(syscall, "connect", 0, syscall(SYS_connect, fd, PEER, sizeof here));
    OPENS(syscall, "accept", syscall(SYS_accept, listener, NULL, NULL));
    FAILS(syscall, "accept4 with bad flags", EINVAL, syscall(SYS_accept4, listener, 0, 0, 7));
    feed(p->in, p->out, 3);
    GIVES(syscall, "read of 0 bytes", 0, syscall(SYS_read, p->out, c, 0));
    GIVES(syscall, "read", 3, syscall(SYS_read, p->out, c, sizeof c));
    GIVES(syscall, "write", 3, syscall(SYS_write, p->out, "abc", 3));
    GIVES(syscall, "setsockopt", 0,
          syscall(SYS_setsockopt, p->out, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    FAILS(syscall, "setsockopt from no address", EFAULT,
          syscall(SYS_setsockopt, p->out, SOL_SOCKET, SO_RCVTIMEO, nowhere, sizeof second));
    FAILS(syscall, "setsockopt of -1", EBADF,
          syscall(SYS_setsockopt, -1, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    OPENS(syscall, "dup", syscall(SYS_dup, p->out));
    OPENS(syscall, "fcntl F_DUPFD", syscall(SYS_fcntl, p->out, F_DUPFD, HIGH));
    FAILS(syscall, "dup3 of what is not open", EBADF, syscall(SYS_dup3, NO_FD, p->out, 0));
    OPENS(syscall, "dup3", syscall(SYS_dup3, p->out, HIGH, 0));
#ifdef SYS_dup2
    GIVES(syscall, "dup2 onto itself", p->out, syscall(SYS_dup2, p->out, p->out));
#endif
    GIVES(syscall, "shutdown", 0, syscall(SYS_shutdown, p->out, SHUT_WR));
    FAILS(syscall, "close_range with bad flags", EINVAL,
          syscall(SYS_close_range, p->out, p->out, 64));
    GIVES(syscall, "close_range", 0, syscall(SYS_close_range, p->in, p->in, 0));
    GIVES(syscall, "close", 0, syscall(SYS_close, fd));
    FAILS(syscall, "close of it again", EBADF, syscall(SYS_close, fd));
}

static void try_prctl(struct pair *p) {
    char name[16] = "";
    (void)p;
    GIVES(prctl, "PR_SET_NAME", 0, prctl(PR_SET_NAME, "renamed"));
    GIVES(prctl, "PR_GET_NAME", 0, prctl(PR_GET_NAME, name));
    GIVES(prctl, "has the name", 0, strcmp(name, "renamed"));
    GIVES(prctl, "PR_GET_DUMPABLE", 1, prctl(PR_GET_DUMPABLE));
    FAILS(prctl, "PR_SET_SECCOMP with a wrong mode", EINVAL, prctl(PR_SET_SECCOMP, 99, 0));
    FAILS(prctl, "of no operation", EINVAL, prctl(99999, 0, 0, 0, 0));
}

/* --- the loader; it sets errno as it likes --- */

static void try_dlopen(struct pair *p) {
    (void)p;
    dlerror();
    MADE(dlopen, "of the program", r == 1, dlopen(NULL, RTLD_NOW) != NULL);
    MADE(dlopen, "of libc", r == 1, dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD) != NULL);
    MADE(dlopen, "of no file", r == 0, dlopen("libnothing.so.9", RTLD_LAZY) != NULL);
    printf("dlopen says %s\n", dlerror());
    MADE(dlopen, "in no mode", r == 0, dlopen("libc.so.6", 0) != NULL);
    printf("dlopen says %s\n", dlerror());
}

static void try_dlclose(struct pair *p) {
    (void)p;
    MADE(dlclose, "of a library", r == 0, dlclose(dlopen("libresolv.so.2", RTLD_NOW)));
    MADE(dlclose, "of the program", r == 0, dlclose(dlopen(NULL, RTLD_NOW)));
}

/* --- signals: USR1 is the one that reports are written on --- */

static volatile sig_atomic_t handled;

static void handler(int sig) {
    handled = sig;
}

/* 0: default, 1: ignored, 2: our handler */
static int disposition(int sig) {
    struct sigaction now;
    if (sigaction(sig, NULL, &now) != 0)
        return -1;
    return now.sa_handler == SIG_DFL ? 0 : now.sa_handler == SIG_IGN ? 1 : 2;
}

static int raised(int sig) {
    handled = 0;
    return raise(sig) == 0 ? handled : -1;
}

static void try_sigaction_of(int sig) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    sigaddset(&act.sa_mask, SIGUSR2);
    GIVES(sigaction, "asked shows the default", 0, disposition(sig));
    GIVES(sigaction, "sets a handler", 0, sigaction(sig, &act, &old));
    GIVES(sigaction, "gave the one before", 1, old.sa_handler == SIG_DFL);
    GIVES(sigaction, "asked shows the handler", 2, disposition(sig));
    GIVES(sigaction, "gives the handler", 0, sigaction(sig, NULL, &old));
    GIVES(sigaction, "gives its flags", SA_RESTART, old.sa_flags & ~0x04000000 /* SA_RESTORER */);
    GIVES(sigaction, "gives its mask", 1, sigismember(&old.sa_mask, SIGUSR2));
    GIVES(sigaction, "has it called", sig, raised(sig));
    act.sa_flags = (int)SA_RESETHAND;
    GIVES(sigaction, "sets a handler for once", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "has it called", sig, raised(sig));
    GIVES(sigaction, "asked shows the default then", 0, disposition(sig));
    act.sa_handler = SIG_IGN;
    GIVES(sigaction, "ignores", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "asked shows that", 1, disposition(sig));
    GIVES(sigaction, "has nothing called", 0, raised(sig));
    act.sa_handler = SIG_DFL;
    GIVES(sigaction, "sets the default", 0, sigaction(sig, &act, NULL));
    GIVES(sigaction, "asked shows the default", 0, disposition(sig));
}

static void try_sigaction(struct pair *p) {
    struct sigaction act = {.sa_handler = handler};
    (void)p;
    try_sigaction_of(SIGUSR1);
    try_sigaction_of(SIGUSR2);
    FAILS(sigaction, "of KILL", EINVAL, sigaction(SIGKILL, &act, NULL));
    FAILS(sigaction, "of no signal", EINVAL, sigaction(0, NULL, NULL));
    FAILS(sigaction, "of a large number", EINVAL, sigaction(4711, NULL, NULL));
}

#define TRY_SIGNAL(signal, once)                                                                   \
    static void try_##signal##_of(int sig) {                                                       \
        struct sigaction now;                                                                      \
        GIVES(signal, "gives the default", 1, signal(sig, handler) == SIG_DFL);                    \
        sigaction(sig, NULL, &now);                                                                \
        GIVES(signal, "masks it meanwhile", !once, sigismember(&now.sa_mask, sig));                \
        GIVES(signal, "restarts calls", !once, !!(now.sa_flags & SA_RESTART));                     \
        GIVES(signal, "has it called", sig, raised(sig));                                          \
        GIVES(signal, "then asked shows", once ? 0 : 2, disposition(sig));                         \
        signal(sig, SIG_IGN);                                                                      \
        GIVES(signal, "gives what is ignored", 1, signal(sig, SIG_DFL) == SIG_IGN);                \
        FAILS(signal, "of no handler", EINVAL, signal(sig, SIG_ERR));                              \
        GIVES(signal, "leaves the default", 0, disposition(sig));                                  \
        signal(sig, SIG_DFL);                                                                      \
    }                                                                                              \
    static void try_##signal(struct pair *p) {                                                     \
        (void)p;                                                                                   \
        try_##signal##_of(SIGUSR1);                                                                \
        try_##signal##_of(SIGUSR2);                                                                \
        FAILS(signal, "of KILL", EINVAL, signal(SIGKILL, handler));                                \
        FAILS(signal, "of no signal", EINVAL, signal(0, handler));                                 \
    }
TRY_SIGNAL(signal, 0)
TRY_SIGNAL(bsd_signal, 0)
TRY_SIGNAL(ssignal, 0)
TRY_SIGNAL(__sysv_signal, 1)

static void try_sigset_of(int sig) {
    struct sigaction now;
    GIVES(sigset, "gives the default", 1, sigset(sig, handler) == SIG_DFL);
    sigaction(sig, NULL, &now);
    GIVES(sigset, "masks nothing", 0, sigismember(&now.sa_mask, sig));
    GIVES(sigset, "has it called", sig, raised(sig));
    GIVES(sigset, "holds", 1, sigset(sig, SIG_HOLD) == handler);
    GIVES(sigset, "has nothing called", 0, raised(sig));
    GIVES(sigset, "gives what is held, and has it called", 1, sigset(sig, handler) == SIG_HOLD);
    GIVES(sigset, "has called it", sig, handled);
    GIVES(sigset, "gives the handler", 1, sigset(sig, SIG_DFL) == handler);
    GIVES(sigset, "leaves the default", 0, disposition(sig));
}

static void try_sigset(struct pair *p) {
    (void)p;
    try_sigset_of(SIGUSR1);
    try_sigset_of(SIGUSR2);
    FAILS(sigset, "of KILL", EINVAL, sigset(SIGKILL, handler));
}

static void try_sigignore_of(int sig) {
    GIVES(sigignore, "ignores", 0, sigignore(sig));
    GIVES(sigignore, "then asked shows", 1, disposition(sig));
    GIVES(sigignore, "has nothing called", 0, raised(sig));
    signal(sig, SIG_DFL);
}

static void try_sigignore(struct pair *p) {
    (void)p;
    try_sigignore_of(SIGUSR1);
    try_sigignore_of(SIGUSR2);
    FAILS(sigignore, "of KILL", EINVAL, sigignore(SIGKILL));
}

static int restarts(int sig) {
    struct sigaction now;
    return sigaction(sig, NULL, &now) == 0 ? !!(now.sa_flags & SA_RESTART) : -1;
}

static void try_siginterrupt_of(int sig) {
    signal(sig, handler);
    GIVES(siginterrupt, "of a handler", 0, siginterrupt(sig, 1));
    GIVES(siginterrupt, "then asked shows", 0, restarts(sig));
    signal(sig, handler);
    GIVES(siginterrupt, "holds for signal()", 0, restarts(sig));
    GIVES(siginterrupt, "is taken back", 0, siginterrupt(sig, 0));
    GIVES(siginterrupt, "then asked shows", 1, restarts(sig));
    GIVES(siginterrupt, "has it called", sig, raised(sig));
    signal(sig, SIG_DFL);
}

static void try_siginterrupt(struct pair *p) {
    (void)p;
    try_siginterrupt_of(SIGUSR1);
    try_siginterrupt_of(SIGUSR2);
    FAILS(siginterrupt, "of no signal", EINVAL, siginterrupt(0, 1));
}

/* --- wrapped for libunwind's sake --- */

static void try_pipe2(struct pair *p) {
    int fds[2];
    (void)p;
    GIVES(pipe2, "of a pipe", 0, pipe2(fds, O_CLOEXEC));
    GIVES(pipe2, "carries bytes", 3, write(fds[1], "abc", 3));
    GIVES(pipe2, "is two", 0, close(fds[0]) + close(fds[1]));
    FAILS(pipe2, "with bad flags", EINVAL, pipe2(fds, 64));
}

static int stop_at_first(struct dl_phdr_info *info, size_t size, void *data) {
    (void)info;
    (void)size;
    return *(int *)data;
}

static void try_dl_iterate_phdr(struct pair *p) {
    int seven = 7;
    (void)p;
    GIVES(dl_iterate_phdr, "gives what is returned to it", 7,
          dl_iterate_phdr(stop_at_first, &seven));
}

/* --- the table --- */

static const struct row rows[] = {
    ROW(fork),          ROW(_Fork),           ROW(vfork),      ROW(clone),
    ROW(daemon),        ROW(_exit),           ROW(execve),     ROW(execv),
    ROW(execvp),        ROW(execvpe),         ROW(fexecve),    ROW(_Exit),
    ROW(quick_exit),    ROW(syscall),         ROW(dlopen),     ROW(dlclose),
    ROW(sigaction),     ROW(signal),          ROW(bsd_signal), ROW(ssignal),
    ROW(__sysv_signal), ROW(sigset),          ROW(sigignore),  ROW(siginterrupt),
    ROW(pipe2),         ROW(dl_iterate_phdr), ROW(prctl),
};

int main(void) {
    if (!rows_begin())
        return 2;
    rows_try(rows, sizeof rows / sizeof *rows);
    return rows_end();
}
