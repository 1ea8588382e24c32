#include "report/epollset.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/sys.h"

enum { WATCH_MAX = PROC_FD_MAX }; /* descriptor numbers; the mapping is sparse */

bool epoll_watch_begin(struct epoll_watch *w) {
    w->size = WATCH_MAX / 8;
    w->bits = mem_map(w->size);
    return w->bits != NULL;
}

void epoll_watch_free(struct epoll_watch *w) {
    mem_unmap(w->bits, w->size);
    w->bits = NULL;
}

bool epoll_watch_has(const struct epoll_watch *w, int fd) {
    return fd >= 0 && fd < WATCH_MAX && (w->bits[fd / 64] >> (fd % 64) & 1);
}

/* One line, "tfd:        5 events:     2019 data: ..." (the events in hex). */
static void read_line(struct epoll_watch *w, const char *s) {
    uint32_t fd = 0, events = 0;
    if (strncmp(s, "tfd:", 4) != 0)
        return;
    for (s += 4; *s == ' '; s++)
        ;
    for (; *s >= '0' && *s <= '9'; s++)
        fd = fd * 10 + (uint32_t)(*s - '0');
    const char *e = strstr(s, "events:");
    if (!e)
        return;
    for (e += 7; *e == ' '; e++)
        ;
    for (; (*e >= '0' && *e <= '9') || (*e >= 'a' && *e <= 'f'); e++)
        events = events << 4 | (uint32_t)(*e <= '9' ? *e - '0' : *e - 'a' + 10);
    if (fd < WATCH_MAX && (events & (EPOLLIN | EPOLLRDHUP)))
        w->bits[fd / 64] |= UINT64_C(1) << (fd % 64);
}

bool epoll_watch_read(struct epoll_watch *w, const char *pid, int epfd) {
    char buf[1024];
    size_t have = 0;
    int fd = proc_open(pid, "/fdinfo/", epfd, O_RDONLY);
    if (fd < 0)
        return false;
    for (;;) {
        long n = sys(SYS_read, fd, buf + have, sizeof buf - 1 - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        buf[have] = '\0';
        char *line = buf, *end;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            read_line(w, line);
        }
        have -= (size_t)(line - buf);
        memmove(buf, line, have);
        if (have == sizeof buf - 1)
            have = 0; /* no line of ours is that long */
    }
    sys(SYS_close, fd);
    return true;
}
