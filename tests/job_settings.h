// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_JOB_SETTINGS_H
#define TESTS_JOB_SETTINGS_H

#include "base/arena.h"
#include "core/format.h"
#include "log/job.h"

// A job's settings by the defaults of the options' tables.
static inline struct job_settings job_settings_default(void)
{
    AUTO(arena_release) struct arena arena = {0};
    struct options set, avro;
    options_init(&set, &set_option_group, &arena);
    options_init(&avro, &format_find(STR_LITERAL("avro"))->options, &arena);
    struct job_settings settings = job_settings_of(&set);
    settings.schema_retry_ms = options_number(&avro, "registry.retry");
    return settings;
}

#endif
