// SPDX-License-Identifier: Apache-2.0
// A member's view of the topic: the ports stream and topic.
#include "sim/sim_topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_event.h"

enum {
    EVENTS_MAX = 64,
    RUN_MAX = 6,
    STALE_MS = 3000 // a broker may not have heard of another topic for so long
};

struct member_event {
    enum stream_event_kind kind;
    int32_t partitions[SIM_PARTITIONS_MAX];
    size_t n;
};

// What is asked of the topic, beside the stream.
struct asked {
    struct topic topic; // first member
    struct sim_stream *stream;
};

struct sim_stream {
    struct stream stream;
    struct asked asked;
    struct sim_topic *topic;
    enum sim_knows knows;
    bool is_of_first; // SIM_ID: the topic before it was recreated is the one it knows
    struct sim_clock *clock;
    struct member_event events[EVENTS_MAX]; // oldest first
    size_t n_events;
    int32_t told[SIM_PARTITIONS_MAX]; // of the event given last
    bool has_assignment;              // told to the group's member or on its way
    bool is_held;
    struct stream_start reading[SIM_PARTITIONS_MAX];
    size_t n_reading;
    int64_t asleep_until_ms;
    struct record *records; // of the run given last; freed at the next poll
    struct run_passed passed[RUN_MAX];
    size_t n_passed;
    struct run_epoch epochs[RUN_MAX];
    size_t n_epochs;
    int64_t run_first; // of that run
    int32_t epoch_before;
    bool held_back[SIM_PARTITIONS_MAX];
    bool is_told[SIM_PARTITIONS_MAX]; // that it is away
    bool has_partitions;              // calm: given, and not let go of
    bool is_revoked;                  // calm: is to let go of them
    void (*on_call)(void *context);   // or NULL
    void *context;
    bool is_woken;
    int64_t polled_ms;
    int n_idle;
    char trouble[128];
};

static struct sim_stream *of(struct stream *stream)
{
    return (struct sim_stream *)stream;
}

void sim_stream_on_call(struct sim_stream *stream, void (*fn)(void *), void *context)
{
    stream->on_call = fn;
    stream->context = context;
}

// Each call of the port comes by here.
static enum status maybe_away(const struct sim_stream *stream, struct err *err)
{
    if (stream->on_call != NULL)
        stream->on_call(stream->context);
    const struct sim_topic *topic = stream->topic;
    if (topic->fault_percent && sim_chance(topic->random, topic->fault_percent) &&
        sim_events_let(topic->events, SIM_FAULT))
        return err_set(err, ST_RETRY, "the brokers do not answer (made by a test)");
    return ST_OK;
}

static bool is_away(const struct sim_stream *stream, int32_t partition)
{
    const struct sim_partition *part = &stream->topic->partitions[partition];
    int64_t now_ms = stream->clock->now_ms;
    return now_ms >= part->away_from_ms && now_ms < part->away_until_ms;
}

static enum status maybe_no_leader(const struct sim_stream *stream, int32_t partition,
                                   struct err *err)
{
    TRY(maybe_away(stream, err));
    if (is_away(stream, partition))
        return err_set(err, ST_RETRY,
                       "topic 'stop_times' partition %d has no leader (made by a test)",
                       partition);
    return ST_OK;
}

// It knows another topic than the one that is there: no broker answers it.
static bool is_refused(const struct sim_stream *stream)
{
    return stream->knows == SIM_ID && stream->is_of_first && stream->topic->is_recreated;
}

static bool can_read(const struct sim_stream *stream, const struct stream_start *at)
{
    return !is_refused(stream) &&
           at->offset < stream->topic->partitions[at->partition].high &&
           !stream->held_back[at->partition] && !is_away(stream, at->partition);
}

static bool has_records(const struct sim_stream *stream)
{
    for (size_t i = 0; i < stream->n_reading && !stream->is_held; i++)
        if (can_read(stream, &stream->reading[i]))
            return true;
    return false;
}

// A partition that is away and of which that was not told yet.
static int32_t untold_trouble(const struct sim_stream *stream)
{
    for (size_t i = 0; i < stream->n_reading && !stream->is_held; i++) {
        int32_t partition = stream->reading[i].partition;
        if (is_away(stream, partition) && !stream->is_told[partition])
            return partition;
    }
    return -1;
}

static bool give_trouble(struct sim_stream *stream, struct stream_event *ret)
{
    int32_t partition = untold_trouble(stream);
    if (partition < 0)
        return false;
    stream->is_told[partition] = true;
    snprintf(stream->trouble, sizeof(stream->trouble),
             "topic 'stop_times' partition %d has no leader (made by a test)", partition);
    *ret = (struct stream_event){.kind = STREAM_TROUBLE,
                                 .trouble = {partition, stream->trouble}};
    return true;
}

bool sim_stream_is_ready(const struct sim_stream *stream)
{
    return stream->n_events || has_records(stream) || untold_trouble(stream) >= 0 ||
           stream->clock->now_ms >= stream->asleep_until_ms;
}

int64_t sim_stream_wakes_ms(const struct sim_stream *stream)
{
    return stream->asleep_until_ms;
}

static void give_event(struct sim_stream *stream, struct stream_event *ret)
{
    struct member_event *event = &stream->events[0];
    memcpy(stream->told, event->partitions, sizeof(stream->told));
    *ret = (struct stream_event){
        .kind = event->kind, .partitions = stream->told, .n_partitions = event->n};
    stream->n_events--;
    memmove(stream->events, stream->events + 1, stream->n_events * sizeof(*event));
    stream->n_reading = 0; // until start()
}

// A partition whose wanted offset has left the topic; it is read on after start() only.
static bool give_gap(struct sim_stream *stream, struct stream_event *ret)
{
    for (size_t i = 0; i < stream->n_reading; i++) {
        struct stream_start *at = &stream->reading[i];
        int64_t low = stream->topic->partitions[at->partition].low;
        bool is_there = at->offset >= low &&
                        at->offset <= stream->topic->partitions[at->partition].high;
        if (stream->is_held || is_there || is_refused(stream) ||
            stream->held_back[at->partition] || is_away(stream, at->partition))
            continue;
        *ret = (struct stream_event){.kind = STREAM_GAP,
                                     .gap = {at->partition, at->offset, low}};
        *at = stream->reading[--stream->n_reading];
        return true;
    }
    return false;
}

static void note_passed(struct sim_stream *stream, int64_t offset)
{
    enum sim_passed kind = sim_passed_of(offset);
    if (kind != SIM_COMPACTED)
        stream->passed[stream->n_passed++] =
            (struct run_passed){offset, offset + 1, kind == SIM_CONTROL};
}

static void note_epoch(struct sim_stream *stream, int64_t offset, int32_t epoch)
{
    size_t n = stream->n_epochs;
    if (n == 0 || stream->epochs[n - 1].epoch != epoch)
        stream->epochs[stream->n_epochs++] = (struct run_epoch){offset, epoch};
}

static size_t fill_run(struct sim_stream *stream, const struct sim_partition *part,
                       int64_t first, int64_t next)
{
    size_t n = 0;
    stream->n_passed = stream->n_epochs = 0;
    stream->records = mem_array(RUN_MAX, sizeof(struct record));
    for (int64_t offset = first; offset < next; offset++) {
        const struct sim_record *record = &part->records[offset];
        note_epoch(stream, offset, record->epoch);
        if (record->kind == SIM_HOLE) {
            note_passed(stream, offset);
            continue;
        }
        struct str value = str_of(record->value);
        stream->records[n++] = (struct record){
            .offset = offset,
            .time_ms = SIM_EPOCH_MS + offset,
            .value = record->kind == SIM_EMPTY ? (struct str){0} : value,
        };
    }
    return n;
}

// Where it stands now is within the last run, or behind it.
static void move_epoch(const struct sim_stream *stream, struct stream_start *at)
{
    if (stream->knows >= SIM_EPOCHS)
        at->epoch = leader_epoch_of(run_epoch_at(stream->epochs, stream->n_epochs,
                                                 at->offset, stream->epoch_before));
}

static struct str id_of(bool is_recreated)
{
    return is_recreated ? STR_LITERAL("simulated-topic-second")
                        : STR_LITERAL("simulated-topic--first");
}

static void note_read(const struct sim_stream *stream, const struct run *run)
{
    struct sim_topic *topic = stream->topic;
    struct sim_partition *part = &topic->partitions[run->partition];
    if (topic->is_calm && run->first < part->read)
        snprintf(topic->wrong, sizeof(topic->wrong),
                 "partition %d: offset %" PRId64 " is read again", (int)run->partition,
                 run->first);
    part->read = run->next;
}

static void give_run(struct sim_stream *stream, struct stream_event *ret)
{
    struct stream_start *at;
    const struct sim_partition *part;
    do {
        size_t i =
            (size_t)sim_between(stream->topic->random, 0, (int64_t)stream->n_reading - 1);
        at = &stream->reading[i];
        part = &stream->topic->partitions[at->partition];
    } while (!can_read(stream, at));
    stream->is_told[at->partition] = false;
    int64_t n_max = part->high - at->offset < RUN_MAX ? part->high - at->offset : RUN_MAX;
    int64_t fixed = stream->topic->run_offsets;
    int64_t n_offsets = fixed == 0 ? sim_between(stream->topic->random, 1, n_max)
                                   : (fixed < n_max ? fixed : n_max);
    struct run run = {
        .partition = at->partition,
        .first = at->offset,
        .next = at->offset + n_offsets,
        .is_accounted = at->partition % 2 == 0,
    };
    run.n = fill_run(stream, part, run.first, run.next);
    run.records = stream->records;
    run.passed = stream->passed;
    run.n_passed = run.is_accounted ? stream->n_passed : 0;
    if (stream->knows >= SIM_EPOCHS) {
        run.epochs = stream->epochs;
        run.n_epochs = stream->n_epochs;
    }
    if (stream->knows == SIM_ID)
        run.topic_id = id_of(stream->topic->is_recreated);
    stream->run_first = run.first;
    stream->epoch_before = leader_epoch_number(at->epoch);
    at->offset = run.next;
    move_epoch(stream, at);
    note_read(stream, &run);
    *ret = (struct stream_event){.kind = STREAM_RUN, .run = run};
}

static enum status check_log(const struct sim_stream *stream,
                             const struct stream_start *at, struct err *err)
{
    const struct sim_partition *part = &stream->topic->partitions[at->partition];
    if (!at->epoch.is_known || is_away(stream, at->partition) ||
        stream->held_back[at->partition] || at->offset < part->low ||
        sim_epoch_end(part, at->epoch.number) >= at->offset)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "partition %d was cut back or recreated (made by a test)",
                   (int)at->partition);
}

// What a client that knows ids and epochs finds out.
static enum status look_for_others(const struct sim_stream *stream, struct err *err)
{
    if (stream->n_reading == 0 || stream->is_held)
        return ST_OK;
    if (is_refused(stream))
        return sim_chance(stream->topic->random, 50)
                   ? err_set(err, ST_DATA, "the topic was recreated (made by a test)")
                   : ST_OK;
    for (size_t i = 0; stream->knows >= SIM_EPOCHS && i < stream->n_reading; i++)
        TRY(check_log(stream, &stream->reading[i], err));
    return ST_OK;
}

static enum status sim_poll(struct stream *base, int timeout_ms, struct stream_event *ret,
                            struct err *err)
{
    struct sim_stream *stream = of(base);
    free(stream->records);
    stream->records = NULL;
    stream->asleep_until_ms = 0;
    stream->polled_ms = stream->clock->now_ms;
    TRY(maybe_away(stream, err));
    if (stream->n_events == 0)
        TRY(look_for_others(stream, err));
    if (stream->n_events) {
        give_event(stream, ret);
    } else if (give_gap(stream, ret) || give_trouble(stream, ret)) {
        return ST_OK;
    } else if (has_records(stream)) {
        give_run(stream, ret);
    } else {
        stream->n_idle++;
        stream->asleep_until_ms =
            stream->clock->now_ms + (stream->is_woken ? 0 : timeout_ms);
        stream->is_woken = false;
        *ret = (struct stream_event){.kind = STREAM_IDLE};
    }
    return ST_OK;
}

static enum status sim_start(struct stream *base, const struct stream_start *starts,
                             size_t n, struct err *err)
{
    struct sim_stream *stream = of(base);
    TRY(maybe_away(stream, err));
    memset(stream->held_back, 0, sizeof(stream->held_back));
    memcpy(stream->reading, starts, n * sizeof(*starts));
    stream->n_reading = n;
    return ST_OK;
}

static enum status sim_stop(struct stream *base, struct err *err)
{
    struct sim_stream *stream = of(base);
    TRY(maybe_away(stream, err));
    stream->n_reading = 0;
    if (stream->is_revoked)
        stream->has_partitions = stream->is_revoked = false;
    return ST_OK;
}

static void sim_wake(struct stream *base)
{
    of(base)->asleep_until_ms = 0;
    of(base)->is_woken = true;
}

static void sim_hold(struct stream *base, bool held)
{
    of(base)->is_held = held;
}

static void sim_hold_back(struct stream *base, int32_t partition, size_t n_used)
{
    struct sim_stream *stream = of(base);
    stream->held_back[partition] = true;
    for (size_t i = 0; i < stream->n_reading; i++)
        if (stream->reading[i].partition == partition) {
            stream->reading[i].offset = stream->topic->partitions[partition].read =
                n_used ? stream->records[n_used].offset : stream->run_first;
            move_epoch(stream, &stream->reading[i]);
        }
}

static void sim_release(struct stream *base, int32_t partition)
{
    of(base)->held_back[partition] = false;
}

// The broker that is asked has not heard of the other topic.
static bool is_stale(const struct sim_topic *topic)
{
    return topic->is_recreated && topic->clock != NULL &&
           topic->clock->now_ms < topic->recreated_ms + STALE_MS &&
           sim_chance(topic->random, 30);
}

static struct sim_stream *asked_of(struct topic *topic)
{
    return ((struct asked *)topic)->stream;
}

static enum status sim_count(struct topic *base, int32_t *ret, struct err *err)
{
    TRY(maybe_away(asked_of(base), err));
    *ret = asked_of(base)->topic->n_partitions;
    return ST_OK;
}

static enum status sim_range(struct topic *base, int32_t partition,
                             struct topic_range *ret, struct err *err)
{
    TRY(maybe_no_leader(asked_of(base), partition, err));
    const struct sim_partition *part = &asked_of(base)->topic->partitions[partition];
    *ret = (struct topic_range){part->low, part->high};
    return ST_OK;
}

static enum status sim_offset_at(struct topic *base, int32_t partition, int64_t time_ms,
                                 int64_t *ret, struct err *err)
{
    struct topic_range range;
    TRY(sim_range(base, partition, &range, err));
    int64_t offset = time_ms - SIM_EPOCH_MS;
    *ret = offset < range.low ? range.low : offset > range.high ? range.high : offset;
    return ST_OK;
}

static enum status sim_fetch(struct topic *base, int32_t partition, int64_t offset,
                             struct record *ret, struct err *err)
{
    struct sim_stream *stream = asked_of(base);
    TRY(maybe_no_leader(stream, partition, err));
    const struct sim_record *record =
        &stream->topic->partitions[partition].records[offset];
    if (record->kind == SIM_HOLE)
        return err_set(err, ST_NOT_FOUND, "no record there");
    *ret = (struct record){.offset = offset, .time_ms = SIM_EPOCH_MS + offset};
    if (record->kind != SIM_EMPTY)
        ret->value = str_of(record->value);
    return ST_OK;
}

static enum status sim_id(struct topic *base, char ret[TOPIC_ID_TEXT], struct err *err)
{
    const struct sim_topic *topic = asked_of(base)->topic;
    TRY(maybe_away(asked_of(base), err));
    struct str id = id_of(topic->is_recreated && !is_stale(topic));
    snprintf(ret, TOPIC_ID_TEXT, "%.*s", STR_ARGS(id));
    return ST_OK;
}

static enum status sim_end_of_epoch(struct topic *base, int32_t partition, int32_t epoch,
                                    int64_t *ret, struct err *err)
{
    TRY(maybe_no_leader(asked_of(base), partition, err));
    *ret = sim_epoch_end(&asked_of(base)->topic->partitions[partition], epoch);
    return ST_OK;
}

static void sim_headers(UNUSED struct stream *base, UNUSED size_t index,
                        UNUSED struct buf *json)
{
}

static void sim_ahead(UNUSED struct stream *base, UNUSED int32_t partition,
                      struct stream_ahead *ret)
{
    *ret = (struct stream_ahead){-1, -1};
}

static void sim_report(struct stream *base, const struct stream_start *next, size_t n)
{
    for (size_t i = 0; i < n; i++)
        of(base)->topic->partitions[next[i].partition].committed = next[i].offset;
}

static void sim_close(struct stream *base)
{
    free(of(base)->records);
    free(base);
}

static const struct stream_ops ops = {
    .poll = sim_poll,
    .start = sim_start,
    .stop = sim_stop,
    .wake = sim_wake,
    .hold = sim_hold,
    .hold_back = sim_hold_back,
    .release = sim_release,
    .headers = sim_headers,
    .ahead = sim_ahead,
    .report = sim_report,
    .close = sim_close,
};

static void topic_close(UNUSED struct topic *topic)
{
    // It goes with its stream.
}

static const struct topic_ops topic_ops = {
    .count = sim_count,
    .range = sim_range,
    .offset_at = sim_offset_at,
    .fetch = sim_fetch,
    .close = topic_close,
};

static const struct topic_ops topic_ops_with_epochs = {
    .count = sim_count,
    .range = sim_range,
    .offset_at = sim_offset_at,
    .fetch = sim_fetch,
    .epoch_end = sim_end_of_epoch,
    .close = topic_close,
};

static const struct topic_ops topic_ops_with_ids = {
    .count = sim_count,
    .range = sim_range,
    .offset_at = sim_offset_at,
    .fetch = sim_fetch,
    .id = sim_id,
    .epoch_end = sim_end_of_epoch,
    .close = topic_close,
};

void sim_stream_know(struct sim_stream *stream, enum sim_knows knows)
{
    static const struct topic_ops *const all[] = {
        [SIM_NAME] = &topic_ops,
        [SIM_EPOCHS] = &topic_ops_with_epochs,
        [SIM_ID] = &topic_ops_with_ids,
    };
    stream->knows = knows;
    stream->is_of_first = !stream->topic->is_recreated || is_stale(stream->topic);
    stream->asked.topic.ops = all[knows];
}

bool sim_stream_reads(const struct sim_stream *stream, int32_t partition)
{
    for (size_t i = 0; i < stream->n_reading; i++)
        if (stream->reading[i].partition == partition)
            return true;
    return false;
}

struct sim_stream *sim_stream_open(struct sim_topic *topic, struct sim_clock *clock)
{
    struct sim_stream *stream = mem_zalloc(sizeof(*stream));
    stream->stream = (struct stream){.ops = &ops};
    stream->asked = (struct asked){.topic = {.ops = &topic_ops,
                                             .cluster = STR_LITERAL("sim-cluster"),
                                             .name = STR_LITERAL("stop_times"),
                                             .is_shared = true,
                                             .ends_anywhere = true},
                                   .stream = stream};
    stream->topic = topic;
    stream->clock = clock;
    stream->polled_ms = clock->now_ms;
    return stream;
}

struct stream *sim_stream_port(struct sim_stream *stream)
{
    return &stream->stream;
}

struct topic *sim_stream_topic(struct sim_stream *stream)
{
    return &stream->asked.topic;
}

static void add_event(struct sim_stream *stream, enum stream_event_kind kind,
                      const int32_t *partitions, size_t n)
{
    if (stream->n_events == EVENTS_MAX) // it sleeps: what came first is of no interest
        stream->n_events = 0;
    struct member_event *event = &stream->events[stream->n_events++];
    *event = (struct member_event){.kind = kind, .n = n};
    for (size_t i = 0; i < n; i++)
        event->partitions[i] = partitions[i];
}

void sim_stream_reassign(struct sim_stream *stream, const int32_t *partitions, size_t n,
                         bool is_lost)
{
    if (stream->has_assignment)
        add_event(stream, is_lost ? STREAM_LOST : STREAM_REVOKE, NULL, 0);
    add_event(stream, STREAM_ASSIGN, partitions, n);
    stream->has_assignment = true;
}

void sim_stream_revoke(struct sim_stream *stream)
{
    if (stream->has_partitions && !stream->is_revoked)
        add_event(stream, STREAM_REVOKE, NULL, 0);
    stream->is_revoked = stream->has_partitions;
}

void sim_stream_assign(struct sim_stream *stream, const int32_t *partitions, size_t n)
{
    add_event(stream, STREAM_ASSIGN, partitions, n);
    stream->has_partitions = true;
}

bool sim_stream_has_partitions(const struct sim_stream *stream)
{
    return stream->has_partitions;
}

bool sim_stream_is_reading(const struct sim_stream *stream)
{
    return stream->n_reading > 0;
}

int64_t sim_stream_polled_ms(const struct sim_stream *stream)
{
    return stream->polled_ms;
}

int sim_stream_take_idle(struct sim_stream *stream)
{
    int n = stream->n_idle;
    stream->n_idle = 0;
    return n;
}

void sim_stream_free(struct sim_stream *stream)
{
    stream->stream.ops->close(&stream->stream);
}
