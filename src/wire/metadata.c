// SPDX-License-Identifier: Apache-2.0
#include "wire/metadata.h"

enum {
    // Least bytes of each, in the versions where that is fewest.
    BROKER_BYTES = 4 + 1 + 4 + 1,
    TOPIC_BYTES = 2 + 1 + 1 + 1,
    PARTITION_BYTES = 2 + 4 + 4 + 1 + 1,
    REPLICA_BYTES = 4,
    WITH_CLUSTER = 2,
    WITH_THROTTLE = 3,
    WITH_CHOICE = 4, // whether a topic that is not there is made
    WITH_OFFLINE = 5,
    WITH_EPOCH = 7,
    WITH_OPERATIONS = 8,
    WITHOUT_CLUSTER_OPERATIONS = 11,
    WITH_IDS = 10,
};

static bool has_cluster_operations(int16_t version)
{
    return version >= WITH_OPERATIONS && version < WITHOUT_CLUSTER_OPERATIONS;
}

static void ask_id(struct buf *out, int16_t version)
{
    const uint8_t none[WIRE_TOPIC_ID_BYTES] = {0};
    if (version >= WITH_IDS)
        buf_append(out, none, sizeof(none));
}

void wire_topic_id_text(const uint8_t id[WIRE_TOPIC_ID_BYTES], char ret[TOPIC_ID_TEXT])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < TOPIC_ID_TEXT - 1; i++) {
        int bit = 6 * i, at = bit / 8;
        uint32_t low = at + 1 < WIRE_TOPIC_ID_BYTES ? id[at + 1] : 0;
        uint32_t two = (uint32_t)id[at] << 8 | low;
        ret[i] = digits[two >> (10 - bit % 8) & 63];
    }
    ret[TOPIC_ID_TEXT - 1] = '\0';
}

void wire_metadata_ask(struct buf *out, int16_t version, struct str topic)
{
    bool flexible = wire_api_is_flexible(WIRE_METADATA, version);
    wire_out_array(out, flexible, 1);
    ask_id(out, version);
    wire_out_string(out, flexible, topic);
    wire_out_no_tags(out, flexible);
    if (version >= WITH_CHOICE)
        wire_out_i8(out, 0); // do not make it
    if (has_cluster_operations(version))
        wire_out_i8(out, 0);
    if (version >= WITH_OPERATIONS)
        wire_out_i8(out, 0);
    wire_out_no_tags(out, flexible);
}

static void read_brokers(struct wire_in *in, bool flexible, struct arena *arena,
                         struct wire_metadata *ret)
{
    ret->n_brokers = wire_in_array(in, flexible, BROKER_BYTES);
    ret->brokers = arena_array(arena, ret->n_brokers, sizeof(*ret->brokers));
    for (size_t i = 0; i < ret->n_brokers; i++) {
        ret->brokers[i].id = wire_in_i32(in);
        ret->brokers[i].host = wire_in_string(in, flexible);
        ret->brokers[i].port = wire_in_i32(in);
        wire_in_string(in, flexible); // rack
        wire_in_skip_tags(in, flexible);
    }
}

static size_t skip_replicas(struct wire_in *in, bool flexible)
{
    size_t n = wire_in_array(in, flexible, REPLICA_BYTES);
    wire_in_take(in, REPLICA_BYTES * n);
    return n;
}

static struct wire_metadata_partition read_partition(struct wire_in *in, int16_t version)
{
    bool flexible = wire_api_is_flexible(WIRE_METADATA, version);
    struct wire_metadata_partition partition = {.leader_epoch = -1};
    partition.code = wire_in_i16(in);
    partition.number = wire_in_i32(in);
    partition.leader = wire_in_i32(in);
    if (version >= WITH_EPOCH)
        partition.leader_epoch = wire_in_i32(in);
    partition.n_replicas = skip_replicas(in, flexible);
    skip_replicas(in, flexible); // those in sync
    if (version >= WITH_OFFLINE)
        skip_replicas(in, flexible);
    wire_in_skip_tags(in, flexible);
    return partition;
}

// Only the topic that was asked for is kept.
static void read_topic(struct wire_in *in, int16_t version, struct str topic,
                       struct arena *arena, struct wire_metadata *ret)
{
    bool flexible = wire_api_is_flexible(WIRE_METADATA, version);
    int16_t code = wire_in_i16(in);
    struct str name = wire_in_string(in, flexible);
    struct str id = {0};
    if (version >= WITH_IDS)
        id = wire_in_take(in, WIRE_TOPIC_ID_BYTES);
    wire_in_i8(in); // is it internal
    size_t n = wire_in_array(in, flexible, PARTITION_BYTES);
    struct wire_metadata_partition *partitions =
        arena_array(arena, n, sizeof(*partitions));
    for (size_t i = 0; i < n; i++)
        partitions[i] = read_partition(in, version);
    if (version >= WITH_OPERATIONS)
        wire_in_i32(in);
    wire_in_skip_tags(in, flexible);
    if (!str_eq(name, topic))
        return;
    ret->code = code;
    ret->partitions = partitions;
    ret->n_partitions = n;
    if (id.n > 0)
        memcpy(ret->topic_id, id.p, sizeof(ret->topic_id));
}

// librdkafka's embedded broker ends with two empty sections of tagged fields (2.8.0).
static void skip_end(struct wire_in *in, bool flexible)
{
    wire_in_skip_tags(in, flexible);
    if (flexible && wire_in_left(in) == 1 && *in->p == 0)
        wire_in_i8(in);
}

enum status wire_metadata_read(struct str body, int16_t version, struct str topic,
                               struct arena *arena, struct wire_metadata *ret,
                               struct err *err)
{
    bool flexible = wire_api_is_flexible(WIRE_METADATA, version);
    struct wire_in in = wire_in_of(body);
    *ret = (struct wire_metadata){.code = WIRE_UNKNOWN_TOPIC_OR_PARTITION};
    if (version >= WITH_THROTTLE)
        wire_in_i32(&in); // which is looked over: a question is asked seldom
    read_brokers(&in, flexible, arena, ret);
    if (version >= WITH_CLUSTER)
        ret->cluster = wire_in_string(&in, flexible);
    ret->controller = wire_in_i32(&in);
    for (size_t n = wire_in_array(&in, flexible, TOPIC_BYTES); n > 0; n--)
        read_topic(&in, version, topic, arena, ret);
    if (has_cluster_operations(version))
        wire_in_i32(&in);
    skip_end(&in, flexible);
    return wire_in_check(&in, "Metadata", err);
}
