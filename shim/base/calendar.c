#include "base/calendar.h"

/* Days to a date as in Hinnant's "chrono-compatible date algorithms". */
struct calendar calendar_utc(uint64_t seconds) {
    uint64_t days = seconds / 86400, s = seconds % 86400;
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9;
    return (struct calendar){
        .year = (unsigned)(yoe + era * 400 + (month <= 2)),
        .month = (unsigned)month,
        .day = (unsigned)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (unsigned)(s / 3600),
        .minute = (unsigned)(s / 60 % 60),
        .second = (unsigned)(s % 60),
    };
}
