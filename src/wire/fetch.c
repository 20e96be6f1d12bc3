// SPDX-License-Identifier: Apache-2.0
#include "wire/fetch.h"

enum {
    READ_COMMITTED = 1,
    NO_SESSION = 0,
    NO_SESSION_EPOCH = -1,
    CONSUMER = -1, // in the place of a replica
    TOPIC_BYTES = 2,
    TOPIC_ID_BYTES = 16,
    PARTITION_BYTES = 4 + 2 + 8 + 8 + 1 + 1,
    TRANSACTION_BYTES = 16,
    TAG_DIVERGING_EPOCH = 0,
    WITH_LOG_START = 5,
    WITH_SESSIONS = 7,
    WITH_EPOCH = 9,
    WITH_RACK = 11,
    WITH_LAST_EPOCH = 12,
    WITH_TOPIC_ID = 13,
};

void wire_fetch_begin(struct buf *out, int16_t version, const struct wire_fetch *fetch,
                      size_t n_partitions)
{
    bool flexible = wire_api_is_flexible(WIRE_FETCH, version);
    wire_out_i32(out, CONSUMER);
    wire_out_i32(out, fetch->wait_ms);
    wire_out_i32(out, 1); // bytes, to answer at once
    wire_out_i32(out, fetch->max_bytes);
    wire_out_i8(out, READ_COMMITTED);
    if (version >= WITH_SESSIONS) {
        wire_out_i32(out, NO_SESSION);
        wire_out_i32(out, NO_SESSION_EPOCH);
    }
    wire_out_array(out, flexible, 1);
    if (version >= WITH_TOPIC_ID)
        buf_str(out, fetch->topic);
    else
        wire_out_string(out, flexible, fetch->topic);
    wire_out_array(out, flexible, n_partitions);
}

void wire_fetch_add(struct buf *out, int16_t version,
                    const struct wire_fetch_partition *partition)
{
    wire_out_i32(out, partition->number);
    if (version >= WITH_EPOCH)
        wire_out_i32(out, partition->leader_epoch);
    wire_out_i64(out, partition->offset);
    if (version >= WITH_LAST_EPOCH)
        wire_out_i32(out, partition->last_epoch);
    if (version >= WITH_LOG_START)
        wire_out_i64(out, -1); // of followers
    wire_out_i32(out, partition->max_bytes);
    wire_out_no_tags(out, wire_api_is_flexible(WIRE_FETCH, version));
}

void wire_fetch_end(struct buf *out, int16_t version)
{
    bool flexible = wire_api_is_flexible(WIRE_FETCH, version);
    wire_out_no_tags(out, flexible); // of the topic
    if (version >= WITH_SESSIONS)
        wire_out_array(out, flexible, 0); // nothing to forget
    if (version >= WITH_RACK)
        wire_out_string(out, flexible, STR_LITERAL("")); // none: the leader answers
    wire_out_no_tags(out, flexible);
}

void wire_fetched_begin(struct wire_fetched_in *in, struct str body, int16_t version)
{
    *in = (struct wire_fetched_in){
        .in = wire_in_of(body),
        .version = version,
        .flexible = wire_api_is_flexible(WIRE_FETCH, version),
    };
    in->throttle_ms = wire_in_i32(&in->in);
    if (version >= WITH_SESSIONS) {
        in->code = wire_in_i16(&in->in);
        wire_in_i32(&in->in); // session
    }
    in->n_topics = wire_in_array(&in->in, in->flexible, TOPIC_BYTES);
}

static void read_aborted(struct wire_in *in, bool flexible, struct wire_aborted *aborted)
{
    wire_aborted_clear(aborted);
    for (size_t n = wire_in_array(in, flexible, TRANSACTION_BYTES); n > 0; n--) {
        int64_t producer = wire_in_i64(in);
        wire_aborted_add(aborted, producer, wire_in_i64(in));
        wire_in_skip_tags(in, flexible);
    }
    wire_aborted_sort(aborted);
}

// DivergingEpoch: the last epoch before that of what was read, and its end.
static int64_t read_partition_tags(struct wire_in *in, bool flexible)
{
    int64_t truncated_to = -1;
    for (size_t n = wire_in_tags(in, flexible); n > 0; n--) {
        struct wire_in field;
        if (wire_in_tag(in, &field) != TAG_DIVERGING_EPOCH)
            continue;
        wire_in_i32(&field);
        truncated_to = wire_in_i64(&field);
        if (field.wrong != NULL)
            wire_in_fail(in, "a tagged field is cut");
    }
    return truncated_to;
}

static struct wire_fetched read_partition(struct wire_fetched_in *fetched,
                                          struct wire_aborted *aborted)
{
    struct wire_in *in = &fetched->in;
    struct wire_fetched partition = {.number = wire_in_i32(in)};
    partition.code = wire_in_i16(in);
    partition.high = wire_in_i64(in);
    partition.last_stable = wire_in_i64(in);
    if (fetched->version >= WITH_LOG_START)
        wire_in_i64(in);
    read_aborted(in, fetched->flexible, aborted);
    if (fetched->version >= WITH_RACK)
        wire_in_i32(in); // a replica to read from: only with a rack
    partition.records = wire_in_bytes(in, fetched->flexible);
    partition.truncated_to = read_partition_tags(in, fetched->flexible);
    return partition;
}

static struct str read_topic(struct wire_fetched_in *fetched)
{
    struct wire_in *in = &fetched->in;
    return fetched->version >= WITH_TOPIC_ID ? wire_in_take(in, TOPIC_ID_BYTES)
                                             : wire_in_string(in, fetched->flexible);
}

bool wire_fetched_next(struct wire_fetched_in *fetched, struct str topic,
                       struct wire_fetched *ret, struct wire_aborted *aborted)
{
    struct wire_in *in = &fetched->in;
    while (fetched->n_partitions == 0) {
        if (fetched->n_topics == 0 || in->wrong != NULL)
            return false;
        if (!str_eq(read_topic(fetched), topic))
            wire_in_fail(in, "another topic was asked for");
        fetched->n_partitions = wire_in_array(in, fetched->flexible, PARTITION_BYTES);
        fetched->n_topics--;
        if (fetched->n_partitions == 0)
            wire_in_skip_tags(in, fetched->flexible);
    }
    *ret = read_partition(fetched, aborted);
    if (--fetched->n_partitions == 0)
        wire_in_skip_tags(in, fetched->flexible); // of the topic
    return in->wrong == NULL;
}

enum status wire_fetched_check(const struct wire_fetched_in *fetched, struct err *err)
{
    struct wire_in in = fetched->in;
    wire_in_skip_tags(&in, fetched->flexible);
    return wire_in_check(&in, "Fetch", err);
}
