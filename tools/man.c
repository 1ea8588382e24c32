/* poolguard man-options: the table of options as a list in mdoc(7), which the manual includes. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "flags.h"

enum { LINE = 60 };

/* The blank at p ends a sentence, after which manuals begin a new line, or the line is long. */
static bool line_ends(const char *p, int column) {
    return *p == ' ' && column && (p[-1] == '.' || column > LINE);
}

/* One character of running text; `word` becomes bold. */
static void print_character(char c, bool *bold) {
    if (c == '`') {
        *bold = !*bold;
        fputs(*bold ? "\\fB" : "\\fR", stdout);
    } else if (c == '\\') {
        fputs("\\e", stdout);
    } else {
        putchar(c);
    }
}

static void print_text(const char *text) {
    bool bold = false;
    for (int column = 0; *text; text++) {
        if (line_ends(text, column)) {
            putchar('\n');
            column = 0;
            continue;
        }
        if (column++ == 0 && (*text == '.' || *text == '\''))
            fputs("\\&", stdout); /* no macro */
        print_character(*text, &bold);
    }
    putchar('\n');
}

static void print_default(const struct option_info *row) {
    if (row->kind == 'n')
        printf("From %llu to %llu.\n", (unsigned long long)row->min, (unsigned long long)row->max);
    if (*row->def)
        printf("The default is\n.Cm %s .\n", row->def);
    if (row->per_host)
        puts("A section of the configuration file may set it for some hosts.");
}

int command_man_options(int argc, char **argv) {
    (void)argc, (void)argv;
    for (const struct option_info *row = option_table; row < option_table + OPTION_COUNT; row++) {
        char flag[NAME_ROOM], env[NAME_ROOM];
        printf(".It Fl Fl %s Ns = Ns Ar %s , Ev %s\n", option_flag_name(row, flag),
               option_value_name(row), option_env_name(row, env));
        print_text(row->help);
        print_default(row);
    }
    return 0;
}
