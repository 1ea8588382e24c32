/* A prefork server: 8 workers accept on one socket and echo, each with a connection of its own to
 * PORT; one that the master opened they all inherit. Says its port and the pids of its workers. */
#include <signal.h>
#include <sys/wait.h>

#include "torture.h"

enum { WORKERS = 8, CLIENTS = 4 };

static volatile sig_atomic_t ended;

static void on_term(int sig) {
    (void)sig;
    ended = 1;
}

/* Holds what it accepts until CLIENTS others have come. */
static void work(int listener) {
    int client[CLIENTS], n = 0;
    memset(client, -1, sizeof client);
    dial();
    while (!ended) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        char c;
        if (read(fd, &c, 1) == 1 && write(fd, &c, 1) == 1) {
            close(client[n]);
            client[n] = fd;
            n = (n + 1) % CLIENTS;
        } else {
            close(fd);
        }
    }
    exit(0);
}

int main(int argc, char **argv) {
    struct sigaction act = {.sa_handler = on_term};
    pid_t worker[WORKERS];
    int port, status, failed = 0;
    begin(argc, argv);
    alarm(0);
    sigaction(SIGTERM, &act, NULL);
    int listener = bound(&port);
    listen(listener, 256);
    dial();
    for (int i = 0; i < WORKERS; i++)
        if ((worker[i] = fork()) == 0)
            work(listener);
    dprintf(1, "%d\n", port);
    for (int i = 0; i < WORKERS; i++)
        dprintf(1, "%d\n", (int)worker[i]);
    await_line();
    for (int i = 0; i < WORKERS; i++)
        kill(worker[i], SIGTERM);
    for (int i = 0; i < WORKERS; i++)
        failed |= waitpid(worker[i], &status, 0) != worker[i] || status != 0;
    return failed;
}
