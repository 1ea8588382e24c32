/* From what the user named, a pid or a file, to the state file. */
#ifndef PG_TOOLS_FIND_H
#define PG_TOOLS_FIND_H

#include <stdbool.h>

struct found {
    int fd;       /* of the state file; the caller closes it */
    int pid;      /* 0: unknown, the user named a file */
    bool running; /* the file is mapped by this very process, so it is neither old nor another's */
    bool namespaces; /* it has libc mapped twice: dlmopen(3) */
    char path[4160]; /* of the file, for messages */
};

/* `name`: a pid or the path of a state file; `state_dir`: "" for the default. NULL, or one line
 * that says what is wrong and what to do (in a static buffer). A running process is asked which
 * file it has mapped; the file of a dead one is looked for in the state directory. */
const char *find_box(struct found *f, const char *name, const char *state_dir);

#endif
