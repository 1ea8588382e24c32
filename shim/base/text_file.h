/* Small text files: the config file, suppressions. Async-signal-safe, no malloc. */
#ifndef PG_BASE_TEXT_FILE_H
#define PG_BASE_TEXT_FILE_H

#include <stdbool.h>

struct text_file {
    char *text; /* ends in '\0'; writable: lines are cut in place */
    char *map;
};

/* Reads a regular file of at most 1 MiB. NULL, or what is wrong with it in a few words; a FIFO does
 * not block. Nothing stays open. text_file_free in either case. */
const char *text_file_read(struct text_file *f, const char *path);
void text_file_free(struct text_file *f);

/* The next line of *rest, ended by '\0'; NULL after the last. */
char *text_line(char **rest);
bool text_is_blank(char c);
/* s without blanks at either end, cut in place. */
char *text_trim(char *s);

#endif
