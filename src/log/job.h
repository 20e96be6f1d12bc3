// SPDX-License-Identifier: Apache-2.0
// What one run of a job is: who it is in the log, and its settings. Filled by cli from
// the plan, borrowed by worker and committer for their whole life, never changed.
#ifndef LOG_JOB_H
#define LOG_JOB_H

#include "base/str.h"
#include "core/checksum.h"
#include "core/option.h"
#include "core/stream_start.h"
#include "log/file_format.h"
#include "log/script.h"

// Entry 0 of the log fixes these; another job on the same directory is refused.
struct job_identity {
    struct str cluster; // names the cluster, e.g. Kafka's cluster id
    struct str topic;
    struct str group;
    struct str name; // for people; the only one that may change
};

enum on_error {
    ON_ERROR_DEAD_LETTER,
    ON_ERROR_FAIL
};
enum on_low_match {
    ON_LOW_MATCH_FAIL,
    ON_LOW_MATCH_WARN
};
enum on_gap {
    ON_GAP_FAIL,
    ON_GAP_RECORD
};
enum schema_change {
    SCHEMA_CHANGE_APPEND,
    SCHEMA_CHANGE_ALLOW
};

enum upload_verify {
    UPLOAD_VERIFY_CHECKSUM, // size and checksum, as the storage tells them
    UPLOAD_VERIFY_READ      // and its bytes
};

// The names of SET in the script, with '.' as '_'; times in ms.
struct job_settings {
    int64_t batch_interval_ms;
    int64_t batch_records;
    int64_t batch_memory;
    int64_t commit_interval_ms;
    int64_t commit_bytes;
    int64_t commit_rows;
    int commit_ahead;
    enum on_error on_error;
    int64_t on_error_share; // percent
    int64_t match_min;      // percent
    enum on_low_match on_low_match;
    enum on_gap on_gap;
    enum schema_change schema_change;
    int64_t log_snapshot;
    int64_t log_retention_ms;
    int64_t storage_retry_ms;
    int64_t schema_retry_ms; // longest wait of a partition for a schema
    int64_t revoke_ms;       // longest wait for the last commit at a revoke
    enum upload_verify upload_verify;
    bool directory_by_day;
    int64_t once_timeout_ms; // --once: longest time without progress; 0: no limit
    bool once; // end when the log has reached what was in the topic at the start
    bool watches_whole_job; // shows the lag of all partitions, also of other workers'
    enum start start;
    int64_t start_ms; // for START_TIME, since 1970
};

struct job {
    struct job_identity identity;
    struct str plan;   // its hash
    struct str schema; // schema_format() of the result
    struct file_format format;
    const char *extension;            // of its data files
    enum checksum_kind checksum_kind; // that their storage tells
    struct str dimension;             // version of the staged tables
    struct job_script script;
    struct str worker; // "host/pid/slot", for people
    struct job_settings settings;
};

// As SET says it; what is not of SET is zero.
struct job_settings job_settings_of(const struct options *set);

#endif
