/*
 * What the bench programs share.
 *
 * A hot loop is measured in a long-lived process. The runner starts one bare and one
 * guarded, and writes a newline to each in turn; for each newline the process repeats the
 * operation for about ROUND_NS and prints the nanoseconds that one took. So both see the same
 * machine at nearly the same moment, and what the guard sets up once is paid before the first
 * round. A round is shorter than what a scheduler gives at once: on a busy machine most rounds are
 * whole, and their neighbours too. A process ends when its stdin does.
 */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ROUND_NS 2000000

static inline _Noreturn void die(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static inline _Noreturn void usage(const char *program, const char *arguments) {
    fprintf(stderr, "usage: %s %s\n", program, arguments);
    exit(2);
}

static inline int64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A positive number from the command line. */
static inline int number(const char *text) {
    char *end;
    long value = strtol(text, &end, 10);

    if (*end != '\0' || value <= 0 || value > 100000000) {
        fprintf(stderr, "not a positive number: %s\n", text);
        exit(2);
    }
    return (int)value;
}

/* What a batch must do beside its operations is not counted: ASIDE(statements). Two looks at the
 * clock each time. */
static int64_t aside_ns;

#define ASIDE(...)                                                                                 \
    do {                                                                                           \
        int64_t aside_start = now_ns();                                                            \
        __VA_ARGS__;                                                                               \
        aside_ns += now_ns() - aside_start;                                                        \
    } while (0)

/* Repeats run_batch(), which performs count operations; returns the nanoseconds of one. */
static inline double measure_round(void (*run_batch)(void), int count) {
    int64_t start = now_ns(), taken;
    int batches = 0;

    aside_ns = 0;
    do {
        run_batch();
        batches++;
        taken = now_ns() - start;
    } while (taken < ROUND_NS);
    return (double)(taken - aside_ns) / batches / count;
}

/* Runs a round for each newline on stdin. */
static inline void serve_rounds(void (*run_batch)(void), int count) {
    while (getchar() != EOF) {
        printf("%.2f\n", measure_round(run_batch, count));
        fflush(stdout);
    }
}

/* Waits until stdin ends; a signal that is handled meanwhile does not end the wait. */
static inline void wait_for_end(void) {
    while (getchar() != EOF || !feof(stdin))
        clearerr(stdin);
}

/*
 * Allows wanted open files, or as many as the hard limit does where it cannot be raised.
 * Returns how many are allowed now.
 */
static inline int raise_file_limit(int wanted) {
    struct rlimit raised = {.rlim_cur = (rlim_t)wanted, .rlim_max = (rlim_t)wanted};
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= raised.rlim_cur || setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return (int)limit.rlim_cur;
}

#endif
