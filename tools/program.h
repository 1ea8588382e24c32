/* Will a preloaded library see this program? Told from its file, before it runs.
 *
 * Where the answer is no the loader says nothing, and a report would be clean because nobody
 * looked; so `poolguard run` refuses. What the program starts later is not looked at. */
#ifndef PG_TOOLS_PROGRAM_H
#define PG_TOOLS_PROGRAM_H

#include <linux/limits.h>

enum program_fault {
    PROGRAM_FINE,
    PROGRAM_NOT_FOUND,
    PROGRAM_NOT_EXECUTABLE,
    PROGRAM_NO_LOADER,
    PROGRAM_SCRIPTS, /* scripts run by scripts without end */
    PROGRAM_GO,
    PROGRAM_STATIC,
    PROGRAM_OTHER_MACHINE,
    PROGRAM_OTHER_LIBC,
    PROGRAM_SETUID,
    PROGRAM_CAPABILITIES,
    PROGRAM_CLEARS_PRELOAD, /* #!/usr/bin/env -i */
    PROGRAM_FAULTS
};

/* What to say: "FILE `why`; `todo`", and the exit status. */
extern const struct program_fault_text {
    int status;
    const char *why, *todo;
} program_fault_text[PROGRAM_FAULTS];

/* Finds a command as execvp(3) does: along PATH unless there is a '/' in the name. Its path, or
 * when there is none the name, into `path`. */
enum program_fault program_find(const char *name, char path[PATH_MAX]);

/* Looks at the file, and for a script at the interpreter, through env(1) and up to four scripts
 * deep. `file` becomes the file that the answer is about. */
enum program_fault program_check(const char *path, char file[PATH_MAX]);

#endif
