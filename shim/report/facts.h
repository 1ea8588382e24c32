/* What a report judges: the connections of a state file, each checked with the kernel first.
 *
 * Two gatherers make it: report/inside.c in the guarded process, tools/outside.c for another
 * process. All memory is one mapping that facts_free gives back. */
#ifndef PG_REPORT_FACTS_H
#define PG_REPORT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "state/view.h"

/* From one time to a later one; 0 if it is none: clocks of two processors may differ by a tick. */
static inline uint64_t since(uint64_t now, uint64_t then) {
    return now > then ? now - then : 0;
}

/* The kernel's states of a TCP socket (include/net/tcp_states.h). */
enum {
    TCP_UNKNOWN = 0,
    TCP_IS_ESTABLISHED = 1,
    TCP_IS_SYN_SENT = 2,
    TCP_IS_SYN_RECV = 3,
    TCP_IS_FIN_WAIT1 = 4,
    TCP_IS_FIN_WAIT2 = 5,
    TCP_IS_TIME_WAIT = 6,
    TCP_IS_CLOSE = 7,
    TCP_IS_CLOSE_WAIT = 8,
    TCP_IS_LAST_ACK = 9,
    TCP_IS_LISTEN = 10,
    TCP_IS_CLOSING = 11,
};
const char *tcp_state_name(unsigned state);
/* "TLSv1.3"; NULL for a version that nobody has named. */
const char *tls_version_name(unsigned version);

enum { FACT_FDS = 4 };

enum {
    FACT_HOLE_URING = 1, /* it has an io_uring */
    FACT_HOLE_NAMESPACE =
        2, /* objects in a namespace of their own (dlmopen(3)), with another libc */
};

/* The copy of a TLS object's record. */
struct fact_tls {
    uint64_t opened, closed, freed, begun, done, bytes_in, bytes_out, last_in, wire_in, wire_out;
    uint32_t site, name, cipher, alpn, closing_stack, freeing_stack, pending, holders;
    uint32_t made_by; /* enum tls_library */
    uint16_t version, flags;
};

/* Where it was first read or written after a rest. */
struct fact_use {
    uint32_t stack, call; /* BOX_NONE: not known; which read or write it was, from 1 on */
};

/* One connection that the kernel has confirmed: the copy of its record, and what the kernel says.
 * Or a TLS object that has outlived its connection: nothing but its tls and what groups it. */
struct fact {
    uint64_t id, inode;
    struct addr peer, local;
    uint64_t opened, settled, last_in, last_out, eof_at, shut_at;
    uint64_t bytes_in, calls_in, bytes_out, calls_out;
    uint64_t leak_after; /* 0: its host's */
    uint32_t site;
    int32_t thread, error;
    uint32_t unread;    /* bytes that wait in the kernel */
    uint32_t silent_ms; /* since the peer's last packet, 0: unknown */
    int32_t fds[FACT_FDS];
    uint32_t fd_count; /* may be more than are listed */
    uint16_t flags;
    uint8_t state, direction, tcp;
    bool watched;           /* in an epoll set that wants to hear of its end, or polled */
    bool opener_gone;       /* the thread that opened it has ended */
    uint8_t blocked_call;   /* enum blocked_call: what a thread waits for it in, if it was looked
                               for (report/blocked.h) */
    int32_t blocked_thread; /* that thread; 0: none is known */
    bool has_tls, is_orphan, has_http;
    struct fact_tls tls;
    /* What is said on it, inside of TLS if there is any; only where the program has read all that
     * was read of it through calls that were seen. */
    struct http_observer http;
    /* When what waits to be read began to wait, at the latest; 0: nothing waits, or not known. */
    uint64_t waits_since;
    /* Bytes have gone by that no call told us of: stdio's, or another process's. When last; 0:
     * none. */
    uint64_t unseen_use;
    uint64_t reported; /* box_conn.reported */
    uint32_t record;   /* its record, and the life of it */
    uint32_t seq;
    uint32_t use, next_of_use; /* its call site's record of uses, BOX_NONE: none; and the next fact
                                  with the same, UINT32_MAX: last */
    struct fact_use used_in, used_out;
    /* Filled by report/verdict.c and report/groups.c. */
    uint8_t verdict;
    uint32_t next; /* in its group; UINT32_MAX: last */
};

struct facts {
    const struct view *view;
    uint64_t now; /* CLOCK_MONOTONIC */
    struct fact *fact;
    uint32_t count, room;
    uint32_t *by_conn; /* record index -> fact, UINT32_MAX: none */
    uint32_t *by_use;  /* record of uses -> its first fact, UINT32_MAX: none */
    uint32_t unseen;   /* open TCP connections that no record is for */
    bool unseen_known;
    bool watch_unknown;   /* there are epoll sets, or may be, that could not be looked at */
    bool calls_unknown;   /* the same of the calls that threads are in ... */
    bool blocked_unknown; /* ... and there may be one that waits without end */
    uint32_t threads;     /* of the process; 0: unknown */
    uint8_t holes;        /* FACT_HOLE_*: ways in which the program opens what can not be seen */
    void *map;
    size_t map_size;
};

/* Room for every record of the view. False: no memory. Async-signal-safe. */
bool facts_begin(struct facts *f, const struct view *v);
void facts_free(struct facts *f);

/* The fact for record `conn`: a new one, copied from the record, or the one that is there; NULL
 * when the record is not in use or changed while it was copied. */
struct fact *facts_of(struct facts *f, uint32_t conn);
void fact_add_fd(struct fact *x, int fd);
/* Adds the TLS objects that have outlived their connections. After all facts_of. */
void facts_add_orphans(struct facts *f);
/* Takes back the last fact that facts_of made. */
void facts_drop_last(struct facts *f, uint32_t conn);

/* The kernel's state of its socket. It also tells that a non-blocking connect() is through. */
void fact_set_tcp(struct fact *x, uint8_t tcp);

/* Is there something to say of its TLS: has a handshake been seen? */
bool fact_tls_is_known(const struct fact *x);
/* Was the application data of that direction counted? What goes through a filter of the library's
 * own (BIO_f_ssl) passes no call that we see. */
bool fact_tls_counts_in(const struct fact *x);
bool fact_tls_counts_out(const struct fact *x);

/* What the kernel says of its bytes. x->unread is to be known before. */
struct tcp_info;
void fact_take_info(struct fact *x, const struct tcp_info *info, uint64_t now);

/* Was it opened by another process? */
bool fact_is_handed(const struct fact *x);
/* When it was last used: the latest of its reads, writes and opening. */
uint64_t fact_last_use(const struct fact *x);

#endif
