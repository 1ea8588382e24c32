/* PORT - COUNT: sets so many server names, each of an object that is freed at once, as a crawler
 * has seen them in the end; then a connection is made like any other. */
#include "torture.h"

#include "tls_pair.h"

static void name_and_free(int number) {
    char name[64];
    SSL *s = SSL_new(tls_client_ctx);
    snprintf(name, sizeof name, "host-%d.test", number);
    SSL_set_tlsext_host_name(s, name);
    SSL_free(s);
}

int main(int argc, char **argv) {
    int port, listener = bound(&port);
    char room[10];
    begin(argc, argv);
    tls_begin();
    if (listen(listener, 8) != 0)
        die("listen");
    for (int i = 0; i < atoi(argv[3]); i++)
        name_and_free(i);
    struct tls_pair p = {.out = dial_plainly(port), .in = accept(listener, NULL, NULL)};
    tls_pair_new(&p);
    tls_pair_shake(&p);
    tls_pair_pass(&p, room, sizeof room);
    ready();
    tls_pair_free(&p);
    return 0;
}
