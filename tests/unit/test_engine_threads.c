// SPDX-License-Identifier: Apache-2.0
// Two slots as cli drives them: seven threads each, the machine's clock, one storage.
#include "test.h"

#include <pthread.h>

#include "base/log.h"
#include "log/verify.h"
#include "memory/spool_mem.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"

enum {
    N_SLOTS = 2,
    N_RECORDS = 1500,
    AHEAD = 2,
    N_LANES = 2 * AHEAD
};

struct slot {
    struct sim_job job; // each with the same topic; a slot reads one partition of it
    struct mail mail;
    struct sim_stream *stream;
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct spool *spool;
    struct storage *storages[2 + N_LANES];
    struct worker *worker;
    struct uploader *uploader;
    struct commit_service *committer;
    struct lane *lanes[N_LANES];
    struct mailbox_waiter waiters[2 + N_LANES]; // of all but the worker
    struct asker *asker;
    pthread_t threads[3 + N_LANES];
};

static void *run_worker(void *arg)
{
    struct slot *slot = arg;
    struct wait wait;
    while ((wait = worker_step(slot->worker)).kind != WAIT_DONE)
        mailbox_wait(&slot->mail.to_worker, wait, env_system());
    return NULL;
}

static void *run_uploader(void *arg)
{
    struct slot *slot = arg;
    uploader_run(slot->uploader);
    return NULL;
}

static void *run_lane(void *arg)
{
    lane_run(arg);
    return NULL;
}

static void *run_committer(void *arg)
{
    struct slot *slot = arg;
    commit_service_run(slot->committer);
    return NULL;
}

static void open_parts(struct slot *slot, struct mem_tree *tree)
{
    sim_job_init(&slot->job, N_SLOTS);
    slot->job.job.settings.commit_rows = 100;
    slot->job.job.settings.batch_interval_ms = 10;
    for (int32_t p = 0; p < N_SLOTS; p++)
        for (int i = 0; i < N_RECORDS; i++)
            sim_job_record(&slot->job, p, i % 9 ? SIM_ROWS : SIM_BAD, 1);
    mail_init(&slot->mail, AHEAD);
    sim_decoder_init(&slot->decoder, &slot->job.clock.random);
    slot->executor = sim_executor;
    slot->writer = sim_writer;
    slot->stream = sim_stream_open(&slot->job.topic, &slot->job.clock);
    slot->spool = spool_mem_open();
    for (int i = 0; i < 2 + N_LANES; i++)
        slot->storages[i] = storage_mem_open(tree, "/r");
}

static void start(struct slot *slot, int32_t partition)
{
    slot->asker = asker_open();
    asker_start(slot->asker);
    slot->worker = worker_open(&(struct worker_parts){
        &slot->job.job, sim_stream_port(slot->stream), sim_stream_topic(slot->stream),
        slot->asker, &slot->decoder.decoder, &slot->executor, &slot->writer, slot->spool,
        env_system(), &slot->mail, &slot->job.status, NULL, 0, NULL});
    slot->waiters[0] = mailbox_waiter(&slot->mail.to_uploader, env_system());
    slot->uploader = uploader_open(&(struct uploader_parts){
        &slot->job.job, slot->storages[0], env_system(), &slot->mail, &slot->job.status,
        &slot->waiters[0].waiter});
    slot->waiters[1] = mailbox_waiter(&slot->mail.to_committer, env_system());
    slot->committer = commit_service_open(&(struct commit_service_parts){
        &slot->job.job, slot->storages[1], sim_stream_topic(slot->stream), slot->asker,
        env_system(), &slot->mail, &slot->job.status, &slot->waiters[1].waiter, NULL});
    for (int i = 0; i < N_LANES; i++) {
        slot->waiters[2 + i] = mailbox_waiter(&slot->mail.to_lanes[i], env_system());
        slot->lanes[i] = lane_open(&(struct lane_parts){
            &slot->job.job, slot->storages[2 + i], env_system(), &slot->mail, i,
            &slot->job.status, &slot->waiters[2 + i].waiter});
    }
    sim_stream_reassign(slot->stream, &partition, 1, false);
    assert_int_equal(pthread_create(&slot->threads[0], NULL, run_worker, slot), 0);
    assert_int_equal(pthread_create(&slot->threads[1], NULL, run_committer, slot), 0);
    assert_int_equal(pthread_create(&slot->threads[2], NULL, run_uploader, slot), 0);
    for (int i = 0; i < N_LANES; i++)
        assert_int_equal(
            pthread_create(&slot->threads[3 + i], NULL, run_lane, slot->lanes[i]), 0);
}

static void join(struct slot *slot)
{
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(slot->threads); i++)
        pthread_join(slot->threads[i], NULL);
    assert_ok(uploader_result(slot->uploader, &err), &err);
    assert_ok(commit_service_result(slot->committer, &err), &err);
    assert_ok(worker_result(slot->worker, &err), &err);
    worker_free(slot->worker);
    uploader_free(slot->uploader);
    for (int i = 0; i < N_LANES; i++)
        lane_free(slot->lanes[i]);
    commit_service_free(slot->committer);
    asker_close(slot->asker);
    mail_release(&slot->mail);
    sim_stream_free(slot->stream);
    slot->spool->ops->close(slot->spool);
    for (int i = 0; i < 2 + N_LANES; i++)
        slot->storages[i]->ops->close(slot->storages[i]);
}

static void test_two_slots_make_one_result(UNUSED void **state)
{
    static struct slot slots[N_SLOTS];
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *view = storage_mem_open(tree, "/r");
    struct verify_options options = {.checksums = true};
    struct verify_report report;
    struct err err = {0};
    log_set_level(LOG_WARN);
    for (int32_t i = 0; i < N_SLOTS; i++)
        open_parts(&slots[i], tree);
    for (int32_t i = 0; i < N_SLOTS; i++)
        start(&slots[i], i);
    for (int32_t i = 0; i < N_SLOTS; i++)
        join(&slots[i]);
    assert_ok(verify_run(view, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 0);
    assert_int_equal(report.n_unmoved, 0);
    assert_int_equal(report.records, N_SLOTS * N_RECORDS);
    assert_int_equal(report.rejected, N_SLOTS * ((N_RECORDS + 8) / 9));
    assert_int_equal(report.rows, report.records - report.rejected);
    verify_report_release(&report);
    view->ops->close(view);
    mem_tree_unref(tree);
}

TEST_MAIN(cmocka_unit_test(test_two_slots_make_one_result))
