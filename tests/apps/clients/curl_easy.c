/* libcurl: easy handles, each performed once and never cleaned up. */
#include <curl/curl.h>
#include <stdio.h>

enum { COUNT = 5 };

static size_t discard(char *data, size_t size, size_t n, void *arg) {
    (void)data;
    (void)arg;
    return size * n;
}

__attribute__((noinline)) static CURL *fetch(const char *url) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    return curl_easy_perform(easy) == CURLE_OK ? easy : NULL;
}

int main(int argc, char **argv) {
    char url[256], line[64];
    CURL *handles[COUNT];

    if (argc < 3)
        return 2;
    snprintf(url, sizeof url, "http://%s:%s/small", argv[1], argv[2]);
    for (int i = 0; i < COUNT; i++)
        if (!(handles[i] = fetch(url)))
            return 1;
    puts("READY");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    for (int i = 0; i < COUNT; i++)
        curl_easy_cleanup(handles[i]);
    puts("CLOSED");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
