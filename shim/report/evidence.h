/* The sentence of each finding that says why, in the same words in every format. Without a full
 * stop or a newline. Async-signal-safe. */
#ifndef PG_REPORT_EVIDENCE_H
#define PG_REPORT_EVIDENCE_H

#include "report/report.h"

/* Is there something to say of such a group? */
bool evidence_is_known(const struct group *g);
void evidence_of_group(struct out *o, const struct report *r, const struct group *g);
/* "GET /path", as one word each, whatever they hold. */
void evidence_request(struct out *o, unsigned method, const char path[HTTP_PATH_MAX]);
/* Of the classes that HTTP tells of (evidence_http.c). */
typedef void evidence_writer(struct out *o, const struct report *r, const struct group *g);
evidence_writer evidence_of_body_unread, evidence_of_undrained, evidence_of_churn,
    evidence_of_server_idle;
/* Behind another class's evidence: where the exchanges of the group stand, if all are there. */
void evidence_of_exchange(struct out *o, const struct report *r, const struct group *g);
/* How many connections ended so, in the order of enum use_end; and those that were kept. */
extern const char *const evidence_ends[USE_ENDS]; /* words of JSON */

/* What became of connections that a report had called leaked. */
void evidence_of_retraction(struct out *o, const struct report *r, const struct box_site *s);
/* Who closed what, and when. */
void evidence_of_double_close(struct out *o, const struct box_double_close *d);
/* How often no descriptor was left, and when last. */
void evidence_of_exhausted(struct out *o, const struct report *r);

#endif
