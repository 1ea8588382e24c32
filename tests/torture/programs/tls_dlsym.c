/* Calls libssl by pointers of dlsym() on its handle, as runtimes do that are linked to none. PORT:
 * three pairs are made, used and ended, a fourth one is left. */
#include <dlfcn.h>

#include "torture.h"

#include <openssl/ssl.h>

static void *libssl;

static void *real(const char *name) {
    void *found = dlsym(libssl, name);
    if (!found)
        die(name);
    return found;
}

#define SSL_new(ctx) ((SSL * (*)(SSL_CTX *)) real("SSL_new"))(ctx)
#define SSL_ctrl(s, what, n, p)                                                                    \
    ((long (*)(SSL *, int, long, void *))real("SSL_ctrl"))(s, what, n, p)
#define SSL_set_fd(s, fd) ((int (*)(SSL *, int))real("SSL_set_fd"))(s, fd)
#define SSL_connect(s) ((int (*)(SSL *))real("SSL_connect"))(s)
#define SSL_accept(s) ((int (*)(SSL *))real("SSL_accept"))(s)
#define SSL_read(s, buf, n) ((int (*)(SSL *, void *, int))real("SSL_read"))(s, buf, n)
#define SSL_write(s, buf, n) ((int (*)(SSL *, const void *, int))real("SSL_write"))(s, buf, n)
#define SSL_shutdown(s) ((int (*)(SSL *))real("SSL_shutdown"))(s)
#define SSL_free(s) ((void (*)(SSL *))real("SSL_free"))(s)
#define SSL_get_error(s, r) ((int (*)(const SSL *, int))real("SSL_get_error"))(s, r)

#include "tls_pair.h"

static int port, listener;

static struct tls_pair begin_pair(void) {
    struct tls_pair p = {.out = dial_plainly(port), .in = accept(listener, NULL, NULL)};
    char room[100];
    tls_pair_new(&p);
    tls_pair_shake(&p);
    tls_pair_pass(&p, room, sizeof room);
    return p;
}

int main(int argc, char **argv) {
    begin(argc, argv);
    libssl = dlopen("libssl.so.3", RTLD_NOW);
    listener = bound(&port);
    if (!libssl || listen(listener, 8) != 0)
        die("begin");
    tls_begin();
    for (int i = 0; i < 3; i++) {
        struct tls_pair p = begin_pair();
        tls_pair_free(&p);
        close(p.out);
        close(p.in);
    }
    begin_pair();
    ready();
    return 0;
}
