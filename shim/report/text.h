/* The parts of the text that stand in files of their own. */
#ifndef PG_REPORT_TEXT_H
#define PG_REPORT_TEXT_H

#include "report/report.h"

/* One line a host: what is open, in use, idle, leaked; what was opened and failed so far. */
void report_write_hosts(const struct report *r, struct out *o);

#endif
