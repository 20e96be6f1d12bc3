// SPDX-License-Identifier: Apache-2.0
// A view of the board as metrics, in the two text formats of Prometheus: 0.0.4, and
// OpenMetrics 1.0. Names, labels and units are those of docs/operations.md; each series
// is there from the start, and labels take their values from closed lists or the script.
#ifndef STATUS_METRICS_H
#define STATUS_METRICS_H

#include "base/buf.h"
#include "status/board.h"

enum metrics_format {
    METRICS_TEXT,
    METRICS_OPEN
};

void metrics_format(const struct board_view *view, enum metrics_format format,
                    int64_t wall_ms, struct buf *ret);
// What a request with that header Accept (NULL: none) is answered with.
enum metrics_format metrics_accepted(const char *accept);
const char *metrics_content_type(enum metrics_format format);

#endif
