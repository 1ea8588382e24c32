/* What a report can not know, and what was suppressed: a sentence each. Async-signal-safe. */
#ifndef PG_REPORT_NOTES_H
#define PG_REPORT_NOTES_H

#include "report/report.h"

enum { NOTES = 10 };
/* Does note i, of NOTES, apply? */
bool note_applies(const struct report *r, unsigned i);
/* Its sentence, without a newline. */
void note_write(struct out *o, const struct report *r, unsigned i);

#endif
