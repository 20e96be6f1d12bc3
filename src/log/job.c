// SPDX-License-Identifier: Apache-2.0
#include "log/job.h"

enum {
    REVOKE_MS = 240000 // a group waits 300 s for its members
};

struct job_settings job_settings_of(const struct options *set)
{
    return (struct job_settings){
        .batch_interval_ms = options_number(set, "batch.interval"),
        .batch_records = options_number(set, "batch.records"),
        .batch_memory = options_number(set, "batch.memory"),
        .commit_interval_ms = options_number(set, "commit.interval"),
        .commit_bytes = options_number(set, "commit.bytes"),
        .commit_rows = options_number(set, "commit.rows"),
        .commit_ahead = (int)options_number(set, "commit.ahead"),
        .on_error =
            options_is(set, "on_error", "fail") ? ON_ERROR_FAIL : ON_ERROR_DEAD_LETTER,
        .on_error_share = options_number(set, "on_error.share"),
        .match_min = options_number(set, "match.min"),
        .on_low_match = options_is(set, "on_low_match", "warn") ? ON_LOW_MATCH_WARN
                                                                : ON_LOW_MATCH_FAIL,
        .on_gap = options_is(set, "on_gap", "record") ? ON_GAP_RECORD : ON_GAP_FAIL,
        .schema_change = options_is(set, "schema_change", "allow") ? SCHEMA_CHANGE_ALLOW
                                                                   : SCHEMA_CHANGE_APPEND,
        .log_snapshot = options_number(set, "log.snapshot"),
        .log_retention_ms = options_number(set, "log.retention"),
        .storage_retry_ms = options_number(set, "storage.retry"),
        .once_timeout_ms = options_number(set, "once.timeout"),
        .revoke_ms = REVOKE_MS,
        .upload_verify = options_is(set, "upload.verify", "read")
                             ? UPLOAD_VERIFY_READ
                             : UPLOAD_VERIFY_CHECKSUM,
    };
}
