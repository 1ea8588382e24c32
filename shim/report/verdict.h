/* Facts -> verdicts: what is wrong with a connection, if anything. */
#ifndef PG_REPORT_VERDICT_H
#define PG_REPORT_VERDICT_H

#include <stdbool.h>

#include "report/facts.h"

/* In the order in which a report shows them. */
enum verdict {
    VERDICT_TLS_FREED,  /* the TLS object was freed, the connection is open */
    VERDICT_TLS_ORPHAN, /* of a TLS object: its connection is closed */
    VERDICT_BODY_UNREAD,
    VERDICT_PEER_CLOSED,
    VERDICT_NEVER_CLOSED,
    VERDICT_CONNECT_FAILED,
    VERDICT_EXEC_INHERITED,
    VERDICT_CLOSED_UNDRAINED, /* of a call site, as are churn and server-idle-mismatch */
    VERDICT_CHURN,
    VERDICT_SERVER_IDLE,
    VERDICT_NO_TIMEOUT,
    VERDICT_DOUBLE_CLOSE, /* of the process too */
    VERDICT_FD_EXHAUSTED, /* of the process, not of a connection */
    VERDICT_TLS_HANDSHAKE,
    VERDICT_OPEN_AT_EXIT,
    VERDICT_OPEN, /* nothing wrong */
    VERDICT_INHERITED,
    VERDICT_INBOUND,
    VERDICT_NOT_OPEN, /* the kernel has no connection (any more, or yet): not shown */
    VERDICT_COUNT
};

enum kind { KIND_LEAK, KIND_WASTE, KIND_RISK, KIND_PLAIN /* nothing is wrong */ };

struct verdict_class {
    const char *name; /* the stable word */
    enum kind kind;
    const char *title; /* how its groups begin: "LEAK peer-closed", "OPEN" */
};
extern const struct verdict_class verdict_class[VERDICT_COUNT];

/* Sets the verdict of each fact. at_exit: the program is ending. Pure; async-signal-safe. */
void verdict_judge(struct facts *f, bool at_exit);

/* Is it a connection that the kernel has open? */
bool fact_is_open(const struct fact *x);
/* Does the program wait for something on it: connecting, an answer, or bytes to be read? */
bool fact_in_use(const struct fact *x);
/* Is it connecting, or is an answer due? */
bool fact_waits(const struct fact *x);
/* Is the program waiting for the peer's answer: was the last thing that happened a write? */
bool fact_awaits_answer(const struct fact *x);
/* Where its exchange of HTTP/1.x stands; HTTP_NOT_HTTP: there is none. */
enum http_phase fact_http_phase(const struct fact *x);
/* Bytes that have come and that the program has not read: in the kernel, and in its TLS object. */
uint32_t fact_bytes_waiting(const struct fact *x);
/* Has the place that opened it opened others while this one lay idle? */
bool fact_passed_over(const struct facts *f, const struct fact *x, uint64_t leak_after);
/* How long it must go without use before it may be called leaked. */
uint64_t fact_leak_after(const struct facts *f, const struct fact *x);
/* The same for a place that had connections called leaked which were none. */
uint64_t site_raised_leak_after(const struct box_site *s, uint64_t leak_after);
/* How long ago the peer closed, at least; 0: not known. */
uint64_t fact_peer_closed_age(const struct fact *x, uint64_t now);

#endif
