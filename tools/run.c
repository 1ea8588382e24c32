/* poolguard run: the program with the library preloaded.
 *
 * The command becomes the program (execve), so that pid, terminal, signals and exit status are the
 * program's own. All that can go wrong is found out and said before that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "flags.h"
#include "preload.h"
#include "program.h"

/* AddressSanitizer's shared runtime, which gcc links, ends a program in which it is not the first
 * library. Whether a program is built so is not known here: it may be one that a Makefile starts.
 */
static bool sanitizer_allow(void) {
    static const char option[] = "verify_asan_link_order=0";
    const char *old = getenv("ASAN_OPTIONS");
    char *value;
    if (old && strstr(old, "verify_asan_link_order"))
        return true;
    if (asprintf(&value, "%s%s%s", old ? old : "", old && *old ? ":" : "", option) < 0)
        return false;
    bool set = setenv("ASAN_OPTIONS", value, 1) == 0;
    free(value);
    return set;
}

/* 0, or the exit status after a line that says why. */
static int preload_set(const char *file) {
    char library[PATH_MAX];
    const char *fault = library_find(library, file);
    if (fault) {
        say(library, " ", fault, NULL);
        return STATUS_UNSEEN;
    }
    char *list = preload_list(getenv("LD_PRELOAD"), library);
    bool set = list && setenv("LD_PRELOAD", list, 1) == 0 && sanitizer_allow();
    free(list);
    if (!set)
        say("no memory", NULL);
    return set ? 0 : STATUS_UNSEEN;
}

/* "./app is statically linked: ...", or "./app runs /usr/bin/x, which is ..." for a script. */
static int refuse(const char *path, const char *file, enum program_fault fault) {
    const struct program_fault_text *text = &program_fault_text[fault];
    bool script = strcmp(path, file) != 0;
    say(path, script ? " runs " : "", script ? file : "", script ? ", which " : " ", text->why,
        text->todo ? "; " : "", text->todo ? text->todo : "", NULL);
    return text->status;
}

static int execute(const char *path, char **argv) {
    execvp(path, argv);
    int error = errno;
    say(path, ": ", strerror(error), NULL);
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUNNABLE;
}

static int run(char **argv, const char *library) {
    char path[PATH_MAX], file[PATH_MAX];
    enum program_fault fault = program_find(argv[0], path);
    if (fault != PROGRAM_FINE)
        return refuse(path, path, fault);
    fault = program_check(path, file);
    if (fault != PROGRAM_FINE)
        return refuse(path, file, fault);
    int status = preload_set(library);
    return status ? status : execute(path, argv);
}

int command_run(int argc, char **argv) {
    struct flag library = {"library", "FILE",
                           "The libpoolguard.so to preload, when it is neither beside this command "
                           "nor in ../lib/poolguard.",
                           NULL};
    struct flags flags = {
        .usage = "poolguard run [options] [--] COMMAND [ARGUMENTS]",
        .about = "Runs COMMAND with libpoolguard.so preloaded: its TCP connections, and those of "
                 "the programs that it starts, are watched, and leaks are reported on a signal "
                 "and at exit. The exit status is COMMAND's own; 24 when a preloaded library can "
                 "not see the program, and a line says why.",
        .own = &library,
        .own_count = 1,
        .options = true,
    };
    int status, first = flags_parse(&flags, argc, argv, &status);
    if (first == 0)
        return status;
    if (first == argc) {
        say("run: no command; usage: ", flags.usage, NULL);
        return STATUS_USAGE;
    }
    return run(argv + first, library.given);
}
