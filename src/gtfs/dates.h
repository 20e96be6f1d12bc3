// SPDX-License-Identifier: Apache-2.0
// Which dates a feed covers: those on which its services run (calendar.txt, and the dates
// that calendar_dates.txt adds), and those that feed_info.txt says it is for.
//
// Dates are numbers as GTFS writes them, 20261129; 0: not said. What is not a date, and
// files that cannot be read, say nothing. One thread.
#ifndef GTFS_DATES_H
#define GTFS_DATES_H

#include "core/value.h"
#include "gtfs/feed.h"

enum {
    FEED_SOON_DAYS = 7
};

struct feed_dates {
    int service_from, service_to;
    int info_from, info_to;
};

// 20261129 for the text "20261129", blanks around it allowed; 0 for all else.
int feed_date_of(struct value value);
// Of such a number: when that day is over, UTC, in ms since 1970.
int64_t feed_date_end_ms(int date);

void feed_dates_read(struct feed *feed, struct feed_dates *ret);
// "2026-11-01 to 2027-01-10; feed_info.txt: 2026-11-01 to 2026-12-31".
void feed_dates_format(const struct feed_dates *dates, struct buf *text);
// Why the feed is not good for long: "the feed ended on 2026-11-20, 9 days ago". Nothing
// when it is good for more than FEED_SOON_DAYS after `now_ms` (since 1970, UTC).
void feed_dates_warn(const struct feed_dates *dates, int64_t now_ms, struct buf *text);

#endif
