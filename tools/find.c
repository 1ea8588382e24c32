#include "find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/place.h"

static const char *message(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *message(const char *format, ...) {
    static char text[4160 + 512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return text;
}

/* What /proc/PID/maps says. */
struct maps {
    int own_pid; /* as the process itself sees it: its own box goes before its parent's */
    bool readable, guarded, removed;
    unsigned libcs; /* how often libc is mapped from its start */
    char box[4096]; /* "": no state file is mapped */
};

static void take_mapping(struct maps *m, char *line) {
    char *path = strchr(line, '/');
    uint64_t ns;
    if (!path)
        return;
    path[strcspn(path, "\n")] = '\0';
    char *mark = strstr(path, ".box (deleted)");
    if (mark)
        mark[strlen(".box")] = '\0';
    const char *name = strrchr(path, '/') + 1;
    m->libcs += strcmp(name, "libc.so.6") == 0 && strstr(line, " 00000000 ");
    m->guarded |= strncmp(name, "libpoolguard.so", strlen("libpoolguard.so")) == 0;
    int of = place_pid(name, &ns);
    if (of && (!m->box[0] || of == m->own_pid)) {
        snprintf(m->box, sizeof m->box, "%s", path);
        m->removed = mark != NULL;
    }
}

/* The pid as the process itself sees it (the innermost of NStgid in proc(5)). */
static int own_pid(int pid) {
    char path[64], line[256];
    int own = pid;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "NStgid:", 7) == 0)
            own = atoi(strrchr(line, '\t') + 1);
    if (f)
        fclose(f);
    return own;
}

static void read_maps(struct maps *m, int pid) {
    char path[64], line[4096 + 128];
    memset(m, 0, sizeof *m);
    m->own_pid = own_pid(pid);
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    m->readable = true;
    while (fgets(line, sizeof line, f))
        take_mapping(m, line);
    fclose(f);
}

static bool is_alive(const char *path) {
    char line[512];
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return !end || (end[2] != 'Z' && end[2] != 'X');
}

/* The process as /proc has it: its pid; or one of its threads, when the first has ended and others
 * go on; 0: it has ended. A zombie has no memory left to look at. */
static int running_as(int pid) {
    char path[64];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (is_alive(path))
        return pid;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        int tid = atoi(e->d_name);
        snprintf(path, sizeof path, "/proc/%d/stat", tid);
        found = tid && is_alive(path) ? tid : 0;
    }
    if (d)
        closedir(d);
    return found;
}

static const char *open_found(struct found *f) {
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return f->fd < 0 ? message("%s: %s", f->path, strerror(errno)) : NULL;
}

/* As the process sees the path: it may live in another root. */
static const char *open_mapped(struct found *f, const char *box) {
    f->running = true;
    snprintf(f->path, sizeof f->path, "/proc/%d/root%s", f->pid, box);
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (f->fd >= 0)
        return NULL;
    snprintf(f->path, sizeof f->path, "%s", box);
    return open_found(f);
}

static const char *find_running(struct found *f) {
    struct maps m;
    uint64_t ns;
    read_maps(&m, f->pid);
    f->namespaces = m.libcs > 1;
    if (m.box[0] && place_pid(strrchr(m.box, '/') + 1, &ns) == m.own_pid)
        return m.removed
                   ? message("the state file of process %d was removed; a report on the signal "
                             "still has everything",
                             f->pid)
                   : open_mapped(f, m.box);
    if (m.box[0])
        return message("process %d was forked from a guarded one and has made no connection of its "
                       "own yet",
                       f->pid);
    if (!m.readable)
        return message("no permission to look at process %d: be its user, or root", f->pid);
    if (m.guarded)
        return message("process %d is guarded and has no state file: it has made no connection "
                       "yet, or it was started with state_dir=off",
                       f->pid);
    return message("process %d is not guarded: start it with `poolguard run -- COMMAND`", f->pid);
}

static const char *find_dead(struct found *f, const char *state_dir) {
    char directory[PLACE_MAX];
    uint64_t ns;
    place_directory(directory, state_dir, (uint32_t)geteuid());
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));)
        if (place_pid(e->d_name, &ns) == f->pid)
            snprintf(f->path, sizeof f->path, "%s/%s", directory, e->d_name);
    if (d)
        closedir(d);
    if (f->path[0])
        return open_found(f);
    return message("there is no process %d, and no state file of one in %s", f->pid, directory);
}

/* A file that the user named may be that of a running process: then it is asked for its sockets. */
static void find_owner(struct found *f) {
    struct maps m;
    struct stat named, mapped;
    uint64_t ns;
    const char *slash = strrchr(f->path, '/');
    int pid = place_pid(slash ? slash + 1 : f->path, &ns);
    if (!pid || !(pid = running_as(pid)))
        return;
    read_maps(&m, pid);
    f->running = m.box[0] && stat(m.box, &mapped) == 0 && fstat(f->fd, &named) == 0 &&
                 mapped.st_dev == named.st_dev && mapped.st_ino == named.st_ino;
    f->pid = f->running ? pid : 0;
}

const char *find_box(struct found *f, const char *name, const char *state_dir) {
    char *end;
    memset(f, 0, sizeof *f);
    f->fd = -1;
    long pid = strtol(name, &end, 10);
    if (*name && !*end && pid > 0 && pid <= INT32_MAX) {
        int as = running_as((int)pid);
        f->pid = as ? as : (int)pid;
        return as ? find_running(f) : find_dead(f, state_dir);
    }
    if (strspn(name, "0123456789") == strlen(name))
        return message("\"%s\" is neither a pid nor a file", name);
    snprintf(f->path, sizeof f->path, "%s", name);
    const char *fault = open_found(f);
    if (!fault)
        find_owner(f);
    return fault;
}
