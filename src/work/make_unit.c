// SPDX-License-Identifier: Apache-2.0
#include "work/make_unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/held.h"
#include "work/upload.h"

enum {
    POLL_MS = 200,
    PAUSE_MS = 200,
    LINE_WAIT_MS = 1000
};

// An order that is being worked on.
struct making {
    struct maker *maker;
    const struct order *order;
    struct held held;
    int64_t moved_ms; // when it came further
    int64_t limit_ms; // until when it must again, from then
    char why[512];    // what was waited for last
};

void maker_open(struct maker *maker, const struct maker_parts *parts)
{
    const struct unit_builder_parts *builder = &parts->builder;
    *maker = (struct maker){.parts = *parts};
    unit_builder_init(&maker->builder, builder);
    patience_init(&maker->patience,
                  &(struct patience_parts){
                      .storage = parts->storage,
                      .env = builder->env,
                      .waiter = parts->waiter,
                      .deadline = parts->deadline,
                      .status = builder->status,
                      .limit_ms = builder->job->settings.storage_retry_ms,
                  });
}

void maker_release(struct maker *maker)
{
    unit_builder_release(&maker->builder);
    maker->parts.storage->deadline = NULL;
}

static int64_t now_ms(const struct maker *maker)
{
    struct env *env = maker->parts.builder.env;
    return env->ops->monotonic_ms(env);
}

static bool is_to_stop(const struct maker *maker)
{
    return deadline_is_over(maker->parts.deadline, now_ms(maker));
}

enum status maker_check(const struct maker *maker, const struct order *order,
                        struct err *err)
{
    const struct topic *topic = maker->parts.builder.topic;
    const struct job *job = maker->parts.builder.job;
    if (!str_eq(order->topic, topic->name) || !str_eq(order->cluster, topic->cluster))
        return err_set(err, ST_USAGE,
                       "the order is of topic '%.*s' of cluster '%.*s', but this script "
                       "reads '%.*s' of '%.*s'",
                       STR_ARGS(order->topic), STR_ARGS(order->cluster),
                       STR_ARGS(topic->name), STR_ARGS(topic->cluster));
    if (!str_eq(order->plan, job->plan) || !str_eq(order->schema, job->schema))
        return err_set(err, ST_USAGE,
                       "the order is of another script (plan %.*s, this one's is %.*s); "
                       "give tramline work and tramline coordinate the same script and "
                       "variables",
                       STR_ARGS(order->plan), STR_ARGS(job->plan));
    return ST_OK;
}

// Reading.

static struct span *span_of(const struct making *making, size_t i)
{
    return draft_span(making->maker->builder.draft, making->order->ranges[i].partition);
}

static bool is_read(const struct making *making, size_t i)
{
    return span_of(making, i)->next >= making->order->ranges[i].next;
}

// The first range that is not read to its end; n_ranges: all are.
static size_t unread(const struct making *making)
{
    size_t i = 0;
    while (i < making->order->n_ranges && is_read(making, i))
        i++;
    return i;
}

// The range of a partition that is still read, or NULL: what was read beyond its end.
static const struct order_range *wanted(const struct making *making, int32_t partition)
{
    for (size_t i = 0; i < making->order->n_ranges; i++)
        if (making->order->ranges[i].partition == partition && !is_read(making, i))
            return &making->order->ranges[i];
    return NULL;
}

static enum status start_reading(struct making *making, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct stream *stream = making->maker->parts.builder.stream;
    struct stream_start *starts =
        arena_array(&arena, making->order->n_ranges, sizeof(*starts));
    size_t n = 0;
    for (size_t i = 0; i < making->order->n_ranges; i++)
        if (!is_read(making, i))
            starts[n++] = (struct stream_start){making->order->ranges[i].partition,
                                                span_of(making, i)->next,
                                                span_of(making, i)->epoch};
    held_clear(&making->held);
    stream->ops->hold(stream, false);
    return stream->ops->start(stream, starts, n, err);
}

static struct run cut_run(const struct run *run, int64_t next, bool ends_anywhere)
{
    struct run part = *run;
    while (part.n > 0 && part.records[part.n - 1].offset >= next)
        part.n--;
    if (part.n < run->n)
        part.next = ends_anywhere ? next : run->records[part.n].offset;
    else if (ends_anywhere && part.next > next)
        part.next = next;
    return part;
}

static void note_moved(struct making *making)
{
    making->moved_ms = now_ms(making->maker);
    making->limit_ms = making->maker->parts.patience_ms;
    making->why[0] = '\0';
}

static void note_waiting(struct making *making, int64_t limit_ms, const char *why)
{
    making->limit_ms = limit_ms;
    snprintf(making->why, sizeof(making->why), "%s", why);
}

// Waits for a schema: the other partitions go on.
static void hold_back(struct making *making, const struct run *run, size_t n_used,
                      const struct err *why)
{
    const struct maker *maker = making->maker;
    struct stream *stream = maker->parts.builder.stream;
    bool is_said;
    (void)held_add(&making->held, run->partition, n_used > 0, now_ms(maker), INT64_MAX,
                   &is_said);
    stream->ops->hold_back(stream, run->partition, n_used);
    note_waiting(making, maker->parts.builder.job->settings.schema_retry_ms, why->text);
}

static void release_due(struct making *making)
{
    struct stream *stream = making->maker->parts.builder.stream;
    int64_t now = now_ms(making->maker);
    size_t at = 0;
    int32_t partition;
    while ((partition = held_take_due(&making->held, now, &at)) >= 0)
        stream->ops->release(stream, partition);
}

static enum status take_run(struct making *making, const struct run *run, struct err *err)
{
    struct maker *maker = making->maker;
    const struct order_range *range = wanted(making, run->partition);
    if (range == NULL)
        return ST_OK;
    bool ends_anywhere = maker->parts.builder.topic->ends_anywhere;
    struct run part = cut_run(run, range->next, ends_anywhere);
    size_t n_used = 0;
    enum status rc = unit_builder_run(&maker->builder, &part, &n_used, err);
    if (maker->builder.is_cut)
        return ST_STOP;
    if (rc == ST_OK || n_used > 0)
        note_moved(making);
    if (rc == ST_RETRY) {
        hold_back(making, run, n_used, err);
        return ST_OK;
    }
    TRY(rc);
    held_drop(&making->held, run->partition);
    return ST_OK;
}

// A gap that reaches beyond the order's end is the next order's, too.
static enum status take_gap(struct making *making, const struct stream_gap *told,
                            struct err *err)
{
    struct unit_builder *builder = &making->maker->builder;
    const struct order_range *range = wanted(making, told->partition);
    struct stream_gap gap = *told;
    if (range == NULL)
        return ST_OK;
    if (builder->parts.job->settings.on_gap == ON_GAP_RECORD && gap.low > range->next)
        gap.low = range->next;
    TRY(unit_builder_gap(builder, &gap, err));
    note_moved(making);
    return start_reading(making, err);
}

static enum status take_event(struct making *making, const struct stream_event *event,
                              struct err *err)
{
    struct stream *stream = making->maker->parts.builder.stream;
    switch (event->kind) {
    case STREAM_RUN:
        return take_run(making, &event->run, err);
    case STREAM_GAP:
        return take_gap(making, &event->gap, err);
    case STREAM_ASSIGN: // all partitions, since nobody shares them out
        return start_reading(making, err);
    case STREAM_REVOKE:
    case STREAM_LOST:
        return stream->ops->stop(stream, err);
    case STREAM_TROUBLE:
        note_waiting(making, making->limit_ms, event->trouble.reason);
        return ST_OK;
    case STREAM_IDLE:
        break;
    }
    return ST_OK;
}

static enum status waited(const struct making *making, struct err *err)
{
    const struct order_range *range = &making->order->ranges[unread(making)];
    return err_set(err, ST_RETRY,
                   "topic '%.*s' partition %" PRId32 ": nothing came for %" PRId64
                   " s at offset %" PRId64 ", but the order ends at %" PRId64 "%s%s",
                   STR_ARGS(making->order->topic), range->partition,
                   making->limit_ms / 1000, span_of(making, unread(making))->next,
                   range->next, making->why[0] ? ": " : "", making->why);
}

static void pause(const struct maker *maker, int64_t ms)
{
    maker->parts.waiter->wait(maker->parts.waiter,
                              (struct wait){WAIT_TIME, now_ms(maker) + ms});
}

static enum status poll_once(struct making *making, struct err *err)
{
    struct stream *stream = making->maker->parts.builder.stream;
    struct stream_event event;
    release_due(making);
    TRY(stream->ops->poll(stream, POLL_MS, &event, err));
    return take_event(making, &event, err);
}

static enum status read_ranges(struct making *making, struct err *err)
{
    struct maker *maker = making->maker;
    bool is_started = false;
    note_moved(making);
    while (unread(making) < making->order->n_ranges) {
        if (is_to_stop(maker))
            return ST_STOP;
        if (now_ms(maker) - making->moved_ms >= making->limit_ms)
            return waited(making, err);
        enum status rc = is_started ? poll_once(making, err) : start_reading(making, err);
        is_started |= rc == ST_OK;
        if (rc == ST_RETRY) {
            note_waiting(making, maker->parts.patience_ms, err->text);
            pause(maker, PAUSE_MS);
        } else if (rc != ST_OK) {
            return rc;
        }
    }
    return ST_OK;
}

// The unit.

static struct draft *new_draft(const struct maker *maker, const struct order *order)
{
    AUTO(arena_release) struct arena arena = {0};
    struct progress *starts = arena_array(&arena, order->n_ranges, sizeof(*starts));
    for (size_t i = 0; i < order->n_ranges; i++)
        starts[i] = (struct progress){.partition = order->ranges[i].partition,
                                      .next = order->ranges[i].first,
                                      .last = {.offset = -1}};
    return draft_new(starts, order->n_ranges, order->writer,
                     maker->parts.builder.job->dimension);
}

void maker_begin(struct maker *maker, const struct order *order)
{
    unit_builder_begin(&maker->builder, new_draft(maker, order));
}

enum status maker_finish(struct maker *maker, struct unit *ret, struct err *err)
{
    struct draft *draft;
    TRY(unit_builder_finish(&maker->builder, &draft, err));
    enum status rc = upload_draft(&maker->patience, maker->parts.builder.job, draft, err);
    if (rc == ST_OK) {
        *ret = draft->unit;
        draft->unit = (struct unit){0};
    }
    draft_free(draft);
    return rc;
}

enum status make_unit(struct maker *maker, const struct order *order, struct unit *ret,
                      struct err *err)
{
    struct making making = {.maker = maker, .order = order};
    struct stream *stream = maker->parts.builder.stream;
    struct err ignored;
    TRY(maker_check(maker, order, err));
    maker_begin(maker, order);
    enum status rc = read_ranges(&making, err);
    if (stream->ops->stop(stream, &ignored) != ST_OK)
        log_debug("%s", ignored.text);
    if (rc == ST_OK)
        rc = maker_finish(maker, ret, err);
    unit_builder_drop(&maker->builder);
    held_release(&making.held);
    return rc != ST_OK && is_to_stop(maker) ? ST_STOP : rc;
}

// Orders.

enum status answer_error(struct lines *lines, int64_t order, enum status rc,
                         struct str (*code_of)(struct str text, char room[16]),
                         const struct err *why, struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    char room[16];
    struct answer answer = {
        .kind = ANSWER_ERROR,
        .order = order,
        .may_retry = rc == ST_RETRY || rc == ST_UNKNOWN,
        .text = str_of(why->text),
    };
    if (code_of != NULL)
        answer.code = code_of(answer.text, room);
    answer_encode(&answer, &line);
    return lines->ops->send(lines, buf_as_str(&line), err);
}

enum status answer_unit(struct lines *lines, int64_t order, struct unit *unit,
                        struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    const struct answer answer = {.kind = ANSWER_UNIT, .order = order, .unit = *unit};
    answer_encode(&answer, &line);
    unit_release(unit);
    return lines->ops->send(lines, buf_as_str(&line), err);
}

static enum status take_line(struct maker *maker, struct lines *lines, struct str text,
                             struct str (*code_of)(struct str text, char room[16]),
                             struct err *err)
{
    struct order order;
    struct unit unit;
    struct err why = {0};
    enum status rc = order_decode(text, &order, &why);
    if (rc != ST_OK) {
        (void)err_context(&why, rc, "this line is no order");
        return answer_error(lines, order.number, rc, code_of, &why, err);
    }
    if (maker->parts.shown_order != NULL)
        *maker->parts.shown_order = order.number;
    rc = make_unit(maker, &order, &unit, &why);
    int64_t number = order.number;
    order_release(&order);
    if (rc == ST_STOP)
        return ST_STOP;
    return rc == ST_OK ? answer_unit(lines, number, &unit, err)
                       : answer_error(lines, number, rc, code_of, &why, err);
}

// Nothing is read between orders, but what the stream's client has to say, its numbers
// and errors, must not pile up.
static enum status listen_to_stream(const struct maker *maker, struct err *err)
{
    struct stream *stream = maker->parts.builder.stream;
    struct stream_event ignored; // an order starts it, whatever that is
    stream->ops->hold(stream, true);
    enum status rc = stream->ops->poll(stream, 0, &ignored, err);
    if (rc != ST_RETRY)
        return rc;
    log_debug("%s", err->text); // an order waits for them
    return ST_OK;
}

enum status make_units(struct maker *maker, struct lines *lines,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err)
{
    while (!is_to_stop(maker)) {
        enum line_event event;
        struct str line;
        TRY(listen_to_stream(maker, err));
        TRY(lines->ops->receive(lines, LINE_WAIT_MS, &event, &line, err));
        if (event == LINE_END)
            return ST_OK;
        enum status rc =
            event != LINE_NONE ? take_line(maker, lines, line, code_of, err) : ST_OK;
        if (rc != ST_OK)
            return rc == ST_STOP ? ST_OK : rc;
    }
    return ST_OK;
}
