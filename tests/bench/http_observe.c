/*
 * What observing HTTP costs, without the calls around it: a feed of body, a head by the byte, a
 * whole exchange, and what comes to an observer that has stopped. Links no guard: `http_observe`
 * alone prints its figures.
 */
#include "bench.h"

#include <string.h>

#include "http/http.h"

#define BATCH 1000
#define BODY_FEED (16 << 10)

static const char request[] = "GET /api/v1/users/42?expand=groups HTTP/1.1\r\n"
                              "Host: api.example.com\r\n"
                              "User-Agent: python-requests/2.28.1\r\n"
                              "Accept-Encoding: gzip, deflate, br\r\n"
                              "Accept: */*\r\n"
                              "Connection: keep-alive\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Mon, 05 Jan 2026 10:00:00 GMT\r\n"
                               "Content-Type: application/json; charset=utf-8\r\n"
                               "Content-Length: 512\r\n"
                               "Connection: keep-alive\r\n"
                               "Keep-Alive: timeout=5, max=100\r\n"
                               "ETag: \"5e1d-59a8b6c3f2a40\"\r\n"
                               "Cache-Control: private, max-age=0, must-revalidate\r\n"
                               "X-Request-Id: 7f9c24e5-0c1b-4a52-9a36-2b8a4a1c3c5d\r\n\r\n";
static const char endless[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

static char body[BODY_FEED];
static struct http_observer body_observer, stopped, chunk_observer;

static void feed_bodies(void) {
    for (int i = 0; i < BATCH; i++)
        http_feed(&body_observer, HTTP_RESPONSE_BYTES, body, sizeof body);
}

static void feed_stopped(void) {
    for (int i = 0; i < BATCH; i++)
        http_feed(&stopped, HTTP_RESPONSE_BYTES, body, sizeof body);
}

/* A chunk of 16 KiB at a time. */
static void feed_chunks(void) {
    for (int i = 0; i < BATCH; i++) {
        http_feed(&chunk_observer, HTTP_RESPONSE_BYTES, "4000\r\n", 6);
        http_feed(&chunk_observer, HTTP_RESPONSE_BYTES, body, sizeof body);
        http_feed(&chunk_observer, HTTP_RESPONSE_BYTES, "\r\n", 2);
    }
}

static void feed_exchanges(void) {
    struct http_observer o = {0};
    for (int i = 0; i < BATCH; i++) {
        http_feed(&o, HTTP_REQUEST_BYTES, request, sizeof request - 1);
        http_feed(&o, HTTP_RESPONSE_BYTES, response, sizeof response - 1);
        http_feed(&o, HTTP_RESPONSE_BYTES, body, 512);
    }
    if (http_responses(&o) != BATCH)
        exit(EXIT_FAILURE);
}

static double best(void (*run_batch)(void)) {
    double least = measure_round(run_batch, BATCH);
    for (int i = 0; i < 250; i++) {
        double taken = measure_round(run_batch, BATCH);
        least = taken < least ? taken : least;
    }
    return least;
}

int main(void) {
    size_t heads = sizeof request + sizeof response - 2;
    http_feed(&body_observer, HTTP_REQUEST_BYTES, request, sizeof request - 1);
    http_feed(&body_observer, HTTP_RESPONSE_BYTES, endless, sizeof endless - 1);
    http_feed(&chunk_observer, HTTP_REQUEST_BYTES, request, sizeof request - 1);
    http_feed(&chunk_observer, HTTP_RESPONSE_BYTES, chunked, sizeof chunked - 1);
    http_feed(&stopped, HTTP_REQUEST_BYTES, "\x16\x03\x01", 3);
    double exchange = best(feed_exchanges);
    printf("16 KiB of body          %6.1f ns\n", best(feed_bodies));
    printf("a chunk of 16 KiB       %6.1f ns in 3 feeds\n", best(feed_chunks));
    printf("stopped                 %6.1f ns\n", best(feed_stopped));
    printf("an exchange in 3 feeds  %6.1f ns, %.2f ns for each of %zu bytes of head\n", exchange,
           exchange / (double)heads, heads);
    return 0;
}
