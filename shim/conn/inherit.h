/* Connections that were open before this process knew of them: they came by fork, by exec, or in a
 * message. Who opened them, and from where, stands in the state file of the process that did. */
#ifndef PG_CONN_INHERIT_H
#define PG_CONN_INHERIT_H

#include <stdbool.h>

#include "base/options.h"
#include "state/view.h"

/* Has exec left TCP connections open? From the constructor; one system call where only the standard
 * descriptors are open. */
bool inherit_is_needed(void);

/* What an ancestor's state file says, looked at before this process's own takes the place of one.
 */
struct ancestry {
    struct view self, parent; /* of this pid's earlier program, and of the parent */
};
void inherit_look_up(struct ancestry *a, const struct options *o);
void inherit_forget(struct ancestry *a);

/* Records every TCP connection that is open at this moment: the program was just started. */
void inherit_by_exec(const struct ancestry *a);

/* What the parent of this forked child had open is the child's too. `parents`: its box. */
void inherit_by_fork(const struct box *parents);

/* A descriptor that came in a message. Keeps nothing, where it is no TCP connection. */
void inherit_received(int fd);
/* A descriptor that was sent in a message. Ready. */
void inherit_passed(int fd);

#endif
