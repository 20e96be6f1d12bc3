// SPDX-License-Identifier: Apache-2.0
#include "job/plan_job.h"

#include "core/stream_start.h"

static void set_start(const struct table *stream, struct job_settings *settings)
{
    struct err ignored; // the option was looked at with the script
    settings->start = START_EARLIEST;
    if (options_have(&stream->options, "start"))
        (void)!stream_start_parse(options_text(&stream->options, "start"),
                                  &settings->start, &settings->start_ms, &ignored);
}

void plan_job_settings(const struct plan *plan, bool once, struct job_settings *ret)
{
    *ret = job_settings_of(&plan->settings);
    if (format_of(&plan->stream->format)->schemas != NULL)
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
