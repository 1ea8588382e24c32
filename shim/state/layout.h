/* The state file: everything known about one process, in a form that anyone may read.
 *
 * A header, then regions of fixed-size records: modules, names, hosts, stacks, sites, connections,
 * TLS objects, HTTP exchanges, uses of sites, double closes. No pointers, only indices; BOX_NONE
 * for none. The file is sparse: it has its full size from the start, and pages that no record
 * needed yet cost nothing.
 *
 * Two ways of publishing, so that a reader in another process never needs a lock:
 *   - modules, names, hosts, stacks, sites and uses are written once, then `ready` is set with
 *     release order; afterwards only their counters move.
 *   - connections, TLS objects and HTTP exchanges are recycled (struct box_life). `seq` is odd
 * while a record is being filled or emptied and goes up by two for each life: a reader that finds
 * the same even number before and after copying has a consistent record (a seqlock). Single fields
 * that change during a life (state, times, counters) are plain aligned stores.
 *
 * Times are CLOCK_MONOTONIC nanoseconds, 0: never. Anything in a file may be wrong: it may be cut,
 * torn or hostile, and readers check every index, count and length (state/view.h). */
#ifndef PG_STATE_LAYOUT_H
#define PG_STATE_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/addr.h"
#include "http/http.h"

#define BOX_MAGIC "PGBOX\r\n\x1a"
enum { BOX_VERSION = 4 };
#define BOX_NONE UINT32_MAX

enum {
    BOX_MODULES_MAX = 4096,
    BOX_NAMES_MAX = 1 << 16,
    BOX_HOSTS_MAX = 1 << 16,
    BOX_STACKS_MAX = 1 << 16,
    BOX_SITES_MAX = 1 << 16,
    BOX_CONNS_MAX = 1 << 20,
    BOX_TLS_MAX = 1 << 18,
    BOX_HTTP_MAX = 1 << 18,
    BOX_USES_MAX = 1 << 16,
    BOX_DOUBLE_CLOSES_MAX = 1 << 10,
    BOX_FRAMES_MAX = 64,
    BOX_PATH_MAX = 256,
    BOX_NAME_MAX = 256, /* a host name has 253 characters at most (RFC 1035, 2.3.4) */
};

enum {
    REGION_MODULES,
    REGION_NAMES,
    REGION_HOSTS,
    REGION_STACKS,
    REGION_SITES,
    REGION_CONNS,
    REGION_TLS,
    REGION_HTTP,
    REGION_USES,
    REGION_DOUBLE_CLOSES,
    REGION_COUNT
};

struct box_region {
    uint64_t offset; /* from the start of the file, page-aligned */
    uint32_t record_size;
    uint32_t capacity;        /* records that the region can hold */
    _Atomic uint32_t count;   /* records handed out so far, recycled ones included */
    _Atomic uint32_t dropped; /* records that did not fit and were not kept */
};

enum {
    BOX_PARTLY_PRIVATE = 1, /* the file system was full: later records are not in the file */
    BOX_EXITED = 2,         /* the process ran its exit handlers */
    BOX_EXECED = 4,         /* it started another program in its place */
};

struct box_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint64_t file_size;

    int32_t pid, parent_pid;
    uint32_t uid;
    _Atomic uint32_t flags;
    uint64_t pid_namespace;     /* inode of /proc/PID/ns/pid, 0: unknown */
    uint64_t created_real;      /* CLOCK_REALTIME */
    uint64_t created;           /* CLOCK_MONOTONIC */
    char program[BOX_PATH_MAX]; /* path of the executable */

    /* Of the options, what a reader needs to judge as the process itself would. */
    uint64_t leak_after, churn_within;
    uint64_t churn_min, undrained_min, mismatch_min;
    char suppressions[BOX_PATH_MAX];

    _Atomic uint64_t forks;        /* children that were given our descriptors */
    _Atomic uint64_t exhausted;    /* socket() or accept() failed with EMFILE or ENFILE */
    _Atomic uint64_t exhausted_at; /* when last */
    _Atomic int32_t exhausted_errno;
    _Atomic uint32_t exhausted_stack;
    _Atomic uint32_t tls_unmapped; /* live TLS objects whose connection can not be known */

    struct box_region region[REGION_COUNT];
};

/* A file that was mapped into the process when a stack passed through it. */
struct box_module {
    _Atomic uint32_t ready;
    uint32_t build_id_size;
    uint64_t start, end; /* mapped addresses */
    uint64_t bias;       /* address = bias + ELF virtual address */
    uint8_t build_id[20];
    char path[BOX_PATH_MAX];
    uint32_t pad;
};

/* A name of a host, a cipher or a protocol. */
struct box_name {
    _Atomic uint32_t ready;
    uint32_t length;
    char text[BOX_NAME_MAX];
};

/* A peer: a name and port where a name is known, with all addresses of that name, else an address
 * and port. */
#define HOST_SEVERAL (UINT32_MAX - 1)
struct box_host {
    _Atomic uint32_t ready;
    uint32_t name; /* BOX_NONE: known by its address alone */
    /* What HTTP requests called a host without a name; BOX_NONE: nothing, HOST_SEVERAL: this and
     * that. */
    _Atomic uint32_t alias;
    uint32_t pad;
    struct addr addr;    /* of a name: the first one that was seen */
    uint64_t leak_after; /* this host's, after the config file's sections */
    _Atomic uint64_t opened, failed, closed;
};

/* An opening stack, innermost frame first, our own frames left out.
 * A frame: the module's index + 1 in the top 16 bits and the ELF virtual address below, or 0 and
 * the address itself where no module covers it (JIT code). Each address lies inside the calling
 * instruction, not behind it, so that it can be looked up as it is. */
struct box_stack {
    _Atomic uint32_t ready;
    uint32_t depth;
    uint64_t frames[BOX_FRAMES_MAX];
};
enum { FRAME_MODULE_SHIFT = 48 };
#define FRAME_ADDRESS_MASK ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)

/* A call site: one stack that opens connections to one host. What reports group by. Those of
 * connections that came from another process have no host: it was not opened here. */
enum { SITE_HANDED = 2 }; /* beside CONN_OUTBOUND and CONN_INBOUND, as a site's direction */

/* When the last few connections were opened: the n-th from the last at [(count - n) %
 * OPENINGS_KEPT], n from 1 on; not the oldest one, which the next one is written over before it is
 * counted. */
enum { OPENINGS_KEPT = 9 };
struct box_openings {
    _Atomic uint32_t count;
    _Atomic int32_t thread; /* whose; 0: anybody's */
    _Atomic uint64_t at[OPENINGS_KEPT];
};

enum { SITE_THREADS = 8 };
struct box_site {
    _Atomic uint32_t ready;
    uint32_t stack, host;
    uint32_t direction;
    _Atomic uint64_t opened, failed, closed;
    _Atomic uint64_t first_opened;   /* when its first connection was */
    _Atomic uint64_t tls_freed_late; /* TLS objects that were freed well after their socket */
    _Atomic uint32_t use;            /* its record in the region of uses + 1; 0: none */
    /* Connections that a report had called leaked and that were closed or used again later. */
    _Atomic uint32_t retracted, retracted_class, retracted_by_use;
    _Atomic uint64_t retracted_at, retracted_after; /* when last; how long after the report */
    _Atomic uint64_t quiet_longest;                 /* that one of those had lain unused */
    struct box_openings openings;
    struct box_openings by_thread[SITE_THREADS]; /* by thread id; whoever came last */
};

enum conn_state {
    CONN_FREE,
    CONN_CONNECTING,
    CONN_ESTABLISHED,
    CONN_FAILED, /* connect() failed, `error` says how; the descriptor may still be open */
};

enum conn_direction { CONN_OUTBOUND, CONN_INBOUND };

enum {
    CONN_SHUT_READ = 1,      /* the program called shutdown(SHUT_RD) */
    CONN_SHUT_WRITE = 2,     /* shutdown(SHUT_WR): half-closed by us */
    CONN_PEER_EOF = 4,       /* half-closed by the peer, as a read or the kernel has told */
    CONN_RESET = 8,          /* a read or write failed with a connection error */
    CONN_INHERITED = 16,     /* open before this process was forked from its parent */
    CONN_BY_EXEC = 32,       /* open before this program was started by exec */
    CONN_RECEIVED = 64,      /* came from another process in a message (SCM_RIGHTS) */
    CONN_PASSED = 128,       /* was sent to another process */
    CONN_TUNNEL = 256,       /* to a proxy that was asked for a tunnel */
    CONN_READ_TIMED = 1024,  /* reads are bounded in time: SO_RCVTIMEO (socket(7)) */
    CONN_WRITE_TIMED = 2048, /* connect() and writes are: SO_SNDTIMEO */
};

/* What records begin with that are used again. A record is in use while it has holders, and has
 * none while it is filled or emptied. */
struct box_life {
    union {
        struct {
            _Atomic uint32_t holders;
            _Atomic uint32_t seq;
        };
        /* Both in one word (seq above): who takes hold while the last holder lets go must not hold
         * the next life of the record. */
        _Atomic uint64_t word;
    };
    _Atomic uint32_t next_free; /* the producer's free list */
};

/* box_conn.reported: the verdict's place in the word. */
#define REPORTED_CLASS UINT64_C(0xff)

/* box_conn.http: an exchange's record + 1, 0: none; this bit: no byte is looked at any more (of one
 * without a record: there was no room for it). */
#define HTTP_OVER (UINT32_C(1) << 31)
enum http_layer { HTTP_PLAIN, HTTP_IN_TLS, HTTP_LAYERS };

/* The stack of the first read or write after a rest. */
struct conn_use {
    _Atomic uint32_t stack; /* BOX_NONE: none was captured */
    _Atomic uint32_t call;  /* which read or write it was, from 1 on */
};

/* A connection, 256 bytes: what is written by reads and what by writes in cache lines of their own,
 * for programs that do the two in different threads. Its holders are its descriptors: dup() counts
 * up, close() down. */
struct box_conn {
    struct box_life life;
    _Atomic uint8_t state;
    uint8_t direction;
    _Atomic uint16_t flags;
    _Atomic int32_t fd; /* the first descriptor; -1 when that one was closed */
    _Atomic uint32_t site;
    _Atomic uint32_t http[HTTP_LAYERS];
    uint64_t id;    /* ordinal of the process, never used twice */
    uint64_t inode; /* of the socket: what ties it to /proc/PID/fd and sock_diag; 0: unknown */
    int32_t thread; /* id of the opening thread */
    _Atomic int32_t error;
    struct addr peer;
    uint64_t opened;
    _Atomic uint64_t settled; /* established or failed */
    _Atomic uint64_t tls;     /* a TLS object's record: seq << 32 | index + 1; 0: none */
    uint64_t leak_after;      /* by its own address, where the config file says so; 0: its host's */

    _Alignas(64) _Atomic uint64_t bytes_in;
    _Atomic uint64_t calls_in, last_in, eof_at;
    struct conn_use used_in;
    _Atomic uint64_t waits_since; /* when a report first saw bytes wait that wait still */
    _Alignas(64) _Atomic uint64_t bytes_out;
    _Atomic uint64_t calls_out, last_out;
    _Atomic uint64_t
        shut_at; /* the program ended a side, and the peer had not, as far as it knew */
    struct conn_use used_out;
    /* When a report of this process called it leaked, the verdict in the low byte; 0: none did. */
    _Atomic uint64_t reported;
};

/* Bits of box_http.life.holders. */
enum {
    HTTP_HELD_BY_CONN = 1, /* the connection is open, and its bytes are looked at */
    HTTP_HELD_BY_FEED = 2, /* a thread is at it; shifted by enum http_way */
};

/* What HTTP/1.x has said on a connection. */
struct box_http {
    struct box_life life;
    _Atomic uint64_t conn; /* the connection's record: seq << 32 | index + 1; 0: none any more */
    _Atomic uint64_t last_fed; /* when anything of an exchange was said last */
    _Atomic uint64_t rested;   /* how long it had lain idle before the last request */
    _Atomic uint64_t ended_at; /* when the peer's end was seen, of TLS its close_notify; 0: not */
    _Atomic uint8_t counted;   /* in its site's uses */
    _Atomic uint32_t named;    /* requests whose host has been looked at */
    _Atomic uint32_t forks;    /* box_header.forks when the last request began */
    _Alignas(64) struct http_observer http;
};

/* How connections of a site that spoke HTTP/1.x have ended. */
enum use_end {
    USE_REQUEST_CLOSE,  /* a request said so (RFC 9112 9.6), or was of HTTP/1.0 */
    USE_RESPONSE_CLOSE, /* a response */
    USE_SERVER_CLOSED,  /* the server, while it lay idle */
    USE_UNDRAINED,      /* the program, before the response had come to its end */
    USE_UNUSED,         /* the program, though it could have been used again */
    USE_UNANSWERED,     /* the program, before a response had come */
    USE_FAILED,         /* it broke */
    USE_ENDS,
};

/* What a call site has done with HTTP/1.x. */
struct box_use {
    _Atomic uint32_t ready;
    uint32_t site;
    _Atomic uint64_t conns, requests, reused; /* reused: used for more than one request */
    _Atomic uint64_t ended[USE_ENDS];
    _Atomic uint64_t last_ended;
    _Atomic uint32_t closing_stack; /* of the last one */
    /* Opened although another one had just ended. */
    _Atomic uint32_t spare; /* ended ones that nobody has followed yet */
    _Atomic uint64_t spared, last_spared;
    /* The last one that was closed before the end of a response that had more to come. */
    _Atomic uint64_t undrained, last_undrained, undrained_read, undrained_left;
    _Atomic uint32_t undrained_stack;
    /* The server closed idle ones, or answered requests on them with their end. */
    _Atomic uint32_t keep_alive; /* seconds that it announced last (Keep-Alive: timeout=) */
    _Atomic uint64_t idle_closed, last_idle_closed, idle_least;
    _Atomic uint64_t stale, last_stale;
    _Atomic uint64_t lost;              /* requests that met such an end without any rest before */
    _Atomic uint8_t undrained_method;   /* enum http_method */
    char undrained_path[HTTP_PATH_MAX]; /* may be torn */
};

enum tls_library { TLS_OPENSSL, TLS_GNUTLS };

/* Bits of box_tls.life.holders. */
enum {
    TLS_HELD_BY_OBJECT = 1, /* the library's object is alive and on this connection */
    TLS_HELD_BY_CONN = 2,   /* the connection is open */
};

enum {
    TLS_DONE = 1,        /* the handshake has finished */
    TLS_RESUMED = 2,     /* an earlier session was */
    TLS_NOTIFY_SENT = 4, /* close_notify (RFC 8446, 6.1) */
    TLS_NOTIFY_CAME = 8, /* the peer's */
    TLS_MOVED = 16,      /* the object was given another transport */
    TLS_COUNTED_IN = 32, /* its data goes through calls that are seen */
    TLS_COUNTED_OUT = 64,
    TLS_HANDED = 128,      /* the connection was opened by another process */
    TLS_BROKEN = 512,      /* an error of the protocol, or a fatal alert */
    TLS_ENDS_UNSEEN = 256, /* its library may free it without a call that we see */
};

/* A TLS object (SSL *, gnutls_session_t) from the first call that used it on a connection, until it
 * is freed and the connection closed. */
struct box_tls {
    struct box_life life;
    _Atomic uint16_t flags;
    _Atomic uint16_t version; /* as on the wire: 0x0304 is TLS 1.3; 0: unknown */
    uint64_t conn;            /* the connection's record: seq << 32 | index + 1 */
    uint32_t made_by;         /* enum tls_library */
    _Atomic uint32_t site;    /* the connection's, for after its end */
    _Atomic uint32_t name;    /* the server name (RFC 6066, 3); BOX_NONE: none */
    _Atomic uint32_t cipher, alpn;
    _Atomic uint32_t closing_stack, freeing_stack;
    uint64_t opened;                        /* the connection */
    _Atomic uint64_t closed, freed;         /* the connection; the object */
    _Atomic uint64_t begun, done;           /* the handshake; begun 0: before we saw the object */
    _Alignas(64) _Atomic uint64_t bytes_in; /* application data */
    _Atomic uint64_t bytes_out;
    _Atomic uint32_t pending; /* read from the connection, not from the object yet */
    _Atomic uint32_t spoken;  /* its data is HTTP, and looked at */
    _Atomic uint64_t last_in; /* application data was read, from the object's buffer too */
    _Atomic uint64_t wire_in, wire_out; /* the connection\'s bytes when the handshake was done */
};

/* A descriptor of a connection that was closed, and closed again: once for each combination of the
 * place that opened it and those that closed it. */
struct box_double_close {
    _Atomic uint32_t ready;
    uint32_t site;                        /* of the connection */
    uint32_t closed, again;               /* stacks */
    int32_t fd;                           /* of the first time */
    int32_t opener, closer, closer_again; /* ids of the threads, of the first time */
    uint32_t
        closer_had_closed; /* `closer` had just closed the number's connection before that one */
    uint32_t pad;
    _Atomic uint64_t times, last, gap; /* gap: nanoseconds between the two closes, the last time */
};

/* What the regions of this version hold, in their order: record size and the most records. */
#define BOX_SHAPE                                                                                  \
    {                                                                                              \
        [REGION_MODULES] = {sizeof(struct box_module), BOX_MODULES_MAX},                           \
        [REGION_NAMES] = {sizeof(struct box_name), BOX_NAMES_MAX},                                 \
        [REGION_HOSTS] = {sizeof(struct box_host), BOX_HOSTS_MAX},                                 \
        [REGION_STACKS] = {sizeof(struct box_stack), BOX_STACKS_MAX},                              \
        [REGION_SITES] = {sizeof(struct box_site), BOX_SITES_MAX},                                 \
        [REGION_CONNS] = {sizeof(struct box_conn), BOX_CONNS_MAX},                                 \
        [REGION_TLS] = {sizeof(struct box_tls), BOX_TLS_MAX},                                      \
        [REGION_HTTP] = {sizeof(struct box_http), BOX_HTTP_MAX},                                   \
        [REGION_USES] = {sizeof(struct box_use), BOX_USES_MAX},                                    \
        [REGION_DOUBLE_CLOSES] = {sizeof(struct box_double_close), BOX_DOUBLE_CLOSES_MAX},         \
    }

_Static_assert(sizeof(struct box_conn) == 256, "a connection's record is four cache lines");
_Static_assert(sizeof(struct box_tls) == 192, "a TLS object's record is three cache lines");
_Static_assert(sizeof(struct box_http) == 320, "an exchange's record is five cache lines");
_Static_assert(sizeof(struct box_header) <= 4096, "the header fits its page");

#endif
