// SPDX-License-Identifier: Apache-2.0
// Is the topic still the one that the log was made from? Kafka's client cannot tell: a
// topic that was removed and made anew under its name looks like one that was cut. So
// records that were read are read again.
//
// ST_DATA: it is another one, or was cut. Each call makes about one call of the source.
#ifndef ENGINE_TOPIC_CHECK_H
#define ENGINE_TOPIC_CHECK_H

#include "core/source.h"
#include "engine/log_entry.h"
#include "engine/unit.h"

// Whether the partition still reaches `next`.
enum status topic_check_end(const struct source *source, int32_t partition, int64_t next,
                            const struct source_range *range, struct err *err);
// Whether a record that was read is still that one; fine also when it is not there any
// more.
enum status topic_check_record(struct source *source, int32_t partition,
                               const struct record_mark *mark, struct err *err);
// Both, of one partition, with the range asked for.
enum status topic_check_partition(struct source *source, const struct progress *progress,
                                  struct err *err);

// The same while reading: one record of an earlier unit, looked at before each unit is
// handed over; then one of this unit, of the next partition in turn. While it is there,
// all that was read before the look is of the same topic.
struct witness {
    int32_t partition;
    struct record_mark mark; // offset -1: none
    size_t turn;
};

void witness_begin(struct witness *witness, const struct progress *positions, size_t n);
enum status witness_look(struct witness *witness, struct source *source,
                         const struct unit *unit, struct err *err);

#endif
