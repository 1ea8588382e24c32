/* State files outlive a process that crashed or was killed, so that its end can still be read.
 * Nobody else tidies them: whoever creates a new file sweeps the old ones of dead processes. */
#include "state/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/dir.h"
#include "base/out.h"
#include "base/sys.h"

enum { KEEP_SECONDS = 3600, KEEP_FILES = 256 };

static void path_begin(struct out *o, char path[PLACE_MAX]) {
    out_init(o, -1, path, PLACE_MAX - 1);
}

static void path_end(struct out *o) {
    o->buf[o->len] = '\0';
}

void place_directory(char path[PLACE_MAX], const char *option, uint32_t uid) {
    struct out o;
    path_begin(&o, path);
    if (*option) {
        out_str(&o, option);
    } else {
        out_str(&o, "/dev/shm/poolguard-");
        out_u64(&o, uid);
    }
    path_end(&o);
}

static void file_name(struct out *o, int pid, uint64_t pid_namespace) {
    out_u64(o, (uint64_t)pid);
    out_char(o, '-');
    out_u64(o, pid_namespace);
    out_str(o, ".box");
}

void place_file(char path[PLACE_MAX], const char *directory, int pid, uint64_t pid_namespace) {
    struct out o;
    path_begin(&o, path);
    out_strs(&o, directory, "/", NULL);
    file_name(&o, pid, pid_namespace);
    path_end(&o);
}

static const char *read_number(const char *s, uint64_t *v) {
    *v = 0;
    const char *start = s;
    for (; *s >= '0' && *s <= '9' && s - start < 19; s++)
        *v = *v * 10 + (uint64_t)(*s - '0');
    return s == start ? NULL : s;
}

int place_pid(const char *name, uint64_t *pid_namespace) {
    uint64_t pid;
    const char *s = read_number(name, &pid);
    if (!s || *s != '-' || pid == 0 || pid > INT32_MAX)
        return 0;
    s = read_number(s + 1, pid_namespace);
    return s && strcmp(s, ".box") == 0 ? (int)pid : 0;
}

uint64_t place_pid_namespace(void) {
    struct stat st;
    return sys(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 ? st.st_ino : 0;
}

int place_open(const char *directory, uint32_t uid, int by_default) {
    long made = sys(SYS_mkdirat, AT_FDCWD, directory, 0700);
    if (made < 0 && made != -EEXIST)
        return (int)made;
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (by_default ? O_NOFOLLOW : 0);
    long fd = sys(SYS_openat, AT_FDCWD, directory, flags, 0);
    if (fd < 0 || !by_default)
        return (int)fd;
    struct stat st;
    if (sys(SYS_fstat, fd, &st) == 0 && st.st_uid == uid && (st.st_mode & 077) == 0)
        return (int)fd;
    sys(SYS_close, fd);
    return -EPERM;
}

static void sweep_one(int directory, const char *name, int pid, int64_t now, bool all) {
    if (sys(SYS_kill, pid, 0) != -ESRCH)
        return;
    struct stat st;
    if (sys(SYS_newfstatat, directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    bool found_before = (st.st_mode & 0200) == 0;
    if (all || (found_before && now - st.st_ctim.tv_sec > KEEP_SECONDS))
        sys(SYS_unlinkat, directory, name, 0);
    else if (!found_before)
        sys(SYS_fchmodat, directory, name, 0400);
}

struct sweep {
    int directory;
    uint64_t pid_namespace;
    int64_t now;
    unsigned files;
    bool remove, all;
};

static void visit(const char *name, void *arg) {
    struct sweep *s = arg;
    uint64_t ns;
    int pid = place_pid(name, &ns);
    s->files += pid != 0;
    if (s->remove && pid && ns == s->pid_namespace)
        sweep_one(s->directory, name, pid, s->now, s->all);
}

void place_sweep(int directory, uint64_t pid_namespace) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    struct sweep s = {.directory = directory, .pid_namespace = pid_namespace, .now = now.tv_sec};
    dir_each(directory, visit, &s);
    if (s.files == 0)
        return;
    s.remove = true;
    s.all = s.files > KEEP_FILES;
    dir_each(directory, visit, &s);
}
