// SPDX-License-Identifier: Apache-2.0
// A decoder that decodes nothing: it tells each record as a line (work/record_line.h),
// and takes it as ignored. So a unit that is made with it has no file, and what was read
// of each partition.
#ifndef WORK_TELL_RECORDS_H
#define WORK_TELL_RECORDS_H

#include "core/codec.h"
#include "core/lines.h"
#include "table/executor.h"

struct record_teller {
    struct decoder decoder;   // first: a teller is one
    struct executor executor; // of rows that there are none of
    struct stream *stream;    // for the headers of its last run
    struct lines *lines;
    int64_t order;  // number of the order that is read
    int64_t n_told; // records so far
    struct buf out, headers;
};

// All is borrowed until the release; `schema` is any.
void record_teller_open(struct record_teller *teller, const struct schema *schema,
                        struct stream *stream, struct lines *lines);
void record_teller_release(struct record_teller *teller);

#endif
