// SPDX-License-Identifier: Apache-2.0
// What a worker looks at before it claims, and changes nothing: the log, whose it is, and
// whether stream and log still fit. Errors are a worker's own. One thread.
#ifndef WORK_JOB_CHECK_H
#define WORK_JOB_CHECK_H

#include "core/storage.h"
#include "core/topic.h"
#include "log/log_state.h"

// Reads the log into the empty `ret`; ST_OK also when there is none.
enum status job_check_log(struct storage *storage, struct log_state *ret,
                          struct err *err);
// Whether the partition still holds what the log has read of it, and what comes next.
enum status job_check_partition(const struct log_state *state,
                                const struct log_partition *partition,
                                const struct job *job, struct topic *topic,
                                struct err *err);

#endif
