/* The life of a connection: connecting, established, half-closed by either side, failed, closed.
 *
 * The wrappers tell this room what the program did; it keeps one record for each connection in the
 * state file and one slot for each descriptor. Everything here is async-signal-safe, holds no lock
 * across anything of the program's, and may change errno (the wrappers put it back), except where
 * "keeps errno" is said. "Ready" means behind process_ready(). */
#ifndef PG_CONN_CONN_H
#define PG_CONN_CONN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/thread.h"
#include "conn/fdtable.h"

void conn_begin_process(void);

/* --- opening -------------------------------------------------------------------------------- */

/* socket() returned fd: remembers whether it can become a TCP connection. A live slot under this
 * number proves that the old connection was closed behind our back. Ready. */
void conn_socket(int fd, int domain, int type, int protocol);

/* A connect() under way, between conn_dial and conn_dialed. */
struct dial {
    uint64_t slot; /* FD_NONE: not a TCP socket, nothing to do */
    int before;    /* the record's state before this call */
    bool fresh;    /* the record was opened by this call */
};

/* Before the real connect() of fd to peer: records the connection as connecting, with the caller's
 * stack, so that one that blocks for minutes can be seen. Ready. */
struct dial conn_dial(int fd, const struct addr *peer);
/* After it: what it returned, and errno. Ready. */
void conn_dialed(const struct dial *d, int fd, const struct addr *peer, int result, int error);
/* connect(AF_UNSPEC) succeeded: the connection is gone, the socket can connect again. Ready. */
void conn_disconnected(int fd);

/* accept() returned fd. `peer`: ADDR_NONE when it is no internet address. Ready. */
void conn_accepted(int fd, const struct addr *peer);

/* --- for the rest of this room ---------------------------------------------------------------- */

/* Puts a slot under fd; what stood there was closed behind our back. */
void conn_enter(int fd, uint64_t slot);
/* Is it a TCP socket? For one whose making we did not see; asks the kernel. */
bool conn_is_tcp(int fd);
/* The socket's inode, 0: unknown. */
uint64_t conn_inode(int fd);

/* --- moving and closing --------------------------------------------------------------------- */

/* Around a close() of fd from `caller`. BEFORE it the connection is forgotten, and returned; AFTER
 * it, what became of it is told. Ready, keeps errno. */
uint64_t conn_close(int fd, const void *caller);
void conn_closed(int fd, uint64_t was, int result, int error);

/* BEFORE the real call: the number may be handed out again the moment that the kernel has it.
 * Also when the descriptor turns out to have been closed behind our back. Ready, keeps errno. */
void conn_forget(int fd);
/* The descriptor turned out to have been closed behind our back while it held this slot; what was
 * entered there since stays. */
void conn_forget_stale(int fd, uint64_t slot);
void conn_forget_range(unsigned first, unsigned last);

/* oldfd was duplicated as newfd by dup() or fcntl(F_DUPFD). Ready. */
void conn_duplicated(int oldfd, int newfd);
/* dup2(oldfd, newfd) closes newfd only if it succeeds: what stood under newfd is taken out before
 * and settled after. Ready. */
uint64_t conn_overwrite(int newfd);
void conn_overwritten(int oldfd, int newfd, uint64_t taken, bool succeeded);

void conn_settle(struct box_conn *c, int state, int error);

#endif
