// SPDX-License-Identifier: Apache-2.0
#include "kafka/reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/message.h"

enum {
    STARVED_MS = 5000,
    PEEK_MAX = 8 // messages that a look takes out of a queue
};

void reader_init(struct kafka_reader *reader, rd_kafka_t *rk, const char *topic,
                 int wake_fd, size_t run_records)
{
    *reader = (struct kafka_reader){
        .rk = rk, .topic = topic, .wake_fd = wake_fd, .capacity = run_records};
    reader->messages = mem_array(run_records, sizeof(*reader->messages));
    reader->records = mem_array(run_records, sizeof(*reader->records));
}

void reader_release(struct kafka_reader *reader)
{
    reader_stop(reader);
    free(reader->messages);
    free(reader->records);
    *reader = (struct kafka_reader){0};
}

static rd_kafka_queue_t *take_queue(struct kafka_reader *reader, int32_t partition)
{
    const uint64_t one = 1; // what an eventfd wants to be written
    rd_kafka_queue_t *queue =
        rd_kafka_queue_get_partition(reader->rk, reader->topic, partition);
    rd_kafka_queue_forward(queue, NULL);
    rd_kafka_queue_io_event_enable(queue, reader->wake_fd, &one, sizeof(one));
    return queue;
}

static int compare_partitions(const void *a, const void *b)
{
    const struct partition *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

void reader_start(struct kafka_reader *reader, const struct stream_start *starts,
                  size_t n)
{
    reader->partitions = mem_array(n, sizeof(*reader->partitions));
    reader->n_partitions = n;
    reader->turn = 0;
    for (size_t i = 0; i < n; i++) {
        reader->partitions[i] = (struct partition){
            .number = starts[i].partition,
            .queue = take_queue(reader, starts[i].partition),
            .position = starts[i].offset,
            .fed_ms = client_now_ms(),
        };
    }
    qsort(reader->partitions, n, sizeof(*reader->partitions), compare_partitions);
}

static void destroy_messages(struct kafka_reader *reader, size_t end)
{
    while (reader->n_released < end)
        rd_kafka_message_destroy(reader->messages[reader->n_released++]);
}

static void drop_batch(struct kafka_reader *reader)
{
    destroy_messages(reader, reader->n);
    reader->n = reader->n_lent = reader->n_released = reader->n_records = 0;
}

// What was left of a batch in place of the batch; false when there is nothing.
static bool take_kept(struct kafka_reader *reader, struct partition *partition)
{
    size_t n =
        partition->n_kept < reader->capacity ? partition->n_kept : reader->capacity;
    reader->n = n;
    if (n == 0)
        return false;
    memcpy(reader->messages, partition->kept, n * sizeof(*partition->kept));
    partition->n_kept -= n;
    memmove(partition->kept, partition->kept + n,
            partition->n_kept * sizeof(*partition->kept));
    if (partition->n_kept > 0)
        return true;
    free(partition->kept);
    partition->kept = NULL;
    return true;
}

// Puts the queue's next messages in place of the batch; false when it is empty.
static bool take_batch(struct kafka_reader *reader, struct partition *partition)
{
    drop_batch(reader);
    reader->from = partition;
    if (take_kept(reader, partition))
        return true;
    ssize_t n = rd_kafka_consume_batch_queue(partition->queue, 0, reader->messages,
                                             reader->capacity);
    reader->n = n > 0 ? (size_t)n : 0;
    if (n > 0)
        partition->fed_ms = client_now_ms();
    return n > 0;
}

void reader_stop(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->n_partitions; i++) {
        while (take_batch(reader, &reader->partitions[i]))
            ;
        rd_kafka_queue_destroy(reader->partitions[i].queue);
    }
    drop_batch(reader);
    free(reader->partitions);
    reader->partitions = NULL;
    reader->n_partitions = 0;
}

static struct partition *find(struct kafka_reader *reader, int32_t number)
{
    const struct partition wanted = {.number = number};
    return bsearch(&wanted, reader->partitions, reader->n_partitions, sizeof(wanted),
                   compare_partitions);
}

static void keep(struct partition *partition, size_t at,
                 rd_kafka_message_t *const *messages, size_t n)
{
    size_t n_all = partition->n_kept + n, size = sizeof(*messages);
    partition->kept = mem_resize(partition->kept, n_all, size);
    memmove(partition->kept + at + n, partition->kept + at,
            (partition->n_kept - at) * size);
    memcpy(partition->kept + at, messages, n * size);
    partition->n_kept = n_all;
}

void reader_hold_back(struct kafka_reader *reader, int32_t number, size_t n_used)
{
    struct partition *partition = find(reader, number);
    assert(partition == reader->from && n_used < reader->n_records);
    size_t end = reader->first_record + n_used;
    partition->is_held = true;
    partition->position = n_used ? reader->records[n_used].offset : reader->first;
    keep(partition, 0, reader->messages + end, reader->n - end);
    reader->n = reader->n_lent = end;
    reader->n_records = n_used;
}

void reader_let_on(struct kafka_reader *reader, int32_t number)
{
    struct partition *partition = find(reader, number);
    if (partition != NULL)
        partition->is_held = false;
}

void reader_give_back(struct kafka_reader *reader)
{
    destroy_messages(reader, reader->n_lent);
    reader->n_records = 0;
}

const rd_kafka_message_t *reader_message(const struct kafka_reader *reader, size_t index)
{
    return reader->messages[reader->first_record + index];
}

static bool has_more(const struct kafka_reader *reader)
{
    return reader->n_lent < reader->n;
}

static bool is_end(const rd_kafka_message_t *message)
{
    return message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

static enum status out_of_order(const struct kafka_reader *reader, int64_t offset,
                                struct err *err)
{
    return err_set(err, ST_DATA,
                   "topic '%s', partition %d: offset %lld came where %lld or a later one "
                   "had to come",
                   reader->topic, reader->from->number, (long long)offset,
                   (long long)reader->from->position);
}

// The first of these that is no end; NULL: all are.
static const rd_kafka_message_t *first_of(rd_kafka_message_t *const *messages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_end(messages[i]))
            return messages[i];
    return NULL;
}

// The next message of a partition, borrowed; NULL: there is none. What comes out of the
// queue is kept for the next batch.
static const rd_kafka_message_t *peek(struct kafka_reader *reader,
                                      struct partition *partition)
{
    const rd_kafka_message_t *found = NULL;
    rd_kafka_message_t *message;
    if (partition == reader->from)
        found = first_of(reader->messages + reader->n_lent, reader->n - reader->n_lent);
    if (found == NULL)
        found = first_of(partition->kept, partition->n_kept);
    while (found == NULL && partition->n_kept < PEEK_MAX &&
           rd_kafka_consume_batch_queue(partition->queue, 0, &message, 1) == 1) {
        partition->fed_ms = client_now_ms();
        keep(partition, partition->n_kept, &message, 1);
        found = first_of(&message, 1);
    }
    return found;
}

void reader_peek(struct kafka_reader *reader, int32_t number, struct stream_ahead *ret)
{
    struct partition *partition = find(reader, number);
    const rd_kafka_message_t *message =
        partition != NULL ? peek(reader, partition) : NULL;
    if (message == NULL || message->err)
        return;
    ret->unread_ms = message_record(message, false).time_ms;
    if (ret->end >= 0 && ret->end <= message->offset)
        ret->end = message->offset + 1;
}

// Records until the batch ends or an error stands in it.
static enum status take_records(struct kafka_reader *reader, struct err *err)
{
    reader->first_record = reader->n_lent;
    for (; has_more(reader); reader->n_lent++) {
        const rd_kafka_message_t *message = reader->messages[reader->n_lent];
        if (message->err)
            break;
        if (message->offset < reader->from->position)
            return out_of_order(reader, message->offset, err);
        const rd_kafka_message_t *next =
            reader->n_lent + 1 < reader->n ? reader->messages[reader->n_lent + 1] : NULL;
        bool asks = reader->value_schema && message_may_have_header(message, next);
        reader->records[reader->n_records++] = message_record(message, asks);
        reader->from->position = message->offset + 1;
        reader->from->is_at_end = false;
    }
    return ST_OK;
}

// Ends of the partition at the front of the batch: they say how far it was passed.
static void pass_ends(struct kafka_reader *reader)
{
    for (; has_more(reader); reader->n_lent++) {
        const rd_kafka_message_t *message = reader->messages[reader->n_lent];
        if (!is_end(message))
            return;
        if (message->offset > reader->from->position)
            reader->from->position = message->offset;
        reader->from->is_at_end = true;
    }
}

static enum status make_run(struct kafka_reader *reader, struct stream_event *ret,
                            struct err *err)
{
    int64_t first = reader->first = reader->from->position;
    TRY(take_records(reader, err));
    pass_ends(reader);
    if (reader->from->position == first)
        return ST_OK;
    ret->kind = STREAM_RUN;
    ret->run = (struct run){
        .partition = reader->from->number,
        .first = first,
        .next = reader->from->position,
        .records = reader->records,
        .n = reader->n_records,
    };
    return ST_OK;
}

// Where the client stopped may lie after the last record, when aborted ones were between.
static void make_gap(struct kafka_reader *reader, int64_t offset,
                     struct stream_event *ret)
{
    struct partition *from = reader->from;
    if (offset > from->position) {
        ret->kind = STREAM_RUN;
        ret->run = (struct run){
            .partition = from->number, .first = from->position, .next = offset};
        from->position = offset;
        return;
    }
    reader->n_lent++;
    ret->kind = STREAM_GAP;
    ret->gap = (struct stream_gap){.partition = from->number, .wanted = from->position};
}

static enum status status_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return ST_DATA;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return ST_FAIL;
    default:
        return ST_RETRY;
    }
}

// After bytes that cannot be read librdkafka would go on behind them: the message stays
// at the front, so that nobody gets past it.
static enum status failure(struct kafka_reader *reader, const rd_kafka_message_t *message,
                           struct stream_event *ret, struct err *err)
{
    snprintf(reader->trouble, sizeof(reader->trouble),
             "topic '%s', partition %d, offset %lld: %s", reader->topic,
             reader->from->number, (long long)reader->from->position,
             rd_kafka_message_errstr(message));
    enum status rc = status_of(message->err);
    if (rc != ST_RETRY)
        return err_set(err, rc, "%s", reader->trouble);
    reader->n_lent++;
    ret->kind = STREAM_TROUBLE;
    ret->trouble = (struct stream_trouble){reader->from->number, reader->trouble};
    return ST_OK;
}

static enum status take_front(struct kafka_reader *reader, struct stream_event *ret,
                              struct err *err)
{
    const rd_kafka_message_t *message = reader->messages[reader->n_lent];
    if (!message->err || is_end(message))
        return make_run(reader, ret, err);
    if (message->err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return failure(reader, message, ret, err);
    make_gap(reader, message->offset, ret);
    return ST_OK;
}

// The next partition in turn that has something.
static bool take_any(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->n_partitions; i++) {
        struct partition *partition = &reader->partitions[reader->turn];
        reader->turn = (reader->turn + 1) % reader->n_partitions;
        if (!partition->is_held && take_batch(reader, partition))
            return true;
    }
    return false;
}

enum status reader_next(struct kafka_reader *reader, struct stream_event *ret,
                        struct err *err)
{
    ret->kind = STREAM_IDLE;
    while (ret->kind == STREAM_IDLE && (has_more(reader) || take_any(reader))) {
        enum status rc = take_front(reader, ret, err);
        if (rc != ST_OK)
            return rc;
    }
    return ST_OK;
}

static bool is_starved(const struct partition *partition, int64_t now_ms)
{
    return !partition->is_at_end && !partition->is_held &&
           now_ms - partition->fed_ms < STARVED_MS;
}

bool reader_is_starved(const struct kafka_reader *reader)
{
    int64_t now_ms = client_now_ms();
    for (size_t i = 0; i < reader->n_partitions; i++) {
        if (is_starved(&reader->partitions[i], now_ms))
            return true;
    }
    return false;
}

void reader_nudge(struct kafka_reader *reader)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)reader->n_partitions);
    int64_t now_ms = client_now_ms();
    for (size_t i = 0; i < reader->n_partitions; i++) {
        const struct partition *partition = &reader->partitions[i];
        if (is_starved(partition, now_ms))
            rd_kafka_topic_partition_list_add(list, reader->topic, partition->number);
    }
    client_nudge(reader->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}
