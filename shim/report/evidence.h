/* The sentence of each finding that says why, in the same words in every format. Without a full
 * stop or a newline. Async-signal-safe. */
#ifndef PG_REPORT_EVIDENCE_H
#define PG_REPORT_EVIDENCE_H

#include "report/report.h"

/* Is there something to say of such a group? */
bool evidence_is_known(const struct group *g);
void evidence_of_group(struct out *o, const struct report *r, const struct group *g);
/* Who closed what, and when. */
void evidence_of_double_close(struct out *o, const struct box_double_close *d);
/* How often no descriptor was left, and when last. */
void evidence_of_exhausted(struct out *o, const struct report *r);

#endif
