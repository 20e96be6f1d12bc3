// SPDX-License-Identifier: Apache-2.0
#include "commit/claim.h"

enum status claim_origin(const struct job_settings *settings, struct topic *topic,
                         int32_t partition, int64_t *ret, struct err *err)
{
    struct topic_range range;
    if (settings->start == START_TIME)
        return topic->ops->offset_at(topic, partition, settings->start_ms, ret, err);
    TRY(topic->ops->range(topic, partition, &range, err));
    *ret = settings->start == START_LATEST ? range.high : range.low;
    return ST_OK;
}

struct publish_work claim_work(enum entry_kind kind, const struct stream_start *starts,
                               size_t n, int64_t base)
{
    struct span *spans = mem_array(n ? n : 1, sizeof(*spans));
    for (size_t i = 0; i < n; i++)
        spans[i] = (struct span){
            .partition = starts[i].partition,
            .first = starts[i].offset,
            .next = starts[i].offset,
            .last = {.offset = -1},
        };
    return (struct publish_work){
        .kind = kind, .spans = spans, .n_spans = n, .base = base};
}
