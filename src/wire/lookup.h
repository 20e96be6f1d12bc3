// SPDX-License-Identifier: Apache-2.0
// Questions about one topic and its group, asked and waited for: what init, check --live
// and the topic port (core/topic.h) want to know. Connections of its own (asking.h).
//
// A call ends after the answer's time limit, or at the owner's deadline. A partition's
// question looks at who leads it again after each error that passes. Errors: ST_RETRY
// when the brokers, or a partition's leader, do not answer; ST_NOT_FOUND when there is
// no such topic, or no such record; ST_DATA when the topic was recreated with fewer
// partitions, or a record is not right; ST_FAIL when the brokers refuse us.
// Threads: one owner.
#ifndef WIRE_LOOKUP_H
#define WIRE_LOOKUP_H

#include "core/deadline.h"
#include "core/topic.h"
#include "wire/aborted.h"
#include "wire/asking.h"
#include "wire/record_batch.h"

struct wire_shape {
    int32_t partitions;
    int32_t replication; // of partition 0
    int32_t leaderless;  // partitions that have no leader now
};

struct wire_lookup {
    struct wire_asking asking;
    int timeout_ms;
    bool value_schema; // records tell their header
    char *cluster;     // its id; NULL: not told yet
    int32_t controller;
    bool is_known; // the leaders are
    // What wire_lookup_fetch lends.
    struct buf plain;
    struct wire_decompressor decompressor;
    struct wire_aborted aborted;
};

// Asks nobody yet. On failure, too, it is to be closed.
enum status wire_lookup_open(struct wire_lookup *lookup,
                             const struct wire_asking_config *config, struct err *err);
void wire_lookup_close(struct wire_lookup *lookup);

enum status wire_lookup_shape(struct wire_lookup *lookup, struct wire_shape *ret,
                              struct err *err);
enum status wire_lookup_range(struct wire_lookup *lookup, int32_t partition,
                              struct topic_range *ret, struct err *err);
enum status wire_lookup_offset_at(struct wire_lookup *lookup, int32_t partition,
                                  int64_t time_ms, int64_t *ret, struct err *err);
// Empty: the brokers tell none.
enum status wire_lookup_id(struct wire_lookup *lookup, char ret[TOPIC_ID_TEXT],
                           struct err *err);
// As topic_ops.epoch_end.
enum status wire_lookup_epoch_end(struct wire_lookup *lookup, int32_t partition,
                                  int32_t epoch, int64_t *ret, struct err *err);
// Borrowed until the next question.
enum status wire_lookup_fetch(struct wire_lookup *lookup, int32_t partition,
                              int64_t offset, struct record *ret, struct err *err);

// Makes the topic and waits until all partitions have a leader. ST_EXISTS: it is there;
// ST_USAGE: the brokers do not take such numbers.
enum status wire_lookup_create(struct wire_lookup *lookup, struct wire_shape wanted,
                               struct err *err);
// Who is in the group now, their names too unless that is NULL. A group that nobody knows
// has no members.
enum status wire_lookup_group(struct wire_lookup *lookup, const char *group,
                              size_t *ret_members, bool *ret_stable, struct buf *names,
                              struct err *err);

#endif
