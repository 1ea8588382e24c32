/* One end of TLS connections through OpenSSL, by commands (see peer.h). CERTIFICATE KEY
 *
 *     ctx WORDS            a new context for the objects that follow: 1.2, 1.3, ignore-eof, quiet,
 *                          early, renegotiate, no-tickets, demands (a certificate that it knows)
 *     new S client|server  SSL_new                       use S WAY [T]  give it the socket of S
 *     name S NAME          the server name               alpn S PROTOCOL
 *     connect S, accept S, handshake S                   handshake waits as often as it must
 *     read S N, read-ex S N, peek S N, drain S N         drain reads until it has N
 *     write S N, write-ex S N, pour S N, sendfile S N    pour waits as often as it must
 *     pending S            SSL_pending                   facts S        version, cipher, resumed
 *     shutdown S, quiet S, pretend S (SSL_set_shutdown), clear S, free S, up S, dup S T,
 * renegotiate S, keyupdate S save S               keep its session              resume S       try
 * that one early-write S N, early-read S N flush S, fill S      memory BIOs: send what is to be
 * sent; receive once bio-dial S PORT, bio-write S N, bio-read S N, bio-free S    through
 * BIO_new_ssl_connect */
#include "peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static const char *certificate, *key;
static SSL_CTX *context;
static SSL *ssl[SLOTS];
static BIO *chain[SLOTS];
static bool in_memory[SLOTS];
static SSL_SESSION *session;

/* --- what came of a call --- */

static const char *ssl_word(int error) {
    static const char *const words[] = {"NONE",       "SSL",          "WANT_READ",
                                        "WANT_WRITE", "WANT_LOOKUP",  "SYSCALL",
                                        "ZERO",       "WANT_CONNECT", "WANT_ACCEPT"};
    return error < (int)(sizeof words / sizeof *words) ? words[error] : "other";
}

static void told(const SSL *s, long r, bool failed) {
    int error = errno;
    char queue[LINE] = "";
    unsigned long e, first = ERR_peek_error();
    int word = s && failed ? SSL_get_error(s, (int)r) : 0;
    while ((e = ERR_get_error()) != 0)
        snprintf(queue + strlen(queue), sizeof queue - strlen(queue), " %d:%d", ERR_GET_LIB(e),
                 ERR_GET_REASON(e));
    answer("%ld %s %s%s%s", r, ssl_word(word), error_name(error), queue, first ? "" : " -");
}

#define TELL(s, call)                                                                              \
    do {                                                                                           \
        ERR_clear_error();                                                                         \
        errno = UNTOUCHED;                                                                         \
        long r = (call);                                                                           \
        told(s, r, r <= 0);                                                                        \
    } while (0)

#define ON(word) ssl[slot_of((word)[1])]

/* --- contexts and objects --- */

static int choose_protocol(SSL *s, const unsigned char **out, unsigned char *n,
                           const unsigned char *in, unsigned int len, void *unused) {
    (void)s, (void)len, (void)unused;
    *out = in + 1;
    *n = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void set_version(int version) {
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
}

static void ctx_option(const char *word) {
    if (strcmp(word, "1.2") == 0)
        set_version(TLS1_2_VERSION);
    else if (strcmp(word, "1.3") == 0)
        set_version(TLS1_3_VERSION);
    else if (strcmp(word, "ignore-eof") == 0)
        SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    else if (strcmp(word, "quiet") == 0)
        SSL_CTX_set_quiet_shutdown(context, 1);
    else if (strcmp(word, "early") == 0)
        SSL_CTX_set_max_early_data(context, 16384);
    else if (strcmp(word, "renegotiate") == 0)
        SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    else if (strcmp(word, "demands") == 0)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    else if (strcmp(word, "no-tickets") == 0)
        SSL_CTX_set_num_tickets(context, 0);
    else
        exit(7);
}

static void do_ctx(char **word) {
    SSL_CTX_free(context);
    context = SSL_CTX_new(TLS_method());
    SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"peer", 4);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    for (int i = 1; i < WORDS && *word[i]; i++)
        ctx_option(word[i]);
    answer("OK");
}

static void do_new(char **word) {
    SSL *s = SSL_new(context);
    if (strcmp(word[2], "server") == 0)
        SSL_set_accept_state(s);
    else
        SSL_set_connect_state(s);
    ON(word) = s;
    answer("OK");
}

static void do_name(char **word) {
    unescape(word[2]);
    TELL(NULL, SSL_set_tlsext_host_name(ON(word), word[2]));
}

static void do_alpn(char **word) {
    unescape(word[2]);
    unsigned char list[LINE] = {(unsigned char)strlen(word[2])};
    memcpy(list + 1, word[2], list[0]);
    TELL(NULL, SSL_set_alpn_protos(ON(word), list, list[0] + 1U));
}

static void do_free(char **word) {
    ERR_clear_error();
    errno = UNTOUCHED;
    SSL_free(ON(word));
    told(NULL, 0, false);
}

static void do_up(char **word) {
    TELL(NULL, SSL_up_ref(ON(word)));
}

static void do_dup(char **word) {
    SSL *s = ON(word), *twin = SSL_dup(s);
    ssl[slot_of(word[2])] = twin;
    answer(twin == s ? "the same" : twin ? "another" : "none");
}

static void do_clear(char **word) {
    TELL(NULL, SSL_clear(ON(word)));
}

static void do_facts(char **word) {
    SSL *s = ON(word);
    answer("%s %s %d", SSL_get_version(s), SSL_get_cipher(s), SSL_session_reused(s));
}

/* --- ways to give an object a socket --- */

static int own_write(BIO *b, const char *text, int n) {
    ssize_t r = write(write_fds[(intptr_t)BIO_get_data(b)], text, (size_t)n);
    BIO_clear_retry_flags(b);
    if (r < 0 && errno == EAGAIN)
        BIO_set_retry_write(b);
    return (int)r;
}

static int own_read(BIO *b, char *text, int n) {
    ssize_t r = read(fds[(intptr_t)BIO_get_data(b)], text, (size_t)n);
    BIO_clear_retry_flags(b);
    if (r < 0 && errno == EAGAIN)
        BIO_set_retry_read(b);
    return (int)r;
}

static long own_ctrl(BIO *b, int what, long n, void *p) {
    (void)b, (void)n, (void)p;
    return what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP;
}

static BIO *own_bio(int type, int slot) {
    BIO_METHOD *m = BIO_meth_new(type, "own");
    BIO_meth_set_write(m, own_write);
    BIO_meth_set_read(m, own_read);
    BIO_meth_set_ctrl(m, own_ctrl);
    BIO *b = BIO_new(m);
    BIO_set_data(b, (void *)(intptr_t)slot);
    BIO_set_init(b, 1);
    return b;
}

static BIO *inside_bio(SSL *outer) {
    BIO *b = BIO_new(BIO_f_ssl());
    BIO_set_ssl(b, outer, BIO_NOCLOSE);
    return b;
}

static BIO *bio_of(const char *way, int slot, int other) {
    if (strcmp(way, "socket") == 0)
        return BIO_new_socket(fds[slot], BIO_NOCLOSE);
    if (strcmp(way, "socket-close") == 0)
        return BIO_new_socket(fds[slot], BIO_CLOSE);
    if (strcmp(way, "mem-like") == 0)
        return own_bio(BIO_TYPE_MEM, slot);
    if (strcmp(way, "source-sink") == 0)
        return own_bio(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, slot);
    if (strcmp(way, "inside") == 0)
        return inside_bio(ssl[other]);
    exit(7);
}

/* fd; fds: the socket of S to read, that of T to write; or a BIO ("apart": for each way by itself). */
static void do_use(char **word) {
    int slot = slot_of(word[1]), other = slot_of(word[3]);
    SSL *s = ssl[slot];
    in_memory[slot] = strcmp(word[2], "memory") == 0;
    if (strcmp(word[2], "fd") == 0) {
        TELL(NULL, SSL_set_fd(s, fds[slot]));
    } else if (strcmp(word[2], "fds") == 0) {
        TELL(NULL, SSL_set_rfd(s, fds[slot]) + SSL_set_wfd(s, write_fds[other]));
    } else if (in_memory[slot]) {
        SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        answer("OK");
    } else {
        BIO *b = bio_of(word[2], slot, other);
        if (strcmp(word[4], "apart") == 0) {
            BIO_up_ref(b);
            SSL_set0_rbio(s, b);
            SSL_set0_wbio(s, b);
        } else {
            SSL_set_bio(s, b, b);
        }
        answer("OK");
    }
}

static long flush(int slot) {
    char *text;
    long n = BIO_get_mem_data(SSL_get_wbio(ssl[slot]), &text);
    if (n > 0 && write(fds[slot], text, (size_t)n) != n)
        exit(8);
    (void)BIO_reset(SSL_get_wbio(ssl[slot]));
    return n;
}

static long fill(int slot) {
    ssize_t n = read(fds[slot], room, sizeof room);
    if (n > 0)
        BIO_write(SSL_get_rbio(ssl[slot]), room, (int)n);
    return n;
}

static void do_flush(char **word) {
    answer(flush(slot_of(word[1])) > 0 ? "OK" : "NOTHING");
}

static void do_fill(char **word) {
    answer(fill(slot_of(word[1])) > 0 ? "OK" : "NOTHING");
}

/* --- handshakes --- */

static void do_connect(char **word) {
    TELL(ON(word), SSL_connect(ON(word)));
}

static void do_accept(char **word) {
    TELL(ON(word), SSL_accept(ON(word)));
}

static void await(int slot, int word) {
    if (in_memory[slot]) {
        flush(slot);
        if (word == SSL_ERROR_WANT_READ)
            fill(slot);
        return;
    }
    struct pollfd p = {.fd = fds[slot], .events = word == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
    poll(&p, 1, 10000);
}

/* Whether the call is to be made again; it is when it had to wait. */
static bool again(const SSL *s, int slot, int r) {
    int error = errno, word = r > 0 ? 0 : SSL_get_error(s, r);
    bool wait = word == SSL_ERROR_WANT_READ || word == SSL_ERROR_WANT_WRITE;
    if (wait)
        await(slot, word);
    errno = error;
    return wait;
}

/* How often it waits is chance, and so is what waiting leaves in errno. */
static void do_handshake(char **word) {
    int slot = slot_of(word[1]), r;
    SSL *s = ssl[slot];
    ERR_clear_error();
    do
        r = SSL_do_handshake(s);
    while (again(s, slot, r));
    if (r == 1)
        errno = UNTOUCHED;
    if (in_memory[slot])
        flush(slot);
    told(s, r, r <= 0);
}

static void do_renegotiate(char **word) {
    TELL(ON(word), SSL_renegotiate(ON(word)));
}

static void do_keyupdate(char **word) {
    TELL(ON(word), SSL_key_update(ON(word), SSL_KEY_UPDATE_REQUESTED));
}

static void do_save(char **word) {
    SSL_SESSION_free(session);
    session = SSL_get1_session(ON(word));
    answer("%d %u", SSL_SESSION_is_resumable(session), SSL_SESSION_get_max_early_data(session));
}

static void do_resume(char **word) {
    TELL(NULL, SSL_set_session(ON(word), session));
}

/* --- data --- */

static void do_read(char **word) {
    TELL(ON(word), SSL_read(ON(word), room, number(word[2])));
}

static void do_peek(char **word) {
    TELL(ON(word), SSL_peek(ON(word), room, number(word[2])));
}

static void do_peek_ex(char **word) {
    size_t n = 0;
    TELL(ON(word), SSL_peek_ex(ON(word), room, (size_t)number(word[2]), &n) ? (long)n : 0);
}

static void do_write(char **word) {
    TELL(ON(word), SSL_write(ON(word), room, number(word[2])));
}

static void do_read_ex(char **word) {
    size_t n = 0;
    TELL(ON(word), SSL_read_ex(ON(word), room, (size_t)number(word[2]), &n) ? (long)n : 0);
}

static void do_write_ex(char **word) {
    size_t n = 0;
    TELL(ON(word), SSL_write_ex(ON(word), room, (size_t)number(word[2]), &n) ? (long)n : 0);
}

static void do_drain(char **word) {
    int slot = slot_of(word[1]), wanted = number(word[2]), got = 0, r = 1;
    while (got < wanted && (r > 0 || again(ssl[slot], slot, r))) {
        r = SSL_read(ssl[slot], room, wanted - got);
        got += r > 0 ? r : 0;
    }
    answer("%d", got);
}

static void do_pour(char **word) {
    int slot = slot_of(word[1]), r;
    do
        r = SSL_write(ssl[slot], room, number(word[2]));
    while (again(ssl[slot], slot, r));
    answer("%d", r);
}

static void do_sendfile(char **word) {
    int fd = open(certificate, O_RDONLY | O_CLOEXEC);
    TELL(ON(word), SSL_sendfile(ON(word), fd, 0, (size_t)number(word[2]), 0));
    close(fd);
}

static void do_early_write(char **word) {
    size_t n = 0;
    TELL(ON(word), SSL_write_early_data(ON(word), room, (size_t)number(word[2]), &n) ? (long)n : 0);
}

/* SSL_READ_EARLY_DATA_ERROR, _SUCCESS or _FINISH, and how many bytes. */
static void do_early_read(char **word) {
    size_t n = 0;
    int r = SSL_read_early_data(ON(word), room, (size_t)number(word[2]), &n);
    answer("%d %zu", r, n);
}

static void do_pending(char **word) {
    TELL(ON(word), SSL_pending(ON(word)));
}

static void do_shutdown(char **word) {
    TELL(ON(word), SSL_shutdown(ON(word)));
}

static void do_quiet(char **word) {
    SSL_set_quiet_shutdown(ON(word), 1);
    answer("OK");
}

static void do_pretend(char **word) {
    SSL_set_shutdown(ON(word), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    answer("OK");
}

/* --- through BIOs alone --- */

static void do_bio_dial(char **word) {
    int slot = slot_of(word[1]);
    char where[LINE];
    BIO *b = BIO_new_ssl_connect(context);
    BIO_get_ssl(b, &ssl[slot]);
    snprintf(where, sizeof where, "127.0.0.1:%s", word[2]);
    BIO_set_conn_hostname(b, where);
    chain[slot] = b;
    TELL(ssl[slot], BIO_do_connect(b));
    fds[slot] = (int)BIO_get_fd(b, NULL);
}

static void do_bio_write(char **word) {
    int slot = slot_of(word[1]);
    TELL(ssl[slot], BIO_write(chain[slot], room, number(word[2])));
}

static void do_bio_read(char **word) {
    int slot = slot_of(word[1]);
    TELL(ssl[slot], BIO_read(chain[slot], room, number(word[2])));
}

static void do_bio_free(char **word) {
    ERR_clear_error();
    errno = UNTOUCHED;
    BIO_free_all(chain[slot_of(word[1])]);
    told(NULL, 0, false);
}

/* --- events --- */

static int on_verify(int ok, X509_STORE_CTX *store) {
    (void)ok, (void)store;
    event_happens();
    return 1;
}

static void on_info(const SSL *s, int where, int value) {
    (void)s, (void)where, (void)value;
    event_happens();
}

static long on_bio(BIO *b, int what, const char *text, size_t len, int i, long l, int r,
                   size_t *n) {
    (void)b, (void)text, (void)len, (void)i, (void)l, (void)n;
    if (what == BIO_CB_READ)
        event_happens();
    return r;
}

void tls_watch(const char *event, int slot) {
    if (strcmp(event, "verify") == 0)
        SSL_set_verify(ssl[slot], SSL_VERIFY_NONE, on_verify);
    else if (strcmp(event, "info") == 0)
        SSL_set_info_callback(ssl[slot], on_info);
    else if (strcmp(event, "bio") == 0)
        BIO_set_callback_ex(SSL_get_rbio(ssl[slot]), on_bio);
    else
        exit(7);
}

void tls_wait_in_read(int slot) {
    char c;
    SSL_read(ssl[slot], &c, 1);
}

const struct command tls_commands[] = {{"ctx", do_ctx},
                                       {"new", do_new},
                                       {"name", do_name},
                                       {"alpn", do_alpn},
                                       {"free", do_free},
                                       {"up", do_up},
                                       {"dup", do_dup},
                                       {"clear", do_clear},
                                       {"facts", do_facts},
                                       {"use", do_use},
                                       {"flush", do_flush},
                                       {"fill", do_fill},
                                       {"connect", do_connect},
                                       {"accept", do_accept},
                                       {"handshake", do_handshake},
                                       {"renegotiate", do_renegotiate},
                                       {"keyupdate", do_keyupdate},
                                       {"save", do_save},
                                       {"resume", do_resume},
                                       {"read", do_read},
                                       {"read-ex", do_read_ex},
                                       {"peek", do_peek},
                                       {"peek-ex", do_peek_ex},
                                       {"write", do_write},
                                       {"write-ex", do_write_ex},
                                       {"drain", do_drain},
                                       {"pour", do_pour},
                                       {"sendfile", do_sendfile},
                                       {"early-write", do_early_write},
                                       {"early-read", do_early_read},
                                       {"pending", do_pending},
                                       {"shutdown", do_shutdown},
                                       {"quiet", do_quiet},
                                       {"pretend", do_pretend},
                                       {"bio-dial", do_bio_dial},
                                       {"bio-write", do_bio_write},
                                       {"bio-read", do_bio_read},
                                       {"bio-free", do_bio_free},
                                       {NULL, NULL}};

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    certificate = argv[1];
    key = argv[2];
    serve_commands();
    return 0;
}
