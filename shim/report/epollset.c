#include "report/epollset.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/proc.h"
#include "base/sys.h"

/* One line, "tfd:        5 events:     2019 data: ..." (the events in hex). */
static void read_line(struct numbers *watched, const char *s) {
    int fd = 0;
    uint32_t events = 0;
    if (strncmp(s, "tfd:", 4) != 0)
        return;
    for (s += 4; *s == ' '; s++)
        ;
    for (; *s >= '0' && *s <= '9' && fd < NUMBERS_MAX; s++)
        fd = fd * 10 + (*s - '0');
    const char *e = strstr(s, "events:");
    if (!e)
        return;
    for (e += 7; *e == ' '; e++)
        ;
    for (; (*e >= '0' && *e <= '9') || (*e >= 'a' && *e <= 'f'); e++)
        events = events << 4 | (uint32_t)(*e <= '9' ? *e - '0' : *e - 'a' + 10);
    if (events & (EPOLLIN | EPOLLRDHUP))
        numbers_add(watched, fd);
}

bool epoll_watch_read(struct numbers *watched, const char *pid, int epfd) {
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
            read_line(watched, line);
        }
        have -= (size_t)(line - buf);
        memmove(buf, line, have);
        if (have == sizeof buf - 1)
            have = 0; /* no line of ours is that long */
    }
    sys(SYS_close, fd);
    return true;
}
