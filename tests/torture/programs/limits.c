/* Limits that the program sets itself. PORT as|nofile|fsize */
#include <sys/resource.h>

#include "torture.h"

static void limit(int what, rlim_t value) {
    struct rlimit l;
    getrlimit((__rlimit_resource_t)what, &l);
    l.rlim_cur = value;
    if (setrlimit((__rlimit_resource_t)what, &l) != 0)
        die("setrlimit");
}

static rlim_t address_space(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%lu", &pages) != 1)
        die("statm");
    fclose(f);
    return (rlim_t)pages * 4096;
}

/* Little room above what there is; more connections than what was made ready at first. */
static void in_little_memory(void) {
    enum { MANY = 900 };
    static int fd[MANY];
    limit(RLIMIT_AS, address_space() + (1 << 20));
    for (int i = 0; i < MANY; i++)
        fd[i] = dial_plainly(server_port);
    void *own = malloc(100000);
    if (!own)
        die("malloc");
    free(own);
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
}

static void without_descriptors(void) {
    limit(RLIMIT_NOFILE, 12);
    for (int round = 0; round < 50; round++) {
        int fd = -1, opened = 0;
        while ((fd = dup(1)) >= 0) {
            close(fd);
            struct sockaddr_in a = loopback(server_port);
            fd = socket(AF_INET, SOCK_STREAM, 0);
            if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
                break;
            opened++;
        }
        if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EMFILE || opened < 3)
            die("EMFILE");
        for (fd = 4; fd < 12; fd++)
            close(fd);
    }
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    for (int i = 0; i < 3 && !is(mode, "nofile"); i++)
        dial();
    if (is(mode, "as"))
        in_little_memory();
    else if (is(mode, "nofile"))
        without_descriptors();
    else
        limit(RLIMIT_FSIZE, 0);
    ready();
    return 0;
}
