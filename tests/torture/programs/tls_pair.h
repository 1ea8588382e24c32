/* Both ends of a TLS connection in one thread, through OpenSSL. Whoever includes this has a die(),
 * and brings the two sockets. The certificate is made here, of a curve: handshakes are quick. */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct tls_pair {
    int out, in; /* sockets: `out` connected, `in` was accepted */
    SSL *client, *server;
};

static SSL_CTX *tls_client_ctx, *tls_server_ctx;

static inline X509 *tls_certificate(EVP_PKEY *key) {
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"pair.test", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    return x;
}

static inline void tls_begin(void) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = tls_certificate(key);
    tls_client_ctx = SSL_CTX_new(TLS_client_method());
    tls_server_ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_num_tickets(tls_server_ctx, 0);
    if (SSL_CTX_use_certificate(tls_server_ctx, x) != 1 ||
        SSL_CTX_use_PrivateKey(tls_server_ctx, key) != 1)
        die("tls_begin");
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline void tls_end(void) {
    SSL_CTX_free(tls_client_ctx);
    SSL_CTX_free(tls_server_ctx);
}

static inline void tls_pair_wait(const struct tls_pair *p, int wait) {
    fcntl(p->out, F_SETFL, wait ? 0 : O_NONBLOCK);
    fcntl(p->in, F_SETFL, wait ? 0 : O_NONBLOCK);
}

static inline void tls_pair_shake(struct tls_pair *p) {
    int client = 0, server = 0;
    tls_pair_wait(p, 0);
    while (client != 1 || server != 1) {
        client = client == 1 ? 1 : SSL_connect(p->client);
        server = server == 1 ? 1 : SSL_accept(p->server);
        if ((client != 1 && SSL_get_error(p->client, client) != SSL_ERROR_WANT_READ) ||
            (server != 1 && SSL_get_error(p->server, server) != SSL_ERROR_WANT_READ))
            die("handshake");
    }
    tls_pair_wait(p, 1);
}

/* The objects for two sockets; the handshake is another step. */
static inline void tls_pair_new(struct tls_pair *p) {
    p->client = SSL_new(tls_client_ctx);
    p->server = SSL_new(tls_server_ctx);
    SSL_set_tlsext_host_name(p->client, "pair.test");
    if (SSL_set_fd(p->client, p->out) != 1 || SSL_set_fd(p->server, p->in) != 1)
        die("SSL_set_fd");
}

/* n bytes, at most a record, from the client to the server. */
static inline void tls_pair_pass(struct tls_pair *p, char *room, int n) {
    int got = 0, r = 1;
    if (SSL_write(p->client, room, n) != n)
        die("SSL_write");
    while (got < n && r > 0)
        got += r = SSL_read(p->server, room + got, n - got);
    if (got != n)
        die("SSL_read");
}

static inline void tls_pair_free(struct tls_pair *p) {
    SSL_shutdown(p->client);
    SSL_free(p->client);
    SSL_free(p->server);
}

#endif
