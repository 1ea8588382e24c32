/* What to do about a finding, in words of the language that the program is written in: the names
 * are those of its common clients. */
#ifndef PG_REPORT_TODO_H
#define PG_REPORT_TODO_H

#include "report/language.h"
#include "report/verdict.h"

/* One sentence, on one line, with its full stop; where there is none for the language, a general
 * one. NULL: nothing is wrong. Static; pure, async-signal-safe. */
const char *todo_text(enum verdict verdict, enum language l);
/* The same in the language of a finding's opening stack, or of BOX_NONE. Async-signal-safe. */
const char *todo_of_stack(enum verdict verdict, const struct view *v, uint32_t stack);

#endif
