// SPDX-License-Identifier: Apache-2.0
#include "work/topic_check.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/crc32c.h"

static enum status made_anew(const struct topic *topic, int32_t partition,
                             const char *how, struct err *err)
{
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32
                   " %s: the topic was recreated or cut since; give the result another "
                   "path, or start over with tramline init --reset",
                   STR_ARGS(topic->name), partition, how);
}

static enum status check_end(const struct topic *topic, const struct probe *probe,
                             struct err *err)
{
    char how[128];
    if (probe->range.high >= probe->next)
        return ST_OK;
    snprintf(how, sizeof(how),
             "ends at offset %" PRId64 ", but the log has read it up to %" PRId64,
             probe->range.high, probe->next);
    return made_anew(topic, probe->partition, how, err);
}

// Fine also when the record is not there any more: it has left the topic in good order.
static enum status check_record(struct topic *topic, struct probe *probe, struct err *err)
{
    const struct record_mark *mark = &probe->last;
    struct record record;
    enum status rc =
        topic->ops->fetch(topic, probe->partition, mark->offset, &record, err);
    if (rc == ST_NOT_FOUND)
        return ST_OK;
    TRY(rc);
    uint32_t crc =
        crc32c(crc32c(0, record.key.p, record.key.n), record.value.p, record.value.n);
    probe->is_seen = record.time_ms == mark->time_ms && crc == mark->crc32c;
    if (probe->is_seen)
        return ST_OK;
    char how[128];
    snprintf(how, sizeof(how),
             "has another record at offset %" PRId64 " than the log has seen there",
             mark->offset);
    return made_anew(topic, probe->partition, how, err);
}

static enum status check_id(struct topic *topic, const struct probe *probe,
                            struct err *err)
{
    char id[TOPIC_ID_TEXT];
    if (probe->topic_id[0] == '\0' || topic->ops->id == NULL)
        return ST_OK;
    TRY(topic->ops->id(topic, id, err));
    if (id[0] == '\0' || strcmp(id, probe->topic_id) == 0)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "topic '%.*s' was recreated: its id is %s, and the log has read one "
                   "with the id %s; give the result another path, or start over with "
                   "tramline init --reset",
                   STR_ARGS(topic->name), id, probe->topic_id);
}

// The leader's log may be as long as before, and be another one.
static enum status check_epoch(struct topic *topic, const struct probe *probe,
                               struct err *err)
{
    int64_t end;
    if (!probe->epoch.is_known || topic->ops->epoch_end == NULL)
        return ST_OK;
    TRY(topic->ops->epoch_end(topic, probe->partition, probe->epoch.number, &end, err));
    if (end >= probe->next)
        return ST_OK;
    if (end < 0)
        return err_set(err, ST_DATA,
                       "topic '%.*s' partition %" PRId32 ": the log has read it up to "
                       "offset %" PRId64 ", in epoch %" PRId32 " of its leaders, of "
                       "which this one knows nothing: it was cut back or "
                       "recreated; give the result another path, or start over with "
                       "tramline init --reset",
                       STR_ARGS(topic->name), probe->partition, probe->next,
                       probe->epoch.number);
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32 ": the log has read it up to offset "
                   "%" PRId64 ", but from offset %" PRId64
                   " on its leader has something else: it was cut back (an unclean "
                   "election of a leader) or recreated; give the result another path, or "
                   "start over with tramline init --reset",
                   STR_ARGS(topic->name), probe->partition, probe->next, end);
}

enum status topic_check(struct topic *topic, struct probe *probe, struct err *err)
{
    TRY(check_id(topic, probe, err));
    TRY(topic->ops->range(topic, probe->partition, &probe->range, err));
    TRY(check_end(topic, probe, err));
    TRY(check_epoch(topic, probe, err));
    return probe->last.offset < probe->range.low ? ST_OK
                                                 : check_record(topic, probe, err);
}
