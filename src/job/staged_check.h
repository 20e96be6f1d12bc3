// SPDX-License-Identifier: Apache-2.0
// Are the staged tables those of one extract? It replaces them one after the other and
// writes _feed.json last, with each table's size and checksum. One thread.
#ifndef JOB_STAGED_CHECK_H
#define JOB_STAGED_CHECK_H

#include "job/pipeline.h"

struct staged_difference {
    const struct table *table; // the first that is not as _feed.json says, or NULL
    int64_t modified_ms;       // when its file was written; 0: there is none
};

// Without a _feed.json, and for tables that it does not name, nothing is to be said.
// Cost: a local table is read.
enum status staged_check(const struct pipeline *pipeline, struct staged_difference *ret,
                         struct err *err);

#endif
