/* TLS objects and the connections that they are on, by the calls that the wrappers make. The
 * objects are addresses; the connections are real ones. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#include "conn/conn.h"
#include "conn/name.h"
#include "conn/process.h"
#include "conn/tls.h"
#include "stack/stack.h"
#include "wrap/openssl_learn.h"
#include "wrap/real.h"

static char dir[64];
static struct options options;
static int listener;
static struct sockaddr_in at;
static char objects[64];

/* --- helpers ---------------------------------------------------------------------------------- */

static int connected(int *peer) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    *peer = support_accept(listener);
    return fd;
}

static uint32_t held(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < atomic_load(&mine.header->region[REGION_TLS].count); i++)
        n += atomic_load(&mine.tls[i].life.holders) != 0;
    return n;
}

/* One that the program has made before our eyes. */
static struct tls_object *made(const void *object) {
    struct tls_object *o = tls_note(object);
    tls_made_by_program(o);
    return o;
}

static struct box_tls *tie(const void *object, int fd) {
    struct tls_object *o = made(object);
    tls_tie(o, fd_get(fd), TLS_OPENSSL);
    assert_non_null(tls_record(o));
    return tls_record(o);
}

static void done(const void *object) {
    struct tls_said says = {.cipher = "CIPHER",
                            .alpn = "h2,more",
                            .alpn_length = 2,
                            .version = 0x0304,
                            .timed = true,
                            .when = 5000};
    tls_begun(tls_find(object), 1000);
    tls_done(tls_find(object), &says);
}

static const char *name_text(uint32_t name) {
    return name == BOX_NONE ? "" : mine.names[name].text;
}

static const char *host_name_of(int fd) {
    return name_text(mine.hosts[mine.sites[fd_conn(fd)->site].host].name);
}

static int all_given_back(void **state) {
    (void)state;
    return process_known() && held() ? -1 : 0;
}

/* --- what is known ---------------------------------------------------------------------------- */

static void what_the_library_says_is_kept_with_the_connection(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *t = tie(objects, fd);
    assert_int_equal(fd_conn(fd)->tls, tls_find(objects)->record);
    assert_int_equal(t->flags, 0);
    assert_false(tls_is_settled(tls_find(objects)));
    done(objects);
    assert_true(tls_is_settled(tls_find(objects)));
    assert_int_equal(t->flags, TLS_DONE);
    assert_int_equal(t->version, 0x0304);
    assert_string_equal(name_text(t->cipher), "CIPHER");
    assert_string_equal(name_text(t->alpn), "h2");
    assert_int_equal(t->begun, 1000);
    assert_int_equal(t->done, 5000);
    tls_gave(t, "xxxxxxxxxx", 10);
    tls_took(t, "yyyyyyy", 7, 30);
    tls_took(t, "yyyyy", 5, -1);
    assert_int_equal(t->bytes_out, 10);
    assert_int_equal(t->bytes_in, 12);
    assert_int_equal(t->pending, 0);
    tls_freeing(tls_find(objects));
    close(fd);
    close(peer);
}

static void a_server_name_makes_it_the_host_of_that_name(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint32_t before = fd_conn(fd)->site;
    tie(objects, fd);
    tls_named(tls_find(objects), "Api.Test.");
    assert_string_equal(host_name_of(fd), "api.test");
    assert_string_equal(name_text(tls_record(tls_find(objects))->name), "api.test");
    assert_int_equal(mine.sites[before].opened, mine.sites[before].closed);
    assert_int_equal(mine.sites[fd_conn(fd)->site].opened, 1);
    tls_named(tls_find(objects), "127.0.0.1"); /* no name */
    assert_string_equal(host_name_of(fd), "api.test");
    assert_int_equal(tls_record(tls_find(objects))->name, BOX_NONE);
    tls_freeing(tls_find(objects));
    close(fd);
    close(peer);
}

static void a_name_set_before_the_connection_is_known_counts(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    tls_named(tls_note(objects), "early.test");
    tie(objects, fd);
    assert_string_equal(host_name_of(fd), "early.test");
    tls_freeing(tls_find(objects));
    close(fd);
    close(peer);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void an_object_freed_first_leaves_its_mark_on_the_connection(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *t = tie(objects, fd);
    tls_freeing(tls_find(objects));
    assert_true(t->freed > 0);
    assert_int_not_equal(t->freeing_stack, BOX_NONE);
    assert_int_equal(t->life.holders, TLS_HELD_BY_CONN);
    assert_null(tls_record(tls_find(objects)));
    close(fd);
    assert_int_equal(t->life.holders, 0);
    close(peer);
}

static void an_object_that_outlives_its_socket_is_kept_until_it_is_freed(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint32_t site = fd_conn(fd)->site;
    struct box_tls *t = tie(objects, fd);
    close(fd);
    assert_true(t->closed > 0);
    assert_int_not_equal(t->closing_stack, BOX_NONE);
    assert_int_equal(t->site, site);
    assert_int_equal(t->life.holders, TLS_HELD_BY_OBJECT);
    tls_freeing(tls_find(objects));
    assert_int_equal(t->life.holders, 0);
    assert_int_equal(mine.sites[site].tls_freed_late, 0); /* at once is not late */
    close(peer);
}

static void one_of_several_references_frees_nothing(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *t = tie(objects, fd);
    tls_referenced(objects);
    tls_freeing(tls_find(objects));
    assert_int_equal(t->freed, 0);
    assert_ptr_equal(tls_record(tls_find(objects)), t);
    tls_freeing(tls_find(objects));
    assert_true(t->freed > 0);
    close(fd);
    close(peer);
}

static void a_new_object_at_an_old_address_knows_nothing_of_it(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *t = tie(objects, fd);
    done(objects);
    tls_made(objects);
    assert_false(tls_is_settled(tls_find(objects)));
    assert_null(tls_record(tls_find(objects)));
    assert_int_equal(t->freed, 0); /* nobody saw that */
    assert_int_equal(t->life.holders, TLS_HELD_BY_CONN);
    close(fd);
    close(peer);
}

/* --- moving ----------------------------------------------------------------------------------- */

static void an_object_given_the_same_transport_stays_where_it_is(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *t = tie(objects, fd);
    tls_moved(tls_find(objects));
    assert_true(t->flags & TLS_MOVED);
    assert_ptr_equal(tie(objects, fd), t);
    assert_false(t->flags & TLS_MOVED);
    tls_freeing(tls_find(objects));
    close(fd);
    close(peer);
}

static void an_object_on_another_connection_leaves_the_first(void **state) {
    (void)state;
    int peer1, peer2, fd1 = connected(&peer1), fd2 = connected(&peer2);
    struct box_tls *t1 = tie(objects, fd1);
    tls_cleared(tls_find(objects));
    struct box_tls *t2 = tie(objects, fd2);
    assert_ptr_not_equal(t1, t2);
    assert_int_equal(t1->life.holders, TLS_HELD_BY_CONN);
    assert_int_equal(t1->freed, 0);
    tls_freeing(tls_find(objects));
    assert_true(t2->freed > 0);
    close(fd1);
    close(fd2);
    close(peer1);
    close(peer2);
}

static void an_object_inside_of_another_takes_no_connection(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    struct box_tls *outer = tie(objects, fd);
    struct tls_object *inner = tls_note(objects + 1);
    tls_tie(inner, fd_get(fd), TLS_OPENSSL);
    assert_null(tls_record(inner));
    tls_freeing(tls_find(objects));
    assert_int_equal(outer->life.holders, TLS_HELD_BY_CONN);
    tls_tie(inner, fd_get(fd), TLS_OPENSSL); /* a second session on the connection */
    assert_non_null(tls_record(inner));
    assert_int_equal(outer->life.holders, 0);
    tls_freeing(tls_find(objects + 1));
    close(fd);
    close(peer);
}

static void objects_on_memory_are_counted_while_they_live(void **state) {
    (void)state;
    tls_untied(made(objects), OBJECT_MEMORY);
    tls_untied(made(objects), OBJECT_MEMORY);
    assert_int_equal(mine.header->tls_unmapped, 1);
    tls_untied(made(objects + 1), OBJECT_MEMORY);
    assert_int_equal(mine.header->tls_unmapped, 2);
    tls_freeing(tls_find(objects));
    tls_moved(tls_find(objects + 1));
    assert_int_equal(mine.header->tls_unmapped, 0);
}

static void of_an_object_that_was_not_seen_being_made_no_end_is_awaited(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    tls_made(objects);
    tls_made(objects + 1);
    struct tls_object *o = tls_note(objects);
    tls_tie(o, fd_get(fd), TLS_OPENSSL);
    assert_true(tls_record(o)->flags & TLS_ENDS_UNSEEN);
    tls_untied(tls_note(objects + 1), OBJECT_MEMORY);
    assert_int_equal(mine.header->tls_unmapped, 0);
    tls_freeing(o);
    close(fd);
    close(peer);
}

static int no_fd(const SSL *s) {
    (void)s;
    return -1;
}

static BIO *some_bio(const SSL *s) {
    (void)s;
    return (BIO *)(void *)objects;
}

/* A BIO of the program's own reads its socket elsewhere, and a callback logs over another one. */
static void
without_a_descriptor_only_a_connection_that_is_written_tls_is_the_objects(void **state) {
    (void)state;
    const struct openssl lib = {.SSL_get_fd = no_fd, .SSL_get_rbio = some_bio};
    int peer1, peer2, log = connected(&peer1), fd = connected(&peer2);
    const SSL *s = (const SSL *)(const void *)objects;
    tls_made(objects);
    struct tls_call k = openssl_before(&lib, s, made(objects));
    assert_int_equal(write(log, "log line\n", 9), 9);
    assert_null(openssl_after(&lib, s, &k, true));
    k = openssl_before(&lib, s, tls_find(objects));
    assert_int_equal(write(fd, "\x16\x03\x01\x00\x05hello", 10), 10);
    assert_int_equal(write(log, "another\n", 8), 8);
    assert_non_null(openssl_after(&lib, s, &k, true));
    assert_int_equal(tls_record(tls_find(objects))->conn, fd_get(fd));
    tls_freeing(tls_find(objects));
    close(fd);
    close(log);
    close(peer1);
    close(peer2);
}

static void a_connection_that_is_gone_can_not_be_tied_to(void **state) {
    (void)state;
    int peer, fd = connected(&peer);
    uint64_t slot = fd_get(fd);
    close(fd);
    tls_tie(tls_note(objects), slot, TLS_OPENSSL);
    assert_null(tls_record(tls_find(objects)));
    close(peer);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 400 };
static pthread_barrier_t both;
static int shared_fd;

static void *freer(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&both);
        tls_freeing(tls_find(objects));
        pthread_barrier_wait(&both);
    }
    return NULL;
}

static void an_end_at_both_ends_at_once_gives_the_record_back_once(void **state) {
    (void)state;
    pthread_t t;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&t, NULL, freer, NULL);
    uint32_t before = atomic_load(&mine.header->region[REGION_TLS].count);
    for (int i = 0; i < ROUNDS; i++) {
        int peer;
        shared_fd = connected(&peer);
        tie(objects, shared_fd);
        pthread_barrier_wait(&both);
        close(shared_fd);
        pthread_barrier_wait(&both);
        assert_int_equal(held(), 0);
        close(peer);
    }
    pthread_join(t, NULL);
    assert_true(atomic_load(&mine.header->region[REGION_TLS].count) <= before + 1);
}

static void *opener(void *object) {
    for (int i = 0; i < ROUNDS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
            break;
        tls_made(object);
        tls_tie(tls_note(object), fd_get(fd), TLS_GNUTLS);
        struct box_tls *t = tls_record(tls_find(object));
        if (t)
            tls_took(t, "y", 1, 0);
        if (i % 3)
            tls_freeing(tls_find(object));
        close(fd);
        if (i % 3 == 0)
            tls_freeing(tls_find(object));
    }
    return NULL;
}

static void *sink(void *unused) {
    (void)unused;
    for (int i = 0; i < THREADS * ROUNDS; i++)
        close(support_accept(listener));
    return NULL;
}

static void threads_with_objects_of_their_own_leave_nothing(void **state) {
    (void)state;
    pthread_t t[THREADS], s;
    pthread_create(&s, NULL, sink, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, opener, objects + i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    pthread_join(s, NULL);
    assert_int_equal(held(), 0);
}

/* --- names ------------------------------------------------------------------------------------ */

static struct addr address(const char *text) {
    struct addr a;
    assert_true(addr_parse(&a, text));
    return a;
}

static const char *resolved(const char *text) {
    struct addr a = address(text);
    return name_text(name_of_addr(&a));
}

static void learn(const char *name, const char *text) {
    struct addr a = address(text);
    name_resolved(name, &a);
}

static void *learn_elsewhere(void *name) {
    learn(name, "10.1.0.1");
    return NULL;
}

static void an_address_has_the_name_that_it_was_resolved_from(void **state) {
    (void)state;
    assert_string_equal(resolved("10.1.0.1:80"), "");
    learn("One.Test.", "10.1.0.1");
    learn("one.test", "10.1.0.2");
    assert_string_equal(resolved("10.1.0.1:80"), "one.test");
    assert_string_equal(resolved("10.1.0.2:443"), "one.test");
    assert_string_equal(resolved("10.1.0.3:443"), "");
    static const char *const numbers[] = {"10.1.0.3", "167837699", "10.65539", "0xa010003", "::1"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        learn(numbers[i], "10.1.0.3");
    learn("not a name", "10.1.0.3");
    learn("", "10.1.0.3");
    assert_string_equal(resolved("10.1.0.3:443"), "");
}

static void of_two_names_the_threads_own_latest_wins(void **state) {
    (void)state;
    pthread_t t;
    learn("mine.test", "10.1.0.1");
    pthread_create(&t, NULL, learn_elsewhere, (void *)(uintptr_t) "theirs.test");
    pthread_join(t, NULL);
    assert_string_equal(resolved("10.1.0.1:80"), "mine.test");
    learn("other.test", "10.1.0.9"); /* this thread's latest says nothing of it now */
    assert_string_equal(resolved("10.1.0.1:80"), "theirs.test");
}

static void texts_are_records_once(void **state) {
    (void)state;
    char longest[BOX_NAME_MAX + 1];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(name_find("x", 1), name_find("xy", 1));
    assert_int_not_equal(name_find("x", 1), name_find("xy", 2));
    assert_int_not_equal(name_find("12345678", 8), name_find("123456789", 9));
    assert_int_equal(name_find("", 0), BOX_NONE);
    assert_int_not_equal(name_find(longest, BOX_NAME_MAX - 1), BOX_NONE);
    assert_int_equal(name_find(longest, BOX_NAME_MAX), BOX_NONE);
    assert_int_equal(name_of_host("a\nb", 3), BOX_NONE);
    assert_int_equal(name_of_host("::1", 3), BOX_NONE);
    assert_int_equal(name_of_host(".", 1), BOX_NONE);
}

/* --- the suite -------------------------------------------------------------------------------- */

static int setup(void **state) {
    (void)state;
    support_mkdir(dir);
    options_defaults(&options);
    options.state_dir = dir;
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, NULL);
    listener = support_listener(&at);
    return process_ready() ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, all_given_back)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_the_library_says_is_kept_with_the_connection),
        TEST(a_server_name_makes_it_the_host_of_that_name),
        TEST(a_name_set_before_the_connection_is_known_counts),
        TEST(an_object_freed_first_leaves_its_mark_on_the_connection),
        TEST(an_object_that_outlives_its_socket_is_kept_until_it_is_freed),
        TEST(one_of_several_references_frees_nothing),
        TEST(a_new_object_at_an_old_address_knows_nothing_of_it),
        TEST(an_object_given_the_same_transport_stays_where_it_is),
        TEST(an_object_on_another_connection_leaves_the_first),
        TEST(an_object_inside_of_another_takes_no_connection),
        TEST(objects_on_memory_are_counted_while_they_live),
        TEST(of_an_object_that_was_not_seen_being_made_no_end_is_awaited),
        TEST(without_a_descriptor_only_a_connection_that_is_written_tls_is_the_objects),
        TEST(a_connection_that_is_gone_can_not_be_tied_to),
        TEST(an_end_at_both_ends_at_once_gives_the_record_back_once),
        TEST(threads_with_objects_of_their_own_leave_nothing),
        TEST(an_address_has_the_name_that_it_was_resolved_from),
        TEST(of_two_names_the_threads_own_latest_wins),
        TEST(texts_are_records_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
