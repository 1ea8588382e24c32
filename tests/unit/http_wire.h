/* HTTP on real loopback connections: one end goes through the wrappers (which the tests link), the
 * other end is nobody's business. */
#ifndef PG_TESTS_HTTP_WIRE_H
#define PG_TESTS_HTTP_WIRE_H

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support.h"

#include "base/options.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/process.h"
#include "conn/traffic.h"

extern struct options wire_options;
extern int wire_listener;
extern struct sockaddr_in wire_at;

/* Of a test group: a process with a state file and a listener. */
int wire_setup(void **state);
int wire_teardown(void **state);
/* Of a test: no exchange's record may be left in use. Those that are are taken off the count. */
int wire_nothing_held(void **state);

/* --- connections ------------------------------------------------------------------------------ */

struct wire {
    int fd, peer;
};
struct wire wire_open(void);
void wire_close(struct wire *w);

/* Writes all of a text; reads exactly n bytes into nowhere; the peer writes. */
void wire_say(const struct wire *w, const char *text);
void wire_hear(const struct wire *w, size_t n);
void wire_answer(const struct wire *w, const char *text);
/* The peer answers, and all of it is read. */
void wire_reply(const struct wire *w, const char *text);
/* GET path and an answer of the usual kind, read to its end. */
void wire_get(const struct wire *w, const char *path);
#define WIRE_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* The peer ends its side, with a FIN or with a RST, and that has come. */
void wire_peer_ends(struct wire *w);
void wire_peer_resets(struct wire *w);

/* As if it had all happened so long ago. */
void wire_age(int fd, uint64_t ns);

/* --- what is known ---------------------------------------------------------------------------- */

struct box_conn *wire_conn(int fd);
/* The exchange's record of a descriptor, NULL: none. */
struct box_http *wire_http_in(int fd, enum http_layer layer);
struct box_http *wire_http(int fd);
enum http_phase wire_phase(int fd);
/* No byte is looked at any more, for it was no HTTP. */
bool wire_is_let_go(int fd);

/* Exchanges' records that somebody holds, and all that there ever were. */
uint32_t wire_held(void);
uint32_t wire_records(void);

/* The uses of the descriptor's call site; NULL: none. They outlive the connection. */
struct box_use *wire_use(int fd);
/* Connections that were counted there. */
uint64_t wire_conns(int fd);

#endif
