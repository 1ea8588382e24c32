/* poolguard: the command. Here is only the table of its subcommands; each has a file of its own. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "command.h"

static const struct command {
    const char *name;
    int (*function)(int argc, char **argv);
    const char *summary; /* NULL: not shown */
} commands[] = {
    {"run", command_run, "run a program with its TCP connections watched"},
    {"report", command_report, "report on a running process, or on one that has ended"},
    {"version", command_version, "print the versions, and which library would be used"},
    {"man-options", command_man_options, NULL},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *f) {
    fputs("usage: poolguard COMMAND [...]\n\n", f);
    for (unsigned i = 0; i < COMMANDS; i++)
        if (commands[i].summary)
            fprintf(f, "  %-10s%s\n", commands[i].name, commands[i].summary);
    fputs("\n`poolguard help COMMAND` says more, poolguard(1) and libpoolguard(7) say it all.\n",
          f);
}

static const struct command *command_find(const char *name) {
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int complain_unknown(const char *name) {
    const char *words[COMMANDS + 1] = {"help"};
    size_t n = 1;
    for (unsigned i = 0; i < COMMANDS; i++)
        if (commands[i].summary)
            words[n++] = commands[i].name;
    const char *near = nearest_word(name, words, n);
    say(name, ": no such command; ", near ? "did you mean " : "see `poolguard --help`",
        near ? near : "", near ? "?" : "", NULL);
    return STATUS_USAGE;
}

static int command_run_named(const char *name, int argc, char **argv) {
    const struct command *c = command_find(name);
    return c ? c->function(argc, argv) : complain_unknown(name);
}

/* "help" and "help run". */
static int command_help(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stdout);
        return 0;
    }
    char flag[] = "--help", *help[] = {argv[1], flag, NULL};
    return command_run_named(argv[1], 2, help);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return command_help(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0)
        return command_version(1, argv + 1);
    return command_run_named(word, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    int status = dispatch(argc, argv);
    if (fflush(stdout) != 0 && status == 0)
        status = STATUS_UNSEEN; /* the disk is full: what was asked for is not all there */
    return status;
}
