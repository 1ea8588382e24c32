/* The kernel's TCP sockets of another process, by inode: /proc/PID/fd joined with sock_diag(7). No
 * privilege is needed for one's own processes. */
#ifndef PG_TOOLS_SOCKETS_H
#define PG_TOOLS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/tcp.h>

#include <uthash.h>

#include "base/addr.h"
#include "report/epollset.h"
#include "report/facts.h"

struct socket_entry {
    uint64_t inode;
    int fds[FACT_FDS];
    uint32_t fd_count;
    bool is_tcp;  /* in the kernel's tables; a closed one is in none */
    bool claimed; /* a record is for it */
    uint8_t tcp;
    uint32_t unread;
    struct tcp_info info; /* zeroes: not known */
    struct addr local, peer;
    UT_hash_handle hh;
};

struct sockets {
    struct socket_entry *by_inode;
    struct numbers watched; /* descriptors that its epoll sets listen to */
    bool has_uring;
};

/* NULL, or what was in the way, in a few words; *needs_permission says that it was that. */
const char *sockets_gather(struct sockets *s, int pid, bool *needs_permission);
struct socket_entry *sockets_find(const struct sockets *s, uint64_t inode);
void sockets_free(struct sockets *s);

#endif
