/* Values of options: from text, and back to text for complaints. Async-signal-safe, no allocation,
 * no locale. */
#ifndef PG_BASE_OPTION_VALUE_H
#define PG_BASE_OPTION_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"

/* As the field of struct options holds it. */
union option_value {
    int signal;
    const char *text;
    unsigned choice;
    uint64_t number; /* also a duration, in nanoseconds */
};

/* Reads `text` as the row's kind wants it. False: it is wrong, and `why` has been told what would
 * be right ("not a number from 0 to 255"). Text is not copied: v->text is `text`. */
bool option_value_parse(union option_value *v, const struct option_info *row, const char *text,
                        struct out *why);
/* Writes a value as it could be given. */
void option_value_write(struct out *o, const struct option_info *row, const union option_value *v);

/* A whole number up to max in decimal digits and nothing else. */
bool decimal_parse(const char *text, uint64_t max, uint64_t *v);

#endif
