// SPDX-License-Identifier: Apache-2.0
#include "job/plan_job.h"

#include "job/script_checks.h"

static void set_start(const struct table *stream, struct job_settings *settings)
{
    settings->start = START_EARLIEST;
    if (!str_is(stream->connector, "kafka"))
        return;
    struct str start = options_text(&stream->options, "start");
    if (str_is(start, "latest"))
        settings->start = START_LATEST;
    else if (start_timestamp(start, &settings->start_ms))
        settings->start = START_TIME;
}

void plan_job_settings(const struct plan *plan, bool once, struct job_settings *ret)
{
    *ret = job_settings_of(&plan->settings);
    if (pipeline_is_avro(plan->stream))
        ret->schema_retry_ms = options_number(&plan->stream->format, "registry.retry");
    ret->directory_by_day = options_is(&plan->sink->options, "directory", "day");
    ret->once = once;
    ret->watches_whole_job = options_given(&plan->settings, "status.listen");
    set_start(plan->stream, ret);
}

struct job_identity plan_job_identity(const struct pipeline *pipeline,
                                      const struct topic *topic)
{
    return (struct job_identity){
        .cluster = topic->cluster,
        .topic = topic->name,
        .group = str_of(pipeline->group),
        .name = str_of(pipeline->job_name),
    };
}
