// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_job.h"

#include "job_settings.h"
#include "memory/spool_mem.h"

void sim_job_init(struct sim_job *job, int32_t n_partitions)
{
    static const struct script_option options[] = {
        {{0}, {"commit.rows", 11}, {"7", 1}},
        {{"s", 1}, {"topic", 5}, {"stop_times", 10}},
        {{"s", 1}, {"registry.password", 17}, {0}},
    };
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
        .script = {.is_known = true,
                   .query = STR_LITERAL("INSERT INTO r\nSELECT value\nFROM s;\n"),
                   .options = (struct script_option *)options,
                   .n_options = ARRAY_LEN(options)},
        .settings = job_settings_default(),
    };
    job->job.settings.once = true;
}

void sim_job_record(struct sim_job *job, int32_t partition, enum sim_record_kind kind,
                    int rows)
{
    sim_topic_record(&job->topic, partition, kind, rows);
}

// What steps, in turn: a step of each. Time jumps when nobody has something to do.
struct running {
    struct worker *worker;
    struct sim_actor uploader, committer;
    struct asker *asker;
    struct wait worker_wait;
};

static bool step_all(struct sim_job *job, struct running *running)
{
    struct sim_actor *actors[] = {&running->uploader, &running->committer};
    bool goes_on = false;
    if (running->worker_wait.kind != WAIT_DONE && (goes_on = true))
        running->worker_wait = worker_step(running->worker);
    for (size_t i = 0; i < ARRAY_LEN(actors); i++)
        if (actors[i]->wait.kind != WAIT_DONE && (goes_on = true))
            sim_actor_step(actors[i]);
    (void)asker_step(running->asker);
    job->clock.now_ms += 10;
    return goes_on;
}

static enum status result_of(const struct running *running, struct err *err)
{
    TRY(sim_actor_result(&running->uploader, err));
    TRY(sim_actor_result(&running->committer, err));
    return worker_result(running->worker, err);
}

enum status sim_job_run(struct sim_job *job, struct storage *storage, struct err *err)
{
    struct mail mail;
    struct sim_decoder decoder;
    struct executor executor = sim_executor;
    struct file_writer writer = sim_writer;
    struct env *env = &job->clock.env;
    struct sim_stream *stream = sim_stream_open(&job->topic, &job->clock);
    struct spool *spool = spool_mem_open();
    mail_init(&mail, 1);
    sim_decoder_init(&decoder, &job->clock.random);
    struct running running = {.asker = asker_open()};
    struct topic *topic = sim_stream_topic(stream);
    running.worker = worker_open(&(struct worker_parts){
        .job = &job->job,
        .stream = sim_stream_port(stream),
        .topic = topic,
        .asker = running.asker,
        .decoder = &decoder.decoder,
        .executor = &executor,
        .writer = &writer,
        .spool = spool,
        .env = env,
        .mail = &mail,
        .status = &job->status,
    });
    sim_actor_open_uploader(
        &running.uploader,
        (struct uploader_parts){&job->job, storage, env, &mail, &job->status, NULL});
    sim_actor_open_committer(&running.committer,
                             (struct commit_service_parts){&job->job, storage, topic,
                                                           running.asker, env, &mail,
                                                           &job->status, NULL, NULL});
    int32_t all[SIM_PARTITIONS_MAX] = {0, 1, 2, 3};
    sim_stream_reassign(stream, all, (size_t)job->topic.n_partitions, false);
    while (step_all(job, &running))
        continue;
    enum status rc = result_of(&running, err);
    worker_free(running.worker);
    sim_actor_free(&running.uploader);
    sim_actor_free(&running.committer);
    asker_close(running.asker);
    mail_release(&mail);
    sim_stream_free(stream);
    spool->ops->close(spool);
    return rc;
}
