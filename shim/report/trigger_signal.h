/* Between report/trigger.c and its signal. */
#ifndef PG_REPORT_TRIGGER_SIGNAL_H
#define PG_REPORT_TRIGGER_SIGNAL_H

#include "base/options.h"
#include "report/report.h"

/* Writes a report now, unless one is being written. `context`: what the handler was given of whom
 * it interrupted; NULL: it is no handler. Async-signal-safe. */
void trigger_report(enum report_trigger why, const void *context);

/* Once, from the constructor. The options are kept. */
void trigger_take_signal(const struct options *o);

/* One line, once, when the program has taken the signal for itself. */
void trigger_tell_taken(void);

#endif
