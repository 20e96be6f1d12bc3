// SPDX-License-Identifier: Apache-2.0
#include "work/job_check.h"

#include "log/commit_log.h"
#include "work/topic_check.h"
#include "work/unit_builder.h"

enum status job_check_log(struct storage *storage, struct log_state *ret, struct err *err)
{
    return log_recover(storage, ret, err);
}

enum status job_check_partition(const struct log_state *state,
                                const struct log_partition *partition,
                                const struct job *job, struct topic *topic,
                                struct err *err)
{
    struct probe probe = {
        .kind = PROBE_CHECK,
        .partition = partition->partition,
        .next = partition->next,
        .last = partition->last,
        .epoch = partition->epoch,
    };
    memcpy(probe.topic_id, state->topic_id, TOPIC_ID_TEXT);
    TRY(topic_check(topic, &probe, err));
    struct stream_gap gap = {partition->partition, partition->next, probe.range.low};
    if (gap.low > gap.wanted && job->settings.on_gap == ON_GAP_FAIL)
        return unit_builder_refuse_gap(topic->name, &gap, err);
    return ST_OK;
}
