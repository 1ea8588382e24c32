/* New programs with connections open. PORT exec: becomes itself anew, two connections inherited,
 * one not. PORT spawn: posix_spawn, popen and system while connections are open and threads
 * connect. */
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "torture.h"

extern char **environ;

static void become_new(char **argv) {
    char port[16], fds[2][16];
    int kept[2] = {dial(), dial()};
    fcntl(dial(), F_SETFD, FD_CLOEXEC);
    ready();
    snprintf(port, sizeof port, "%d", server_port);
    for (int i = 0; i < 2; i++)
        snprintf(fds[i], sizeof fds[i], "%d", kept[i]);
    execl("/proc/self/exe", argv[0], port, "new", fds[0], fds[1], (char *)NULL);
    die("exec");
}

/* Its first event is either the end of what it inherited, or a connection of its own. */
static void be_new(char **argv) {
    int inherited[2] = {atoi(argv[3]), atoi(argv[4])}, own = dial();
    echo(inherited[0]);
    ready();
    close(inherited[0]);
    close(inherited[1]);
    ready();
    close(own);
    ready();
}

static void *dial_all_the_time(void *unused) {
    while (more())
        dial_and_close();
    return unused;
}

static void spawn_one(int a) {
    posix_spawn_file_actions_t actions;
    char *argv[] = {"true", NULL};
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, a);
    posix_spawn_file_actions_adddup2(&actions, 1, a);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (posix_spawn(&child, "/bin/true", &actions, NULL, argv, environ) != 0)
        die("posix_spawn");
    waitpid(child, NULL, 0);
    posix_spawn_file_actions_destroy(&actions);
}

static void spawn_all(void) {
    pthread_t thread;
    int a = dial();
    dial();
    pthread_create(&thread, NULL, dial_all_the_time, NULL);
    do {
        spawn_one(a);
        FILE *pipe = popen("exec true", "r");
        if (!pipe || pclose(pipe) != 0 || system("exec true") != 0)
            die("popen");
        dial_and_close();
    } while (more());
    pthread_join(thread, NULL);
    echo(a);
    ready();
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    if (is(mode, "exec"))
        become_new(argv);
    else if (is(mode, "new"))
        be_new(argv);
    else
        spawn_all();
    return 0;
}
