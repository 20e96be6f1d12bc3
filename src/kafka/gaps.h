// SPDX-License-Identifier: Apache-2.0
// Partitions whose wanted offset is not there: each is told as a gap as soon as it is
// known where the partition begins, which is asked; the others are read meanwhile.
//
// Threads: the stream's. Errors: those of the topic port, but for ST_RETRY: then it is
// asked again.
#ifndef KAFKA_GAPS_H
#define KAFKA_GAPS_H

#include "core/stream.h"
#include "kafka/question.h"

struct kafka_gaps {
    struct kafka_question low; // where the partition of the last gap begins
    bool low_is_of_before;     // asked for an assignment that has ended: not used
    struct stream_gap *items;  // to be told once `low` is known; room for all partitions
    size_t n;
    int64_t ask_at_ms;
};

void gaps_init(struct kafka_gaps *gaps, struct asker *asker, struct topic *topic,
               int wake_fd);
// Of so many partitions, each of which may have one.
void gaps_start(struct kafka_gaps *gaps, size_t n_partitions);
// There are none: what is known of them is of an assignment that has ended.
void gaps_stop(struct kafka_gaps *gaps);
void gaps_add(struct kafka_gaps *gaps, const struct stream_gap *gap);
// Makes *ret a STREAM_GAP if there is one with its end, and leaves it alone otherwise.
enum status gaps_tell(struct kafka_gaps *gaps, struct stream_event *ret, struct err *err);
void gaps_release(struct kafka_gaps *gaps);

#endif
