/* A plugin that speaks TLS with itself, and says which libssl it was that did it: the one whose
 * frames are below the callbacks of libcrypto. */
#include <dlfcn.h>
#include <execinfo.h>

#include "torture.h"

#include "tls_pair.h"

enum { PAIRS = 8, FRAMES = 32 };

static struct tls_pair pair[PAIRS];
static int pairs, listener, listening;
static char seen[256]; /* names, each with a blank before it */
static const char *(*meanwhile)(bool);

static void see(const char *path) {
    const char *name = strrchr(path, '/');
    char word[64];
    snprintf(word, sizeof word, " %s", name ? name + 1 : path);
    if (!strstr(seen, word) && strlen(seen) + strlen(word) < sizeof seen)
        strcat(seen, word);
}

/* From the callback down to where this plugin called the library. */
static void look_down(void) {
    void *frame[FRAMES];
    Dl_info at, us;
    bool found = false;
    int n = backtrace(frame, FRAMES);
    dladdr(seen, &us);
    for (int i = 0; i < n && dladdr(frame[i], &at); i++) {
        if (found && at.dli_fbase == us.dli_fbase)
            break;
        if (strstr(at.dli_fname, "libssl")) {
            see(at.dli_fname);
            found = true;
        }
    }
}

static long on_bio(BIO *b, int what, const char *text, size_t len, int i, long l, int r,
                   size_t *n) {
    (void)b, (void)what, (void)text, (void)len, (void)i, (void)l, (void)n;
    look_down();
    return r;
}

static void on_new(void *parent, void *p, CRYPTO_EX_DATA *ad, int i, long l, void *unused) {
    (void)parent, (void)p, (void)ad, (void)i, (void)l, (void)unused;
    look_down();
}

static void begin_here(void) {
    if (listening)
        return;
    listener = bound(&listening);
    if (listen(listener, 8) != 0)
        die("listen");
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, on_new, NULL, on_new);
    tls_begin();
}

static int on_verify(int ok, X509_STORE_CTX *store) {
    const char *(*once)(bool) = meanwhile;
    (void)ok, (void)store;
    meanwhile = NULL;
    if (once)
        once(false);
    return 1;
}

static void watch(SSL *s) {
    BIO_set_callback_ex(SSL_get_rbio(s), on_bio);
    SSL_set_verify(s, SSL_VERIFY_NONE, on_verify);
}

/* As programs do that want no libssl unless it is there already. */
static void pass_by_default(struct tls_pair *p) {
    int (*ssl_write)(SSL *, const void *, int) = dlsym(RTLD_DEFAULT, "SSL_write");
    int (*ssl_read)(SSL *, void *, int) = dlsym(RTLD_DEFAULT, "SSL_read");
    char room[100];
    if (!ssl_write || !ssl_read || ssl_write(p->client, room, 100) != 100 ||
        ssl_read(p->server, room, 100) != 100)
        die("RTLD_DEFAULT");
}

/* Opens another pair, passes 100 bytes; returns the names of the libssl that did it. */
const char *plugin_talk(bool by_default);
const char *plugin_talk(bool by_default) {
    struct tls_pair *p = &pair[pairs++];
    char room[100];
    Dl_info at;
    begin_here();
    seen[0] = '\0';
    p->out = dial_plainly(listening);
    p->in = accept(listener, NULL, NULL);
    tls_pair_new(p);
    if (dladdr(SSL_get_ssl_method(p->client), &at))
        see(at.dli_fname);
    watch(p->client);
    watch(p->server);
    tls_pair_shake(p);
    if (by_default)
        pass_by_default(p);
    else
        tls_pair_pass(p, room, sizeof room);
    return seen;
}

/* The same, and while the certificate is looked at, another plugin talks. */
const char *plugin_talk_around(const char *(*other)(bool));
const char *plugin_talk_around(const char *(*other)(bool)) {
    meanwhile = other;
    return plugin_talk(false);
}

/* Ends all of them; returns the names of the libssl that did it. */
const char *plugin_end(void);
const char *plugin_end(void) {
    seen[0] = '\0';
    while (pairs > 0) {
        tls_pair_free(&pair[--pairs]);
        close(pair[pairs].out);
        close(pair[pairs].in);
    }
    tls_end();
    close(listener);
    listening = 0;
    return seen;
}
