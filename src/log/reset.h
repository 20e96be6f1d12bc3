// SPDX-License-Identifier: Apache-2.0
// Removes what a job made in its result directory, by the exact names of log/paths.h,
// and nothing else: what others keep there stays. The log goes last, so that a reset that
// is cut short can be repeated. No worker may be at work.
#ifndef LOG_RESET_H
#define LOG_RESET_H

#include "core/storage.h"

struct reset_report {
    int64_t n_removed; // files, and the log as one
    int64_t n_left;    // names in the directory that are not the job's
    char left[64];     // the first of them
};

// ST_OK also when the directory is not there.
enum status reset_result(struct storage *storage, struct reset_report *ret,
                         struct err *err);

#endif
