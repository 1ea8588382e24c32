/* Flags of a subcommand: its own ones, and a flag for each row of options.def.
 *
 * An option's flag ends up in the environment as the POOLGUARD_* variable of that name, checked:
 * `run` hands it on to the program so, and others read it with options_from_env. */
#ifndef PG_TOOLS_FLAGS_H
#define PG_TOOLS_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"

/* A flag that is no option. */
struct flag {
    const char *name;  /* without the dashes */
    const char *value; /* what --help calls its value, "FILE"; NULL: it takes none */
    const char *help;
    const char *given; /* by flags_parse: the value ("" for a flag that takes none), or NULL */
};

struct flags {
    const char *usage; /* the command line: "poolguard run [options] [--] COMMAND [ARGUMENTS]" */
    const char *about; /* what it does, for --help */
    struct flag *own;
    size_t own_count;
    bool options; /* it takes the options too, and --config FILE */
};

/* Reads --name=value and --name value from argv[1] on, up to the first operand or "--". Returns the
 * index of the first operand (argc: there is none). Or 0 when the command is done: the help that
 * was asked for has been printed, or one line says what is wrong; *status is then the exit status.
 */
int flags_parse(struct flags *f, int argc, char **argv, int *status);

/* What the option's value is called: DURATION, never|leaks|always, ... */
const char *option_value_name(const struct option_info *row);
/* "POOLGUARD_LEAK_AFTER" and "leak-after" for leak_after. */
enum { NAME_ROOM = 64 };
const char *option_env_name(const struct option_info *row, char buf[NAME_ROOM]);
const char *option_flag_name(const struct option_info *row, char buf[NAME_ROOM]);

/* --help of a subcommand, to stdout. */
void flags_print_help(const struct flags *f);

#endif
