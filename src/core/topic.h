// SPDX-License-Identifier: Apache-2.0
// Port: questions about what a stream reads (stream.h): how many partitions, which
// offsets, what does a record hold.
//
// The answer to one may take long or not come at all, so whoever reads the stream does
// not ask: an asker does (base/asker.h), on a thread of its own.
//
// Trouble of one partition is that partition's alone: a question about it is ST_RETRY, at
// once where that is known; questions about the others are answered.
//
// Threads: one at a time. Every call is bounded in time: by the port's own limits, and by
// the deadline that the owner has set. What has no answer by then is ST_RETRY.
#ifndef CORE_TOPIC_H
#define CORE_TOPIC_H

#include "core/deadline.h"
#include "core/stream.h"

struct topic_range {
    int64_t low;  // first offset that is there
    int64_t high; // end: one past the last that a reader of committed records can reach
};

struct topic;

struct topic_ops {
    // How many partitions there are now (they are 0 .. n-1).
    enum status (*count)(struct topic *topic, int32_t *ret, struct err *err);
    enum status (*range)(struct topic *topic, int32_t partition, struct topic_range *ret,
                         struct err *err);
    // First offset whose record is not older than time_ms; `high` when there is none.
    enum status (*offset_at)(struct topic *topic, int32_t partition, int64_t time_ms,
                             int64_t *ret, struct err *err);
    // Reads one record again, borrowed until the next question. ST_NOT_FOUND: no record
    // there any more.
    enum status (*fetch)(struct topic *topic, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err);
    // Kafka's id of the topic under the name now; empty: brokers tell none. NULL: no
    // question of the port.
    enum status (*id)(struct topic *topic, char ret[TOPIC_ID_TEXT], struct err *err);
    // Where the log of the partition's leader ends for that epoch (KIP-320): one past the
    // last offset up to it. -1: it has no such epoch; INT64_MAX: it does not say. NULL:
    // no question of the port.
    enum status (*epoch_end)(struct topic *topic, int32_t partition, int32_t epoch,
                             int64_t *ret, struct err *err);
    void (*close)(struct topic *topic);
};

struct topic {
    const struct topic_ops *ops;
    struct str cluster; // names the cluster, e.g. Kafka's cluster id; UTF-8
    struct str name;    // or the file's path; UTF-8
    bool is_shared;     // others may put another topic in its place while it is read
    bool ends_anywhere; // reading may begin and end at any offset, as where no record is
    const struct deadline *deadline; // of its calls; the owner's, NULL: none
};

#endif
