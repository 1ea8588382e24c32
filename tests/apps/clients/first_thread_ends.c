/* Opens a connection to HOST PORT, ends its first thread and lives on in another, until a line
 * comes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static pthread_t first;

static void *live_on(void *unused) {
    char line[8];
    pthread_join(first, NULL);
    puts("READY");
    fflush(stdout);
    exit(fgets(line, sizeof line, stdin) ? 0 : 1);
    return unused;
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    pthread_t other;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (argc < 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1)
        return 2;
    at.sin_port = htons((uint16_t)atoi(argv[2]));
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return 3;
    first = pthread_self();
    pthread_create(&other, NULL, live_on, NULL);
    pthread_exit(NULL);
}
