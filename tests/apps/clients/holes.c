/* Does what its argument names of the things that no preload sees, then waits for a line. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char params[256] = {0}, line[8];
    int good = argc > 1;
    close(socket(AF_INET, SOCK_STREAM, 0)); /* an event: there is a state file now */
    if (good && strcmp(argv[1], "uring") == 0)
        good = syscall(SYS_io_uring_setup, 4, params) >= 0;
    else if (good && strcmp(argv[1], "namespace") == 0)
        good = dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW) != NULL;
    puts(good ? "READY" : "REFUSED");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
