#include "sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct socket_entry *sockets_find(const struct sockets *s, uint64_t inode) {
    struct socket_entry *e;
    HASH_FIND(hh, s->by_inode, &inode, sizeof inode, e);
    return e;
}

void sockets_free(struct sockets *s) {
    struct socket_entry *e = s->by_inode, *next;
    HASH_CLEAR(hh, s->by_inode); /* the table; the entries stay chained */
    for (; e; e = next) {
        next = e->hh.next;
        free(e);
    }
    numbers_free(&s->watched);
}

/* --- descriptors ---------------------------------------------------------------------------- */

static void add_fd(struct sockets *s, uint64_t inode, int fd) {
    struct socket_entry *e = sockets_find(s, inode);
    if (!e) {
        e = calloc(1, sizeof *e);
        if (!e)
            return;
        e->inode = inode;
        e->tcp = TCP_IS_CLOSE;
        HASH_ADD(hh, s->by_inode, inode, sizeof e->inode, e);
    }
    if (e->fd_count < FACT_FDS)
        e->fds[e->fd_count] = fd;
    e->fd_count++;
}

static void add_link(struct sockets *s, int dir, const char *name, const char *pid) {
    char target[64];
    uint64_t inode;
    ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
    if (n <= 0)
        return;
    target[n] = '\0';
    if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
        add_fd(s, inode, atoi(name));
    else if (strcmp(target, "anon_inode:[eventpoll]") == 0)
        epoll_watch_read(&s->watched, pid, atoi(name));
    s->has_uring |= strcmp(target, "anon_inode:[io_uring]") == 0;
}

static bool read_fds(struct sockets *s, int pid) {
    char path[64], number[16];
    snprintf(number, sizeof number, "%d", pid);
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    if (!d)
        return false;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            add_link(s, dirfd(d), e->d_name, number);
    closedir(d);
    return true;
}

/* --- sock_diag ------------------------------------------------------------------------------ */

static void diag_addr(struct addr *a, int family, const uint32_t *ip, uint16_t port) {
    struct sockaddr_storage ss = {0};
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&ss;
        in->sin_family = AF_INET;
        in->sin_port = port;
        memcpy(&in->sin_addr, ip, sizeof in->sin_addr);
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = port;
        memcpy(&in6->sin6_addr, ip, sizeof in6->sin6_addr);
    }
    addr_from_sockaddr(a, (struct sockaddr *)&ss, sizeof ss);
}

/* The kernel's tables count a FIN that was not read yet as a byte (tcp_inq() leaves it out). */
static uint32_t unread_of(unsigned state, uint32_t queued) {
    bool ended = state == TCP_IS_CLOSE_WAIT || state == TCP_IS_LAST_ACK ||
                 state == TCP_IS_CLOSING || state == TCP_IS_TIME_WAIT;
    if (state == TCP_IS_LISTEN)
        return 0;
    return ended && queued ? queued - 1 : queued;
}

static void take_diag(struct sockets *s, const struct inet_diag_msg *m, size_t size) {
    struct socket_entry *e = sockets_find(s, m->idiag_inode);
    if (!m->idiag_inode || !e)
        return;
    e->is_tcp = true;
    e->tcp = m->idiag_state;
    e->unread = unread_of(m->idiag_state, m->idiag_rqueue);
    diag_addr(&e->local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
    diag_addr(&e->peer, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
    size_t left = size - sizeof *m;
    for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        size_t n = RTA_PAYLOAD(a);
        if (a->rta_type != INET_DIAG_INFO)
            continue;
        memcpy(&e->info, RTA_DATA(a), n < sizeof e->info ? n : sizeof e->info);
    }
}

static bool ask(int nl, int family) {
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 req;
    } m = {
        .head = {.nlmsg_len = sizeof m,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .req = {.sdiag_family = (uint8_t)family,
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                .idiag_states = ~0U},
    };
    return send(nl, &m, sizeof m, 0) == sizeof m;
}

/* The answer to one request. */
static bool take_answer(struct sockets *s, int nl) {
    static char buf[1 << 16] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (;;) {
        ssize_t n = recv(nl, buf, sizeof buf, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        size_t left = (size_t)n;
        for (const struct nlmsghdr *h = (const void *)buf; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE)
                return true;
            if (h->nlmsg_type == NLMSG_ERROR)
                return false;
            if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
                take_diag(s, NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN);
        }
    }
}

static bool read_diag(struct sockets *s) {
    int nl = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (nl < 0)
        return false;
    bool ok = ask(nl, AF_INET) && take_answer(s, nl);
    /* A kernel without IPv6 has nothing to say of it. */
    if (ok && ask(nl, AF_INET6))
        take_answer(s, nl);
    close(nl);
    return ok;
}

/* --- /proc/PID/net/tcp: another network namespace, or no sock_diag ---------------------------- */

/* "0100007F:1F90", each 32-bit word of the address in host order (proc(5)). */
static bool proc_addr(struct addr *a, const char *text) {
    uint32_t ip[4] = {0};
    unsigned port;
    size_t n = strcspn(text, ":");
    for (size_t i = 0; i < n / 8 && i < 4; i++)
        if (sscanf(text + 8 * i, "%8" SCNx32, &ip[i]) != 1)
            return false;
    if (sscanf(text + n, ":%x", &port) != 1)
        return false;
    diag_addr(a, n == 8 ? AF_INET : AF_INET6, ip, htons((uint16_t)port));
    return true;
}

static void take_proc_line(struct sockets *s, const char *line) {
    char local[40], peer[40];
    unsigned state, unread;
    uint64_t inode;
    if (sscanf(line, " %*u: %39s %39s %x %*x:%x %*s %*s %*u %*u %" SCNu64, local, peer, &state,
               &unread, &inode) != 5)
        return;
    struct socket_entry *e = sockets_find(s, inode);
    if (!inode || !e || !proc_addr(&e->local, local) || !proc_addr(&e->peer, peer))
        return;
    e->is_tcp = true;
    e->tcp = (uint8_t)state;
    e->unread = unread_of(state, unread);
}

static bool read_proc(struct sockets *s, int pid, const char *table) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/net/%s", pid, table);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (fgets(line, sizeof line, f))
        take_proc_line(s, line);
    fclose(f);
    return true;
}

static bool same_network(int pid) {
    char path[64];
    struct stat own, its;
    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    return stat("/proc/self/ns/net", &own) == 0 && stat(path, &its) == 0 &&
           own.st_ino == its.st_ino;
}

/* --- all of it ------------------------------------------------------------------------------ */

const char *sockets_gather(struct sockets *s, int pid, bool *needs_permission) {
    memset(s, 0, sizeof *s);
    *needs_permission = false;
    numbers_begin(&s->watched);
    if (!read_fds(s, pid)) {
        *needs_permission = errno == EACCES;
        return *needs_permission ? "no permission to read its descriptors" : "it is gone";
    }
    if (same_network(pid) && read_diag(s))
        return NULL;
    if (!read_proc(s, pid, "tcp"))
        return "the kernel's TCP tables can not be read";
    read_proc(s, pid, "tcp6");
    return NULL;
}
