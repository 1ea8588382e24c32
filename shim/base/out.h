/* Text output for reports and messages: a buffer in front of a descriptor.
 *
 * Async-signal-safe: no locale, no allocation, no libc stream, raw write() only. The caller owns
 * the buffer. With fd < 0 the text stays in the buffer and what does not fit is dropped, which
 * `dropped` says; or it goes where `drain` brings it. */
#ifndef PG_BASE_OUT_H
#define PG_BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out {
    char *buf;
    size_t cap, len;
    int fd;       /* -1: memory only */
    int error;    /* first errno of a failed write, 0 when none */
    bool dropped; /* memory only: text was cut */
    /* Instead of a descriptor: makes room in the buffer, which is full or to be flushed. NULL after
     * out_init. */
    void (*drain)(struct out *o);
};

void out_init(struct out *o, int fd, char *buf, size_t cap);
void out_mem(struct out *o, const char *s, size_t n);
void out_str(struct out *o, const char *s);
void out_char(struct out *o, char c);
void out_u64(struct out *o, uint64_t v);
void out_i64(struct out *o, int64_t v);
void out_hex(struct out *o, uint64_t v); /* with 0x */
/* Several strings in a row; the list ends with NULL. */
void out_strs(struct out *o, ...) __attribute__((sentinel));
/* s, then blanks up to width columns; always at least one blank. */
void out_pad(struct out *o, const char *s, unsigned width);
/* v right-aligned in width columns. */
void out_u64_right(struct out *o, uint64_t v, unsigned width);
/* v in at least `width` digits, with zeros in front. */
void out_u64_zeros(struct out *o, uint64_t v, unsigned width);
/* "1 connection", "5 connections". */
void out_count(struct out *o, uint64_t n, const char *noun);
/* A duration as people read it: 12ms, 3.4s, 4m12s, 2h05m, 3d04h. */
void out_duration(struct out *o, uint64_t ns);
/* A byte count: 512 B, 18.2 KiB, 3.0 MiB. */
void out_bytes(struct out *o, uint64_t n);
/* Writes what is buffered, retrying short writes and EINTR. */
void out_flush(struct out *o);

/* Says whether descriptor 2 is stderr still and not a file of the program's; without one it is
 * taken to be. Set once. */
extern bool (*say_allowed)(void);

/* One line to stderr, "poolguard: " and the strings; the list ends with NULL. For what the user
 * must know and nothing else. */
void say(const char *first, ...) __attribute__((sentinel));

#endif
