/* Connects three times to PORT of an ADDRESS, or of a listener of its own ("itself"). */
#include "torture.h"

static struct sockaddr_in itself(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    if (bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        die("listen");
    return a;
}

int main(int argc, char **argv) {
    const char *address = begin(argc, argv);
    struct sockaddr_in a = loopback(server_port);
    if (is(address, "itself"))
        a = itself();
    else
        inet_pton(AF_INET, address, &a.sin_addr);
    for (int i = 0; i < 3; i++)
        if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a) != 0)
            die("connect");
    ready();
    return 0;
}
