/* Descriptor 2 need not be stderr: a program that closes everything and opens its data file may
 * have that file there, and a report would end up inside. So stderr is what it was at the start or
 * what dup2() made of it; anything else only when nothing can be spoilt: a terminal, a pipe, a log
 * that is appended to. */
#include "report/target.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/out.h"
#include "base/sys.h"

STARTUP static const char *pattern = "stderr";
STARTUP static struct { uint64_t dev, ino; } known_stderr;

static void remember_stderr(void) {
    struct stat st;
    if (sys(SYS_fstat, 2, &st) == 0) {
        known_stderr.dev = st.st_dev;
        known_stderr.ino = st.st_ino;
    }
}

static bool stderr_is_safe(void);

void target_setup(const char *path_pattern) {
    pattern = path_pattern;
    say_allowed = stderr_is_safe;
    remember_stderr();
}

void target_stderr_moved(void) {
    remember_stderr();
}

/* An internet socket is the peer's, not ours to write to (a server started by inetd). */
static bool is_peer(int fd) {
    int domain = 0;
    socklen_t n = sizeof domain;
    return sys(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

static bool stderr_is_safe(void) {
    struct stat st;
    if (sys(SYS_fstat, 2, &st) != 0 || (S_ISSOCK(st.st_mode) && is_peer(2)))
        return false;
    if (st.st_dev == known_stderr.dev && st.st_ino == known_stderr.ino)
        return true;
    return S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode);
}

/* 20260131-235959 in UTC. */
static void out_time(struct out *o) {
    struct calendar c = calendar_utc(clock_ns(CLOCK_REALTIME) / UINT64_C(1000000000));
    out_u64_zeros(o, c.year, 4);
    out_u64_zeros(o, c.month, 2);
    out_u64_zeros(o, c.day, 2);
    out_char(o, '-');
    out_u64_zeros(o, c.hour, 2);
    out_u64_zeros(o, c.minute, 2);
    out_u64_zeros(o, c.second, 2);
}

static void out_name(struct out *o, const char *s) {
    for (; *s; s++)
        out_char(o, *s == '/' || (unsigned char)*s < ' ' ? '_' : *s);
}

/* The pattern with %p, %e, %t and %% filled in; the pid at the end when no %p named it. */
static void out_path(struct out *o, const char *program) {
    bool has_pid = false;
    for (const char *s = pattern; *s; s++) {
        if (*s != '%' || !strchr("pet%", s[1]) || !s[1]) {
            out_char(o, *s);
            continue;
        }
        s++;
        has_pid |= *s == 'p';
        if (*s == 'p')
            out_u64(o, (uint64_t)sys(SYS_getpid));
        else if (*s == 'e')
            out_name(o, program);
        else if (*s == 't')
            out_time(o);
        else
            out_char(o, '%');
    }
    if (!has_pid) {
        out_char(o, '.');
        out_u64(o, (uint64_t)sys(SYS_getpid));
    }
}

int target_open(const char *program, bool *close_it) {
    static char path[4096]; /* one report at a time; the stack may be a small one */
    struct out o;
    *close_it = false;
    if (strcmp(pattern, "stderr") != 0) {
        out_init(&o, -1, path, sizeof path - 1);
        out_path(&o, program);
        path[o.len] = '\0';
        int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
        long fd = sys(SYS_openat, AT_FDCWD, path, flags, 0644);
        *close_it = fd >= 0;
        if (fd >= 0)
            return (int)fd;
        if (!stderr_is_safe())
            return -1;
        const char *why = strerrordesc_np((int)-fd);
        say("report ", path, ": ", why ? why : "can not be opened", "; it goes to stderr", NULL);
    }
    return stderr_is_safe() ? 2 : -1;
}

void target_close(int fd) {
    sys(SYS_close, fd);
}
