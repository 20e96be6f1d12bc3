// SPDX-License-Identifier: Apache-2.0
// A made feed for the demo and for tests, shaped like STM's: trips, stop_times,
// calendar_dates, frequencies. The same numbers give the same bytes.
#ifndef GTFS_MAKE_FEED_H
#define GTFS_MAKE_FEED_H

#include <stdint.h>

#include "base/status.h"

enum {
    MAKE_FEED_TRIPS = 2500 // about 90,000 stop_times, 3.3 MB
};

// Writes <table>.txt into the directory, which is made when missing. About 36 stop_times
// a trip of 37 bytes; `ret` is how many. 0 trips: MAKE_FEED_TRIPS.
enum status gtfs_make_feed(const char *directory, unsigned n_trips, int64_t *ret,
                           struct err *err);

#endif
