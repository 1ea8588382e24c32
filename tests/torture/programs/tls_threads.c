/* Threads that shake hands, talk, and end it in every healthy order, all the time; their objects
 * lie where others have lain. PORT own|given|fork THREADS: each thread ends what it began; or
 * another's; or there are children meanwhile that make objects of their own. At the end nothing is
 * left. Says how many connections it has opened. */
#include <netdb.h>
#include <pthread.h>
#include <sys/wait.h>

#include "torture.h"

#include "tls_pair.h"

enum { SHELF = 8, ROOM = 2048 };

struct worker {
    pthread_t thread;
    unsigned random;
    int listener, port;
};

static bool given;
static _Atomic unsigned long opened;
static pthread_mutex_t shelf_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tls_pair shelf[SHELF]; /* those whose client is NULL: none */

static unsigned pick(struct worker *w, unsigned n) {
    w->random = w->random * 1103515245 + 12345;
    return (w->random >> 16) % n;
}

static void reset_on_close(int fd) {
    struct linger hard = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static struct tls_pair begin_pair(struct worker *w) {
    struct tls_pair p = {.out = dial_plainly(w->port), .in = accept(w->listener, NULL, NULL)};
    if (p.out < 0 || p.in < 0)
        die("pair");
    opened++;
    reset_on_close(p.out);
    reset_on_close(p.in);
    tls_pair_new(&p);
    return p;
}

static void close_pair(const struct tls_pair *p) {
    close(p->out);
    close(p->in);
}

/* A client that gives up in the middle of its handshake, or is never used at all. */
static void abandon(struct worker *w, struct tls_pair *p) {
    tls_pair_wait(p, 0);
    if (pick(w, 2))
        SSL_connect(p->client);
    SSL_free(p->client);
    SSL_free(p->server);
    close_pair(p);
}

static void end_pair(struct worker *w, struct tls_pair *p) {
    switch (pick(w, 3)) {
    case 0:
        tls_pair_free(p);
        close_pair(p);
        break;
    case 1:
        close_pair(p);
        SSL_free(p->client);
        SSL_free(p->server);
        break;
    case 2:
        SSL_up_ref(p->client);
        tls_pair_free(p);
        SSL_free(p->client);
        close_pair(p);
    }
}

static void talk(struct worker *w, struct tls_pair *p) {
    char room[ROOM];
    for (unsigned i = pick(w, 4); i > 0; i--)
        tls_pair_pass(p, room, 1 + (int)pick(w, ROOM));
}

/* Puts it on the shelf, and takes what lay there. */
static void exchange(struct worker *w, struct tls_pair *p) {
    struct tls_pair mine = *p, *place = &shelf[pick(w, SHELF)];
    pthread_mutex_lock(&shelf_lock);
    *p = *place;
    *place = mine;
    pthread_mutex_unlock(&shelf_lock);
}

static void look_up(void) {
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
        freeaddrinfo(found);
}

static void turn(struct worker *w) {
    if (pick(w, 16) == 0)
        look_up();
    struct tls_pair p = begin_pair(w);
    if (pick(w, 8) == 0) {
        abandon(w, &p);
        return;
    }
    tls_pair_shake(&p);
    talk(w, &p);
    if (given)
        exchange(w, &p);
    if (p.client) {
        talk(w, &p);
        end_pair(w, &p);
    }
}

static void *work(void *arg) {
    struct worker *w = arg;
    w->listener = bound(&w->port);
    if (listen(w->listener, 8) != 0)
        die("listen");
    do
        turn(w);
    while (more());
    close(w->listener);
    return NULL;
}

/* What a child may do with OpenSSL while its parent's other threads were anywhere in it. */
static _Noreturn void be_child(void) {
    alarm(10);
    for (int i = 0; i < 20; i++) {
        SSL *s = SSL_new(tls_client_ctx);
        SSL_set_tlsext_host_name(s, "child.test");
        SSL_up_ref(s);
        SSL_free(s);
        SSL_free(s);
    }
    dial_and_close();
    _exit(0);
}

static void have_child(void) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        be_child();
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        dprintf(2, "a child ended with %x\n", status);
        _exit(95);
    }
}

int main(int argc, char **argv) {
    bool forks = argc > 2 && is(argv[2], "fork");
    given = is(begin(argc, argv), "given");
    int threads = argc > 3 ? atoi(argv[3]) : 16;
    struct worker worker[threads];
    char line[32];
    tls_begin();
    for (int i = 0; i < threads; i++) {
        worker[i] = (struct worker){.random = (unsigned)i};
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) != 0)
            die("pthread_create");
    }
    while (forks && more())
        have_child();
    for (int i = 0; i < threads; i++)
        pthread_join(worker[i].thread, NULL);
    for (int i = 0; i < SHELF; i++)
        if (shelf[i].client)
            end_pair(&worker[0], &shelf[i]);
    tls_end();
    snprintf(line, sizeof line, "%lu", opened);
    say(line);
    ready();
    return 0;
}
