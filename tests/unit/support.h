/* What several tests need: a directory of their own, recorded complaints, children, loopback
 * connections, and synthetic boxes. */
#ifndef PG_TESTS_SUPPORT_H
#define PG_TESTS_SUPPORT_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "report/report.h"
#include "state/box.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

/* --- directories ---------------------------------------------------------------------------- */

/* A new directory; support_rmdir takes it away with the files in it. */
void support_mkdir(char path[64]);
void support_rmdir(const char *path);
/* How many entries a directory has. */
unsigned support_entries(const char *path);

/* --- complaints ----------------------------------------------------------------------------- */

extern char said[16][1024];
extern unsigned said_count;
void support_complain(const char *line);

/* --- children ------------------------------------------------------------------------------- */

/* In a child an assertion of cmocka's would go on with the parent's other tests. */
#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            support_check_failed(#x, __FILE__, __LINE__);                                          \
    } while (0)
void support_check_failed(const char *what, const char *file, int line) __attribute__((noreturn));

/* Runs f in a forked child and fails unless it comes back, or exits with 0. */
void support_in_child(void (*f)(void *), void *arg);
/* Waits for a child that was forked by the test itself. */
void support_wait(pid_t pid);

/* True under an emulator whose madvise() answers 0 to anything and which sets no limit on memory:
 * what a test shows by these is not to be seen there. Prints why the test is skipped. */
bool support_is_emulated(void);
/* True as root with the right to change identity; else prints why the test is skipped. */
bool support_is_root(void);

/* --- loopback ------------------------------------------------------------------------------- */

/* A listening socket on 127.0.0.1, made by raw system calls: not tracked. */
int support_listener(struct sockaddr_in *at);
/* The listener's next connection, not tracked. */
int support_accept(int listener);
/* A port that refuses: bound and not listened on. The descriptor keeps it. */
int support_refusing(struct sockaddr_in *at);

/* --- synthetic boxes ------------------------------------------------------------------------ */

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* A box in private memory whose header says: pid 4211, /usr/bin/demo, leak_after 30 s. */
void synthetic_box(struct box *b);
uint32_t synthetic_host(struct box *b, const char *addr, uint64_t leak_after);
/* A stack of n plain addresses (code of no module). */
uint32_t synthetic_stack(struct box *b, unsigned n, ...);
uint32_t synthetic_module(struct box *b, const char *path);
uint32_t synthetic_site(struct box *b, uint32_t stack, uint32_t host, uint32_t direction);
/* An established connection of a site, opened at `opened`; its host is its peer. */
/* Gathers and judges all of a box anew: what was judged before is freed. */
void synthetic_judge(struct report *r, struct view *v, const struct box *b, uint64_t now);
/* Fails unless the words stand in the text. */
void support_holds(const char *text, const char *words);

/* Connections of one thread. */
enum { SYNTHETIC_THREAD = 4211 };
/* The site has opened another one then. */
void synthetic_reopened(struct box *b, uint32_t site, uint64_t when);
struct box_conn *synthetic_conn(struct box *b, uint32_t site, uint64_t opened);

/* Names the host, or something else of the box. */
uint32_t synthetic_name(struct box *b, const char *text);
/* A TLS object on the connection, handshake done, held by both. */
struct box_tls *synthetic_tls(struct box *b, struct box_conn *c);
/* The exchange of a connection on which this went out and that came in. */
struct box_http *synthetic_http(struct box *b, struct box_conn *c, const char *out, const char *in);
/* The uses of a site; none yet. */
struct box_use *synthetic_use(struct box *b, uint32_t site);

/* The smallest state file with the box's records, for view_read: its size; at most `cap` bytes. */
size_t synthetic_file(const struct box *b, void *file, size_t cap);

/* A gatherer that takes the word of every record: established, a descriptor of its own, 3 and up.
 * facts->now is set to `now`. */
void synthetic_gather(struct report *r, const struct view *v, uint64_t now);

/* The report as text, in a buffer of the callee's that the next call of either overwrites. */
const char *synthetic_text(struct report *r);
/* The same as JSON: one line, checked to be well-formed. */
const char *synthetic_json(struct report *r);

#endif
