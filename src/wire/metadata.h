// SPDX-License-Identifier: Apache-2.0
// Metadata 1 to 12 (before 4 a topic that is missing may be made by it; only embedded
// brokers are so old): the brokers, and who leads the partitions of one topic
// (MetadataRequest.json, MetadataResponse.json; leader epochs: KIP-320, topic ids:
// KIP-516). Slices are borrowed from the body, arrays are the arena's.
#ifndef WIRE_METADATA_H
#define WIRE_METADATA_H

#include "base/arena.h"
#include "core/stream.h"
#include "wire/api.h"

enum {
    WIRE_TOPIC_ID_BYTES = 16
};

struct wire_metadata_broker {
    int32_t id;
    struct str host;
    int32_t port;
};

struct wire_metadata_partition {
    int32_t number;
    int16_t code;
    int32_t leader;       // -1: none
    int32_t leader_epoch; // -1: unknown
    size_t n_replicas;
};

struct wire_metadata {
    struct str cluster; // its id; p == NULL: not told
    int32_t controller; // -1: none
    struct wire_metadata_broker *brokers;
    size_t n_brokers;
    int16_t code;                          // of the topic
    uint8_t topic_id[WIRE_TOPIC_ID_BYTES]; // zeros: unknown
    struct wire_metadata_partition *partitions;
    size_t n_partitions;
};

// As Kafka's own tools write it: 22 characters of the base 64 for addresses.
void wire_topic_id_text(const uint8_t id[WIRE_TOPIC_ID_BYTES], char ret[TOPIC_ID_TEXT]);

void wire_metadata_ask(struct buf *out, int16_t version, struct str topic);
enum status wire_metadata_read(struct str body, int16_t version, struct str topic,
                               struct arena *arena, struct wire_metadata *ret,
                               struct err *err);

#endif
