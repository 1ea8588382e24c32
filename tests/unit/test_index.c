/* Hash tables that only grow, and the arena below them: many threads, and handlers that jump away.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "base/index.h"

static int empty(void **state) {
    *state = calloc(1, sizeof(struct index));
    return *state ? 0 : -1;
}

static int drop(void **state) {
    free(*state);
    return 0;
}

static void what_was_added_is_found(void **state) {
    enum { N = 50000 };
    for (uint64_t i = 0; i < N; i++) {
        uint64_t key[] = {i, i * i};
        assert_int_equal(index_find(*state, key, 2), INDEX_NONE);
        assert_int_equal(index_add(*state, key, 2, (uint32_t)i), i);
    }
    for (uint64_t i = 0; i < N; i++) {
        uint64_t key[] = {i, i * i};
        assert_int_equal(index_find(*state, key, 2), i);
    }
}

static void the_first_number_holds(void **state) {
    uint64_t key = 7;
    assert_int_equal(index_add(*state, &key, 1, 1), 1);
    assert_int_equal(index_add(*state, &key, 1, 2), 1);
    assert_int_equal(index_find(*state, &key, 1), 1);
}

static void a_key_that_another_begins_with_is_another_key(void **state) {
    uint64_t key[] = {0, 0, 0};
    for (uint32_t n = 0; n <= 3; n++)
        assert_int_equal(index_add(*state, key, n, n), n);
    for (uint32_t n = 0; n <= 3; n++)
        assert_int_equal(index_find(*state, key, n), n);
}

/* --- threads -------------------------------------------------------------------------------- */

enum { THREADS = 8, KEYS = 20000 };

static struct index *shared;
static pthread_barrier_t together;

static void *add_all(void *arg) {
    uint32_t *won = arg, me = (uint32_t)(won[0]);
    pthread_barrier_wait(&together);
    for (uint64_t i = 0; i < KEYS; i++)
        won[i] = index_add(shared, &i, 1, me);
    return NULL;
}

static void threads_that_add_one_key_agree_on_its_number(void **state) {
    static uint32_t won[THREADS][KEYS];
    pthread_t t[THREADS];
    shared = *state;
    pthread_barrier_init(&together, NULL, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        won[i][0] = i;
        assert_int_equal(pthread_create(&t[i], NULL, add_all, won[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&together);
    for (uint64_t k = 0; k < KEYS; k++)
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(won[i][k], index_find(shared, &k, 1));
}

static struct arena arena;

static void *fill(void *arg) {
    unsigned char mark = (unsigned char)(uintptr_t)arg;
    unsigned char **mine = calloc(KEYS, sizeof *mine);
    pthread_barrier_wait(&together);
    for (size_t i = 0; i < KEYS; i++) {
        mine[i] = arena_alloc(&arena, i % 100 + 1);
        memset(mine[i], mark, i % 100 + 1);
    }
    for (size_t i = 0; i < KEYS; i++)
        for (size_t k = 0; k < i % 100 + 1; k++)
            if (mine[i][k] != mark)
                return NULL;
    free(mine);
    return arg;
}

static void threads_never_get_the_same_memory(void **state) {
    (void)state;
    pthread_t t[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, fill, (void *)(i + 1)), 0);
    for (uintptr_t i = 0; i < THREADS; i++) {
        void *same;
        pthread_join(t[i], &same);
        assert_ptr_equal(same, (void *)(i + 1));
    }
    pthread_barrier_destroy(&together);
}

static void what_is_larger_than_a_chunk_has_a_chunk_of_its_own(void **state) {
    (void)state;
    size_t n = 1 << 20;
    char *p = arena_alloc(&arena, n), *q = arena_alloc(&arena, 16);
    memset(p, 1, n);
    assert_int_equal(q[0], 0);
    assert_int_equal((uintptr_t)p % 16, 0);
}

/* --- handlers that do not come back --------------------------------------------------------- */

static sigjmp_buf out_of_here;

static void jump(int sig) {
    siglongjmp(out_of_here, sig);
}

static void a_handler_that_jumps_out_of_the_middle_does_no_harm(void **state) {
    volatile uint64_t next = 0;
    volatile int jumps = 0;
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    signal(SIGALRM, jump);
    if (sigsetjmp(out_of_here, 1))
        jumps++;
    else
        setitimer(ITIMER_REAL, &often, NULL);
    while (jumps < 1000) {
        uint64_t key = next++;
        index_add(*state, &key, 1, (uint32_t)key);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    uint32_t lost = 0;
    for (uint64_t key = 0; key < next; key++) {
        uint32_t n = index_find(*state, &key, 1);
        assert_true(n == key || n == INDEX_NONE);
        lost += n == INDEX_NONE;
    }
    assert_in_range(lost, 0, jumps);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, drop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_found),
        TEST(the_first_number_holds),
        TEST(a_key_that_another_begins_with_is_another_key),
        TEST(threads_that_add_one_key_agree_on_its_number),
        cmocka_unit_test(threads_never_get_the_same_memory),
        cmocka_unit_test(what_is_larger_than_a_chunk_has_a_chunk_of_its_own),
        TEST(a_handler_that_jumps_out_of_the_middle_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
