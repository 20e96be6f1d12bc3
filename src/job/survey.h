// SPDX-License-Identifier: Apache-2.0
// How a job stands, seen from outside: from its log and its topic, also while nothing
// runs. No worker is asked, no group joined, nothing changed.
//
// What was committed and by whom is the log's; how much waits is the topic's: a
// partition's lag in seconds is the age of its first record that is not committed. What
// has no answer is unknown, and a reason of the verdict.
//
// Threads: one. Each look is bounded in time: by the storage's limits, and for the topic
// by the owner's deadline.
#ifndef JOB_SURVEY_H
#define JOB_SURVEY_H

#include "core/topic.h"
#include "job/pipeline.h"
#include "log/log_state.h"
#include "status/verdict.h"

enum {
    SURVEY_VERSION = 1 // of the JSON: docs/operations.md
};

// Numbers are -1 where they are unknown.
struct survey_partition {
    int32_t partition;
    int64_t committed; // next offset to commit
    int64_t end;       // of the topic
    int64_t lag_records, lag_ms;
    int64_t record_ms; // time of the last record that is committed
    struct str owner;  // the worker that claimed it last; empty: nobody
    int64_t commit_ms; // of the newest commit that names it
};

// The newest commit; number -1: there is none among the newest entries.
struct survey_commit {
    int64_t number, time_ms;
    struct str worker;
    int64_t records, rows, matched, wanted, rejected;
};

struct survey {
    struct arena arena; // of texts
    int64_t time_ms;
    int64_t next_entry;
    struct str result;         // URL
    struct job_identity job;   // as the log has it
    struct str tables, script; // of the newest entry: versions
    struct survey_commit commit;
    struct survey_partition *partitions; // rising
    size_t n_partitions;
    int64_t lag_records, lag_ms; // -1: of some partition unknown
    struct verdict verdict;
};

struct surveyor {
    struct pipeline *pipeline; // borrowed
    struct storage *storage;
    struct topic *topic;             // NULL: not open yet
    const struct deadline *deadline; // of the topic's answers; the owner's, NULL: none
    struct log_state state;
};

// To be closed also when it fails.
enum status surveyor_open(struct pipeline *pipeline, struct surveyor *ret,
                          struct err *err);
void surveyor_close(struct surveyor *surveyor);
// ST_FAIL when there is no log. `ret` is to be released.
enum status surveyor_look(struct surveyor *surveyor, struct survey *ret, struct err *err);
void survey_release(struct survey *survey);

void survey_json(const struct survey *survey, struct buf *ret);

#endif
