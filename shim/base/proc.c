#include "base/proc.h"

#include <fcntl.h>
#include <string.h>

#include "base/dir.h"
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
    for (; *s >= '0' && *s <= '9' && v < PROC_FD_MAX; s++)
        v = v * 10 + (*s - '0');
    return *s ? -1 : v;
}

struct fds {
    void (*visit)(int fd, void *);
    void *arg;
    int skip; /* the directory itself, when it is our own */
};

static void visit_fd(const char *name, void *arg) {
    struct fds *f = arg;
    int fd = name[0] == '.' ? -1 : number(name);
    if (fd >= 0 && fd != f->skip)
        f->visit(fd, f->arg);
}

bool proc_fds(const char *pid, void (*visit)(int, void *), void *arg) {
    int dir = proc_open(pid, "/fd", -1, O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        return false;
    struct fds f = {visit, arg, strcmp(pid, "self") == 0 ? dir : -1};
    bool ok = dir_each(dir, visit_fd, &f);
    sys(SYS_close, dir);
    return ok;
}
