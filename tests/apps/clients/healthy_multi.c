/* curl's multi interface: healthy_multi WHAT URL [CA], then at rest or over and over.
 *
 *   sequential   five requests, one after another
 *   burst, lull  eight at once; and then, over and over, one, or nothing
 *   busy, poll   one after another, over and over; of poll each takes long
 *   stream       one request, of which there is no end */
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 8, PAUSE_MS = 100, STEADY_MS = 100 };

static const char *base, *ca;
static CURLM *multi;
static size_t received;

static size_t count(char *data, size_t size, size_t n, void *arg) {
    (void)data;
    (void)arg;
    received += size * n;
    return size * n;
}

static void add(const char *path) {
    char url[512];
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "%s%s", base, path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    if (ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    curl_multi_add_handle(multi, easy);
}

/* Ends what is done; the program, when that went wrong. */
static void reap(void) {
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(multi, &left))) {
        long status = 0;
        curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (m->data.result != CURLE_OK || status != 200) {
            fprintf(stderr, "%s, status %ld\n", curl_easy_strerror(m->data.result), status);
            exit(1);
        }
        CURL *easy = m->easy_handle;
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
    }
}

static int is_told_to_end(int ms) {
    struct pollfd p = {STDIN_FILENO, POLLIN, 0};
    return poll(&p, 1, ms) > 0;
}

/* Until all is done that was added; true when it was told to end before. */
static int perform(void) {
    int running = 1;
    while (running) {
        struct curl_waitfd in = {STDIN_FILENO, CURL_WAIT_POLLIN, 0};
        curl_multi_perform(multi, &running);
        reap();
        if (running && curl_multi_poll(multi, &in, 1, 1000, NULL) == CURLM_OK && in.revents)
            return 1;
    }
    return 0;
}

static int many(const char *path) {
    for (int i = 0; i < MANY; i++)
        add(path);
    return perform();
}

static void ready(void) {
    puts("READY");
    fflush(stdout);
}

static void steadily(const char *path) {
    int ended = 0;
    ready();
    while (!ended) {
        add(path);
        ended = perform() || is_told_to_end(STEADY_MS);
    }
}

static void stream(void) {
    int running;
    add("");
    while (!received) {
        curl_multi_perform(multi, &running);
        reap();
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    ready();
    perform();
}

static void at_rest(void) {
    ready();
    while (!is_told_to_end(1000))
        ;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    const char *what = argv[1];
    base = argv[2];
    ca = argv[3];
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * MANY);
    if (strcmp(what, "sequential") == 0) {
        for (int i = 0; i < 5; i++) {
            add("/small");
            perform();
            poll(NULL, 0, PAUSE_MS);
        }
        at_rest();
    } else if (strcmp(what, "burst") == 0) {
        many("/wait/300");
        many("/wait/300");
        steadily("/small");
    } else if (strcmp(what, "lull") == 0) {
        many("/wait/300");
        at_rest();
    } else if (strcmp(what, "busy") == 0) {
        steadily("/page");
    } else if (strcmp(what, "poll") == 0) {
        steadily("");
    } else {
        stream();
    }
    return 0;
}
