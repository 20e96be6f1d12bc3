// SPDX-License-Identifier: Apache-2.0
#include "engine/topic_check.h"

#include <inttypes.h>
#include <stdio.h>

static enum status made_anew(const struct source *source, int32_t partition,
                             const char *how, struct err *err)
{
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32
                   " %s: the topic was made anew or cut "
                   "since; give the result another path, or start over with tramline "
                   "init --reset",
                   STR_ARGS(source->topic), partition, how);
}

enum status topic_check_end(const struct source *source, int32_t partition, int64_t next,
                            const struct source_range *range, struct err *err)
{
    char how[128];
    if (range->high >= next)
        return ST_OK;
    snprintf(how, sizeof(how),
             "ends at offset %" PRId64 ", but the log has read it up to %" PRId64,
             range->high, next);
    return made_anew(source, partition, how, err);
}

enum status topic_check_record(struct source *source, int32_t partition,
                               const struct record_mark *mark, struct err *err)
{
    struct record record;
    enum status rc = source->ops->fetch(source, partition, mark->offset, &record, err);
    if (rc == ST_NOT_FOUND)
        return ST_OK; // it has left the topic in good order
    TRY(rc);
    uint32_t crc =
        crc32c(crc32c(0, record.key.p, record.key.n), record.value.p, record.value.n);
    if (record.time_ms == mark->time_ms && crc == mark->crc32c)
        return ST_OK;
    char how[128];
    snprintf(how, sizeof(how),
             "has another record at offset %" PRId64 " than the log has seen there",
             mark->offset);
    return made_anew(source, partition, how, err);
}

enum status topic_check_partition(struct source *source, const struct progress *progress,
                                  struct err *err)
{
    struct source_range range;
    TRY(source->ops->range(source, progress->partition, &range, err));
    TRY(topic_check_end(source, progress->partition, progress->next, &range, err));
    if (progress->last.offset < range.low)
        return ST_OK;
    return topic_check_record(source, progress->partition, &progress->last, err);
}

void witness_begin(struct witness *witness, const struct progress *positions, size_t n)
{
    *witness = (struct witness){.mark = {.offset = -1}};
    for (size_t i = 0; i < n; i++)
        if (positions[i].last.offset > witness->mark.offset) {
            witness->partition = positions[i].partition;
            witness->mark = positions[i].last;
        }
}

// The next partition in turn of which something was read.
static void choose(struct witness *witness, const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct span *span = &unit->spans[++witness->turn % unit->n_spans];
        if (span->data > 0) {
            witness->partition = span->partition;
            witness->mark = span->last;
            return;
        }
    }
}

enum status witness_look(struct witness *witness, struct source *source,
                         const struct unit *unit, struct err *err)
{
    if (!source->is_shared)
        return ST_OK;
    struct progress seen = {.partition = witness->partition,
                            .next = witness->mark.offset + 1,
                            .last = witness->mark};
    if (witness->mark.offset >= 0)
        TRY(topic_check_partition(source, &seen, err));
    choose(witness, unit);
    return ST_OK;
}
