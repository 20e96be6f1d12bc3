// SPDX-License-Identifier: Apache-2.0
#include "engine/job.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

struct job_settings job_settings_default(void)
{
    return (struct job_settings){
        .batch_interval_ms = 1 * SECOND,
        .batch_records = 100000,
        .batch_memory = INT64_C(64) << 20,
        .commit_interval_ms = 60 * SECOND,
        .commit_bytes = INT64_C(128) << 20,
        .commit_rows = 50000000,
        .on_error_share = 50,
        .log_snapshot = 32,
        .log_retention_ms = 90 * DAY,
        .storage_retry_ms = 300 * SECOND,
        .schema_retry_ms = 900 * SECOND,
        .revoke_ms = 30 * SECOND,
    };
}
