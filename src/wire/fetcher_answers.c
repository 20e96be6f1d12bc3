// SPDX-License-Identifier: Apache-2.0
#include "wire/fetcher.h"

#include <inttypes.h>

#include "wire/fetcher_parts.h"
#include "wire/offsets.h"
#include "wire/record_batch.h"

enum {
    OVERHEAD_BYTES = 4096, // of an answer, beside a batch
    STUCK_MAX = 20,
    UNSURE_MAX = 20,      // answers in a row whose first batch is not believed
    UNSURE_PAUSE_MS = 50, // between two of them
    OUT_MAX = 4, // errors in a row, before an offset that is there is believed not to be
    THROTTLE_MIN_MS = 20, // of a pause after an answer without anything
    THROTTLE_MAX_MS = 60000,
    QUOTA_TIMEOUTS = 6, // without a byte, before that is told
    WITH_EPOCHS = 9,    // version of Fetch
};

static enum status at_offset(const struct wire_fetcher *fetcher,
                             const struct wire_partition *partition, enum status rc,
                             struct err *err)
{
    return err_context(err, rc, "topic '%s', partition %" PRId32 ", offset %" PRId64,
                       fetcher->cluster->topic, partition->number,
                       partition->fetch_offset);
}

static enum status take_code(struct wire_fetcher *fetcher,
                             struct wire_partition *partition, int16_t code,
                             int64_t now_ms, struct err *err)
{
    if (code == WIRE_OFFSET_OUT_OF_RANGE) {
        partition->mode = WIRE_GAP;
        partition->is_low_known = false;
        return ST_OK;
    }
    if (code == WIRE_TOPIC_AUTHORIZATION_FAILED ||
        code == WIRE_UNSUPPORTED_COMPRESSION_TYPE)
        return at_offset(
            fetcher, partition,
            err_set(err, ST_FAIL, "the broker says %s", wire_error_name(code).text), err);
    wire_fetcher_refuse(fetcher, partition, code, now_ms);
    return ST_OK;
}

// What was read is not in the log any more: a leader without it was elected. to: -1, or
// an offset behind it, where that knows nothing of the epoch of what was read.
static enum status truncated(const struct wire_fetcher *fetcher,
                             const struct wire_partition *partition, int64_t to,
                             struct err *err)
{
    if (to < 0 || to >= partition->fetch_offset)
        (void)err_set(err, ST_DATA,
                      "what was read before is of epoch %" PRId32
                      ", of which its leader knows nothing: the log was cut back or the "
                      "topic recreated; give the result another path, or start over with "
                      "tramline init --reset",
                      partition->last_epoch);
    else
        (void)err_set(err, ST_DATA,
                      "the log was cut back to offset %" PRId64
                      " after it was read (an unclean election of a leader); give the "
                      "result another path, or start over with tramline init --reset",
                      to);
    return at_offset(fetcher, partition, ST_DATA, err);
}

static enum status stuck(const struct wire_fetcher *fetcher,
                         struct wire_partition *partition, struct str cut,
                         struct err *err)
{
    int64_t most = fetcher->buffer_bytes - OVERHEAD_BYTES;
    int64_t size = (int64_t)wire_batch_size(cut),
            twice = 2 * (int64_t)partition->max_bytes;
    most = most < INT32_MAX ? most : INT32_MAX;
    if (size > most)
        return at_offset(fetcher, partition,
                         err_set(err, ST_LIMIT,
                                 "a batch of %" PRId64
                                 " bytes is larger than source.buffer, %" PRId64 " bytes",
                                 size, fetcher->buffer_bytes),
                         err);
    if (++partition->n_stuck > STUCK_MAX)
        return at_offset(
            fetcher, partition,
            err_set(err, ST_DATA, "the broker's answers have no batch of that offset"),
            err);
    int64_t wanted = size > twice ? size : twice;
    partition->max_bytes = (int32_t)(wanted < most ? wanted : most);
    return ST_OK;
}

// The end was looked up before the batches were, and may have moved meanwhile; an epoch
// may have been changed on its way. They are asked for again.
static enum status unsure(const struct wire_fetcher *fetcher,
                          struct wire_partition *partition, int64_t end, bool is_beyond,
                          int64_t now_ms, struct err *err)
{
    partition->again_at_ms = now_ms + (partition->n_unsure > 0 ? UNSURE_PAUSE_MS : 0);
    if (++partition->n_unsure <= UNSURE_MAX)
        return ST_OK;
    if (is_beyond)
        (void)err_set(err, ST_DATA,
                      "the broker sends batches behind the partition's end, "
                      "offset %" PRId64,
                      end);
    else
        (void)err_set(
            err, ST_DATA,
            "the broker tells another epoch of the next batch with each answer");
    return at_offset(fetcher, partition, ST_DATA, err);
}

bool wire_slice_is_too_new(const struct wire_slice *slice, int32_t epoch)
{
    return slice->most_epoch >= 0 && epoch > slice->most_epoch;
}

// Where a batch's epoch is not that of the batch before, the next one has to say the
// same, or it when it is asked for again: no checksum covers it.
static bool is_epoch_sure(struct wire_partition *partition,
                          const struct wire_batch *batch, struct str rest)
{
    struct wire_batch next;
    if (batch->leader_epoch == partition->last_epoch ||
        batch->last_offset < partition->fetch_offset)
        return true;
    bool is_again = batch->base_offset == partition->told_offset &&
                    batch->leader_epoch == partition->told_epoch;
    partition->told_offset = batch->base_offset;
    partition->told_epoch = batch->leader_epoch;
    size_t size = wire_batch_size(rest);
    return is_again ||
           (size > 0 && size <= rest.n && wire_batch_read(rest, &next, NULL) == ST_OK &&
            next.leader_epoch == batch->leader_epoch);
}

// Whole batches at the front, by their headers; moves the partition's fetch_offset behind
// them. A header that is not right ends it: the reader meets it there. So does one that
// is not believed yet; *ret_is_beyond: its batch lies behind the end.
static struct str whole_batches(struct wire_partition *partition,
                                const struct wire_fetched *fetched,
                                const struct wire_slice *slice, bool *ret_is_unsure,
                                bool *ret_is_beyond)
{
    const struct str records = fetched->records;
    struct str rest = records;
    for (*ret_is_unsure = *ret_is_beyond = false;;) {
        struct wire_batch batch;
        size_t size = wire_batch_size(rest);
        if (size == 0 || size > rest.n)
            break;
        bool is_right = wire_batch_read(rest, &batch, NULL) == ST_OK;
        const struct str behind = {rest.p + size, rest.n - size};
        *ret_is_unsure = is_right && !is_epoch_sure(partition, &batch, behind);
        if (*ret_is_unsure)
            break;
        if (!is_right || wire_slice_is_too_new(slice, batch.leader_epoch)) {
            partition->mode = WIRE_BROKEN;
            return records;
        }
        *ret_is_beyond = fetched->high >= 0 && batch.last_offset >= fetched->high;
        *ret_is_unsure = *ret_is_beyond;
        if (*ret_is_unsure)
            break;
        if (batch.last_offset >= partition->fetch_offset) {
            partition->fetch_offset = batch.last_offset + 1;
            partition->last_epoch = batch.leader_epoch;
        }
        rest = behind;
    }
    return (struct str){records.p, records.n - rest.n};
}

static enum status take_records(struct wire_fetcher *fetcher,
                                struct wire_partition *partition,
                                const struct wire_fetched *fetched,
                                struct wire_slice *slice, int64_t now_ms, struct err *err)
{
    int64_t before = partition->fetch_offset;
    bool is_unsure, is_beyond;
    slice->rest = whole_batches(partition, fetched, slice, &is_unsure, &is_beyond);
    partition->last_stable = fetched->last_stable;
    partition->told_ms = now_ms;
    partition->n_refused = 0;
    partition->is_cut = false;
    if (fetched->records.n == 0)
        return ST_OK;
    if (partition->fetch_offset == before && partition->mode != WIRE_BROKEN) {
        const struct str cut = {fetched->records.p + slice->rest.n,
                                fetched->records.n - slice->rest.n};
        slice->rest.n = 0;
        return is_unsure
                   ? unsure(fetcher, partition, fetched->high, is_beyond, now_ms, err)
                   : stuck(fetcher, partition, cut, err);
    }
    partition->n_stuck = partition->n_unsure = 0;
    partition->fed_ms = now_ms;
    return ST_OK;
}

// NULL: it was started elsewhere since, or is not read any more.
static struct wire_partition *asked_for(const struct wire_fetcher *fetcher,
                                        const struct wire_asked *asked)
{
    if (asked->partition >= fetcher->n ||
        fetcher->partitions[asked->partition].token != asked->token)
        return NULL;
    return &fetcher->partitions[asked->partition];
}

static struct wire_asked *find_asked(const struct wire_fetcher *fetcher,
                                     struct wire_broker *broker, int32_t number)
{
    for (size_t i = 0; i < broker->n_asked; i++) {
        struct wire_asked *asked = &broker->asked[i];
        if (asked->partition < fetcher->n && !asked->is_answered &&
            fetcher->partitions[asked->partition].number == number)
            return asked;
    }
    return NULL;
}

// It may be another topic under the name, as the next Metadata tells.
static enum status take_truncation(struct wire_fetcher *fetcher,
                                   struct wire_partition *partition, int64_t to,
                                   int64_t now_ms, struct err *err)
{
    int64_t answered_ms = fetcher->cluster->answered_ms;
    if (partition->is_cut && answered_ms != partition->cut_ms)
        return truncated(fetcher, partition, to, err);
    partition->is_cut = true;
    partition->cut_ms = answered_ms;
    wire_fetcher_refuse(fetcher, partition, WIRE_UNKNOWN_LEADER_EPOCH, now_ms);
    return ST_OK;
}

static enum status take_partition(struct wire_fetcher *fetcher,
                                  struct wire_partition *partition,
                                  const struct wire_fetched *fetched,
                                  struct wire_slice *slice, int64_t now_ms,
                                  struct err *err)
{
    if (fetched->code != WIRE_OK)
        return take_code(fetcher, partition, fetched->code, now_ms, err);
    if (fetched->truncated_to >= 0)
        return take_truncation(fetcher, partition, fetched->truncated_to, now_ms, err);
    return take_records(fetcher, partition, fetched, slice, now_ms, err);
}

static enum status take_all(struct wire_fetcher *fetcher, struct wire_broker *broker,
                            struct wire_fetched_in *in, struct wire_answered *answered,
                            int64_t now_ms, struct err *err)
{
    struct wire_fetched fetched;
    struct wire_slice *slice = &answered->slices[0];
    enum wire_api api = answered->is_by_id ? WIRE_FETCH_BY_ID : WIRE_FETCH;
    while (wire_fetched_next(in, wire_fetcher_topic(fetcher, api), &fetched,
                             &slice->aborted)) {
        struct wire_asked *asked = find_asked(fetcher, broker, fetched.number);
        if (asked == NULL) // of before the last start, or not asked for at all
            continue;
        asked->is_answered = true;
        struct wire_partition *partition = &fetcher->partitions[asked->partition];
        if (partition->token != asked->token)
            continue;
        slice->partition = asked->partition;
        slice->token = partition->token;
        slice->most_epoch = in->version >= WITH_EPOCHS ? asked->epoch : -1;
        TRY(take_partition(fetcher, partition, &fetched, slice, now_ms, err));
        if (slice->rest.n > 0)
            slice = &answered->slices[++answered->n];
    }
    return wire_fetched_check(in, err);
}

// Brokers leave out all partitions where a quota of theirs has nothing left (KIP-219).
static bool is_quota(const struct wire_broker *broker, const struct wire_fetched_in *in)
{
    bool is_empty = in->throttle_ms > 0 && in->code == WIRE_OK;
    for (size_t i = 0; i < broker->n_asked; i++)
        is_empty = is_empty && !broker->asked[i].is_answered;
    return is_empty;
}

// An answer's time limit goes by, and again, when all that was read lately is too much; a
// batch may be larger than the quota ever lets through.
static bool is_starved_long(const struct wire_broker *broker, int64_t now_ms)
{
    int64_t limit_ms = QUOTA_TIMEOUTS * (int64_t)broker->connection.client->timeout_ms;
    return now_ms - broker->starved_ms >= limit_ms;
}

static void take_quota(struct wire_fetcher *fetcher, struct wire_broker *broker,
                       int64_t now_ms)
{
    if (broker->quiet_until_ms < now_ms + THROTTLE_MIN_MS)
        broker->quiet_until_ms = now_ms + THROTTLE_MIN_MS;
    if (broker->starved_ms == 0)
        broker->starved_ms = now_ms;
    if (broker->is_quota_told || !is_starved_long(broker, now_ms))
        return;
    broker->is_quota_told = true;
    for (size_t i = 0; i < broker->n_asked; i++) {
        struct wire_partition *partition = asked_for(fetcher, &broker->asked[i]);
        if (partition == NULL)
            continue;
        partition->code = WIRE_THROTTLING_QUOTA_EXCEEDED;
        partition->is_trouble_due = true;
    }
}

// A broker that says nothing of a partition says so of all that it was asked for, or
// lies: it is not asked again at once.
static void refuse_unanswered(struct wire_fetcher *fetcher, struct wire_broker *broker,
                              int16_t code, int64_t now_ms)
{
    broker->starved_ms = 0;
    broker->is_quota_told = false;
    for (size_t i = 0; i < broker->n_asked; i++) {
        const struct wire_asked *asked = &broker->asked[i];
        struct wire_partition *partition = asked_for(fetcher, asked);
        if (!asked->is_answered && partition != NULL)
            wire_fetcher_refuse(fetcher, partition,
                                code != WIRE_OK ? code : WIRE_UNKNOWN_TOPIC_OR_PARTITION,
                                now_ms);
    }
}

static struct wire_answered *answered_new(struct wire_broker *broker)
{
    struct wire_answered *answered = mem_zalloc(sizeof(*answered));
    answered->broker = broker;
    // One more, for what is read and not kept.
    answered->slices = mem_array(broker->n_asked + 1, sizeof(*answered->slices));
    return answered;
}

static void append(struct wire_fetcher *fetcher, struct wire_answered *answered)
{
    if (fetcher->last != NULL)
        fetcher->last->after = answered;
    else
        fetcher->first = answered;
    fetcher->last = answered;
    answered->broker->n_answers++;
}

enum status wire_fetcher_take(struct wire_fetcher *fetcher, struct wire_broker *broker,
                              const struct wire_call *call, struct str body,
                              struct buf *memory, int64_t now_ms, struct err *err)
{
    struct wire_fetched_in in;
    wire_fetched_begin(&in, body, call->version);
    broker->is_loss_told = false;
    int32_t throttle_ms =
        in.throttle_ms < THROTTLE_MAX_MS ? in.throttle_ms : THROTTLE_MAX_MS;
    broker->quiet_until_ms = now_ms + (throttle_ms > 0 ? throttle_ms : 0);
    struct wire_answered *answered = answered_new(broker);
    answered->is_by_id = call->api == WIRE_FETCH_BY_ID;
    enum status rc = take_all(fetcher, broker, &in, answered, now_ms, err);
    if (rc == ST_OK && is_quota(broker, &in))
        take_quota(fetcher, broker, now_ms);
    else if (rc == ST_OK)
        refuse_unanswered(fetcher, broker, in.code, now_ms);
    wire_aborted_release(&answered->slices[answered->n].aborted);
    if (rc != ST_OK || answered->n == 0) {
        wire_answered_free(answered);
        return rc;
    }
    answered->body = *memory;
    *memory = (struct buf){0};
    append(fetcher, answered);
    return ST_OK;
}

// The partition that the broker was asked about; NULL: it leads it no more.
static struct wire_partition *find_led(const struct wire_fetcher *fetcher,
                                       const struct wire_broker *broker,
                                       const struct wire_call *call)
{
    struct wire_partition *partition = wire_fetcher_find(fetcher, call->tag);
    bool leads = partition != NULL &&
                 wire_fetcher_leader(fetcher, partition)->broker == broker->id;
    return leads ? partition : NULL;
}

enum status wire_fetcher_take_low(struct wire_fetcher *fetcher,
                                  const struct wire_broker *broker,
                                  const struct wire_call *call, struct str body,
                                  int64_t now_ms, struct err *err)
{
    struct wire_partition *partition = find_led(fetcher, broker, call);
    int16_t code;
    int64_t low;
    TRY(wire_low_read(body, call->version, call->tag, &code, &low, err));
    if (partition == NULL || partition->mode != WIRE_GAP)
        return ST_OK;
    if (code != WIRE_OK) {
        wire_fetcher_refuse(fetcher, partition, code, now_ms);
        return ST_OK;
    }
    if (low <= partition->fetch_offset && partition->n_refused < OUT_MAX) {
        partition->mode = WIRE_READING; // who said so may not have been the leader
        wire_fetcher_refuse(fetcher, partition, WIRE_OFFSET_OUT_OF_RANGE, now_ms);
        return ST_OK;
    }
    partition->is_low_known = true;
    partition->low = low;
    return ST_OK;
}

// A leader of another epoch than the one that was asked may have another log.
enum status wire_fetcher_take_end(struct wire_fetcher *fetcher,
                                  const struct wire_broker *broker,
                                  const struct wire_call *call, struct str body,
                                  int64_t now_ms, struct err *err)
{
    struct wire_partition *partition = find_led(fetcher, broker, call);
    int16_t code;
    int32_t epoch;
    int64_t end;
    TRY(wire_epoch_end_read(body, call->tag, &code, &epoch, &end, err));
    if (partition == NULL || partition->end_epoch < 0 ||
        wire_fetcher_leader(fetcher, partition)->epoch != partition->end_epoch)
        return ST_OK;
    if (code != WIRE_OK) {
        wire_fetcher_refuse(fetcher, partition, code, now_ms);
        return ST_OK;
    }
    if (end < partition->fetch_offset || epoch < partition->last_epoch)
        return take_truncation(fetcher, partition, end, now_ms, err);
    partition->seen_epoch = partition->end_epoch;
    return ST_OK;
}
