/* One end of TLS connections through GnuTLS, by commands (see peer.h). CERTIFICATE KEY
 *
 *     ctx WORDS            for the sessions that follow: 1.2, 1.3
 *     new S client|server  gnutls_init             use S WAY   give it the socket of S: fd, int2,
 *     name S NAME          the server name                     ptr, functions
 *     alpn S PROTOCOL                              facts S     version, resumed
 *     connect S, accept S  gnutls_handshake        handshake S waits as often as it must
 *     read S N, write S N, pending S, cork S, uncork S, drain S N, renegotiate S, keyupdate S
 *     shutdown S, half S   gnutls_bye of both directions, of one
 *     free S               gnutls_deinit
 *     save S, resume S     keep its session, try that one */
#include "peer.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>

static gnutls_certificate_credentials_t credentials;
static gnutls_session_t tls[SLOTS];
static gnutls_datum_t saved, ticket_key;
static const char *priority = "NORMAL";

static void told(long r) {
    int error = errno;
    answer("%ld %s %s", r, r < 0 ? gnutls_strerror_name((int)r) : "-", error_name(error));
}

#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = UNTOUCHED;                                                                         \
        long r = (call);                                                                           \
        told(r);                                                                                   \
    } while (0)

#define ON(word) tls[slot_of((word)[1])]

static void do_ctx(char **word) {
    priority = "NORMAL";
    if (strcmp(word[1], "1.2") == 0)
        priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
    else if (strcmp(word[1], "1.3") == 0)
        priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    answer("OK");
}

static void do_new(char **word) {
    bool server = strcmp(word[2], "server") == 0;
    gnutls_session_t s;
    gnutls_init(&s, server ? GNUTLS_SERVER : GNUTLS_CLIENT);
    gnutls_priority_set_direct(s, priority, NULL);
    gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, credentials);
    if (server)
        gnutls_session_ticket_enable_server(s, &ticket_key);
    gnutls_session_set_ptr(s, &ON(word));
    ON(word) = s;
    answer("OK");
}

static void do_name(char **word) {
    TELL(gnutls_server_name_set(ON(word), GNUTLS_NAME_DNS, word[2], strlen(word[2])));
}

static void do_alpn(char **word) {
    gnutls_datum_t protocol = {(unsigned char *)word[2], (unsigned)strlen(word[2])};
    TELL(gnutls_alpn_set_protocols(ON(word), &protocol, 1, 0));
}

static ssize_t own_push(gnutls_transport_ptr_t fd, const void *text, size_t n) {
    return send((int)(intptr_t)fd, text, n, MSG_NOSIGNAL);
}

static ssize_t own_pull(gnutls_transport_ptr_t fd, void *text, size_t n) {
    event_happens();
    return recv((int)(intptr_t)fd, text, n, 0);
}

static void do_use(char **word) {
    int fd = fds[slot_of(word[1])];
    gnutls_session_t s = ON(word);
    if (strcmp(word[2], "fd") == 0)
        gnutls_transport_set_int(s, fd);
    else if (strcmp(word[2], "int2") == 0)
        gnutls_transport_set_int2(s, fd, fd);
    else
        gnutls_transport_set_ptr(s, (gnutls_transport_ptr_t)(intptr_t)fd);
    if (strcmp(word[2], "functions") == 0) {
        gnutls_transport_set_push_function(s, own_push);
        gnutls_transport_set_pull_function(s, own_pull);
    }
    answer("OK");
}

static void do_shake(char **word) {
    TELL(gnutls_handshake(ON(word)));
}

/* How often it waits is chance, and so is what waiting leaves in errno. */
static void do_handshake(char **word) {
    gnutls_session_t s = ON(word);
    struct pollfd p = {.fd = fds[slot_of(word[1])]};
    int r;
    while ((r = gnutls_handshake(s)) == GNUTLS_E_AGAIN) {
        p.events = gnutls_record_get_direction(s) ? POLLOUT : POLLIN;
        poll(&p, 1, 10000);
    }
    errno = UNTOUCHED;
    told(r);
}

static void do_facts(char **word) {
    answer("%s %d", gnutls_protocol_get_name(gnutls_protocol_get_version(ON(word))),
           gnutls_session_is_resumed(ON(word)) != 0);
}

static ssize_t receive_packet(gnutls_session_t s) {
    gnutls_packet_t packet = NULL;
    gnutls_datum_t data;
    ssize_t r = gnutls_record_recv_packet(s, &packet);
    if (r > 0) {
        gnutls_packet_get(packet, &data, NULL);
        if (data.size != (unsigned)r)
            exit(9);
        gnutls_packet_deinit(packet);
    }
    return r;
}

/* Tickets and key updates make it give up once, even where the socket waits. */
static ssize_t receive(gnutls_session_t s, size_t n, const char *how) {
    unsigned char sequence[8];
    ssize_t r;
    do
        r = strcmp(how, "seq") == 0      ? gnutls_record_recv_seq(s, room, n, sequence)
            : strcmp(how, "packet") == 0 ? receive_packet(s)
                                         : gnutls_record_recv(s, room, n);
    while (r == GNUTLS_E_AGAIN);
    return r;
}

/* read SLOT BYTES [seq|packet] */
static void do_read(char **word) {
    TELL(receive(ON(word), (size_t)number(word[2]), word[3]));
}

/* Bytes of this program's file. */
static ssize_t send_file(gnutls_session_t s, size_t n) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t r = gnutls_record_send_file(s, file, NULL, n);
    close(file);
    return r;
}

/* write SLOT BYTES [padded|file] */
static void do_write(char **word) {
    size_t n = (size_t)number(word[2]);
    if (strcmp(word[3], "padded") == 0)
        TELL(gnutls_record_send2(ON(word), room, n, 10, 0));
    else if (strcmp(word[3], "file") == 0)
        TELL(send_file(ON(word), n));
    else
        TELL(gnutls_record_send(ON(word), room, n));
}

static void do_drain(char **word) {
    ssize_t got = 0, r = 1;
    while (got < number(word[2]) && r > 0) {
        r = receive(ON(word), (size_t)(number(word[2]) - got), "");
        got += r > 0 ? r : 0;
    }
    answer("%zd", got);
}

static void do_pending(char **word) {
    TELL((long)gnutls_record_check_pending(ON(word)));
}

static void do_cork(char **word) {
    gnutls_record_cork(ON(word));
    answer("OK");
}

static void do_uncork(char **word) {
    TELL(gnutls_record_uncork(ON(word), GNUTLS_RECORD_WAIT));
}

static void do_renegotiate(char **word) {
    TELL(gnutls_rehandshake(ON(word)));
}

static void do_keyupdate(char **word) {
    TELL(gnutls_session_key_update(ON(word), GNUTLS_KU_PEER));
}

static void do_shutdown(char **word) {
    int r;
    while ((r = gnutls_bye(ON(word), GNUTLS_SHUT_RDWR)) == GNUTLS_E_AGAIN)
        ;
    TELL(r);
}

static void do_half(char **word) {
    TELL(gnutls_bye(ON(word), GNUTLS_SHUT_WR));
}

static void do_free(char **word) {
    errno = UNTOUCHED;
    gnutls_deinit(ON(word));
    told(0);
}

static void do_save(char **word) {
    TELL(gnutls_session_get_data2(ON(word), &saved));
}

static void do_resume(char **word) {
    TELL(gnutls_session_set_data(ON(word), saved.data, saved.size));
}

static int on_verify(gnutls_session_t s) {
    (void)s;
    event_happens();
    return 0;
}

/* "pull" needs no more than the functions. */
void tls_watch(const char *event, int slot) {
    if (strcmp(event, "verify") == 0)
        gnutls_session_set_verify_function(tls[slot], on_verify);
}

void tls_wait_in_read(int slot) {
    receive(tls[slot], 1, "");
}

const struct command tls_commands[] = {{"ctx", do_ctx},
                                       {"new", do_new},
                                       {"name", do_name},
                                       {"alpn", do_alpn},
                                       {"use", do_use},
                                       {"connect", do_shake},
                                       {"accept", do_shake},
                                       {"handshake", do_handshake},
                                       {"facts", do_facts},
                                       {"read", do_read},
                                       {"write", do_write},
                                       {"drain", do_drain},
                                       {"pending", do_pending},
                                       {"cork", do_cork},
                                       {"uncork", do_uncork},
                                       {"renegotiate", do_renegotiate},
                                       {"keyupdate", do_keyupdate},
                                       {"shutdown", do_shutdown},
                                       {"half", do_half},
                                       {"free", do_free},
                                       {"save", do_save},
                                       {"resume", do_resume},
                                       {NULL, NULL}};

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    gnutls_certificate_allocate_credentials(&credentials);
    if (gnutls_certificate_set_x509_key_file(credentials, argv[1], argv[2], GNUTLS_X509_FMT_PEM))
        return 3;
    gnutls_session_ticket_key_generate(&ticket_key);
    serve_commands();
    return 0;
}
