/* Closes everything as daemons do, opens files of its own in the numbers that are free then, and
 * goes on connecting. PORT closefrom|loop|range|listed FIRST: how, and from which descriptor on.
 * With FIRST 0 the files stand on 0 to 2 as well. Says what differs in its files, on a pipe kept
 * high. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "torture.h"

enum { FILES = 12, PIPE = 1100, LAST = 1023 };
static int file[FILES], talk[2];

static void close_listed(int first) {
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        int fd = atoi(e->d_name);
        if (e->d_name[0] != '.' && fd >= first && fd != dirfd(d) && fd <= LAST)
            close(fd);
    }
    closedir(d);
}

static void close_all(const char *how, int first) {
    if (is(how, "closefrom")) {
        closefrom(first);
    } else if (is(how, "range")) {
        close_range((unsigned)first, LAST, 0);
    } else if (is(how, "listed")) {
        close_listed(first);
    } else {
        for (int fd = first; fd <= LAST; fd++)
            close(fd);
    }
}

static void open_files(void) {
    char name[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "data.%d", i);
        file[i] = open(name, O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0600);
        if (write(file[i], "OK\n", 3) != 3)
            _exit(95);
    }
}

/* Stacks that were never captured before, of several depths. */
static __attribute__((noinline)) int deep(int depth) {
    volatile char room[64] = {(char)depth};
    if (depth == 0)
        dial_and_close();
    else
        deep(depth - 1);
    return room[0];
}

static void *in_thread(void *unused) {
    for (int depth = 0; depth < 70; depth++)
        deep(depth % 8);
    return unused;
}

static void connect_everywhere(void) {
    pthread_t thread;
    in_thread(NULL);
    if (pthread_create(&thread, NULL, in_thread, NULL) == 0)
        pthread_join(thread, NULL);
    pid_t child = fork();
    if (child == 0) {
        deep(2);
        raise(SIGUSR1);
        exit(0);
    }
    waitpid(child, NULL, 0);
    dial_plainly(refusing_port);
    raise(SIGUSR1);
}

static bool is_whole(int i) {
    char text[64];
    return pread(file[i], text, sizeof text, 0) == 3 && memcmp(text, "OK\n", 3) == 0;
}

int main(int argc, char **argv) {
    const char *how = begin(argc, argv);
    int first = atoi(argv[3]), spoilt = 0;
    for (int i = 0; i < 3; i++)
        dial();
    bool keeps_out = !is(how, "closefrom") && first < 3; /* to speak with afterwards */
    if (keeps_out)
        talk[1] = dup2(1, PIPE);
    for (int i = 0; i < 70; i++) /* enough for any unwinder to have been loaded */
        dial_and_close();
    close_all(how, first);
    open_files();
    connect_everywhere();
    for (int i = 0; i < FILES; i++)
        spoilt += !is_whole(i);
    if (keeps_out)
        dup2(talk[1], 1);
    if (keeps_out || first >= 3) {
        dprintf(1, "%d spoilt\n", spoilt);
        if (first < 3)
            return spoilt != 0;
        dial();
        ready();
    }
    return spoilt ? 94 : 0;
}
