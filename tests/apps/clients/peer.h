/* What openssl_peer.c and gnutls_peer.c share: one end of connections, told what to do by stdin, a
 * command a line, each answered with one line that is the same bare and guarded. Sockets and TLS
 * objects lie in slots (S), so that a test can put together any life that they may have:
 *
 *     dial S PORT      connect a socket to 127.0.0.1      take S     accept one; its port is said
 * first put S TEXT       plain bytes                        get S N    receive plain bytes close S
 * close the socket                   twin S T   dup() the socket of S into T nonblock S       the
 * socket does not wait           pipe S     the socket is a pipe's two ends thread WORDS     do
 * that command in a thread        fork       go on in a child on EVENT S WORDS do that command when
 * EVENT next happens to the TLS object of S jump             siglongjmp() out of whatever runs this
 * command cancel S         a thread that waits in a read of the TLS object is cancelled
 *
 * and the commands of the TLS library. TLS calls answer with their result, the library's word for
 * it, errno, which was 4242 before, and what is in the queue of errors. */
#ifndef PEER_H
#define PEER_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 10, WORDS = 12, LINE = 256, ROOM = 1 << 20, UNTOUCHED = 4242 };

struct command {
    const char *name;
    void (*run)(char **word); /* word[0] is the name; words that are missing are "" */
};

extern const struct command tls_commands[];
extern void tls_wait_in_read(int slot);
extern void tls_watch(const char *event, int slot);

static int fds[SLOTS], write_fds[SLOTS], listener = -1;
static unsigned char room[ROOM];
static char event_line[LINE];
static sigjmp_buf before_command;

__attribute__((format(printf, 1, 2))) static void answer(const char *format, ...) {
    char line[LINE * 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[n] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)n + 1) != n + 1)
        _exit(98);
}

static const char *error_name(int error) {
    return error == UNTOUCHED ? "-" : error ? strerrorname_np(error) : "0";
}

static int number(const char *word) {
    return *word ? atoi(word) : 0;
}

/* %HH, in place. */
__attribute__((unused)) static void unescape(char *text) {
    char *to = text, hex[3] = "";
    for (; *text; text++, to++) {
        *to = *text;
        if (*text == '%' && text[1] && text[2]) {
            memcpy(hex, text + 1, 2);
            *to = (char)strtol(hex, NULL, 16);
            text += 2;
        }
    }
    *to = '\0';
}

static int slot_of(const char *word) {
    int slot = number(word);
    if (slot < 0 || slot >= SLOTS)
        exit(3);
    return slot;
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* --- commands of sockets --- */

/* Each answers the other at once: nobody is to wait for the acknowledgement of a ticket. */
static void keep(int slot, int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fds[slot] = write_fds[slot] = fd;
    answer("fd %d", fd);
}

static void do_dial(char **word) {
    struct sockaddr_in to = loopback(number(word[2]));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        answer("%s", error_name(errno));
    else
        keep(slot_of(word[1]), fd);
}

static void do_take(char **word) {
    keep(slot_of(word[1]), accept(listener, NULL, NULL));
}

static void do_pipe(char **word) {
    int ends[2];
    if (pipe(ends) != 0)
        exit(4);
    keep(slot_of(word[1]), ends[0]);
    write_fds[slot_of(word[1])] = ends[1];
}

static void do_close(char **word) {
    answer("%d", close(fds[slot_of(word[1])]));
}

static void do_twin(char **word) {
    keep(slot_of(word[2]), dup(fds[slot_of(word[1])]));
}

static void do_nonblock(char **word) {
    int fd = fds[slot_of(word[1])];
    answer("%d", fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static void do_put(char **word) {
    answer("%zd", write(fds[slot_of(word[1])], word[2], strlen(word[2])));
}

static void do_get(char **word) {
    ssize_t n = recv(fds[slot_of(word[1])], room, (size_t)number(word[2]), MSG_WAITALL);
    answer("%zd %.*s", n, n < 0 ? 0 : n > 60 ? 60 : (int)n, (char *)room);
}

/* --- commands about commands --- */

static void run_line(const char *line);

static void rest_of(char **word, int from, char *line) {
    line[0] = '\0';
    for (int i = from; i < WORDS && *word[i]; i++)
        strcat(strcat(line, i > from ? " " : ""), word[i]);
}

static void *run_in_thread(void *line) {
    run_line(line);
    return NULL;
}

static void do_thread(char **word) {
    pthread_t thread;
    char line[LINE];
    rest_of(word, 1, line);
    if (pthread_create(&thread, NULL, run_in_thread, line) != 0)
        exit(5);
    pthread_join(thread, NULL);
}

/* The child goes on with the commands; its parent ends as it does. */
static void do_fork(char **word) {
    int status;
    pid_t child = fork();
    (void)word;
    if (child == 0) {
        answer("FORKED");
        return;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

static void do_on(char **word) {
    rest_of(word, 3, event_line);
    tls_watch(word[1], slot_of(word[2]));
    answer("OK");
}

/* What the TLS library's callbacks call. */
static void event_happens(void) {
    char line[LINE];
    if (!*event_line)
        return;
    strcpy(line, event_line);
    event_line[0] = '\0';
    run_line(line);
}

static void do_jump(char **word) {
    (void)word;
    siglongjmp(before_command, 1);
}

struct sleeper {
    char line[LINE];
    int slot;
    _Atomic int tid;
};

/* Asleep in the kernel, as /proc says. */
static void await_sleep(const struct sleeper *r) {
    char path[64], text[256];
    const char *state = NULL;
    while (!r->tid)
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", r->tid);
    while (!state || state[2] != 'S') {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
        close(fd);
        state = strrchr(text, ')');
    }
}

static void *run_behind(void *arg) {
    struct sleeper *r = arg;
    r->tid = gettid();
    run_line(r->line);
    return NULL; /* r is kept: somebody may still be looking whether it sleeps */
}

static void do_behind(char **word) {
    struct sleeper *r = calloc(1, sizeof *r);
    pthread_t thread;
    rest_of(word, 1, r->line);
    if (pthread_create(&thread, NULL, run_behind, r) != 0)
        exit(5);
    await_sleep(r);
    answer("OK");
}

static void *wait_in_read(void *arg) {
    struct sleeper *r = arg;
    r->tid = gettid();
    tls_wait_in_read(r->slot);
    return NULL;
}

static void do_cancel(char **word) {
    struct sleeper r = {.slot = slot_of(word[1])};
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, wait_in_read, &r) != 0)
        exit(5);
    await_sleep(&r);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    answer(result == PTHREAD_CANCELED ? "CANCELED" : "ENDED");
}

static const struct command commands[] = {
    {"dial", do_dial},     {"take", do_take},         {"pipe", do_pipe}, {"close", do_close},
    {"twin", do_twin},     {"nonblock", do_nonblock}, {"put", do_put},   {"get", do_get},
    {"thread", do_thread}, {"fork", do_fork},         {"on", do_on},     {"jump", do_jump},
    {"cancel", do_cancel}, {"behind", do_behind},     {NULL, NULL}};

static const struct command *command_find(const struct command *from, const char *name) {
    while (from->name && strcmp(from->name, name) != 0)
        from++;
    return from->name ? from : NULL;
}

static void run_line(const char *line) {
    char copy[LINE], *word[WORDS + 1], *save = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    word[0] = strtok_r(copy, " \n", &save);
    for (int i = 1; i <= WORDS; i++) {
        word[i] = strtok_r(NULL, " \n", &save);
        word[i] = word[i] ? word[i] : "";
    }
    const struct command *c = word[0] ? command_find(commands, word[0]) : NULL;
    c = c || !word[0] ? c : command_find(tls_commands, word[0]);
    if (c)
        c->run(word);
    else
        answer("no command: %s", line);
}

static int listen_somewhere(void) {
    struct sockaddr_in here = loopback(0);
    socklen_t len = sizeof here;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&here, len) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&here, &len) != 0)
        exit(6);
    return ntohs(here.sin_port);
}

/* A line at a time, and no further: a child goes on where its parent was. */
static bool next_line(char *line) {
    size_t n = 0;
    while (n < LINE - 1) {
        ssize_t r = read(STDIN_FILENO, line + n, 1);
        if (r == 0)
            return false;
        if (r == 1 && line[n++] == '\n')
            break;
    }
    line[n] = '\0';
    return true;
}

static void serve_commands(void) {
    static char line[LINE];
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SLOTS; i++)
        fds[i] = write_fds[i] = -1;
    answer("%d", listen_somewhere());
    while (next_line(line))
        if (sigsetjmp(before_command, 1) == 0)
            run_line(line);
        else
            answer("JUMPED");
}

#endif
