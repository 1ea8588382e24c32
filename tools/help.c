/* --help of a subcommand, made from its flags and the table of options. */
#include <stdio.h>
#include <string.h>

#include "flags.h"

enum { WIDTH = 80, INDENT = 6 };

/* The text in lines of at most WIDTH columns, each begun with `indent` blanks. */
static void print_wrapped(const char *text, int indent) {
    int column = 0;
    for (size_t n; *text; text += n) {
        text += strspn(text, " ");
        n = strcspn(text, " ");
        if (column && column + 1 + (int)n > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += printf("%*s%.*s", column ? 1 : indent, "", (int)n, text);
    }
    putchar('\n');
}

static void print_flag(const char *name, const char *value, const char *help) {
    printf("  --%s%s%s\n", name, value ? "=" : "", value ? value : "");
    print_wrapped(help, INDENT);
}

/* "(0 to 255; default 0; hosts may differ)" */
static void print_limits(const struct option_info *row) {
    const char *before = "(";
    printf("%*s", *row->def ? INDENT : 0, "");
    if (row->kind == 'n') {
        printf("(%llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
        before = "; ";
    }
    if (*row->def)
        printf("%sdefault %s%s)\n", before, row->def, row->per_host ? "; hosts may differ" : "");
}

static void print_options(void) {
    puts("\nOptions, each also a variable POOLGUARD_NAME and a line `name = value` of --config:");
    for (const struct option_info *row = option_table; row < option_table + OPTION_COUNT; row++) {
        char name[NAME_ROOM];
        print_flag(option_flag_name(row, name), option_value_name(row), row->help);
        print_limits(row);
    }
    print_flag("config", "FILE",
               "A file of lines `name = value`, and sections [host \"PATTERN\"] with values for "
               "some hosts only.");
}

void flags_print_help(const struct flags *f) {
    printf("usage: %s\n\n", f->usage);
    print_wrapped(f->about, 0);
    putchar('\n');
    for (size_t i = 0; i < f->own_count; i++)
        print_flag(f->own[i].name, f->own[i].value, f->own[i].help);
    print_flag("help", NULL, "This text.");
    if (f->options)
        print_options();
}
