// SPDX-License-Identifier: Apache-2.0
// Small questions and reports about offsets: ListOffsets 1 to 5 for where a partition
// begins, OffsetForLeaderEpoch 2 to 3 for where an epoch ended, FindCoordinator 1 to 2
// and OffsetCommit 2 for lag tools (ListOffsetsRequest.json, FindCoordinatorRequest.json,
// OffsetCommitRequest.json and their responses). Slices are borrowed from the body.
#ifndef WIRE_OFFSETS_H
#define WIRE_OFFSETS_H

#include "core/stream.h"
#include "wire/group_calls.h"

enum {
    // In the place of a time.
    WIRE_LATEST = -1, // for who reads committed records
    WIRE_EARLIEST = -2,
};
// The first offset of a partition whose record is not older; -1 in the answer: none is.
void wire_offset_ask(struct buf *out, int16_t version, struct str topic,
                     int32_t partition, int32_t leader_epoch, int64_t time_ms);
// The first offset of a partition.
void wire_low_ask(struct buf *out, int16_t version, struct str topic, int32_t partition,
                  int32_t leader_epoch);
enum status wire_low_read(struct str body, int16_t version, int32_t partition,
                          int16_t *ret_code, int64_t *ret, struct err *err);

// Where the leader's log ends for the epoch of a batch that was read (KIP-320,
// OffsetForLeaderEpoch 2 to 3), or for the last epoch before it that the leader has;
// -1: it does not know.
void wire_epoch_end_ask(struct buf *out, int16_t version, struct str topic,
                        int32_t partition, int32_t leader_epoch, int32_t epoch);
enum status wire_epoch_end_read(struct str body, int32_t partition, int16_t *ret_code,
                                int32_t *ret_epoch, int64_t *ret, struct err *err);

struct wire_coordinator {
    int16_t code;
    int32_t id;
    struct str host;
    int32_t port;
};

void wire_coordinator_ask(struct buf *out, struct str group);
enum status wire_coordinator_read(struct str body, struct wire_coordinator *ret,
                                  struct err *err);

// By a member in its generation, or by somebody who is none: generation -1, no name.
void wire_commit_ask(struct buf *out, const struct wire_identity *identity,
                     struct str topic, const struct stream_start *next, size_t n);
// The first error of the partitions, WIRE_OK: there is none.
enum status wire_commit_read(struct str body, int16_t *ret_code, struct err *err);

#endif
