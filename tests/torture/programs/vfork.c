/* Children of vfork() run on our memory and close, overwrite and open what they like; threads of
 * ours go on meanwhile. PORT exit|exec. Three connections stay open. */
#include <pthread.h>
#include <sys/wait.h>

#include "torture.h"

enum { KEPT = 3 };
static int kept[KEPT], null;
static bool execs;

static __attribute__((noinline, noreturn)) void spoil(unsigned round) {
    if (round % 3 == 0)
        close_range(3, ~0U, 0);
    for (int i = 0; i < KEPT && round % 3 != 0; i++) {
        if (round % 3 == 1)
            close(kept[i]);
        dup2(null, kept[i]);
    }
    if (round % 2) {
        int fd = dial_plainly(server_port);
        fcntl(fd, F_DUPFD, 100);
        shutdown(fd, SHUT_RDWR);
    }
    if (execs)
        execl("/bin/true", "true", (char *)NULL);
    _exit(0);
}

static void *dial_all_the_time(void *unused) {
    while (more())
        dial_and_close();
    return unused;
}

int main(int argc, char **argv) {
    execs = is(begin(argc, argv), "exec");
    pthread_t thread[2];
    unsigned rounds = 0;
    null = open("/dev/null", O_RDWR);
    for (int i = 0; i < KEPT; i++)
        kept[i] = dial();
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, dial_all_the_time, NULL);
    do {
        pid_t child = vfork();
        if (child == 0)
            spoil(rounds);
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            die("child");
        dial_and_close();
    } while (++rounds < 6 || more());
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < KEPT; i++)
        echo(kept[i]);
    ready();
    for (int i = 0; i < KEPT; i++)
        close(kept[i]);
    ready();
    return 0;
}
