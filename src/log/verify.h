// SPDX-License-Identifier: Apache-2.0
// Proves from the log and the files that a result has no gap and no duplicate: the chain
// of checksums, offsets without holes or overlaps, claims, every file in place with its
// size and checksum, and no visible file that no entry names. Reads only; safe beside
// live workers (what they publish after the tail was found is not looked at).
//
// Threads: one. Errors: a storage that does not answer; what is wrong with the result is
// a finding, not an error.
#ifndef LOG_VERIFY_H
#define LOG_VERIFY_H

#include "core/storage.h"
#include "core/stream.h"
#include "log/file_format.h"

enum {
    FINDINGS_MAX = 1000
};

enum finding_kind {
    FINDING_ERROR, // the result is not what the log says
    FINDING_NOTE,  // worth knowing: a gap on record, a leftover folder in tmp
};

struct finding {
    enum finding_kind kind;
    struct str text; // one sentence, NUL-terminated
};

// A data file as its entry tells it.
struct verify_file {
    struct str path;
    struct str schema; // schema_format() of its rows
    struct file_format format;
};

struct verify_options {
    bool checksums; // ask the storage for each file's checksum
    bool bytes;     // read each file instead: a storage may tell what is not so
    // Rows of a data file, read in full (verify --deep); NULL: not looked at.
    enum status (*count_rows)(void *context, const struct verify_file *file, int64_t *ret,
                              struct err *err);
    void *context;
    // Called now and then with entries and files done; may be NULL.
    void (*progress)(void *context, int64_t n_done, int64_t n_total);
};

struct verify_partition {
    int32_t partition;
    int64_t first; // first offset that the log still tells of
    int64_t next;
    struct leader_epoch epoch; // of the batch before `next`
};

struct verify_report {
    struct arena arena; // of all below
    struct finding *findings;
    size_t n_findings;
    size_t
        n_errors; // may be more than findings: after FINDINGS_MAX they are counted only
    struct verify_partition *partitions;
    size_t n_partitions;
    struct str topic_id; // of the newest entry that tells it; n == 0: none does
    int64_t first_entry; // older ones were removed; 0 when none were
    int64_t n_entries;
    int64_t n_commits;
    int64_t n_claims;
    int64_t n_replays;
    int64_t n_data_files;
    int64_t n_dead_files;
    int64_t n_unmoved; // files of published entries that still lie in tmp
    int64_t rows;
    int64_t bytes;   // of data files
    int64_t records; // read
    int64_t matched;
    int64_t ignored;
    int64_t rejected; // in the dead letters
    int64_t replayed; // letters that replays took
    int64_t again;    // of those failed again, and are letters of the replay
    int64_t skipped;  // offsets without a record, gaps not counted
    int64_t control, aborted, hole; // of skipped, where it is known
    int64_t gap;                    // offsets that had left the topic
};

// ST_NOT_FOUND when there is no log. verify_report_release(ret) in any case.
enum status verify_run(struct storage *storage, const struct verify_options *options,
                       struct verify_report *ret, struct err *err);
void verify_report_release(struct verify_report *report);

#endif
