// SPDX-License-Identifier: Apache-2.0
// Records of the stream looked at beside a running job: joins no group, commits nothing.
//
// The ends of the partitions are asked for at the start; what comes later is looked at
// only from the latest on. What waits for a schema, or for brokers that say nothing, is
// given up after LOOK_PATIENCE_MS. One thread.
#ifndef JOB_LOOK_H
#define JOB_LOOK_H

#include "job/stream.h"

enum {
    LOOK_PATIENCE_MS = 15000
};

enum look_kind {
    LOOK_EARLIEST,
    LOOK_LATEST, // new records only, without end
    LOOK_OFFSET,
    LOOK_TIME,
};

struct look_from {
    enum look_kind kind;
    int32_t partition; // the only one that is looked at; -1: all
    int64_t offset, time_ms;
};

// "earliest", "latest", "120" of each partition, "2:120" of one, or a timestamp.
// ST_USAGE.
enum status look_from_parse(const char *text, struct look_from *ret, struct err *err);

// Takes the decoded records [from, next) of a run; ST_STOP: enough.
typedef enum status look_batch(void *context, const struct run *run, size_t from,
                               size_t next, struct batch *batch, struct err *err);

// Calls `each` for all that is there. Sets pipeline->is_look. ST_OK: to the end, or
// enough. ST_USAGE: there is no such partition.
enum status look_at_stream(struct pipeline *pipeline, const struct look_from *from,
                           look_batch *each, void *context, struct err *err);

#endif
