/* libcurl's multi interface: a multi handle has a pool for the transfers that are added to it.
 *
 *     http_multi URL FAULT
 *
 * The fault is done, and the program stands still. What is read is printed: it is the same without
 * the guard. Nothing is freed that a fault holds. */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAKS = 5, MANY = 24, PART = 100000, TOGETHER = 4, ROUNDS = 10, PAUSE_US = 50000 };

struct transfer {
    CURL *easy;
    size_t read, most; /* the callback refuses what is more than `most` */
};

static const char *url;

static size_t take(char *data, size_t size, size_t n, void *arg) {
    struct transfer *t = arg;
    (void)data;
    t->read += size * n;
    return t->read > t->most ? 0 : size * n;
}

__attribute__((noinline)) static struct transfer *begin(CURLM *multi, const char *page,
                                                        size_t most) {
    struct transfer *t = calloc(1, sizeof *t);
    char target[256];
    snprintf(target, sizeof target, "%s/%s", url, page);
    t->easy = curl_easy_init();
    t->most = most;
    curl_easy_setopt(t->easy, CURLOPT_URL, target);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_multi_add_handle(multi, t->easy);
    return t;
}

static int step(CURLM *multi) {
    int running;
    curl_multi_perform(multi, &running);
    if (running)
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    return running;
}

__attribute__((noinline)) static void finish(CURLM *multi) {
    while (step(multi))
        continue;
}

static void end(CURLM *multi, struct transfer *t) {
    curl_multi_remove_handle(multi, t->easy);
    curl_easy_cleanup(t->easy);
    printf("%zu\n", t->read);
    free(t);
}

/* A transfer of its own to its end, in a pool of its own. */
static CURLM *fetch(const char *page) {
    CURLM *multi = curl_multi_init();
    struct transfer *t = begin(multi, page, SIZE_MAX);
    finish(multi);
    end(multi, t);
    return multi;
}

/* Driven until the head, and so much of the body, is here. */
static void half(size_t size) {
    CURLM *multi = curl_multi_init();
    struct transfer *t = begin(multi, "large", SIZE_MAX);
    long status = 0;
    while (status == 0 || t->read < size) {
        step(multi);
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    }
}

static void hold(const char *page) {
    if (strcmp(page, "unread") == 0)
        half(0);
    else if (strcmp(page, "half") == 0)
        half(PART);
    else
        fetch(page);
    usleep(PAUSE_US);
}

/* A callback that has had enough. */
static void undrained(const char *page) {
    CURLM *multi = curl_multi_init();
    struct transfer *t = begin(multi, page, PART);
    finish(multi);
    curl_multi_remove_handle(multi, t->easy);
    curl_multi_cleanup(multi);
}

/* Given up in the middle. */
static void removed(void) {
    CURLM *multi = curl_multi_init();
    struct transfer *t = begin(multi, "large", SIZE_MAX);
    while (t->read < PART)
        step(multi);
    curl_multi_remove_handle(multi, t->easy);
    curl_easy_cleanup(t->easy);
}

/* The callback is asked to close the socket, and does not. */
static int forgets(void *arg, curl_socket_t fd) {
    (void)arg;
    (void)fd;
    return 0;
}

static void refused(void) {
    CURLM *multi = curl_multi_init();
    struct transfer *t = begin(multi, "small", SIZE_MAX);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, forgets);
    finish(multi);
    end(multi, t);
}

static void together(const char *page, long pool, int rounds) {
    CURLM *multi = curl_multi_init();
    struct transfer *all[TOGETHER];
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, pool);
    for (int i = 0; i < rounds; i++) {
        for (int k = 0; k < TOGETHER; k++)
            all[k] = begin(multi, page, SIZE_MAX);
        finish(multi);
        for (int k = 0; k < TOGETHER; k++)
            end(multi, all[k]);
    }
}

static void repeat(int count, void (*how)(const char *page), const char *page) {
    for (int i = 0; i < count; i++)
        how(page);
}

static void pool_for_a_request(const char *page) {
    curl_multi_cleanup(fetch(page));
}

static void healthy(void) {
    CURLM *multi = curl_multi_init();
    for (int i = 0; i < MANY; i++) {
        struct transfer *t = begin(multi, "small", SIZE_MAX);
        finish(multi);
        end(multi, t);
    }
}

static void still(void) {
    puts("STILL");
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *fault = argc > 2 ? argv[2] : "";
    char line[64];

    url = argv[1];
    if (strcmp(fault, "undrained") == 0)
        repeat(LEAKS, undrained, "large");
    else if (strcmp(fault, "undrained-chunks") == 0)
        repeat(LEAKS, undrained, "chunked");
    else if (strcmp(fault, "removed") == 0)
        for (int i = 0; i < LEAKS; i++)
            removed();
    else if (strcmp(fault, "refused") == 0)
        for (int i = 0; i < LEAKS; i++)
            refused();
    else if (strcmp(fault, "stall") == 0 || strcmp(fault, "slow") == 0) {
        still();
        fetch(fault);
    } else if (strcmp(fault, "churn") == 0)
        repeat(MANY, pool_for_a_request, "small");
    else if (strcmp(fault, "kept") == 0)
        repeat(MANY, hold, "small");
    else if (strcmp(fault, "small-pool") == 0)
        together("together/4", 1, ROUNDS);
    else if (strcmp(fault, "idle") == 0)
        together("together-idle/4", TOGETHER, 1);
    else if (strcmp(fault, "healthy") == 0)
        healthy();
    else
        repeat(LEAKS, hold, fault);
    still();
    return fgets(line, sizeof line, stdin) || feof(stdin) ? 0 : 1;
}
