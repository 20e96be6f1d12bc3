// SPDX-License-Identifier: Apache-2.0
// Where a stream's reading begins while the log knows nothing of it: option 'start' of
// connectors, "earliest", "latest" or a time.
#ifndef CORE_STREAM_START_H
#define CORE_STREAM_START_H

#include "base/status.h"
#include "base/str.h"

enum start {
    START_EARLIEST,
    START_LATEST,
    START_TIME
};

// "2026-11-22T05:00:00Z", also with a fraction of a second, or "...+02:00", to ms since
// 1970.
bool stream_time_parse(struct str text, int64_t *ret_ms);
// ST_USAGE names what the option takes. `ret_ms` since 1970, only of START_TIME.
enum status stream_start_parse(struct str text, enum start *ret, int64_t *ret_ms,
                               struct err *err);

#endif
