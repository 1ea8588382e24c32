/* poolguard version */
#include <linux/limits.h>
#include <stdio.h>

#include "command.h"
#include "flags.h"
#include "preload.h"
#include "state/layout.h"

int command_version(int argc, char **argv) {
    struct flags flags = {
        .usage = "poolguard version",
        .about = "Prints the version of the command and of the state files that it reads, and the "
                 "library that `poolguard run` would preload.",
    };
    char library[PATH_MAX];
    int status, first = flags_parse(&flags, argc, argv, &status);
    if (first == 0)
        return status;
    if (first < argc) {
        say("version: takes no arguments", NULL);
        return STATUS_USAGE;
    }
    const char *fault = library_find(library, NULL);
    printf("poolguard %s\nstate file version %d\nlibrary %s%s%s\n", PG_VERSION, BOX_VERSION,
           library, fault ? ": " : "", fault ? fault : "");
    return 0;
}
