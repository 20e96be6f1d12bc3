// SPDX-License-Identifier: Apache-2.0
#include "job/run_hands.h"

#include <stdlib.h>

#include "base/cores.h"
#include "base/log.h"
#include "base/text.h"
#include "job/sink.h"
#include "storage/spool_local.h"
#include "work/hand.h"

static bool shares_tables(const struct plan *plan)
{
    return tables_run_natively(plan) && !native_asks(plan->native);
}

// 0: as many as there are processors and partitions.
static int wanted(const struct plan *plan)
{
    int64_t n = 0;
    (void)str_to_i64(options_text(&plan->settings, "workers"), &n); // checked before
    return (int)n;
}

enum status run_hands_check(const struct plan *plan, struct err *err)
{
    if (wanted(plan) < 2 || shares_tables(plan))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "SET workers = %d: several threads can share the tables only of a "
                   "query that runs natively without asking SQLite; tramline explain "
                   "says why this one does not. Leave it 1, and start more processes.",
                   wanted(plan));
}

// A topic may get more partitions, a file has one.
static bool may_grow(const struct plan *plan)
{
    return connector_of(&plan->stream->options)->admin != NULL;
}

// INT32_MAX: brokers that have gone away since the stream was opened are waited for by
// who reads.
static enum status count_partitions(struct topic *topic, int32_t *ret, struct err *err)
{
    enum status rc = topic->ops->count(topic, ret, err);
    if (rc != ST_RETRY)
        return rc;
    *ret = INT32_MAX;
    return ST_OK;
}

static int most_of(int32_t n_partitions)
{
    int n = cores_available();
    if (n > n_partitions)
        n = n_partitions;
    return n < HANDS_MAX ? n : HANDS_MAX;
}

static enum status count(const struct pipeline *pipeline,
                         const struct stream_parts *stream, int *ret, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    int32_t n_partitions;
    *ret = wanted(plan);
    if (*ret == 1 || !shares_tables(plan))
        return ST_OK;
    TRY(count_partitions(stream->topic, &n_partitions, err));
    if (*ret == 0)
        *ret = most_of(n_partitions);
    if (*ret <= n_partitions)
        return ST_OK;
    log_warn("SET workers = %d: the topic has %s; %s", *ret,
             text_counted(n_partitions, "partition", "partitions"),
             text_counted(*ret - n_partitions, "thread has none", "threads have none"));
    if (!may_grow(plan))
        *ret = n_partitions;
    return ST_OK;
}

static enum status open_one(struct pipeline *pipeline, const struct stream_parts *stream,
                            struct tables *tables, size_t n, struct run_hand *hand,
                            struct err *err)
{
    const struct plan *plan = pipeline->plan;
    const char *directory;
    TRY(pipeline_spool_path(pipeline, &directory, err));
    TRY(spool_local_open(directory, &hand->spool, err));
    TRY(stream_open_beside(pipeline, stream, n, &hand->stream, err));
    TRY(sink_writer_open(plan->sink, &plan->output, plan->hash, &hand->writer, err));
    return tables_executor(pipeline, tables, hand->writer->row_format, &hand->executor,
                           err);
}

enum status run_hands_open(struct pipeline *pipeline, const struct stream_parts *stream,
                           struct tables *tables, struct run_hands *ret, struct err *err)
{
    int n;
    TRY(count(pipeline, stream, &n, err));
    if (n < 2)
        return ST_OK;
    ret->items = mem_array((size_t)n, sizeof(*ret->items));
    ret->shares = mem_zalloc(sizeof(*ret->shares));
    for (; ret->n < (size_t)n; ret->n++) {
        struct run_hand *hand = &ret->items[ret->n];
        *hand = (struct run_hand){0};
        enum status rc = open_one(pipeline, stream, tables, (size_t)n, hand, err);
        if (rc != ST_OK) {
            ret->n++;
            return rc;
        }
    }
    log_info("%d threads read and make files", n);
    return ST_OK;
}

static void release_one(struct run_hand *hand)
{
    stream_close(&hand->stream);
    if (hand->executor != NULL)
        hand->executor->ops->close(hand->executor);
    if (hand->writer != NULL)
        hand->writer->ops->close(hand->writer);
    if (hand->spool != NULL)
        hand->spool->ops->close(hand->spool);
}

void run_hands_release(struct run_hands *hands)
{
    for (size_t i = 0; i < hands->n; i++)
        release_one(&hands->items[i]);
    free(hands->items);
    if (hands->shares != NULL)
        shares_release(hands->shares);
    free(hands->shares);
    *hands = (struct run_hands){0};
}
