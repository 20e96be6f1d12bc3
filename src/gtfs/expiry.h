// SPDX-License-Identifier: Apache-2.0
// When the last day is over for which staged tables know service. By the GTFS reference:
//
//   calendar.end_date              "End service day for the service interval. This
//   service
//                                  day is included in the interval."
//   calendar_dates.exception_type  1: "Service has been added for the specified date",
//                                  2: "Service has been removed for the specified date"
//   feed_info.feed_end_date        "The dataset provides complete and reliable schedule
//                                  information for service ... to the end of the
//                                  feed_end_date day."
//
// So it is the last of all end dates and added dates, or feed_end_date where that is
// sooner. A table is known by its columns, not by its name. Removals make sense beside
// a calendar only: where calendar_dates has some, and there is no calendar among the
// tables, added dates do not tell when service ends. Days end at midnight, UTC.
//
// Threads: one.
#ifndef GTFS_EXPIRY_H
#define GTFS_EXPIRY_H

#include "core/batch.h"

enum expiry_source {
    EXPIRY_OF_NOTHING,
    EXPIRY_OF_CALENDAR,
    EXPIRY_OF_CALENDAR_DATES,
    EXPIRY_OF_FEED_INFO
};

// What the dates of one table come to.
struct expiry {
    enum expiry_source source;
    int date, type; // columns
    int to;         // the last day, as 20261129; 0: none
    bool has_removals;
};

void expiry_init(struct expiry *expiry, const struct schema *schema);
// Rows of that schema.
void expiry_take(struct expiry *expiry, const struct batch *batch);
// For each of the tables when its last day is over, in ms since 1970, -1 where that is
// not known; none is later than that of all.
void expiry_of_all(const struct expiry *tables, size_t n, int64_t *ret_ms);

#endif
