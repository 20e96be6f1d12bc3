// SPDX-License-Identifier: Apache-2.0
// Fetch 4 to 13 as bytes (FetchRequest.json, FetchResponse.json; without sessions, which
// KIP-227 allows; first batch whole: KIP-74; epochs: KIP-320, throttling: KIP-219).
// From 13 on a topic is not told by its name but by the 16 bytes of its id (KIP-516).
//
// A request is for read committed records of one topic. The answer is walked through, a
// partition at a time; slices are borrowed from its body.
#ifndef WIRE_FETCH_H
#define WIRE_FETCH_H

#include "wire/aborted.h"
#include "wire/api.h"

struct wire_fetch {
    struct str topic;  // or its id
    int32_t wait_ms;   // the broker's, for a first byte
    int32_t max_bytes; // of all partitions, but for a first batch that has more
};

struct wire_fetch_partition {
    int32_t number;
    int32_t leader_epoch; // that is thought to be current; -1: unknown
    int64_t offset;
    int32_t last_epoch; // of the last batch that was read; -1: unknown
    int32_t max_bytes;
};

void wire_fetch_begin(struct buf *out, int16_t version, const struct wire_fetch *fetch,
                      size_t n_partitions);
void wire_fetch_add(struct buf *out, int16_t version,
                    const struct wire_fetch_partition *partition);
void wire_fetch_end(struct buf *out, int16_t version);

struct wire_fetched {
    int32_t number;
    int16_t code;
    int64_t high;         // the end of what all replicas have; -1: not told
    int64_t last_stable;  // the end for who reads committed records; -1: not told
    int64_t truncated_to; // where the log of the broker parts from what was read; -1: it
                          // does not
    struct str records;   // batches, of which the last may be cut
};

struct wire_fetched_in {
    struct wire_in in;
    int16_t version;
    bool flexible;
    int32_t throttle_ms;
    int16_t code; // of all of it
    size_t n_topics, n_partitions;
};

void wire_fetched_begin(struct wire_fetched_in *in, struct str body, int16_t version);
// False at the end. topic: as it was asked for. The aborted transactions replace those in
// `aborted`, and are sorted.
bool wire_fetched_next(struct wire_fetched_in *in, struct str topic,
                       struct wire_fetched *ret, struct wire_aborted *aborted);
enum status wire_fetched_check(const struct wire_fetched_in *in, struct err *err);

#endif
