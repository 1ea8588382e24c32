#include "base/proc.h"

#include <fcntl.h>
#include <string.h>

#include "base/dir.h"
#include "base/numbers.h"
#include "base/out.h"
#include "base/sys.h"

enum { PATH_ROOM = 64 };

static void path_write(char path[PATH_ROOM], const char *pid, const char *what, int fd) {
    struct out o;
    out_init(&o, -1, path, PATH_ROOM - 1);
    out_strs(&o, "/proc/", pid, what, NULL);
    if (fd >= 0)
        out_u64(&o, (uint64_t)fd);
    path[o.len] = '\0';
}

bool proc_fd_is_uring(const char *pid, int fd) {
    static const char uring[] = "anon_inode:[io_uring]";
    char path[PATH_ROOM], name[sizeof uring];
    path_write(path, pid, "/fd/", fd);
    long n = sys(SYS_readlinkat, AT_FDCWD, path, name, sizeof name);
    return n == sizeof uring - 1 && memcmp(name, uring, sizeof uring - 1) == 0;
}

int proc_open(const char *pid, const char *what, int fd, int flags) {
    char path[PATH_ROOM];
    path_write(path, pid, what, fd);
    return (int)sys(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static int number(const char *s) {
    int v = 0;
    for (; *s >= '0' && *s <= '9' && v < NUMBERS_MAX; s++)
        v = v * 10 + (*s - '0');
    return *s ? -1 : v;
}

struct listing {
    void (*visit)(int number, void *);
    void *arg;
    int skip; /* the directory's own descriptor, where it is among them */
};

static void visit_name(const char *name, void *arg) {
    struct listing *l = arg;
    int n = name[0] == '.' ? -1 : number(name);
    if (n >= 0 && n != l->skip)
        l->visit(n, l->arg);
}

static bool list(const char *pid, const char *what, void (*visit)(int, void *), void *arg) {
    int dir = proc_open(pid, what, -1, O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        return false;
    bool own_fds = strcmp(pid, "self") == 0 && strcmp(what, "/fd") == 0;
    struct listing l = {visit, arg, own_fds ? dir : -1};
    bool ok = dir_each(dir, visit_name, &l);
    sys(SYS_close, dir);
    return ok;
}

bool proc_fds(const char *pid, void (*visit)(int, void *), void *arg) {
    return list(pid, "/fd", visit, arg);
}

bool proc_threads(const char *pid, void (*visit)(int, void *), void *arg) {
    return list(pid, "/task", visit, arg);
}

void proc_thread(char name[PROC_THREAD], const char *pid, int tid) {
    struct out o;
    out_init(&o, -1, name, PROC_THREAD - 1);
    out_strs(&o, pid, "/task/", NULL);
    out_i64(&o, tid);
    name[o.len] = '\0';
}

long proc_read(const char *pid, const char *what, int fd, char *buf, size_t size) {
    int file = proc_open(pid, what, fd, O_RDONLY);
    buf[0] = '\0';
    if (file < 0)
        return file;
    long n = sys(SYS_read, file, buf, size - 1);
    sys(SYS_close, file);
    buf[n > 0 ? n : 0] = '\0';
    return n;
}
