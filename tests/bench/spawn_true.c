/* posix_spawn of /bin/true, waited for; the child is guarded when this process is. */
#include "bench.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

static void spawn_true(void) {
    char *const arguments[] = {(char[]){"true"}, NULL};
    pid_t child;
    int status;

    errno = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ);
    if (errno != 0)
        die("posix_spawn");
    if (waitpid(child, &status, 0) != child || status != 0)
        die("/bin/true");
}

int main(void) {
    serve_rounds(spawn_true, 1);
    return 0;
}
