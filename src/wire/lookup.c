// SPDX-License-Identifier: Apache-2.0
#include "wire/lookup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "wire/fetch.h"
#include "wire/lookup_parts.h"
#include "wire/offsets.h"

enum {
    WAIT_MS = 10,      // of a fetch, for a first byte
    DOUBTED_AFTER = 5, // answers that do not help, before the leader's epoch is doubted
    FETCH_BYTES = 64 << 10, // a first batch comes whole (KIP-74)
    EMPTY_MAX = 20, // fetches without a byte, before a record that should be there is not
};

enum status wire_lookup_open(struct wire_lookup *lookup,
                             const struct wire_asking_config *config, struct err *err)
{
    *lookup =
        (struct wire_lookup){.timeout_ms = config->timeout_ms, .controller = WIRE_ANY};
    lookup->plain = BUF_INIT((size_t)config->most_bytes);
    return wire_asking_open(&lookup->asking, config, err);
}

void wire_lookup_close(struct wire_lookup *lookup)
{
    wire_asking_close(&lookup->asking);
    wire_decompressor_release(&lookup->decompressor);
    wire_aborted_release(&lookup->aborted);
    buf_release(&lookup->plain);
    free(lookup->cluster);
    *lookup = (struct wire_lookup){0};
}

const char *wire_lookup_topic(const struct wire_lookup *lookup)
{
    return lookup->asking.cluster.topic;
}

// When a call that begins now has to end.
int64_t wire_lookup_end(const struct wire_lookup *lookup)
{
    int64_t now_ms = wire_asking_now_ms();
    return now_ms + deadline_left(lookup->asking.deadline, now_ms, lookup->timeout_ms);
}

bool wire_lookup_is_over(const struct wire_lookup *lookup, int64_t end_ms)
{
    int64_t now_ms = wire_asking_now_ms();
    return now_ms >= end_ms || deadline_is_over(lookup->asking.deadline, now_ms);
}

static enum status said(const struct wire_lookup *lookup, enum status rc, int16_t code,
                        struct err *err)
{
    return err_set(err, rc, "topic '%s' on %s: %s", wire_lookup_topic(lookup),
                   lookup->asking.cluster.addresses, wire_error_name(code).text);
}

// The same request may be answered in a moment.
bool wire_lookup_passes(int16_t code)
{
    switch (code) {
    case WIRE_UNKNOWN_TOPIC_OR_PARTITION:
    case WIRE_LEADER_NOT_AVAILABLE:
    case WIRE_NOT_LEADER_OR_FOLLOWER:
    case 7: // REQUEST_TIMED_OUT
    case WIRE_REPLICA_NOT_AVAILABLE:
    case 13: // NETWORK_EXCEPTION
    case WIRE_COORDINATOR_LOADS:
    case WIRE_COORDINATOR_NOT_AVAILABLE:
    case WIRE_NOT_COORDINATOR:
    case WIRE_NOT_CONTROLLER:
    case WIRE_FENCED_LEADER_EPOCH:
    case WIRE_UNKNOWN_LEADER_EPOCH:
    case 56: // KAFKA_STORAGE_ERROR
    case 78: // OFFSET_NOT_AVAILABLE
        return true;
    default:
        return false;
    }
}

// ---- the topic

static void put_metadata(const void *arg, int16_t version, struct buf *out)
{
    wire_metadata_ask(out, version, str_of(arg));
}

static struct wire_shape shape_of(const struct wire_metadata *metadata)
{
    struct wire_shape shape = {.partitions = (int32_t)metadata->n_partitions};
    for (size_t i = 0; i < metadata->n_partitions; i++) {
        shape.leaderless += metadata->partitions[i].leader < 0;
        if (metadata->partitions[i].number == 0)
            shape.replication = (int32_t)metadata->partitions[i].n_replicas;
    }
    return shape;
}

static enum status take_metadata(struct wire_lookup *lookup, struct str body,
                                 int16_t version, struct wire_shape *ret,
                                 int16_t *ret_code, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct wire_cluster *cluster = &lookup->asking.cluster;
    struct wire_metadata metadata;
    TRY(wire_metadata_read(body, version, str_of(cluster->topic), &arena, &metadata,
                           err));
    if (lookup->cluster == NULL && metadata.cluster.p != NULL)
        lookup->cluster = mem_strndup(metadata.cluster.p, metadata.cluster.n);
    lookup->controller = metadata.controller;
    *ret = shape_of(&metadata);
    *ret_code = metadata.code;
    // A topic that was recreated is the caller's to find: it may have other epochs, too.
    wire_cluster_forget_topic(cluster);
    enum status rc =
        wire_cluster_take_metadata(cluster, body, version, wire_asking_now_ms(), err);
    lookup->is_known = rc == ST_OK && metadata.code == WIRE_OK;
    return rc;
}

enum status wire_lookup_look(struct wire_lookup *lookup, int64_t end_ms,
                             struct wire_shape *ret, int16_t *ret_code, struct err *err)
{
    const struct wire_question question = {
        .api = WIRE_METADATA, .put = put_metadata, .arg = wire_lookup_topic(lookup)};
    int16_t version;
    struct str body;
    enum status rc;
    do {
        rc = wire_ask(&lookup->asking, WIRE_ANY, &question, end_ms, &version, &body, err);
    } while (rc == ST_RETRY &&
             !wire_lookup_is_over(lookup, end_ms)); // another broker may answer
    TRY(rc);
    return take_metadata(lookup, body, version, ret, ret_code, err);
}

static enum status no_topic(const struct wire_lookup *lookup, struct err *err)
{
    return err_set(err, ST_NOT_FOUND,
                   "topic '%s' is not on the brokers %s; make it with tramline init",
                   wire_lookup_topic(lookup), lookup->asking.cluster.addresses);
}

enum status wire_lookup_shape_by(struct wire_lookup *lookup, int64_t end_ms,
                                 struct wire_shape *ret, struct err *err)
{
    int16_t code;
    TRY(wire_lookup_look(lookup, end_ms, ret, &code, err));
    if (code == WIRE_UNKNOWN_TOPIC_OR_PARTITION)
        return no_topic(lookup, err);
    if (code == WIRE_INVALID_TOPIC)
        return err_set(err, ST_USAGE,
                       "topic '%s': not a name for a topic; a name has at most 249 "
                       "letters, digits, '.', '_' and '-'",
                       wire_lookup_topic(lookup));
    if (code != WIRE_OK)
        return said(lookup, wire_lookup_passes(code) ? ST_RETRY : ST_FAIL, code, err);
    return ST_OK;
}

enum status wire_lookup_shape(struct wire_lookup *lookup, struct wire_shape *ret,
                              struct err *err)
{
    return wire_lookup_shape_by(lookup, wire_lookup_end(lookup), ret, err);
}

enum status wire_lookup_id(struct wire_lookup *lookup, char ret[TOPIC_ID_TEXT],
                           struct err *err)
{
    struct wire_shape shape;
    TRY(wire_lookup_shape(lookup, &shape, err));
    memcpy(ret, lookup->asking.cluster.topic_id_text, TOPIC_ID_TEXT);
    return ST_OK;
}

// ---- questions about one partition

struct part {
    struct wire_lookup *lookup;
    int32_t partition;
    int32_t leader_epoch;
    int64_t offset; // or a time
};

// Reads an answer; *ret_code: what the broker says of the partition.
typedef enum status part_read_fn(struct part *part, struct str body, int16_t version,
                                 int16_t *ret_code, void *ret, struct err *err);

enum finding {
    NOTHING_FOUND, // the topic was not looked at
    HAS_LEADER,
    HAS_NO_LEADER,
    IS_ABSENT
};

static enum finding find_leader(const struct part *part, struct wire_leader *ret)
{
    const struct wire_cluster *cluster = &part->lookup->asking.cluster;
    if (!part->lookup->is_known)
        return NOTHING_FOUND;
    if (part->partition < 0 || (size_t)part->partition >= cluster->n_leaders)
        return IS_ABSENT;
    *ret = cluster->leaders[part->partition];
    return ret->broker < 0 ? HAS_NO_LEADER : HAS_LEADER;
}

static enum status give_up(const struct part *part, enum finding finding,
                           const struct wire_leader *leader, struct err *err)
{
    const struct wire_lookup *lookup = part->lookup;
    switch (finding) {
    case HAS_NO_LEADER:
        return err_set(err, ST_RETRY,
                       "topic '%s', partition %" PRId32 ": no broker leads it now",
                       wire_lookup_topic(lookup), part->partition);
    case HAS_LEADER:
        return err_set(err, ST_RETRY,
                       "topic '%s', partition %" PRId32 ": broker %" PRId32
                       ", which leads it, gives no answer",
                       wire_lookup_topic(lookup), part->partition, leader->broker);
    case IS_ABSENT:
        if (deadline_is_over(lookup->asking.deadline, wire_asking_now_ms()))
            return wire_asking_out_of_time(&lookup->asking, err); // too soon to say
        return err_set(err, ST_DATA,
                       "topic '%s', partition %" PRId32 ": there are only %s now: the "
                       "topic was recreated; give the result another path, or start over "
                       "with tramline init --reset",
                       wire_lookup_topic(lookup), part->partition,
                       text_counted((int64_t)lookup->asking.cluster.n_leaders,
                                    "partition", "partitions"));
    case NOTHING_FOUND:
        break;
    }
    return wire_asking_out_of_time(&lookup->asking, err);
}

// Each time but the first the topic is looked at before: another may lead the partition,
// or not all brokers may have heard of a new one.
static enum status ask_part(struct part *part, struct wire_question *question,
                            part_read_fn *read, void *ret, struct err *err)
{
    struct wire_lookup *lookup = part->lookup;
    int64_t end_ms = wire_lookup_end(lookup);
    struct wire_leader leader = {WIRE_ANY, WIRE_ANY, false};
    enum finding finding = NOTHING_FOUND;
    question->arg = part;
    for (int n = 0; n == 0 || !wire_lookup_is_over(lookup, end_ms); n++) {
        struct wire_shape shape;
        if (n > 1)
            wire_asking_pause(WIRE_LOOKUP_PAUSE_MS);
        if (n > 0 || !lookup->is_known) {
            enum status rc = wire_lookup_shape_by(lookup, end_ms, &shape, err);
            if (rc != ST_OK && rc != ST_RETRY)
                return rc;
            if (rc == ST_RETRY && wire_lookup_is_over(lookup, end_ms) &&
                finding == NOTHING_FOUND)
                return rc;
        }
        finding = find_leader(part, &leader);
        if (finding == HAS_NO_LEADER && n > 0)
            break;
        if (n >= DOUBTED_AFTER)
            wire_cluster_doubt_leader(&lookup->asking.cluster, part->partition);
        if (finding != HAS_LEADER)
            continue;
        int16_t version, code;
        struct str body;
        part->leader_epoch = leader.epoch;
        enum status rc = wire_ask(&lookup->asking, leader.broker, question, end_ms,
                                  &version, &body, err);
        if (rc == ST_RETRY)
            continue;
        TRY(rc);
        TRY(read(part, body, version, &code, ret, err));
        if (code == WIRE_OK)
            return ST_OK;
        if (!wire_lookup_passes(code))
            return err_set(err, ST_FAIL, "topic '%s', partition %" PRId32 ": %s",
                           wire_lookup_topic(lookup), part->partition,
                           wire_error_name(code).text);
    }
    return give_up(part, finding, &leader, err);
}

static void put_offset(const void *arg, int16_t version, struct buf *out)
{
    const struct part *part = arg;
    wire_offset_ask(out, version, str_of(wire_lookup_topic(part->lookup)),
                    part->partition, part->leader_epoch, part->offset);
}

static enum status read_offset(struct part *part, struct str body, int16_t version,
                               int16_t *ret_code, void *ret, struct err *err)
{
    return wire_low_read(body, version, part->partition, ret_code, ret, err);
}

static enum status offset_for(struct wire_lookup *lookup, int32_t partition,
                              int64_t time_ms, int64_t *ret, struct err *err)
{
    struct part part = {.lookup = lookup, .partition = partition, .offset = time_ms};
    struct wire_question question = {.api = WIRE_LIST_OFFSETS, .put = put_offset};
    return ask_part(&part, &question, read_offset, ret, err);
}

enum status wire_lookup_range(struct wire_lookup *lookup, int32_t partition,
                              struct topic_range *ret, struct err *err)
{
    struct topic_range range;
    TRY(offset_for(lookup, partition, WIRE_EARLIEST, &range.low, err));
    TRY(offset_for(lookup, partition, WIRE_LATEST, &range.high, err));
    *ret = range;
    return ST_OK;
}

enum status wire_lookup_offset_at(struct wire_lookup *lookup, int32_t partition,
                                  int64_t time_ms, int64_t *ret, struct err *err)
{
    int64_t offset;
    TRY(offset_for(lookup, partition, time_ms < 0 ? 0 : time_ms, &offset, err));
    if (offset < 0) // none is that late
        TRY(offset_for(lookup, partition, WIRE_LATEST, &offset, err));
    *ret = offset;
    return ST_OK;
}

static void put_epoch_end(const void *arg, int16_t version, struct buf *out)
{
    const struct part *part = arg;
    wire_epoch_end_ask(out, version, str_of(wire_lookup_topic(part->lookup)),
                       part->partition, part->leader_epoch, (int32_t)part->offset);
}

static enum status read_epoch_end(struct part *part, struct str body,
                                  UNUSED int16_t version, int16_t *ret_code, void *ret,
                                  struct err *err)
{
    int32_t epoch; // one before it: a fetch would find that, too
    return wire_epoch_end_read(body, part->partition, ret_code, &epoch, ret, err);
}

enum status wire_lookup_epoch_end(struct wire_lookup *lookup, int32_t partition,
                                  int32_t epoch, int64_t *ret, struct err *err)
{
    struct part part = {.lookup = lookup, .partition = partition, .offset = epoch};
    bool is_unknown = false;
    struct wire_question question = {
        .api = WIRE_EPOCH_END, .put = put_epoch_end, .is_unknown = &is_unknown};
    enum status rc = ask_part(&part, &question, read_epoch_end, ret, err);
    if (!is_unknown)
        return rc;
    *ret = INT64_MAX;
    return ST_OK;
}

// ---- one record

struct found {
    bool is_there;  // a batch was given
    bool is_absent; // there is no such record
    int64_t last_stable;
    struct record record;
};

static void put_fetch(const void *arg, int16_t version, struct buf *out)
{
    const struct part *part = arg;
    const struct wire_fetch fetch = {str_of(wire_lookup_topic(part->lookup)), WAIT_MS,
                                     FETCH_BYTES};
    const struct wire_fetch_partition partition = {part->partition, part->leader_epoch,
                                                   part->offset, -1, FETCH_BYTES};
    wire_fetch_begin(out, version, &fetch, 1);
    wire_fetch_add(out, version, &partition);
    wire_fetch_end(out, version);
}

// The record of that offset, if the batch has it.
static enum status read_record(struct part *part, struct str bytes,
                               const struct wire_batch *batch, struct found *ret,
                               struct err *err)
{
    struct wire_lookup *lookup = part->lookup;
    struct str plain = batch->payload, headers;
    struct record record;
    struct wire_run run = {.records = &record,
                           .headers = &headers,
                           .capacity = 1,
                           .value_schema = lookup->value_schema};
    struct wire_records records;
    TRY(wire_batch_check(bytes, batch, err));
    if (batch->codec != WIRE_NONE) {
        buf_clear(&lookup->plain);
        TRY(wire_decompress(&lookup->decompressor, batch->codec, batch->payload,
                            &lookup->plain, err));
        plain = buf_as_str(&lookup->plain);
    }
    wire_records_begin(&records, batch, plain);
    TRY(wire_records_read(&records, part->offset, &run, err));
    ret->is_absent = run.n == 0 || record.offset != part->offset;
    if (!ret->is_absent)
        ret->record = record;
    return ST_OK;
}

// The batch that the offset would be in is the first that ends behind it.
static enum status read_batches(struct part *part, struct str rest, struct found *ret,
                                struct err *err)
{
    struct wire_batch batch;
    size_t size;
    while ((size = wire_batch_size(rest)) > 0 && size <= rest.n) {
        TRY(wire_batch_read(rest, &batch, err));
        if (batch.last_offset >= part->offset) {
            ret->is_there = true;
            ret->is_absent = batch.is_control || batch.base_offset > part->offset ||
                             (batch.is_transactional &&
                              wire_aborted_has(&part->lookup->aborted, batch.producer,
                                               batch.last_offset));
            return ret->is_absent ? ST_OK : read_record(part, rest, &batch, ret, err);
        }
        rest = (struct str){rest.p + size, rest.n - size};
    }
    return ST_OK;
}

static enum status read_fetched(struct part *part, struct str body, int16_t version,
                                int16_t *ret_code, void *ret, struct err *err)
{
    struct found *found = ret;
    struct wire_fetched_in in;
    struct wire_fetched fetched;
    wire_fetched_begin(&in, body, version);
    *ret_code = in.code != WIRE_OK ? in.code : WIRE_UNKNOWN_TOPIC_OR_PARTITION;
    *found = (struct found){0};
    while (wire_fetched_next(&in, str_of(wire_lookup_topic(part->lookup)), &fetched,
                             &part->lookup->aborted)) {
        if (fetched.number != part->partition)
            continue;
        *ret_code = fetched.code;
        found->last_stable = fetched.last_stable;
        if (fetched.code == WIRE_OK)
            TRY(read_batches(part, fetched.records, found, err));
    }
    TRY(wire_fetched_check(&in, err));
    if (*ret_code == WIRE_OFFSET_OUT_OF_RANGE) {
        *ret_code = WIRE_OK;
        found->is_there = found->is_absent = true;
    }
    return ST_OK;
}

static enum status fetch_batch(struct part *part, struct found *ret, struct err *err)
{
    struct wire_question question = {
        .api = WIRE_FETCH, .put = put_fetch, .wait_ms = WAIT_MS};
    for (int i = 0; i < EMPTY_MAX; i++) {
        enum status rc = ask_part(part, &question, read_fetched, ret, err);
        if (rc == ST_DATA || rc == ST_LIMIT)
            return err_context(err, rc, "topic '%s', partition %" PRId32,
                               wire_lookup_topic(part->lookup), part->partition);
        if (rc != ST_OK || ret->is_there || ret->last_stable <= part->offset)
            return rc;
    }
    return ST_OK;
}

enum status wire_lookup_fetch(struct wire_lookup *lookup, int32_t partition,
                              int64_t offset, struct record *ret, struct err *err)
{
    struct part part = {.lookup = lookup, .partition = partition, .offset = offset};
    struct found found;
    TRY(fetch_batch(&part, &found, err));
    if (!found.is_there || found.is_absent)
        return err_set(err, ST_NOT_FOUND,
                       "topic '%s', partition %" PRId32
                       ": there is no record at offset %" PRId64,
                       wire_lookup_topic(lookup), partition, offset);
    *ret = found.record;
    return ST_OK;
}
