/* The subcommands: each is called with argv[0] being its own name, and returns the exit status. */
#ifndef PG_TOOLS_COMMAND_H
#define PG_TOOLS_COMMAND_H

enum {
    STATUS_USAGE = 2,          /* a wrong word on the command line */
    STATUS_UNSEEN = 24,        /* could not look: the program, its state, or the library */
    STATUS_NOT_RUNNABLE = 126, /* as shells have it: found, but it can not be run */
    STATUS_NOT_FOUND = 127,
};

int command_run(int argc, char **argv);
int command_report(int argc, char **argv);
int command_version(int argc, char **argv);
/* Hidden: the options as mdoc(7), for the manual. */
int command_man_options(int argc, char **argv);

#endif
