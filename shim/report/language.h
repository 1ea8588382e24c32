/* Which language's runtime a stack passes through. */
#ifndef PG_REPORT_LANGUAGE_H
#define PG_REPORT_LANGUAGE_H

#include <stdbool.h>

#include "state/view.h"

enum language {
    LANGUAGE_C, /* or what else is compiled to machine code, or not known */
    LANGUAGE_PYTHON,
    LANGUAGE_PHP,
    LANGUAGE_RUBY,
    LANGUAGE_PERL,
    LANGUAGE_JAVA,
    LANGUAGE_NODE,
    LANGUAGE_OTHER, /* another one with a runtime of its own */
};

/* By the names of the modules on the stack; pure, async-signal-safe. */
enum language language_of_stack(const struct view *v, uint32_t stack);

/* Does it free objects when its garbage collector finds them, and not before? */
bool language_collects(enum language l);

#endif
