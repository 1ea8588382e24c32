/* Exchanges for the tests of shim/http: steps of bytes each way, which are observed as they are,
 * with each step cut in two everywhere, and byte by byte; all must come to exactly the same. */
#ifndef PG_TESTS_HTTP_CASE_H
#define PG_TESTS_HTTP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"

struct step {
    enum http_way way;
    const char *bytes; /* NULL: the end of the stream */
    size_t size;
};

/* clang-format off */
#define OUT(text) {HTTP_REQUEST_BYTES, text, sizeof(text) - 1}
#define IN(text) {HTTP_RESPONSE_BYTES, text, sizeof(text) - 1}
#define OUT_END {HTTP_REQUEST_BYTES, NULL, 0}
#define IN_END {HTTP_RESPONSE_BYTES, NULL, 0}
#define GET OUT("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
#define HEAD OUT("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
#define CONNECT OUT("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
#define OK IN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
/* clang-format on */

struct http_observer http_case(const struct step *step, size_t count);
#define EXCHANGE(...)                                                                              \
    http_case((const struct step[]){__VA_ARGS__},                                                  \
              sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* Where it stands, and if it has stopped, why. */
void http_case_stands(const struct http_observer *o, enum http_phase phase, enum http_why why,
                      int line);
#define STANDS(observer, phase) http_case_stands(&(observer), phase, HTTP_WHY_NONE, __LINE__)
#define STOPPED(observer, phase, why) http_case_stands(&(observer), phase, why, __LINE__)

#define RESPONSE_BODY(observer) http_body(&(observer), HTTP_RESPONSE_BYTES)
#define REQUEST_BODY(observer) http_body(&(observer), HTTP_REQUEST_BYTES)

#endif
