// SPDX-License-Identifier: Apache-2.0
// One worker and its committer on any storage, without chance: for tests of one thing.
#ifndef TESTS_SIM_JOB_H
#define TESTS_SIM_JOB_H

#include "sim/sim_actor.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_topic.h"
#include "work/worker.h"

struct sim_job {
    struct sim_clock clock;
    struct sim_topic topic;
    struct job job; // settings may be changed before a run
    struct engine_status status;
};

// A topic without records and a job on it that runs --once.
void sim_job_init(struct sim_job *job, int32_t n_partitions);
// Appends a record.
void sim_job_record(struct sim_job *job, int32_t partition, enum sim_record_kind kind,
                    int rows);
// Runs until both have ended; the committer's error goes first.
enum status sim_job_run(struct sim_job *job, struct storage *storage, struct err *err);

#endif
