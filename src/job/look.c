// SPDX-License-Identifier: Apache-2.0
#include "job/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/env.h"
#include "core/stream_start.h"

enum {
    POLL_MS = 200,
    SCHEMA_PAUSE_MS = 20,
    REASON_MAX = 512
};

struct look_partition {
    bool is_wanted;
    int64_t next, end;
};

struct look {
    struct pipeline *pipeline;
    const struct look_from *from;
    look_batch *each;
    void *context;
    struct look_partition *partitions;
    int32_t n_partitions;
    struct stream_parts parts;
    struct batch batch;
    int64_t moved_ms;        // when something came last
    char reason[REASON_MAX]; // of the last trouble; "" for none
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// From where.

static bool parse_offset(struct str text, int64_t *ret)
{
    return str_to_i64(text, ret) && *ret >= 0;
}

static bool parse_place(struct str text, struct look_from *ret)
{
    int64_t partition;
    struct str rest = text;
    struct str first = str_cut(&rest, ':');
    ret->kind = LOOK_OFFSET;
    if (rest.p == NULL)
        return parse_offset(first, &ret->offset);
    if (!parse_offset(first, &partition) || partition > INT32_MAX)
        return false;
    ret->partition = (int32_t)partition;
    return parse_offset(rest, &ret->offset);
}

enum status look_from_parse(const char *text, struct look_from *ret, struct err *err)
{
    *ret = (struct look_from){.kind = LOOK_EARLIEST, .partition = -1};
    if (strcmp(text, "earliest") == 0)
        return ST_OK;
    if (strcmp(text, "latest") == 0) {
        ret->kind = LOOK_LATEST;
        return ST_OK;
    }
    if (stream_time_parse(str_of(text), &ret->time_ms)) {
        ret->kind = LOOK_TIME;
        return ST_OK;
    }
    if (parse_place(str_of(text), ret))
        return ST_OK;
    return err_set(
        err, ST_USAGE,
        "--from takes earliest, latest, an offset (120), that of one partition "
        "(2:120) or a time such as 2026-11-22T05:00:00Z, not '%s'",
        text);
}

// What is there: asked before the stream is opened, over a handle of its own.

static enum status find_start(struct topic *topic, const struct look_from *from,
                              int32_t partition, struct look_partition *ret,
                              struct err *err)
{
    struct topic_range range;
    TRY(topic->ops->range(topic, partition, &range, err));
    ret->is_wanted = from->partition < 0 || from->partition == partition;
    ret->next = range.low;
    ret->end = range.high;
    if (from->kind == LOOK_LATEST) {
        ret->next = range.high;
        ret->end = INT64_MAX;
    }
    if (from->kind == LOOK_OFFSET && from->offset > range.low)
        ret->next = from->offset;
    if (from->kind == LOOK_TIME)
        TRY(topic->ops->offset_at(topic, partition, from->time_ms, &ret->next, err));
    return ST_OK;
}

static bool is_open(const struct look_partition *partition)
{
    return partition->is_wanted && partition->next < partition->end;
}

static bool is_over(const struct look *look)
{
    for (int32_t i = 0; i < look->n_partitions; i++)
        if (is_open(&look->partitions[i]))
            return false;
    return true;
}

// Nothing at all would be shown.
static void tell_past_end(const struct look *look, const struct topic *topic)
{
    int32_t asked = look->from->partition;
    if (asked < 0)
        log_warn("there is no record from there on in any partition of '%.*s'",
                 STR_ARGS(topic->name));
    else
        log_warn("there is no record from there on: partition %" PRId32
                 " of '%.*s' ends at offset %" PRId64,
                 asked, STR_ARGS(topic->name), look->partitions[asked].end);
}

static enum status find_starts(struct look *look, struct topic *topic, struct err *err)
{
    const struct look_from *from = look->from;
    TRY(topic->ops->count(topic, &look->n_partitions, err));
    if (from->partition >= look->n_partitions)
        return err_set(err, ST_USAGE,
                       "--from: there is no partition %" PRId32 "; '%.*s' has %" PRId32
                       ", from 0 on",
                       from->partition, STR_ARGS(topic->name), look->n_partitions);
    look->partitions = mem_array((size_t)look->n_partitions, sizeof(*look->partitions));
    for (int32_t i = 0; i < look->n_partitions; i++)
        TRY(find_start(topic, from, i, &look->partitions[i], err));
    if (is_over(look) && (from->kind == LOOK_OFFSET || from->kind == LOOK_TIME))
        tell_past_end(look, topic);
    return ST_OK;
}

static enum status ask(struct look *look, struct err *err)
{
    struct topic *topic;
    TRY(stream_topic_open(look->pipeline, &topic, err));
    enum status rc = find_starts(look, topic, err);
    topic->ops->close(topic);
    return rc;
}

// Reading.

static enum status start(struct look *look, struct err *err)
{
    struct stream *stream = look->parts.stream;
    AUTO(mem_auto_free)
    struct stream_start *starts = mem_array((size_t)look->n_partitions, sizeof(*starts));
    size_t n = 0;
    for (int32_t i = 0; i < look->n_partitions; i++)
        if (is_open(&look->partitions[i]))
            starts[n++] =
                (struct stream_start){.partition = i, .offset = look->partitions[i].next};
    return stream->ops->start(stream, starts, n, err);
}

static enum status waited_too_long(const char *reason, struct err *err)
{
    char why[REASON_MAX];
    snprintf(why, sizeof(why), "%s", reason);
    return err_set(err, ST_FAIL, "waited for %d s for a record%s%s",
                   LOOK_PATIENCE_MS / 1000, why[0] ? ": " : "", why);
}

// Up to `n` records of the run, each schema that is missing is waited for.
static enum status take_records(struct look *look, const struct run *run, size_t n,
                                struct err *err)
{
    struct decoder *decoder = look->parts.decoder;
    struct env *env = env_system();
    struct run part = *run;
    part.n = n;
    int64_t until_ms = now_ms() + LOOK_PATIENCE_MS;
    for (size_t from = 0; from < n;) {
        size_t next = n;
        batch_clear(&look->batch);
        look->batch.now_ms = env->ops->wall_ms(env);
        enum status rc =
            decoder->ops->decode(decoder, &part, from, &look->batch, &next, err);
        if (rc != ST_OK && rc != ST_RETRY)
            return rc;
        if (next > from)
            TRY(look->each(look->context, &part, from, next, &look->batch, err));
        if (rc == ST_RETRY && now_ms() > until_ms)
            return waited_too_long(err->text, err);
        if (rc == ST_RETRY)
            env->ops->sleep_ms(env, SCHEMA_PAUSE_MS);
        if (next > from)
            until_ms = now_ms() + LOOK_PATIENCE_MS;
        from = next;
    }
    return ST_OK;
}

static enum status take_run(struct look *look, const struct run *run, struct err *err)
{
    struct look_partition *partition = &look->partitions[run->partition];
    size_t n = 0;
    while (n < run->n && run->records[n].offset < partition->end)
        n++;
    look->moved_ms = now_ms();
    look->reason[0] = '\0';
    partition->next = run->next;
    return take_records(look, run, n, err);
}

// Records that have left the topic since it was asked are not there to be looked at.
static enum status take_gap(struct look *look, const struct stream_gap *gap,
                            struct err *err)
{
    struct look_partition *partition = &look->partitions[gap->partition];
    log_warn("partition %" PRId32 ": offset %" PRId64
             " is not there; looking from %" PRId64 " on",
             gap->partition, gap->wanted, gap->low);
    partition->next = gap->low > gap->wanted ? gap->low : partition->end;
    return start(look, err);
}

static enum status take_event(struct look *look, const struct stream_event *event,
                              struct err *err)
{
    struct stream *stream = look->parts.stream;
    switch (event->kind) {
    case STREAM_RUN:
        return event->run.partition < look->n_partitions
                   ? take_run(look, &event->run, err)
                   : ST_OK;
    case STREAM_ASSIGN:
        return start(look, err);
    case STREAM_REVOKE:
    case STREAM_LOST:
        return stream->ops->stop(stream, err);
    case STREAM_GAP:
        return take_gap(look, &event->gap, err);
    case STREAM_TROUBLE:
        snprintf(look->reason, sizeof(look->reason), "%s", event->trouble.reason);
        return ST_OK;
    case STREAM_IDLE:
        return ST_OK;
    }
    return ST_OK;
}

static enum status read_on(struct look *look, struct err *err)
{
    struct stream *stream = look->parts.stream;
    look->moved_ms = now_ms();
    while (!is_over(look)) {
        struct stream_event event = {0};
        enum status rc = stream->ops->poll(stream, POLL_MS, &event, err);
        if (rc == ST_RETRY)
            snprintf(look->reason, sizeof(look->reason), "%s", err->text);
        else
            TRY(rc == ST_OK ? take_event(look, &event, err) : rc);
        bool is_endless = look->from->kind == LOOK_LATEST && look->reason[0] == '\0';
        if (!is_endless && now_ms() - look->moved_ms > LOOK_PATIENCE_MS)
            return waited_too_long(look->reason, err);
    }
    return ST_OK;
}

enum status look_at_stream(struct pipeline *pipeline, const struct look_from *from,
                           look_batch *each, void *context, struct err *err)
{
    struct look look = {
        .pipeline = pipeline, .from = from, .each = each, .context = context};
    pipeline->is_look = true;
    enum status rc = ask(&look, err);
    if (rc == ST_OK && !is_over(&look)) {
        batch_init(&look.batch, pipeline->plan->stream->schema.n);
        rc = stream_open(pipeline, &look.parts, err);
        if (rc == ST_OK)
            rc = read_on(&look, err);
        batch_release(&look.batch);
        stream_close(&look.parts);
    }
    free(look.partitions);
    return rc == ST_STOP ? ST_OK : rc;
}
