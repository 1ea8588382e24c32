/* Which threads wait for which connections: those that are inside connect(2) or a read at this
 * moment, as /proc/PID/task/TID/syscall shows it (proc(5)). Async-signal-safe; also used by the
 * command. */
#ifndef PG_REPORT_BLOCKED_H
#define PG_REPORT_BLOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "report/facts.h"

enum blocked_call {
    BLOCKED_NOT,
    BLOCKED_CONNECT,
    BLOCKED_READ,
    BLOCKED_READV,
    BLOCKED_RECV,
    BLOCKED_RECVFROM,
    BLOCKED_RECVMSG,
    BLOCKED_RECVMMSG,
    BLOCKED_COUNT
};
/* As the program knows it: "connect", "recv" and so on. */
const char *blocked_call_name(unsigned call);

/* A system call that a thread is in; number -1: none. */
struct system_call {
    long number;
    uint64_t argument[6];
};
/* Reads a line of /proc/PID/task/TID/syscall: "45 0x3 0x7ffe... ... 0x7ffe... 0x7f01...". A thread
 * that runs, or is blocked elsewhere, is in none. False: it is no such line. */
bool system_call_parse(struct system_call *c, const char *line);
/* What it waits for, if it is one of the above and may wait; *fd is its descriptor. */
enum blocked_call system_call_blocks(const struct system_call *c, int *fd);

/* Notes in each fact that was not used for leak_after the thread that waits for it, if its socket
 * is a blocking one. `pid` is as in base/proc.h. `own`: in "self", what the calling thread was in
 * when a signal came; NULL: nothing. `foreign`: the numbers in /proc are those of another namespace
 * (report/threads.h). Looks at nothing unless there is such a fact. */
void blocked_look(struct facts *f, const char *pid, bool foreign, const struct system_call *own);

/* Is the call of a fact's blocked thread bounded in time by the socket's options? */
bool blocked_is_timed(const struct fact *x);

#endif
