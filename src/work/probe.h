// SPDX-License-Identifier: Apache-2.0
// Questions about the topic, which an asker asks (base/asker.h).
#ifndef WORK_PROBE_H
#define WORK_PROBE_H

#include "core/topic.h"
#include "log/log_entry.h"

enum probe_kind {
    PROBE_COUNT, // -> count
    PROBE_RANGE, // -> range
    PROBE_TIME,  // the first offset not older than time_ms -> offset
    PROBE_LAG, // -> range; where it goes beyond `next` also -> time_ms of that record, -1
    // Is it still the topic in which `next`, `last`, `epoch` and `topic_id` were seen?
    PROBE_CHECK, // -> range
};

struct probe {
    enum probe_kind kind;
    int32_t partition;
    int64_t time_ms;
    int64_t next; // -1: unknown; of LAG: not asked for
    struct record_mark last;
    struct leader_epoch epoch;    // of what is before `next`
    char topic_id[TOPIC_ID_TEXT]; // empty: unknown, or not asked for
    // The answer.
    bool is_answered;
    bool is_seen; // of CHECK: the record `last` is still there
    int32_t count;
    int64_t offset;
    struct topic_range range;
};

// What the questions of a message are for: one message of each may be under way. The
// first goes before the others.
enum probe_purpose {
    PROBES_LOOK, // before a unit is published; the committer's
    PROBES_ASSIGNMENT,
    PROBES_GOAL,
    PROBES_LATE, // partitions that did not answer when they were assigned
    PROBES_LAG,
    PROBES_N
};

#endif
