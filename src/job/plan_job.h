// SPDX-License-Identifier: Apache-2.0
// The job that a plan is: its settings, and whose entries it makes in the log.
#ifndef JOB_PLAN_JOB_H
#define JOB_PLAN_JOB_H

#include "core/topic.h"
#include "job/pipeline.h"
#include "log/job.h"

void plan_job_settings(const struct plan *plan, bool once, struct job_settings *ret);
// What the log is to keep of the script: its query and the options that it gives, those
// that are secret, or come from a file of secrets, without their values. Borrows from the
// plan.
struct job_script plan_job_script(const struct plan *plan, struct arena *arena);
// Borrows from both.
struct job_identity plan_job_identity(const struct pipeline *pipeline,
                                      const struct topic *topic);
// As far as it is known without its tables: for who compares it with a log. Borrows from
// the plan and the identity.
struct job plan_job(const struct pipeline *pipeline, const struct job_identity *identity,
                    struct arena *arena);

#endif
