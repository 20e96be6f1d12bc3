// SPDX-License-Identifier: Apache-2.0
#include "kafka/stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "kafka/consumer.h"
#include "kafka/ends.h"
#include "kafka/gaps.h"
#include "kafka/gathering.h"
#include "kafka/message.h"
#include "kafka/question.h"
#include "kafka/reader.h"
#include "kafka/topic.h"

enum {
    DEFAULT_RUN_RECORDS = 4096,
    LEAST_PATIENCE_MS = 10,
    MOST_PATIENCE_MS = 640,
    SERVE_MS = 60000,   // in a group, between two questions
    CUT_OFF_MS = 10000, // after a lost membership: a group that is whole is faster
};

struct kafka_stream {
    struct stream base;         // first: a kafka_stream is a stream
    struct kafka_client client; // the consumer
    struct kafka_reader reader;
    struct kafka_ends ends;
    char *topic, *group;
    enum kafka_membership membership;
    rd_kafka_queue_t *queue; // the consumer's own: membership and errors
    int wake_fd;
    atomic_bool is_woken; // by kafka_wake
    int32_t *assigned;    // rising
    size_t n_assigned;
    struct kafka_gathering gathering; // before the first assignment is told
    bool is_answered;                 // librdkafka, before the owner is asked
    struct kafka_question count;      // of partitions
    bool is_doubted;    // it is asked since the group does not find the topic
    int32_t n_known;    // partitions of the topic when they were last counted
    int64_t refresh_ms; // between two looks at the number of partitions
    int64_t refresh_at_ms;
    enum stream_event_kind due;   // to be told by the next poll; IDLE: none
    enum stream_event_kind asked; // told and not answered; IDLE: none
    struct kafka_gaps gaps;
    int64_t lost_at_ms;  // since when there is no membership, to be told why; 0: there is
    int64_t patience_ms; // before the client is nudged
    bool is_reading, is_held, is_closing;
    bool is_unanswered; // the group revoked what the owner never heard of
};

static struct kafka_stream *kafka_of(struct stream *stream)
{
    return (struct kafka_stream *)stream;
}

static struct kafka_stream *owner_of(struct kafka_client *client)
{
    return (struct kafka_stream *)((char *)client -
                                   offsetof(struct kafka_stream, client));
}

// ---- membership

static enum status assign(struct kafka_stream *kafka,
                          const rd_kafka_topic_partition_list_t *list, struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(kafka->client.rk, list);
    if (code)
        return err_set(err, ST_FAIL, "topic '%s', group '%s': %s", kafka->topic,
                       kafka->group, rd_kafka_err2str(code));
    return ST_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void assigned_from(struct kafka_stream *kafka,
                          const rd_kafka_topic_partition_list_t *list)
{
    free(kafka->assigned);
    kafka->n_assigned = (size_t)list->cnt;
    kafka->assigned = mem_array(kafka->n_assigned, sizeof(*kafka->assigned));
    for (size_t i = 0; i < kafka->n_assigned; i++)
        kafka->assigned[i] = list->elems[i].partition;
    qsort(kafka->assigned, kafka->n_assigned, sizeof(*kafka->assigned), compare_numbers);
}

static void assign_all(struct kafka_stream *kafka)
{
    free(kafka->assigned);
    kafka->n_assigned = (size_t)kafka->n_known;
    kafka->assigned = mem_array(kafka->n_assigned, sizeof(*kafka->assigned));
    for (int32_t i = 0; i < kafka->n_known; i++)
        kafka->assigned[i] = i;
    kafka->due = STREAM_ASSIGN;
}

// The owner hears of it by the next poll; until it answers, librdkafka waits. Makes no
// call that awaits an answer of librdkafka, which might be waiting for this one.
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_stream *kafka = owner_of(opaque);
    if (kafka->is_closing)
        return;                                   // consumer_leave answers
    bool is_unseen = kafka->due == STREAM_ASSIGN; // the owner knows nothing of it
    kafka->due = STREAM_IDLE;
    kafka->lost_at_ms = 0;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assigned_from(kafka, list);
        gathering_assigned(&kafka->gathering);
        kafka->is_answered = false;
        kafka->due = STREAM_ASSIGN;
    } else if (is_unseen) {
        kafka->is_unanswered = true;
    } else {
        kafka->due = rd_kafka_assignment_lost(rk) ? STREAM_LOST : STREAM_REVOKE;
    }
    if (kafka->due == STREAM_LOST)
        kafka->lost_at_ms = client_now_ms();
    if (kafka->due == STREAM_ASSIGN) // what comes from now on may be why it is lost
        kafka->client.problem = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int on_stats(UNUSED rd_kafka_t *rk, char *json, size_t n, void *opaque)
{
    ends_take(&owner_of(opaque)->ends, json, n, client_now_ms());
    return 0; // it is librdkafka's
}

static enum status fatal_error(struct kafka_stream *kafka, struct err *err)
{
    char text[512] = "";
    rd_kafka_fatal_error(kafka->client.rk, text, sizeof(text));
    return err_set(err, ST_FAIL, "topic '%s', group '%s': %s", kafka->topic, kafka->group,
                   text);
}

// The group's error may be older than what the brokers know of the topic: that is asked.
static enum status topic_error(struct kafka_stream *kafka, const char *text,
                               struct err *err)
{
    kafka->is_doubted = true;
    question_ask(&kafka->count, QUESTION_COUNT);
    return err_set(err, ST_RETRY, "topic '%s', group '%s': %s", kafka->topic,
                   kafka->group, text);
}

// Joining with what these say wrong cannot end well by itself.
static bool is_final(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
        return true;
    default:
        return false;
    }
}

static enum status group_error(struct kafka_stream *kafka,
                               const rd_kafka_message_t *message, struct err *err)
{
    assert(message->err); // records have their partitions' queues
    if (message->err == RD_KAFKA_RESP_ERR__FATAL)
        return fatal_error(kafka, err);
    const char *text = rd_kafka_message_errstr(message);
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return topic_error(kafka, text, err);
    if (message->err == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT)
        return err_set(err, ST_FAIL,
                       "topic '%s', group '%s': %s; set the option session.timeout "
                       "between the brokers' group.min.session.timeout.ms and "
                       "group.max.session.timeout.ms",
                       kafka->topic, kafka->group, text);
    return err_set(err, is_final(message->err) ? ST_FAIL : ST_RETRY,
                   "topic '%s', group '%s': %s", kafka->topic, kafka->group, text);
}

// The brokers are away for longer than a membership lasts. The client does not call all
// of them down where it also knows one by its part, the group's coordinator.
static bool is_cut_off(const struct kafka_stream *kafka)
{
    return kafka->lost_at_ms != 0 && kafka->client.problem != 0 &&
           client_now_ms() >= kafka->lost_at_ms + CUT_OFF_MS;
}

// Serves the consumer's own queue: callbacks, errors, and the sign of life that the group
// wants.
static enum status serve(struct kafka_stream *kafka, struct err *err)
{
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(kafka->client.rk, 0)) != NULL) {
        enum status rc = group_error(kafka, message, err);
        rd_kafka_message_destroy(message);
        if (rc != ST_OK)
            return rc;
    }
    if (kafka->is_unanswered)
        TRY(assign(kafka, NULL, err));
    kafka->is_unanswered = false;
    if (!kafka->client.is_down && !is_cut_off(kafka))
        return ST_OK;
    kafka->client.is_down = false;
    kafka->lost_at_ms = 0;
    ends_forget(&kafka->ends);
    (void)client_unreachable(&kafka->client, err);
    return ST_RETRY; // even when refused: they have let us in before
}

// Without a group nobody else tells of new partitions. In a group this only keeps what
// the topic's handle has to say from piling up.
static enum status refresh(struct kafka_stream *kafka, struct err *err)
{
    if (client_now_ms() >= kafka->refresh_at_ms) {
        kafka->refresh_at_ms =
            client_now_ms() +
            (kafka->membership == KAFKA_NONE ? kafka->refresh_ms : SERVE_MS);
        question_ask(&kafka->count, QUESTION_COUNT);
    }
    if (!question_take(&kafka->count))
        return ST_OK;
    bool is_doubted = kafka->is_doubted;
    kafka->is_doubted = false;
    if (is_doubted && question_is_final(&kafka->count))
        return question_fail(&kafka->count, err);
    bool has_grown = kafka->membership == KAFKA_NONE && kafka->is_reading &&
                     kafka->count.status == ST_OK && kafka->count.count > kafka->n_known;
    if (!has_grown)
        return ST_OK;
    kafka->n_known = kafka->count.count;
    kafka->due = STREAM_REVOKE;
    return ST_OK;
}

// ---- poll

static void tell_due(struct kafka_stream *kafka, struct stream_event *ret)
{
    ret->kind = kafka->asked = kafka->due;
    ret->partitions = kafka->assigned;
    ret->n_partitions = kafka->n_assigned;
    kafka->due = STREAM_IDLE;
}

static enum status read_next(struct kafka_stream *kafka, struct stream_event *ret,
                             struct err *err)
{
    TRY(gaps_tell(&kafka->gaps, ret, err));
    if (ret->kind != STREAM_IDLE)
        return ST_OK;
    TRY(reader_next(&kafka->reader, ret, err));
    if (ret->kind != STREAM_GAP)
        return ST_OK;
    gaps_add(&kafka->gaps, &ret->gap);
    ret->kind = STREAM_IDLE;
    return gaps_tell(&kafka->gaps, ret, err);
}

static bool is_reading(const struct kafka_stream *kafka)
{
    return kafka->is_reading && !kafka->is_held && kafka->asked == STREAM_IDLE;
}

// The group is told that the assignment is taken; nothing of it is read for now.
static enum status wait_for_others(struct kafka_stream *kafka, struct err *err)
{
    if (kafka->is_answered)
        return ST_OK;
    kafka->is_answered = true;
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    enum status rc = assign(kafka, none, err);
    rd_kafka_topic_partition_list_destroy(none);
    return rc;
}

static bool is_gathering(struct kafka_stream *kafka)
{
    return kafka->due == STREAM_ASSIGN && kafka->membership == KAFKA_GROUP &&
           !gathering_is_over(&kafka->gathering);
}

static enum status next_event(struct kafka_stream *kafka, struct stream_event *ret,
                              struct err *err)
{
    *ret = (struct stream_event){.kind = STREAM_IDLE};
    if (is_gathering(kafka))
        return wait_for_others(kafka, err);
    if (kafka->asked == STREAM_REVOKE && rd_kafka_assignment_lost(kafka->client.rk))
        kafka->due = STREAM_LOST;
    if (kafka->due != STREAM_IDLE) {
        tell_due(kafka, ret);
        return ST_OK;
    }
    return is_reading(kafka) ? read_next(kafka, ret, err) : ST_OK;
}

static bool is_starved(const struct kafka_stream *kafka)
{
    return is_reading(kafka) && reader_is_starved(&kafka->reader);
}

// Sleeps until a queue gets something. What is in a queue already does not wake: the
// caller clears the descriptor first and then finds all queues empty.
static void sleep_until_woken(struct kafka_stream *kafka, int64_t ms)
{
    struct pollfd fd = {.fd = kafka->wake_fd, .events = POLLIN};
    bool is_hungry = is_starved(kafka);
    int64_t most = is_hungry                     ? kafka->patience_ms
                   : kafka->due == STREAM_ASSIGN ? GATHERING_LOOK_MS
                                                 : kafka->refresh_ms;
    int n = poll(&fd, 1, (int)(ms < most ? ms : most));
    if (n != 0 || !is_hungry) {
        kafka->patience_ms = LEAST_PATIENCE_MS;
        return;
    }
    reader_nudge(&kafka->reader);
    if (kafka->patience_ms < MOST_PATIENCE_MS)
        kafka->patience_ms *= 2;
}

static void clear_wake(struct kafka_stream *kafka)
{
    uint64_t count;
    ssize_t n = read(kafka->wake_fd, &count, sizeof(count));
    (void)n; // nothing to read is fine
}

static enum status kafka_poll(struct stream *stream, int timeout_ms,
                              struct stream_event *ret, struct err *err)
{
    struct kafka_stream *kafka = kafka_of(stream);
    int64_t deadline = client_now_ms() + timeout_ms;
    reader_give_back(&kafka->reader);
    for (;;) {
        clear_wake(kafka);
        TRY(refresh(kafka, err));
        TRY(serve(kafka, err));
        TRY(next_event(kafka, ret, err));
        int64_t left = deadline - client_now_ms();
        bool is_over = left <= 0 || atomic_exchange(&kafka->is_woken, false);
        if (ret->kind != STREAM_IDLE || is_over) {
            ret->is_behind = ret->kind == STREAM_IDLE && is_starved(kafka);
            return ST_OK;
        }
        sleep_until_woken(kafka, left);
    }
}

// ---- start and stop

static rd_kafka_topic_partition_list_t *
list_of(const struct kafka_stream *kafka, const struct stream_start *starts, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, kafka->topic, starts[i].partition)
            ->offset = starts[i].offset;
    return list;
}

static enum status stop_reading(struct kafka_stream *kafka, struct err *err)
{
    if (!kafka->is_reading)
        return ST_OK;
    kafka->is_reading = false;
    gaps_stop(&kafka->gaps);
    enum status rc = assign(kafka, NULL, err);
    reader_stop(&kafka->reader);
    return rc;
}

static enum status kafka_start(struct stream *stream, const struct stream_start *starts,
                               size_t n, struct err *err)
{
    struct kafka_stream *kafka = kafka_of(stream);
    TRY(stop_reading(kafka, err));
    reader_start(&kafka->reader, starts, n);
    ends_forget(&kafka->ends);
    gaps_start(&kafka->gaps, n);
    rd_kafka_topic_partition_list_t *list = list_of(kafka, starts, n);
    enum status rc = assign(kafka, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    kafka->is_reading = true; // also on failure: stop gives the queues back
    kafka->asked = STREAM_IDLE;
    return rc;
}

static enum status kafka_stop(struct stream *stream, struct err *err)
{
    struct kafka_stream *kafka = kafka_of(stream);
    bool is_answer = kafka->asked == STREAM_REVOKE || kafka->asked == STREAM_LOST;
    if (kafka->is_reading)
        TRY(stop_reading(kafka, err));
    else if (is_answer && kafka->membership == KAFKA_GROUP)
        TRY(assign(kafka, NULL, err)); // it waits for an answer all the same
    if (!is_answer)
        return ST_OK;
    kafka->asked = STREAM_IDLE;
    if (kafka->membership == KAFKA_NONE)
        assign_all(kafka);
    return ST_OK;
}

static void kafka_wake(struct stream *stream)
{
    struct kafka_stream *kafka = kafka_of(stream);
    const uint64_t one = 1;
    atomic_store(&kafka->is_woken, true);
    ssize_t n = write(kafka->wake_fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
}

static void kafka_hold(struct stream *stream, bool held)
{
    kafka_of(stream)->is_held = held;
}

static void kafka_hold_back(struct stream *stream, int32_t partition, size_t n_used)
{
    reader_hold_back(&kafka_of(stream)->reader, partition, n_used);
}

static void kafka_release(struct stream *stream, int32_t partition)
{
    reader_let_on(&kafka_of(stream)->reader, partition);
}

static void kafka_headers(struct stream *stream, size_t index, struct buf *json)
{
    message_headers(reader_message(&kafka_of(stream)->reader, index), json);
}

static void kafka_ahead(struct stream *stream, int32_t partition,
                        struct stream_ahead *ret)
{
    struct kafka_stream *kafka = kafka_of(stream);
    *ret = (struct stream_ahead){-1, -1};
    if (!kafka->is_reading)
        return;
    ret->end = ends_of(&kafka->ends, partition, client_now_ms());
    reader_peek(&kafka->reader, partition, ret);
}

static void kafka_report(struct stream *stream, const struct stream_start *next, size_t n)
{
    struct kafka_stream *kafka = kafka_of(stream);
    if (n == 0)
        return;
    rd_kafka_topic_partition_list_t *list = list_of(kafka, next, n);
    rd_kafka_commit(kafka->client.rk, list, 1 /* do not wait */);
    rd_kafka_topic_partition_list_destroy(list);
}

// ---- open and close

static void kafka_close(struct stream *stream)
{
    struct kafka_stream *kafka = kafka_of(stream);
    if (kafka->queue != NULL) {
        kafka->is_closing = true;
        if (kafka->membership == KAFKA_GROUP) // first: what is unassigned is joined for
            consumer_leave(&kafka->client, kafka->topic);
        (void)stop_reading(kafka, NULL);
        rd_kafka_queue_destroy(kafka->queue);
    }
    reader_release(&kafka->reader);
    client_close(&kafka->client);
    ends_release(&kafka->ends);
    if (kafka->wake_fd >= 0)
        close(kafka->wake_fd); // after librdkafka, which writes to it
    gaps_release(&kafka->gaps);
    free(kafka->assigned);
    free(kafka->topic);
    free(kafka->group);
    free(kafka);
}

static const struct stream_ops kafka_stream_ops = {
    .poll = kafka_poll,
    .start = kafka_start,
    .stop = kafka_stop,
    .wake = kafka_wake,
    .hold = kafka_hold,
    .hold_back = kafka_hold_back,
    .release = kafka_release,
    .headers = kafka_headers,
    .ahead = kafka_ahead,
    .report = kafka_report,
    .close = kafka_close,
};

static void open_queues(struct kafka_stream *kafka, int32_t run_records)
{
    rd_kafka_t *rk = kafka->client.rk;
    const uint64_t one = 1; // what an eventfd wants to be written
    kafka->queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_io_event_enable(kafka->queue, kafka->wake_fd, &one, sizeof(one));
    reader_init(&kafka->reader, rk, kafka->topic, kafka->wake_fd,
                (size_t)(run_records ? run_records : DEFAULT_RUN_RECORDS));
}

static enum status open_all(struct kafka_stream *kafka, const struct kafka_config *config,
                            struct topic *topic, struct asker *asker, struct err *err)
{
    kafka->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (kafka->wake_fd < 0)
        return err_set(err, ST_FAIL,
                       "topic '%s': no file descriptor: %s; raise the limit of open "
                       "files (ulimit -n)",
                       config->topic, strerror(errno));
    question_init(&kafka->count, asker, topic, kafka->wake_fd);
    gaps_init(&kafka->gaps, asker, topic, kafka->wake_fd);
    gathering_init(&kafka->gathering, asker, topic, kafka->wake_fd, config->members);
    TRY(consumer_open(&kafka->client, config, kafka->n_known, on_rebalance, on_stats,
                      err));
    ends_init(&kafka->ends, kafka->client.rk, kafka->topic);
    open_queues(kafka, config->run_records);
    kafka->reader.value_schema = config->value_schema;
    kafka->patience_ms = LEAST_PATIENCE_MS;
    kafka->refresh_ms = consumer_refresh_ms(&kafka->client);
    kafka->refresh_at_ms = client_now_ms() + kafka->refresh_ms;
    if (kafka->membership == KAFKA_GROUP)
        consumer_join(&kafka->client, config);
    else
        assign_all(kafka);
    return ST_OK;
}

enum status kafka_stream_open(const struct kafka_config *config, struct topic *topic,
                              struct asker *asker, struct stream **ret, struct err *err)
{
    struct kafka_stream *kafka = mem_zalloc(sizeof(*kafka));
    kafka->topic = mem_strdup(config->topic);
    kafka->group = mem_strdup(config->group);
    kafka->membership = config->membership;
    kafka->base = (struct stream){.ops = &kafka_stream_ops};
    kafka->n_known = kafka_topic_opened_with(topic);
    enum status rc = open_all(kafka, config, topic, asker, err);
    if (rc != ST_OK) {
        kafka_close(&kafka->base);
        return rc;
    }
    *ret = &kafka->base;
    return ST_OK;
}
