/* libcurl over TLS: easy handles, each performed once and kept with its connection. */
#include <curl/curl.h>
#include <stdio.h>

enum { MAX = 8 };

static size_t discard(char *data, size_t size, size_t n, void *arg) {
    (void)data;
    (void)arg;
    return size * n;
}

static CURL *fetch(const char *ca, const char *name, const char *host, const char *port) {
    char url[256], place[256];
    CURL *easy = curl_easy_init();

    snprintf(url, sizeof url, "https://%s:%s/page", name, port);
    snprintf(place, sizeof place, "%s:%s:%s", name, port, host);
    struct curl_slist *resolve = curl_slist_append(NULL, place);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    CURLcode failed = curl_easy_perform(easy);
    curl_slist_free_all(resolve);
    return failed ? NULL : easy;
}

int main(int argc, char **argv) {
    char line[64];
    CURL *handles[MAX];
    int count = 0;

    for (int i = 4; i < argc && count < MAX; i++, count++)
        if (!(handles[count] = fetch(argv[1], argv[2], argv[3], argv[i])))
            return 1;
    puts("READY");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    for (int i = 0; i < count; i++)
        curl_easy_cleanup(handles[i]);
    puts("CLOSED");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
