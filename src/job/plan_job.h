// SPDX-License-Identifier: Apache-2.0
// The job that a plan is: its settings, and whose entries it makes in the log.
#ifndef JOB_PLAN_JOB_H
#define JOB_PLAN_JOB_H

#include "core/topic.h"
#include "job/pipeline.h"
#include "log/job.h"

void plan_job_settings(const struct plan *plan, bool once, struct job_settings *ret);
// Borrows from both.
struct job_identity plan_job_identity(const struct pipeline *pipeline,
                                      const struct topic *topic);

#endif
