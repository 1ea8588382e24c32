/* Ways in which a descriptor becomes another. PORT MODE; a line from the test before and after. */
#include <sys/stat.h>

#include "torture.h"

static FILE *stream(int fd) {
    FILE *f = fdopen(fd, "r+");
    if (!f)
        die("fdopen");
    return f;
}

static void move(const char *mode, int a, int b) {
    if (is(mode, "dup2")) {
        dup2(a, b);
    } else if (is(mode, "dup2-same")) {
        dup2(a, a);
    } else if (is(mode, "dup3-file")) {
        dup3(open("/dev/null", O_RDWR), a, O_CLOEXEC);
    } else if (is(mode, "dup2-failed")) {
        dup2(1000, a);
    } else if (is(mode, "fclose")) {
        fclose(stream(a));
    } else if (is(mode, "freopen")) {
        if (!freopen("/dev/null", "r", stream(a)))
            die("freopen");
    } else if (is(mode, "freopen-failed")) {
        if (freopen("/nowhere/at/all", "r", stream(a)))
            die("freopen");
    } else if (is(mode, "fcloseall")) {
        stream(a);
        fcloseall();
    } else if (is(mode, "disconnect")) {
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        connect(a, &none, sizeof none);
    } else {
        die(mode);
    }
}

/* What the parent had on its three standard descriptors is gone in the daemon. */
static void become_daemon(int a, int b) {
    int out = fcntl(1, F_DUPFD_CLOEXEC, 20), in = fcntl(0, F_DUPFD_CLOEXEC, 20);
    dup2(a, 0);
    close(a);
    dup2(b, 2);
    if (daemon(1, 0) != 0)
        _exit(93);
    dup2(in, 0);
    dup2(out, 1);
    dprintf(1, "%d\n", (int)getpid());
    close(b);
    dial();
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    int a = dial(), b = dial();
    dial();
    ready();
    if (is(mode, "daemon"))
        become_daemon(a, b);
    else
        move(mode, a, b);
    ready();
    return 0;
}
