// SPDX-License-Identifier: Apache-2.0
// How many of the last records were bad, and how many gave no row, of all that a process
// reads: noted after each batch, and judged by on_error.share and match.min.
//
// Zero is a valid start. Threads: all functions but the release may be called by each
// that builds units, at once. Errors: ST_DATA, which a person has to look at; so nothing
// more is committed. The topic's name is for the text.
#ifndef WORK_SHARES_H
#define WORK_SHARES_H

#include "base/buf.h"
#include "base/lock.h"
#include "log/job.h"
#include "work/share_window.h"

struct shares {
    struct lock lock;
    struct share_window bad;       // of all that are not ignored
    struct share_window unmatched; // of those that could be read; only with match.min
    bool is_match_low;             // and that was said
    int32_t last_partition;        // where the last bad record is
    int64_t last_offset;
    struct buf last_reason;
};

// Bad records of a batch: how many, and where and why the last of them, if there is one.
struct shares_bad {
    size_t n;
    int32_t partition;
    int64_t offset;
    struct str reason; // borrowed
};

// Notes records that could be read and those that could not. ST_DATA: too many could not.
enum status shares_add_bad(struct shares *shares, const struct job_settings *settings,
                           struct str topic, size_t n_good, const struct shares_bad *bad,
                           struct err *err);
// Notes, with match.min, records that gave rows and those that gave none. ST_DATA: too
// few gave some, and on_low_match is 'fail'; else that is logged.
enum status shares_add_matches(struct shares *shares, const struct job_settings *settings,
                               struct str topic, size_t n_matched, size_t n_unmatched,
                               struct err *err);
// No record will come any more: the few that there were are judged, too.
enum status shares_check_end(struct shares *shares, const struct job_settings *settings,
                             struct str topic, struct err *err);
void shares_release(struct shares *shares);

#endif
