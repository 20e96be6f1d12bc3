// SPDX-License-Identifier: Apache-2.0
// A record as a line of text, for an engine that stands between reading and writing
// (docs/units.md, "In parts"): fields with tabs between, of which none can hold one.
//
//     order  number  partition  offset  time_ms  value  key  headers
//
// The number rises from record to record: sorted by it, they are as they were read. Value
// and key are base64, "-" where there is none; headers are JSON, or nothing.
#ifndef WORK_RECORD_LINE_H
#define WORK_RECORD_LINE_H

#include "base/arena.h"
#include "core/stream.h"

enum {
    RECORD_LINE_MAX = 256 << 20 // bytes
};

struct record_line {
    int64_t order;  // its number
    int64_t number; // the record's
    int32_t partition;
    struct record record;
    struct str headers;
};

// Appends it without an LF.
void record_line_put(const struct record_line *line, struct buf *out);
// Bytes are of the arena. ST_DATA when it is none.
enum status record_line_parse(struct str text, struct arena *arena,
                              struct record_line *ret, struct err *err);

#endif
