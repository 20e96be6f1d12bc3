// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_job.h"

#include "job_settings.h"
#include "memory/spool_mem.h"

void sim_job_init(struct sim_job *job, int32_t n_partitions)
{
    *job = (struct sim_job){0};
    sim_clock_init(&job->clock, 1);
    sim_topic_init(&job->topic, n_partitions, &job->clock.random);
    job->job = (struct job){
        .identity = {STR_LITERAL("sim-cluster"), STR_LITERAL("stop_times"),
                     STR_LITERAL("g"), STR_LITERAL("sim")},
        .plan = STR_LITERAL("plan"),
        .schema = STR_LITERAL("value TEXT NOT NULL"),
        .extension = "avro",
        .dimension = STR_LITERAL("none"),
        .worker = STR_LITERAL("sim"),
        .settings = job_settings_default(),
    };
    job->job.settings.once = true;
}

void sim_job_record(struct sim_job *job, int32_t partition, enum sim_record_kind kind,
                    int rows)
{
    sim_topic_record(&job->topic, partition, kind, rows);
}

// Steps whoever has something to do; time jumps when nobody has.
static void step_all(struct sim_job *job, struct worker *worker,
                     struct sim_committer *committer, struct asker *asker,
                     struct wait wait[2])
{
    if (wait[0].kind != WAIT_DONE)
        wait[0] = worker_step(worker);
    if (wait[1].kind != WAIT_DONE)
        wait[1] = (sim_committer_step(committer), committer->wait);
    (void)asker_step(asker);
    job->clock.now_ms += 10;
}

enum status sim_job_run(struct sim_job *job, struct storage *storage, struct err *err)
{
    struct mail mail;
    struct sim_decoder decoder;
    struct executor executor = sim_executor;
    struct encoder encoder = sim_encoder;
    struct sim_stream *stream = sim_stream_open(&job->topic, &job->clock);
    struct asker *asker = asker_open();
    struct spool *spool = spool_mem_open();
    mail_init(&mail);
    sim_decoder_init(&decoder, &job->clock.random);
    struct worker *worker = worker_open(&(struct worker_parts){
        &job->job, sim_stream_port(stream), sim_stream_topic(stream), asker,
        &decoder.decoder, &executor, &encoder, spool, &job->clock.env, &mail,
        &job->status});
    struct sim_committer committer;
    sim_committer_open(
        &committer,
        (struct commit_service_parts){&job->job, storage, sim_stream_topic(stream), asker,
                                      &job->clock.env, &mail, &job->status, NULL});
    int32_t all[SIM_PARTITIONS_MAX] = {0, 1, 2, 3};
    sim_stream_reassign(stream, all, (size_t)job->topic.n_partitions, false);
    struct wait wait[2] = {{0}, {0}};
    while (wait[0].kind != WAIT_DONE || wait[1].kind != WAIT_DONE)
        step_all(job, worker, &committer, asker, wait);
    enum status rc = commit_service_result(committer.committer, err);
    if (rc == ST_OK)
        rc = worker_result(worker, err);
    worker_free(worker);
    sim_committer_free(&committer);
    asker_close(asker);
    mail_release(&mail);
    sim_stream_free(stream);
    spool->ops->close(spool);
    return rc;
}
