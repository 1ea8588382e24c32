/* close() of a descriptor that was closed already.
 *
 * The number may belong to somebody else by then, so this closes other people's files one day. What
 * each number's last connection was, and who closed it, is noted when it is closed; looked at only
 * when a close() fails with EBADF. Programs that close every number in turn (before an exec, in a
 * daemon) mean no descriptor in particular: such sweeps are told by their neighbouring numbers. */
#ifndef PG_CONN_DOUBLE_CLOSE_H
#define PG_CONN_DOUBLE_CLOSE_H

#include <stdint.h>

void double_close_begin_process(void);

/* The connection of `slot` is being closed under fd. Returns the stack of the call that does it, or
 * BOX_NONE. Ready, keeps errno. */
uint32_t double_close_note(int fd, uint64_t slot);

/* close() of fd has come back; it had no connection's slot. `caller`: where it was called from.
 * Ready, keeps errno. */
void double_close_check(int fd, int result, int error);

/* Every close() of the calling thread, before anything is noted of it. */
void double_close_follow(int fd, const void *caller);

#endif
