// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_event.h"

enum {
    EVENTS_MAX = 64,
    RUN_MAX = 6,
    SIM_OTHER_TOPIC = 10 // on top of a partition's number in the values of another topic
};

struct member_event {
    enum source_event_kind kind;
    int32_t partitions[SIM_PARTITIONS_MAX];
    size_t n;
};

struct sim_source {
    struct source source;
    struct sim_topic *topic;
    struct sim_clock *clock;
    struct member_event events[EVENTS_MAX]; // oldest first
    size_t n_events;
    int32_t told[SIM_PARTITIONS_MAX]; // of the event given last
    bool has_assignment;              // told to the group's member or on its way
    bool is_held;
    struct source_start reading[SIM_PARTITIONS_MAX];
    size_t n_reading;
    int64_t asleep_until_ms;
    struct record *records; // of the run given last; freed at the next poll
    int64_t run_first;      // of that run
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

// The topic.

void sim_topic_init(struct sim_topic *topic, int32_t n_partitions,
                    struct sim_random *random)
{
    topic->n_partitions = n_partitions;
    topic->random = random;
}

static enum sim_record_kind choose_kind(struct sim_random *random)
{
    int64_t dice = sim_between(random, 0, 99);
    return dice < 12   ? SIM_HOLE
           : dice < 16 ? SIM_BAD
           : dice < 20 ? SIM_REFUSED
           : dice < 23 ? SIM_EMPTY
                       : SIM_ROWS;
}

void sim_topic_record(struct sim_topic *topic, int32_t partition,
                      enum sim_record_kind kind, int rows)
{
    struct sim_partition *part = &topic->partitions[partition];
    struct sim_record *record = &part->records[part->high];
    record->kind = kind;
    record->rows = rows;
    record->appended_ms = topic->clock ? topic->clock->now_ms : 0;
    static const char marks[] = {
        [SIM_HOLE] = '-', [SIM_ROWS] = 'r', [SIM_BAD] = '!', [SIM_REFUSED] = '~'};
    snprintf(record->value, sizeof(record->value), "%c%" PRId32 ".%" PRId64 ".%d",
             record->kind == SIM_EMPTY ? 'e' : marks[record->kind],
             partition + (topic->is_recreated ? SIM_OTHER_TOPIC : 0), part->high,
             record->rows);
    part->high++;
}

void sim_topic_append(struct sim_topic *topic, int32_t partition, int64_t n)
{
    while (n-- && topic->partitions[partition].high < SIM_OFFSETS_MAX)
        sim_topic_record(topic, partition,
                         topic->is_recreated ? SIM_ROWS : choose_kind(topic->random),
                         (int)sim_between(topic->random, 0, 3));
}

// Where the first one had a record, so has this one, or there was nothing to compare.
void sim_topic_recreate(struct sim_topic *topic)
{
    memcpy(topic->first_ones, topic->partitions, sizeof(topic->first_ones));
    topic->is_recreated = true;
    for (int32_t p = 0; p < topic->n_partitions; p++) {
        int64_t high = topic->partitions[p].high;
        topic->partitions[p] = (struct sim_partition){0};
        int64_t least = sim_chance(topic->random, 30) ? 0 : high; // else nobody notices
        sim_topic_append(topic, p, sim_between(topic->random, least, high + 50));
    }
}

void sim_topic_away(struct sim_topic *topic, int32_t partition, int64_t from_ms,
                    int64_t until_ms)
{
    topic->partitions[partition].away_from_ms = from_ms;
    topic->partitions[partition].away_until_ms = until_ms;
}

// The source.

static struct sim_source *of(struct source *source)
{
    return (struct sim_source *)source;
}

void sim_source_on_call(struct sim_source *source, void (*fn)(void *), void *context)
{
    source->on_call = fn;
    source->context = context;
}

// Each call of the port comes by here.
static enum status maybe_away(const struct sim_source *source, struct err *err)
{
    if (source->on_call != NULL)
        source->on_call(source->context);
    const struct sim_topic *topic = source->topic;
    if (topic->fault_percent && sim_chance(topic->random, topic->fault_percent) &&
        sim_events_let(topic->events, SIM_FAULT))
        return err_set(err, ST_RETRY, "the brokers do not answer (made by a test)");
    return ST_OK;
}

static bool is_away(const struct sim_source *source, int32_t partition)
{
    const struct sim_partition *part = &source->topic->partitions[partition];
    int64_t now_ms = source->clock->now_ms;
    return now_ms >= part->away_from_ms && now_ms < part->away_until_ms;
}

static enum status maybe_no_leader(const struct sim_source *source, int32_t partition,
                                   struct err *err)
{
    TRY(maybe_away(source, err));
    if (is_away(source, partition))
        return err_set(err, ST_RETRY,
                       "topic 'stop_times' partition %d has no leader (made by a test)",
                       partition);
    return ST_OK;
}

static bool can_read(const struct sim_source *source, const struct source_start *at)
{
    return at->offset < source->topic->partitions[at->partition].high &&
           !source->held_back[at->partition] && !is_away(source, at->partition);
}

static bool has_records(const struct sim_source *source)
{
    for (size_t i = 0; i < source->n_reading && !source->is_held; i++)
        if (can_read(source, &source->reading[i]))
            return true;
    return false;
}

// A partition that is away and of which that was not told yet.
static int32_t untold_trouble(const struct sim_source *source)
{
    for (size_t i = 0; i < source->n_reading && !source->is_held; i++) {
        int32_t partition = source->reading[i].partition;
        if (is_away(source, partition) && !source->is_told[partition])
            return partition;
    }
    return -1;
}

static bool give_trouble(struct sim_source *source, struct source_event *ret)
{
    int32_t partition = untold_trouble(source);
    if (partition < 0)
        return false;
    source->is_told[partition] = true;
    snprintf(source->trouble, sizeof(source->trouble),
             "topic 'stop_times' partition %d has no leader (made by a test)", partition);
    *ret = (struct source_event){.kind = SOURCE_TROUBLE,
                                 .trouble = {partition, source->trouble}};
    return true;
}

bool sim_source_is_ready(const struct sim_source *source)
{
    return source->n_events || has_records(source) || untold_trouble(source) >= 0 ||
           source->clock->now_ms >= source->asleep_until_ms;
}

int64_t sim_source_wakes_ms(const struct sim_source *source)
{
    return source->asleep_until_ms;
}

static void give_event(struct sim_source *source, struct source_event *ret)
{
    struct member_event *event = &source->events[0];
    memcpy(source->told, event->partitions, sizeof(source->told));
    *ret = (struct source_event){
        .kind = event->kind, .partitions = source->told, .n_partitions = event->n};
    source->n_events--;
    memmove(source->events, source->events + 1, source->n_events * sizeof(*event));
    source->n_reading = 0; // until start()
}

// A partition whose wanted offset has left the topic; it is read on after start() only.
static bool give_gap(struct sim_source *source, struct source_event *ret)
{
    for (size_t i = 0; i < source->n_reading; i++) {
        struct source_start *at = &source->reading[i];
        int64_t low = source->topic->partitions[at->partition].low;
        bool is_there = at->offset >= low &&
                        at->offset <= source->topic->partitions[at->partition].high;
        if (source->is_held || is_there || source->held_back[at->partition] ||
            is_away(source, at->partition))
            continue;
        *ret = (struct source_event){.kind = SOURCE_GAP,
                                     .gap = {at->partition, at->offset, low}};
        *at = source->reading[--source->n_reading];
        return true;
    }
    return false;
}

static size_t fill_run(struct sim_source *source, const struct sim_partition *part,
                       int64_t first, int64_t next)
{
    size_t n = 0;
    source->records = mem_array(RUN_MAX, sizeof(struct record));
    for (int64_t offset = first; offset < next; offset++) {
        const struct sim_record *record = &part->records[offset];
        if (record->kind == SIM_HOLE)
            continue;
        struct str value = str_of(record->value);
        source->records[n++] = (struct record){
            .offset = offset,
            .time_ms = SIM_EPOCH_MS + offset,
            .value = record->kind == SIM_EMPTY ? (struct str){0} : value,
        };
    }
    return n;
}

static void note_read(const struct sim_source *source, const struct run *run)
{
    struct sim_topic *topic = source->topic;
    struct sim_partition *part = &topic->partitions[run->partition];
    if (topic->is_calm && run->first < part->read)
        snprintf(topic->wrong, sizeof(topic->wrong),
                 "partition %d: offset %" PRId64 " is read again", (int)run->partition,
                 run->first);
    part->read = run->next;
}

static void give_run(struct sim_source *source, struct source_event *ret)
{
    struct source_start *at;
    const struct sim_partition *part;
    do {
        size_t i =
            (size_t)sim_between(source->topic->random, 0, (int64_t)source->n_reading - 1);
        at = &source->reading[i];
        part = &source->topic->partitions[at->partition];
    } while (!can_read(source, at));
    source->is_told[at->partition] = false;
    int64_t n_max = part->high - at->offset < RUN_MAX ? part->high - at->offset : RUN_MAX;
    int64_t fixed = source->topic->run_offsets;
    int64_t n_offsets = fixed == 0 ? sim_between(source->topic->random, 1, n_max)
                                   : (fixed < n_max ? fixed : n_max);
    struct run run = {at->partition, at->offset, at->offset + n_offsets, NULL, 0};
    run.n = fill_run(source, part, run.first, run.next);
    run.records = source->records;
    source->run_first = run.first;
    at->offset = run.next;
    note_read(source, &run);
    *ret = (struct source_event){.kind = SOURCE_RUN, .run = run};
}

static enum status sim_poll(struct source *base, int timeout_ms, struct source_event *ret,
                            struct err *err)
{
    struct sim_source *source = of(base);
    free(source->records);
    source->records = NULL;
    source->asleep_until_ms = 0;
    source->polled_ms = source->clock->now_ms;
    TRY(maybe_away(source, err));
    if (source->n_events) {
        give_event(source, ret);
    } else if (give_gap(source, ret) || give_trouble(source, ret)) {
        return ST_OK;
    } else if (has_records(source)) {
        give_run(source, ret);
    } else {
        source->n_idle++;
        source->asleep_until_ms =
            source->clock->now_ms + (source->is_woken ? 0 : timeout_ms);
        source->is_woken = false;
        *ret = (struct source_event){.kind = SOURCE_IDLE};
    }
    return ST_OK;
}

static enum status sim_start(struct source *base, const struct source_start *starts,
                             size_t n, struct err *err)
{
    struct sim_source *source = of(base);
    TRY(maybe_away(source, err));
    memset(source->held_back, 0, sizeof(source->held_back));
    memcpy(source->reading, starts, n * sizeof(*starts));
    source->n_reading = n;
    return ST_OK;
}

static enum status sim_stop(struct source *base, struct err *err)
{
    struct sim_source *source = of(base);
    TRY(maybe_away(source, err));
    source->n_reading = 0;
    if (source->is_revoked)
        source->has_partitions = source->is_revoked = false;
    return ST_OK;
}

static void sim_wake(struct source *base)
{
    of(base)->asleep_until_ms = 0;
    of(base)->is_woken = true;
}

static void sim_hold(struct source *base, bool held)
{
    of(base)->is_held = held;
}

static void sim_hold_back(struct source *base, int32_t partition, size_t n_used)
{
    struct sim_source *source = of(base);
    source->held_back[partition] = true;
    for (size_t i = 0; i < source->n_reading; i++)
        if (source->reading[i].partition == partition)
            source->reading[i].offset = source->topic->partitions[partition].read =
                n_used ? source->records[n_used].offset : source->run_first;
}

static void sim_release(struct source *base, int32_t partition)
{
    of(base)->held_back[partition] = false;
}

static enum status sim_count(struct source *base, int32_t *ret, struct err *err)
{
    TRY(maybe_away(of(base), err));
    *ret = of(base)->topic->n_partitions;
    return ST_OK;
}

static enum status sim_range(struct source *base, int32_t partition,
                             struct source_range *ret, struct err *err)
{
    TRY(maybe_no_leader(of(base), partition, err));
    const struct sim_partition *part = &of(base)->topic->partitions[partition];
    *ret = (struct source_range){part->low, part->high};
    return ST_OK;
}

static enum status sim_offset_at(struct source *base, int32_t partition, int64_t time_ms,
                                 int64_t *ret, struct err *err)
{
    struct source_range range;
    TRY(sim_range(base, partition, &range, err));
    int64_t offset = time_ms - SIM_EPOCH_MS;
    *ret = offset < range.low ? range.low : offset > range.high ? range.high : offset;
    return ST_OK;
}

static enum status sim_fetch(struct source *base, int32_t partition, int64_t offset,
                             struct record *ret, struct err *err)
{
    struct sim_source *source = of(base);
    TRY(maybe_no_leader(source, partition, err));
    const struct sim_record *record =
        &source->topic->partitions[partition].records[offset];
    if (record->kind == SIM_HOLE)
        return err_set(err, ST_NOT_FOUND, "no record there");
    *ret = (struct record){.offset = offset, .time_ms = SIM_EPOCH_MS + offset};
    if (record->kind != SIM_EMPTY)
        ret->value = str_of(record->value);
    return ST_OK;
}

static void sim_headers(UNUSED struct source *base, UNUSED size_t index,
                        UNUSED struct buf *json)
{
}

static void sim_report(struct source *base, const struct source_start *next, size_t n)
{
    for (size_t i = 0; i < n; i++)
        of(base)->topic->partitions[next[i].partition].committed = next[i].offset;
}

static void sim_close(struct source *base)
{
    free(of(base)->records);
    free(base);
}

static const struct source_ops ops = {
    .poll = sim_poll,
    .start = sim_start,
    .stop = sim_stop,
    .wake = sim_wake,
    .hold = sim_hold,
    .hold_back = sim_hold_back,
    .release = sim_release,
    .count = sim_count,
    .range = sim_range,
    .offset_at = sim_offset_at,
    .fetch = sim_fetch,
    .headers = sim_headers,
    .report = sim_report,
    .close = sim_close,
};

struct sim_source *sim_source_open(struct sim_topic *topic, struct sim_clock *clock)
{
    struct sim_source *source = mem_zalloc(sizeof(*source));
    source->source = (struct source){.ops = &ops,
                                     .cluster = STR_LITERAL("sim-cluster"),
                                     .topic = STR_LITERAL("stop_times"),
                                     .is_shared = true};
    source->topic = topic;
    source->clock = clock;
    source->polled_ms = clock->now_ms;
    return source;
}

struct source *sim_source_port(struct sim_source *source)
{
    return &source->source;
}

static void add_event(struct sim_source *source, enum source_event_kind kind,
                      const int32_t *partitions, size_t n)
{
    if (source->n_events == EVENTS_MAX) // it sleeps: what came first is of no interest
        source->n_events = 0;
    struct member_event *event = &source->events[source->n_events++];
    *event = (struct member_event){.kind = kind, .n = n};
    for (size_t i = 0; i < n; i++)
        event->partitions[i] = partitions[i];
}

void sim_source_reassign(struct sim_source *source, const int32_t *partitions, size_t n,
                         bool is_lost)
{
    if (source->has_assignment)
        add_event(source, is_lost ? SOURCE_LOST : SOURCE_REVOKE, NULL, 0);
    add_event(source, SOURCE_ASSIGN, partitions, n);
    source->has_assignment = true;
}

void sim_source_revoke(struct sim_source *source)
{
    if (source->has_partitions && !source->is_revoked)
        add_event(source, SOURCE_REVOKE, NULL, 0);
    source->is_revoked = source->has_partitions;
}

void sim_source_assign(struct sim_source *source, const int32_t *partitions, size_t n)
{
    add_event(source, SOURCE_ASSIGN, partitions, n);
    source->has_partitions = true;
}

bool sim_source_has_partitions(const struct sim_source *source)
{
    return source->has_partitions;
}

bool sim_source_is_reading(const struct sim_source *source)
{
    return source->n_reading > 0;
}

int64_t sim_source_polled_ms(const struct sim_source *source)
{
    return source->polled_ms;
}

int sim_source_take_idle(struct sim_source *source)
{
    int n = source->n_idle;
    source->n_idle = 0;
    return n;
}

void sim_source_free(struct sim_source *source)
{
    source->source.ops->close(&source->source);
}
