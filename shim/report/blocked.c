#include "report/blocked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/proc.h"
#include "base/sys.h"
#include "report/polled.h"
#include "report/threads.h"
#include "report/verdict.h"

const char *blocked_call_name(unsigned call) {
    static const char *const name[BLOCKED_COUNT] = {"none", "connect",  "read",    "readv",
                                                    "recv", "recvfrom", "recvmsg", "recvmmsg"};
    return name[call < BLOCKED_COUNT ? call : 0];
}

/* --- system calls ----------------------------------------------------------------------------- */

/* A number in the base that its beginning says; NULL where there is none. */
static const char *take_number(const char *s, uint64_t *v) {
    const char *start = s += strspn(s, " ");
    bool hex = s[0] == '0' && s[1] == 'x';
    for (*v = 0, s += hex ? 2 : 0;; s++) {
        unsigned digit = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0') : 99;
        if (hex && *s >= 'a' && *s <= 'f')
            digit = (unsigned)(*s - 'a') + 10;
        if (digit == 99)
            break;
        *v = *v * (hex ? 16 : 10) + digit;
    }
    return s == start ? NULL : s;
}

bool system_call_parse(struct system_call *c, const char *line) {
    uint64_t number;
    c->number = -1;
    if (strncmp(line, "running", 7) == 0 || strncmp(line, "-1 ", 3) == 0)
        return true;
    const char *s = take_number(line, &number);
    for (int i = 0; i < 6 && s; i++)
        s = take_number(s, &c->argument[i]);
    if (s)
        c->number = (long)number;
    return s != NULL;
}

/* `flags`: which argument has MSG_DONTWAIT, 0: none has. */
static const struct {
    long number;
    uint8_t call, flags;
} reading[] = {
    {SYS_read, BLOCKED_READ, 0},         {SYS_readv, BLOCKED_READV, 0},
    {SYS_recvfrom, BLOCKED_RECV, 3},     {SYS_recvmsg, BLOCKED_RECVMSG, 2},
    {SYS_recvmmsg, BLOCKED_RECVMMSG, 3},
};

enum blocked_call system_call_blocks(const struct system_call *c, int *fd) {
    *fd = (int)c->argument[0];
    if (c->number == SYS_connect)
        return BLOCKED_CONNECT;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        if (reading[i].number != c->number ||
            (reading[i].flags && c->argument[reading[i].flags] & MSG_DONTWAIT))
            continue;
        /* recv() is the one with room for an address. */
        bool addressed = c->number == SYS_recvfrom && c->argument[4];
        return addressed ? BLOCKED_RECVFROM : (enum blocked_call)reading[i].call;
    }
    return BLOCKED_NOT;
}

/* --- facts ------------------------------------------------------------------------------------ */

static bool is_timed(const struct fact *x, bool connecting) {
    return x->flags & (connecting ? CONN_WRITE_TIMED : CONN_READ_TIMED);
}

bool blocked_is_timed(const struct fact *x) {
    return is_timed(x, x->blocked_call == BLOCKED_CONNECT);
}

static bool is_quiet(const struct facts *f, const struct fact *x) {
    uint64_t used = fact_last_use(x);
    return fact_is_open(x) && f->now > used && f->now - used >= fact_leak_after(f, x);
}

struct look {
    struct facts *f;
    const char *pid;
    bool foreign;
    int listed;      /* the thread that is looked at, as /proc has it */
    int caller;      /* the thread that looks, 0: one of another process */
    uint32_t *by_fd; /* descriptor -> fact + 1 */
    uint32_t seen, missing;
    bool failed;
};
enum { BY_FD_SIZE = NUMBERS_MAX * sizeof(uint32_t) };

static bool any_quiet(const struct facts *f) {
    for (uint32_t i = 0; i < f->count; i++)
        if (is_quiet(f, &f->fact[i]))
            return true;
    return false;
}

static void index_quiet(const struct look *l) {
    for (uint32_t i = 0; i < l->f->count; i++) {
        const struct fact *x = &l->f->fact[i];
        if (!is_quiet(l->f, x))
            continue;
        for (uint32_t k = 0; k < x->fd_count && k < FACT_FDS; k++)
            if (x->fds[k] >= 0 && x->fds[k] < NUMBERS_MAX)
                l->by_fd[x->fds[k]] = i + 1;
    }
}

/* As /proc/PID/fdinfo shows them, in octal. */
static long flags_of_file(const char *name, int fd) {
    char text[128];
    long flags = 0;
    proc_read(name, "/fdinfo/", fd, text, sizeof text);
    const char *s = strstr(text, "flags:");
    if (!s)
        return -ENOENT;
    for (s += 6; *s == '\t' || *s == ' '; s++)
        ;
    for (; *s >= '0' && *s <= '7'; s++)
        flags = flags * 8 + (*s - '0');
    return flags;
}

/* Is the socket a blocking one? `unknown` when that can not be told. */
static bool is_blocking(const struct look *l, const char *name, int fd, bool unknown) {
    long flags = l->caller ? sys(SYS_fcntl, fd, F_GETFL) : flags_of_file(name, fd);
    return flags < 0 ? unknown : !(flags & O_NONBLOCK);
}

/* A thread waits for it in poll() or select(). */
static void note_polled(int fd, void *arg) {
    const struct look *l = arg;
    uint32_t at = fd < NUMBERS_MAX ? l->by_fd[fd] : 0;
    if (at)
        l->f->fact[at - 1].watched = true;
}

/* `tid`: as the process sees it. The lowest of several, so that two reports say the same. */
static void note(struct look *l, const char *name, int tid, const struct system_call *c) {
    int fd;
    polled_each(l->caller ? l->caller : l->listed, c, note_polled, l);
    enum blocked_call call = system_call_blocks(c, &fd);
    uint32_t at = call != BLOCKED_NOT && fd >= 0 && fd < NUMBERS_MAX ? l->by_fd[fd] : 0;
    struct fact *x = at ? &l->f->fact[at - 1] : NULL;
    if (!x || !is_blocking(l, name, fd, false))
        return;
    if (x->blocked_thread && x->blocked_thread < tid)
        return;
    x->blocked_thread = tid;
    x->blocked_call = (uint8_t)call;
}

static void look_at(int tid, void *arg) {
    struct look *l = arg;
    char name[PROC_THREAD], line[192];
    struct system_call c = {.number = -1};
    int own = l->foreign ? thread_own_id(l->pid, tid) : tid;
    l->listed = tid;
    if (own == l->caller)
        return;
    proc_thread(name, l->pid, tid);
    long n = l->failed ? -EPERM : proc_read(name, "/syscall", -1, line, sizeof line);
    if (n == -ENOENT || n == -ESRCH) {
        l->missing++; /* the thread has ended meanwhile, or the kernel has no such files */
    } else if (n > 0 && system_call_parse(&c, line)) {
        l->seen++;
        note(l, name, own, &c);
    } else {
        l->failed = true; /* for one as for all: no permission, no descriptor */
    }
}

/* Would it be a finding if a thread were blocked on it? */
static bool would_matter(const struct look *l, const struct fact *x) {
    return is_quiet(l->f, x) && fact_waits(x) && x->direction == CONN_OUTBOUND &&
           !fact_is_handed(x) && !x->blocked_thread && !is_timed(x, x->state == CONN_CONNECTING) &&
           x->fd_count && is_blocking(l, l->pid, x->fds[0], true);
}

static void note_unknown(const struct look *l) {
    l->f->calls_unknown = true;
    for (uint32_t i = 0; i < l->f->count && !l->f->blocked_unknown; i++)
        l->f->blocked_unknown = would_matter(l, &l->f->fact[i]);
}

void blocked_look(struct facts *f, const char *pid, bool foreign, const struct system_call *own) {
    struct look l = {.f = f, .pid = pid, .foreign = foreign};
    if (!any_quiet(f))
        return;
    l.caller = strcmp(pid, "self") == 0 ? (int)sys(SYS_gettid) : 0;
    l.by_fd = mem_map(BY_FD_SIZE);
    f->watch_unknown |= !l.by_fd;
    bool all = l.by_fd != NULL;
    if (all) {
        index_quiet(&l);
        if (own)
            note(&l, pid, l.caller, own);
        all = proc_threads(pid, look_at, &l) && !l.failed;
    }
    if (!all || (l.missing && !l.seen))
        note_unknown(&l);
    mem_unmap(l.by_fd, BY_FD_SIZE);
}
