#include "base/out.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/sys.h"

void out_init(struct out *o, int fd, char *buf, size_t cap) {
    *o = (struct out){.buf = buf, .cap = cap, .fd = fd};
}

/* A reader that takes nothing for so long gets no more: the program is not to hang on its account.
 */
enum { PATIENCE_MS = 1000, PART = 4096 };

#define SIGNAL_BIT(sig) (UINT64_C(1) << ((sig)-1))

/* Writing to a pipe without a reader, or past a file size limit, raises a signal that the program
 * never asked for: it is held back and taken away. */
static long write_quietly(int fd, const char *p, size_t n) {
    uint64_t ours = SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ), before = 0, pending = 0;
    struct timespec none = {0, 0};
    sys(SYS_rt_sigprocmask, SIG_BLOCK, &ours, &before, 8);
    sys(SYS_rt_sigpending, &pending, 8);
    long r = sys(SYS_write, fd, p, n);
    uint64_t raised = r == -EPIPE ? SIGNAL_BIT(SIGPIPE) : r == -EFBIG ? SIGNAL_BIT(SIGXFSZ) : 0;
    raised &= ~pending;
    if (raised)
        sys(SYS_rt_sigtimedwait, &raised, NULL, &none, 8);
    sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    return r;
}

/* Writes a part without blocking for long; a negative errno when it can not be. */
static long write_part(int fd, const char *p, size_t n) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    struct timespec patience = {PATIENCE_MS / 1000, PATIENCE_MS % 1000 * 1000000};
    long r = sys(SYS_ppoll, &wait, 1, &patience, NULL, 8);
    if (r == -EINTR)
        return 0;
    if (r <= 0)
        return r ? r : -EAGAIN;
    r = write_quietly(fd, p, n < PART ? n : PART);
    return r == -EINTR || r == -EAGAIN ? 0 : r;
}

void out_flush(struct out *o) {
    if (o->drain)
        o->drain(o);
    if (o->fd < 0)
        return;
    for (size_t done = 0; done < o->len && !o->error;) {
        long n = write_part(o->fd, o->buf + done, o->len - done);
        if (n < 0)
            o->error = (int)-n;
        else
            done += (size_t)n;
    }
    o->len = 0;
}

void out_mem(struct out *o, const char *s, size_t n) {
    while (n > 0) {
        if (o->len == o->cap) {
            if (o->fd < 0 && !o->drain) {
                o->dropped = true;
                return;
            }
            out_flush(o);
        }
        size_t room = o->cap - o->len;
        size_t part = n < room ? n : room;
        memcpy(o->buf + o->len, s, part);
        o->len += part;
        s += part;
        n -= part;
    }
}

void out_str(struct out *o, const char *s) {
    out_mem(o, s, strlen(s));
}

void out_char(struct out *o, char c) {
    out_mem(o, &c, 1);
}

static void out_strs_v(struct out *o, va_list ap) {
    for (const char *s; (s = va_arg(ap, const char *)) != NULL;)
        out_str(o, s);
}

void out_strs(struct out *o, ...) {
    va_list ap;
    va_start(ap, o);
    out_strs_v(o, ap);
    va_end(ap);
}

/* Digits of v in the base, least significant last; returns their start inside the 24 bytes. */
static char *digits(char end[24], uint64_t v, unsigned base) {
    char *p = end + 23;
    *p = '\0';
    do
        *--p = "0123456789abcdef"[v % base];
    while ((v /= base) != 0);
    return p;
}

void out_u64(struct out *o, uint64_t v) {
    char t[24];
    out_str(o, digits(t, v, 10));
}

void out_i64(struct out *o, int64_t v) {
    if (v < 0)
        out_char(o, '-');
    out_u64(o, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void out_hex(struct out *o, uint64_t v) {
    char t[24];
    out_strs(o, "0x", digits(t, v, 16), NULL);
}

static void out_blanks(struct out *o, size_t n) {
    while (n-- > 0)
        out_char(o, ' ');
}

void out_pad(struct out *o, const char *s, unsigned width) {
    size_t n = strlen(s);
    out_mem(o, s, n);
    out_blanks(o, n < width ? width - n : 1);
}

void out_u64_right(struct out *o, uint64_t v, unsigned width) {
    char t[24];
    const char *d = digits(t, v, 10);
    size_t n = strlen(d);
    out_blanks(o, n + 2 <= width ? width - n : 2); /* columns never touch */
    out_str(o, d);
}

void out_count(struct out *o, uint64_t n, const char *noun) {
    out_u64(o, n);
    out_strs(o, " ", noun, n == 1 ? "" : "s", NULL);
}

void out_u64_zeros(struct out *o, uint64_t v, unsigned width) {
    char t[24];
    const char *d = digits(t, v, 10);
    for (size_t n = strlen(d); n < width; n++)
        out_char(o, '0');
    out_str(o, d);
}

/* "4m" and "05s": the larger unit as it is, the smaller one in two digits. */
static void out_units(struct out *o, uint64_t big, const char *unit, uint64_t small,
                      const char *small_unit) {
    out_u64(o, big);
    out_str(o, unit);
    out_u64_zeros(o, small, 2);
    out_str(o, small_unit);
}

void out_duration(struct out *o, uint64_t ns) {
    uint64_t ms = ns / 1000000, s = ms / 1000;
    if (ms < 1000) {
        out_u64(o, ms);
        out_str(o, "ms");
    } else if (s < 60) {
        out_u64(o, s);
        if (s < 10 && ms / 100 % 10) {
            out_char(o, '.');
            out_u64(o, ms / 100 % 10);
        }
        out_char(o, 's');
    } else if (s < 3600) {
        out_units(o, s / 60, "m", s % 60, "s");
    } else if (s < 86400) {
        out_units(o, s / 3600, "h", s / 60 % 60, "m");
    } else {
        out_units(o, s / 86400, "d", s / 3600 % 24, "h");
    }
}

void out_bytes(struct out *o, uint64_t n) {
    static const char *const unit[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    unsigned i = 0;
    uint64_t tenths = 0;
    while (n >= 1024) {
        tenths = n % 1024 * 10 / 1024;
        n /= 1024;
        i++;
    }
    out_u64(o, n);
    if (i) {
        out_char(o, '.');
        out_u64(o, tenths);
    }
    out_str(o, unit[i]);
}

bool (*say_allowed)(void);

void say(const char *first, ...) {
    char line[1024];
    struct out o;
    va_list ap;
    if (say_allowed && !say_allowed())
        return;
    /* Memory first, so that the line leaves in one write and is not mixed with the program's. */
    out_init(&o, -1, line, sizeof line - 1);
    out_strs(&o, "poolguard: ", first, NULL);
    va_start(ap, first);
    out_strs_v(&o, ap);
    va_end(ap);
    line[o.len++] = '\n';
    o.fd = 2;
    out_flush(&o);
}
