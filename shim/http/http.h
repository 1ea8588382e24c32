/* HTTP/1.x framing, watched from beside: how far the exchange of one connection has come, told from
 * the bytes that went each way (RFC 9110, RFC 9112).
 *
 * The observer never holds bytes back and keeps none but for the method, the path and the host of
 * the last request. It is strict: where two recipients could disagree about where a message ends,
 * it stops for good and says so, and nothing is ever concluded from a guess.
 *
 * Pure functions on an observer and bytes: no allocation, no lock, no system call, nothing of
 * libc's state; async-signal-safe. All zeroes is a connection on which nothing was said yet. It may
 * lie in memory that other processes read: no pointers, and a copy taken at any moment can be
 * asked; what it answers may be a few bytes behind, and its texts may be torn, so print no more of
 * them than there is room for.
 *
 * One thread may feed requests while another one feeds responses; each way by itself, in the order
 * of the bytes. A request is to be fed before the response to it: one that answers nothing stops
 * the observer. Whoever can feed a request only after it was sent says so before (http_expect): the
 * first response meanwhile is taken for one to a GET, and if the request turns out to be of another
 * kind, that stops the observer, too. */
#ifndef PG_HTTP_HTTP_H
#define PG_HTTP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_way { HTTP_REQUEST_BYTES, HTTP_RESPONSE_BYTES };

/* Where the exchange stands. From HTTP_HANDED_OVER on nothing changes any more: no byte is looked
 * at, and the caller need not feed any. */
enum http_phase {
    HTTP_IDLE,          /* no request yet */
    HTTP_SENDING,       /* a request has begun and is not complete; its body may wait for a 100 */
    HTTP_WAITING,       /* for the response, or for the one after an interim response */
    HTTP_RESPONSE_HEAD, /* its status line or fields */
    HTTP_RESPONSE_BODY, /* its content, or trailers */
    HTTP_COMPLETE,      /* every request has its response, each read to its end */
    HTTP_HANDED_OVER,   /* 101, or 2xx to CONNECT: another protocol follows (RFC 9110 7.8, 9.3.6) */
    HTTP_IS_H2,         /* the preface of HTTP/2 (RFC 9113 3.4); streams are not followed */
    HTTP_NOT_HTTP,      /* the first bytes were of something else */
    HTTP_BROKEN,        /* HTTP/1.x, and then something that it does not allow, or not followed */
};

/* Why it is HTTP_NOT_HTTP or HTTP_BROKEN. */
enum http_why {
    HTTP_WHY_NONE,
    HTTP_BAD_START,   /* no request line or status line (RFC 9112 3, 4) */
    HTTP_BAD_VERSION, /* a version other than 1.x, or none (2.3) */
    HTTP_BAD_END,     /* a CR without LF in a head (2.2) */
    HTTP_BAD_FIELD,   /* no field line (5) */
    HTTP_BAD_LENGTH,  /* Content-Length: no number, too large, or two that differ (6.3) */
    HTTP_BAD_CODING,  /* Transfer-Encoding that leaves the length open (6.1, 6.3) */
    HTTP_BAD_CHUNK,   /* no chunk, or one whose lines do not end with CR LF (7.1) */
    HTTP_UNASKED,     /* a response to no request (9.2) */
    HTTP_AFTER_CLOSE, /* bytes after the response that was to be the last (9.6) */
    HTTP_AFTER_END,   /* bytes after the end of the stream */
    HTTP_TOO_DEEP,    /* more than HTTP_DEPTH requests without response */
    HTTP_EARLY_BYTES, /* behind a CONNECT, and then it was refused */
    HTTP_UNSEEN,      /* bytes that passed unseen outside a body */
};

enum http_method {
    HTTP_METHOD_NONE,
    HTTP_CONNECT,
    HTTP_DELETE,
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_POST,
    HTTP_PRI,
    HTTP_PUT,
    HTTP_TRACE,
    HTTP_METHOD_OTHER,
};

/* How the content of a message is delimited (RFC 9112 6.3). */
enum http_framing { HTTP_NO_BODY, HTTP_BY_LENGTH, HTTP_BY_CHUNKS, HTTP_BY_END };

/* Who said that the connection ends with this exchange; none of it: it is kept alive (9.3). */
enum {
    HTTP_CLOSE_REQUEST = 1,   /* the request: Connection: close */
    HTTP_CLOSE_RESPONSE = 2,  /* the response: Connection: close */
    HTTP_OLD_REQUEST = 4,     /* a request of HTTP/1.0 without keep-alive */
    HTTP_OLD_RESPONSE = 8,    /* a response of HTTP/1.0 without keep-alive */
    HTTP_CLOSE_IS_END = 16,   /* the end of the stream is the end of the response */
    HTTP_CLOSE_AMBIGUOUS = 32 /* a request with two framings; its server must close (6.1) */
};

enum {
    HTTP_DEPTH = 16, /* requests that can wait for their responses at once */
    HTTP_PATH_MAX = 96,
    HTTP_HOST_MAX = 52,
};

/* One way of a connection; the room's own. */
struct http_side {
    uint64_t left;   /* bytes of the body or chunk to come */
    uint64_t body;   /* bytes of this message's content so far, without the chunks' framing */
    uint64_t number; /* that is being read */
    uint8_t state, field, value, word, pos;
    uint8_t framing;
    uint16_t flags;
};

/* One connection. Its status, method, keep_alive, path and host may be read; the rest by the
 * functions below. */
struct http_observer {
    struct http_side request, response;
    _Atomic uint32_t asked;           /* requests, counted when their method is known */
    _Atomic uint32_t answered;        /* complete final responses */
    _Atomic uint8_t ring[HTTP_DEPTH]; /* what the response must know of each request */
    _Atomic uint8_t stop, why;
    _Atomic uint8_t seen; /* a start line of HTTP/1.x was seen: it is HTTP */
    _Atomic uint8_t early;
    _Atomic uint8_t request_ended, response_ended;
    _Atomic uint8_t expecting, assumed; /* see http_expect */
    uint16_t status; /* of the last status line, interim ones included; 0: none yet */
    uint8_t method;  /* of the last request */
    uint8_t closes;
    uint8_t path_length, host_length;
    uint32_t keep_alive; /* seconds: the last response's Keep-Alive: timeout=; 0: none */
    /* Of the last request: without query, credentials and control characters; cut when too long.
     * The path of a CONNECT is the authority. Empty: not known. */
    char path[HTTP_PATH_MAX], host[HTTP_HOST_MAX];
};

_Static_assert(sizeof(struct http_observer) == 256, "four cache lines for a connection");

/* The next n bytes of one way. A byte of content costs nothing, one of a head about a nanosecond.
 * True while it is worth while to feed more. */
bool http_feed(struct http_observer *o, enum http_way way, const void *bytes, size_t n);

/* The next n bytes of one way were not seen: sendfile(), splice(), MSG_TRUNC. Inside a body that
 * does no harm. True as http_feed. */
bool http_skip(struct http_observer *o, enum http_way way, uint64_t n);

/* The stream of one way has ended in good order: a read returned 0, or the writer shut it down.
 * Not for connections that were reset: nothing ended there. */
void http_end(struct http_observer *o, enum http_way way);

/* A request is being sent, perhaps, and will be fed afterwards; or that is over. */
void http_expect(struct http_observer *o, bool expecting);

/* Stops for good: what was fed is not all, or not in its order. */
void http_give_up(struct http_observer *o);

enum http_phase http_phase(const struct http_observer *o);
enum http_why http_why(const struct http_observer *o);

/* Requests that have begun, final responses that are complete, and requests that have none yet. */
uint32_t http_requests(const struct http_observer *o);
uint32_t http_responses(const struct http_observer *o);
uint32_t http_outstanding(const struct http_observer *o);

/* The stream ended inside this way's message; of responses: or before one that is due. */
bool http_cut(const struct http_observer *o, enum http_way way);

/* It is HTTP/1.x: a start line was seen to its end. */
bool http_is_seen(const struct http_observer *o);
/* The last request's head is complete: its method, path and host are all that there will be. */
bool http_head_is_done(const struct http_observer *o);
/* The last request names its host in its target: it is one to a proxy (RFC 9112 3.2.2). */
bool http_is_to_proxy(const struct http_observer *o);

/* HTTP_CLOSE_* of the exchange that is under way, as far as it is known, else of the last one. */
unsigned http_closes(const struct http_observer *o);

/* The content of this way's current or last message. */
struct http_body {
    enum http_framing framing;
    uint64_t read; /* content so far; grows only while its bytes go by */
    uint64_t left; /* to come: all of it (HTTP_BY_LENGTH), or of the chunk; 0 when not known */
    bool complete; /* the message has ended */
};
struct http_body http_body(const struct http_observer *o, enum http_way way);

/* Both Transfer-Encoding and Content-Length in this way's last head (RFC 9112 6.3): the former
 * holds; a sign of request smuggling. */
bool http_ambiguous(const struct http_observer *o, enum http_way way);

/* As reports spell them. */
const char *http_phase_name(enum http_phase phase);
const char *http_why_text(enum http_why why);
const char *http_method_name(enum http_method method); /* "-" for none or another one */

#endif
