/* Dates in UTC. Pure, async-signal-safe: no time zone, no locale. */
#ifndef PG_BASE_CALENDAR_H
#define PG_BASE_CALENDAR_H

#include <stdint.h>

struct calendar {
    unsigned year, month, day, hour, minute, second;
};

/* The date of a time in seconds since the epoch. */
struct calendar calendar_utc(uint64_t seconds);

#endif
