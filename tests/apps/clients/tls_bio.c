/* OpenSSL's BIO_new_ssl_connect: socket, TLS and HTTP by BIO calls alone. */
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

enum { MAX = 8 };

static BIO *dial(SSL_CTX *ctx, const char *name, const char *host, const char *port) {
    BIO *bio = BIO_new_ssl_connect(ctx);
    SSL *ssl;

    BIO_get_ssl(bio, &ssl);
    SSL_set_tlsext_host_name(ssl, name);
    SSL_set1_host(ssl, name);
    BIO_set_conn_hostname(bio, host);
    BIO_set_conn_port(bio, port);
    return BIO_do_connect(bio) > 0 ? bio : NULL;
}

/* /ready ends in a line of its own. */
static int fetch(BIO *bio, const char *name) {
    char response[4096];
    int n = 0, got;

    BIO_printf(bio, "GET /ready HTTP/1.1\r\nHost: %s\r\n\r\n", name);
    while ((got = BIO_read(bio, response + n, (int)sizeof response - n)) > 0) {
        n += got;
        if (n > 6 && !memcmp(response + n - 6, "READY\n", 6))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    char line[64];
    BIO *connections[MAX];
    int count = 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (!SSL_CTX_load_verify_locations(ctx, argv[1], NULL))
        return 1;
    for (int i = 4; i < argc && count < MAX; i++, count++)
        if (!(connections[count] = dial(ctx, argv[2], argv[3], argv[i])) ||
            !fetch(connections[count], argv[2]))
            return 1;
    puts("READY");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    for (int i = 0; i < count; i++)
        BIO_free_all(connections[i]);
    puts("CLOSED");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
