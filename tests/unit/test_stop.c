// SPDX-License-Identifier: Apache-2.0
// A worker that is asked to stop: what was read is committed, in bounded time and steps.
#include "test.h"

#include <unistd.h>

#include "base/log.h"
#include "memory/spool_mem.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"

enum {
    STOP_MS = 7000,
    N_RECORDS = 19,
    STEPS_MAX = 2000 // of a stop: a busy core takes a step without end
};

struct fixture {
    struct sim_job job;
    struct mem_tree *tree;
    struct storage *storage; // fault over mem
    struct mail mail;
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct sim_stream *stream;
    struct spool *spool;
    struct worker *worker;
    struct sim_actor actors[2]; // uploader, committer
    struct asker *asker;
    struct wait waits[3];
    FILE *said;
    int stderr_fd;
    struct buf text;
};

static void append(struct fixture *f)
{
    for (int i = 0; i < N_RECORDS; i++)
        sim_job_record(&f->job, 0, SIM_ROWS, 1);
}

static void open_engine(struct fixture *f)
{
    struct sim_job *job = &f->job;
    mail_init(&f->mail, 1);
    sim_decoder_init(&f->decoder, &job->clock.random);
    f->executor = sim_executor;
    f->writer = sim_writer;
    f->stream = sim_stream_open(&job->topic, &job->clock);
    f->spool = spool_mem_open();
    f->asker = asker_open();
    f->worker = worker_open(&(struct worker_parts){
        &job->job, sim_stream_port(f->stream), sim_stream_topic(f->stream), f->asker,
        &f->decoder.decoder, &f->executor, &f->writer, f->spool, &job->clock.env,
        &f->mail, &job->status, NULL, 0, NULL});
    sim_actor_open_uploader(
        &f->actors[0], (struct uploader_parts){&job->job, f->storage, &job->clock.env,
                                               &f->mail, &job->status, NULL});
    sim_actor_open_committer(
        &f->actors[1], (struct commit_service_parts){
                           &job->job, f->storage, sim_stream_topic(f->stream), f->asker,
                           &job->clock.env, &f->mail, &job->status, NULL, NULL});
    sim_stream_assign(f->stream, (int32_t[]){0}, 1);
    memset(f->waits, 0, sizeof(f->waits));
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    sim_job_init(&f->job, 1);
    f->job.job.settings.once = false;
    f->tree = mem_tree_open(&f->job.clock.env);
    f->storage =
        storage_fault_open(storage_mem_open(f->tree, "/r"), &(struct fault_config){0});
    f->said = tmpfile();
    f->stderr_fd = dup(STDERR_FILENO);
    open_engine(f);
}

static void close_engine(struct fixture *f)
{
    worker_free(f->worker);
    for (int i = 0; i < 2; i++)
        sim_actor_free(&f->actors[i]);
    asker_close(f->asker);
    mail_release(&f->mail);
    sim_stream_free(f->stream);
    f->spool->ops->close(f->spool);
}

static void tear_down(struct fixture *f)
{
    close_engine(f);
    fclose(f->said);
    close(f->stderr_fd);
    buf_release(&f->text);
    f->storage->ops->close(f->storage);
    mem_tree_unref(f->tree);
}

static const char *said(struct fixture *f)
{
    char piece[4096];
    size_t n;
    rewind(f->said);
    buf_clear(&f->text);
    while ((n = fread(piece, 1, sizeof(piece), f->said)) > 0)
        buf_append(&f->text, piece, n);
    fseek(f->said, 0, SEEK_END);
    return buf_cstr(&f->text);
}

static bool may_step(const struct fixture *f, struct wait wait, const struct mailbox *box)
{
    return wait.kind == WAIT_NOTHING ||
           (wait.kind != WAIT_DONE && f->job.clock.now_ms >= wait.until_ms) ||
           (wait.kind == WAIT_MAIL && !mailbox_is_empty(box));
}

// Each of the four that has something to do makes one step; how many did. What they say
// is kept.
static int step_all(struct fixture *f)
{
    int n = 0;
    dup2(fileno(f->said), STDERR_FILENO);
    if (may_step(f, f->waits[0], &f->mail.to_worker) && ++n)
        f->waits[0] = worker_step(f->worker);
    for (int i = 0; i < 2; i++)
        if (may_step(f, f->waits[1 + i], f->actors[i].box) && ++n) {
            sim_actor_step(&f->actors[i]);
            f->waits[1 + i] = f->actors[i].wait;
        }
    n += asker_step(f->asker);
    dup2(f->stderr_fd, STDERR_FILENO);
    f->job.clock.now_ms += 5;
    return n;
}

static void run_for(struct fixture *f, int64_t ms)
{
    for (int64_t end_ms = f->job.clock.now_ms + ms; f->job.clock.now_ms < end_ms;)
        step_all(f);
}

static bool has_ended(const struct fixture *f)
{
    for (int i = 0; i < 3; i++)
        if (f->waits[i].kind != WAIT_DONE)
            return false;
    return true;
}

static void ask_to_stop(struct fixture *f, int64_t within_ms)
{
    worker_stop(f->worker, within_ms);
    for (int i = 0; i < 3; i++)
        if (f->waits[i].kind != WAIT_DONE)
            f->waits[i] = (struct wait){WAIT_NOTHING, 0}; // they are woken
}

// Asks for a stop; how long it took.
static int64_t stop(struct fixture *f, int64_t within_ms)
{
    int64_t began_ms = f->job.clock.now_ms;
    int n_steps = 0;
    ask_to_stop(f, within_ms);
    while (!has_ended(f)) {
        n_steps += step_all(f);
        assert_true(n_steps < STEPS_MAX);
        assert_true(f->job.clock.now_ms - began_ms < 600000);
    }
    return f->job.clock.now_ms - began_ms;
}

static int64_t n_committed(struct fixture *f)
{
    return atomic_load(&f->job.status.committed_records);
}

static void assert_ends_well(struct fixture *f)
{
    struct err err = {0};
    assert_ok(worker_result(f->worker, &err), &err);
}

// A commit of before, then records that were read and are not due yet.
static void read_some(struct fixture *f, bool after_a_commit)
{
    if (after_a_commit) {
        f->job.job.settings.commit_interval_ms = 100;
        append(f);
        run_for(f, 3000);
        assert_int_equal(n_committed(f), N_RECORDS);
        f->job.job.settings.commit_interval_ms = 60000;
    }
    append(f);
    run_for(f, 2000);
}

static void test_what_was_read_is_committed(UNUSED void **state)
{
    for (int after_a_commit = 0; after_a_commit < 2; after_a_commit++) {
        static struct fixture f;
        set_up(&f);
        read_some(&f, after_a_commit);
        assert_true(stop(&f, STOP_MS) < 1000);
        assert_ends_well(&f);
        assert_int_equal(n_committed(&f), N_RECORDS * (1 + after_a_commit));
        tear_down(&f);
    }
}

// The brokers do not answer: whether it is the same topic cannot be seen, so what was
// read is not committed, and that is said.
static void test_without_brokers_it_ends_in_time(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    sim_topic_away(&f.job.topic, 0, f.job.clock.now_ms, INT64_MAX);
    int64_t ms = stop(&f, STOP_MS);
    assert_in_range(ms, STOP_MS - 500, STOP_MS + 500);
    assert_ends_well(&f);
    assert_int_equal(n_committed(&f), N_RECORDS);
    assert_non_null(
        strstr(said(&f), "warn  topic 'stop_times' partition 0 has no leader (made by a "
                         "test); what was read last could not be committed before the "
                         "end; it will be read again\n"));
    tear_down(&f);
}

// They answer again before the time is over.
static void test_brokers_that_come_back_in_time(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    sim_topic_away(&f.job.topic, 0, f.job.clock.now_ms, f.job.clock.now_ms + 4000);
    assert_in_range(stop(&f, STOP_MS), 3900, 5000);
    assert_ends_well(&f);
    assert_int_equal(n_committed(&f), 2 * N_RECORDS);
    tear_down(&f);
}

static struct fault refuse(UNUSED void *context, UNUSED const struct fault_call *call)
{
    return (struct fault){.kind = FAULT_REFUSE};
}

// In any phase: while it pauses for long, or just before.
static void test_without_storage_it_ends_in_time(UNUSED void **state)
{
    for (int64_t away_ms = 0; away_ms <= 40000; away_ms += 4000) {
        static struct fixture f;
        set_up(&f);
        read_some(&f, true);
        f.job.job.settings.commit_interval_ms = 100;
        storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
        append(&f);
        run_for(&f, away_ms);
        assert_true(stop(&f, STOP_MS) < STOP_MS + 500);
        assert_ends_well(&f);
        assert_int_equal(n_committed(&f), N_RECORDS);
        const char *text =
            "refused (made by a test); no time was left to try again; what "
            "was read last will be read again\n";
        assert_non_null(strstr(said(&f), text));
        tear_down(&f);
    }
}

// It comes back while the pauses are long: there is time for another try.
static void test_storage_that_comes_back_in_time(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    f.job.job.settings.commit_interval_ms = 100;
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    append(&f);
    run_for(&f, 60000);
    storage_fault_set(f.storage, &(struct fault_config){0});
    assert_true(stop(&f, STOP_MS) < 1000);
    assert_ends_well(&f);
    assert_int_equal(n_committed(&f), 3 * N_RECORDS);
    tear_down(&f);
}

static void test_nothing_read_ends_at_once(UNUSED void **state)
{
    for (int64_t ms = 0; ms < 500; ms += 5) { // in each phase before reading
        static struct fixture f;
        set_up(&f);
        run_for(&f, ms);
        assert_true(stop(&f, STOP_MS) < 1000);
        assert_ends_well(&f);
        tear_down(&f);
    }
}

// No limit first, then one.
static void test_there_may_be_less_time_later(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    ask_to_stop(&f, 0);
    run_for(&f, 60000);
    assert_false(has_ended(&f));
    assert_true(stop(&f, 3000) < 3500);
    assert_ends_well(&f);
    tear_down(&f);
}

static void test_a_stop_while_partitions_go_away(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    sim_stream_revoke(f.stream);
    run_for(&f, 20000); // the revoke waits for the commit
    assert_int_equal(n_committed(&f), N_RECORDS);
    storage_fault_set(f.storage, &(struct fault_config){0});
    assert_true(stop(&f, STOP_MS) < 1000);
    assert_ends_well(&f);
    assert_int_equal(n_committed(&f), 2 * N_RECORDS);
    tear_down(&f);
}

// A commit before partitions go away has minutes.
static void test_a_revoke_waits_for_minutes(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    sim_stream_revoke(f.stream);
    run_for(&f, 200000);
    storage_fault_set(f.storage, &(struct fault_config){0});
    run_for(&f, 20000);
    assert_int_equal(n_committed(&f), 2 * N_RECORDS);
    stop(&f, STOP_MS);
    assert_ends_well(&f);
    tear_down(&f);
}

// And no more than that.
static void test_a_revoke_does_not_wait_for_ever(UNUSED void **state)
{
    static struct fixture f;
    set_up(&f);
    read_some(&f, true);
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    sim_stream_revoke(f.stream);
    run_for(&f, 230000);
    const char *text = "warn  the last commit before the partitions go away took too "
                       "long; what it does not bring is read again\n";
    assert_null(strstr(said(&f), text));
    run_for(&f, 20000);
    assert_non_null(strstr(said(&f), text));
    stop(&f, STOP_MS);
    tear_down(&f);
}

// A job that has failed for good does not try for storage.retry to bring what came
// before: whenever that happens, and whether a second unit waits behind.
static void test_a_failed_job_does_not_wait_for_the_storage(UNUSED void **state)
{
    for (int64_t away_ms = 200; away_ms <= 40000; away_ms += 3980) {
        static struct fixture f;
        struct err err = {0};
        set_up(&f);
        read_some(&f, true);
        f.job.job.settings.commit_interval_ms = 100;
        f.job.job.settings.on_error = ON_ERROR_FAIL;
        storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
        run_for(&f, away_ms);
        sim_job_record(&f.job, 0, SIM_BAD, 0);
        int64_t began_ms = f.job.clock.now_ms;
        while (f.waits[0].kind != WAIT_DONE && f.job.clock.now_ms < began_ms + 2000)
            step_all(&f);
        assert_int_equal(f.waits[0].kind, WAIT_DONE);
        for (int i = 1; i < 3; i++)
            if (f.waits[i].kind != WAIT_DONE)
                f.waits[i] = (struct wait){WAIT_NOTHING, 0}; // they are woken
        while (!has_ended(&f) && f.job.clock.now_ms < began_ms + 600000)
            step_all(&f);
        assert_in_range(f.job.clock.now_ms - began_ms, 0, 9000);
        assert_int_equal(worker_result(f.worker, &err), ST_DATA);
        assert_int_equal(n_committed(&f), N_RECORDS);
        tear_down(&f);
    }
}

// But what is on its way gets a moment: a storage that answers takes it.
static void test_a_failed_job_ends_its_upload(UNUSED void **state)
{
    static struct fixture f;
    struct err err = {0};
    set_up(&f);
    read_some(&f, true);
    f.job.job.settings.commit_interval_ms = 100;
    f.job.job.settings.on_error = ON_ERROR_FAIL;
    storage_fault_set(f.storage, &(struct fault_config){.decide = refuse});
    run_for(&f, 1000);
    sim_job_record(&f.job, 0, SIM_BAD, 0);
    run_for(&f, 1000);
    assert_int_equal(f.waits[0].kind, WAIT_DONE);
    storage_fault_set(f.storage, &(struct fault_config){0});
    for (int i = 0; i < 2000 && !has_ended(&f); i++)
        step_all(&f);
    assert_true(has_ended(&f));
    assert_int_equal(sim_actor_result(&f.actors[0], &err), ST_OK);
    assert_int_equal(worker_result(f.worker, &err), ST_DATA);
    tear_down(&f);
}

TEST_MAIN(cmocka_unit_test(test_a_failed_job_does_not_wait_for_the_storage),
          cmocka_unit_test(test_a_failed_job_ends_its_upload),
          cmocka_unit_test(test_what_was_read_is_committed),
          cmocka_unit_test(test_without_brokers_it_ends_in_time),
          cmocka_unit_test(test_brokers_that_come_back_in_time),
          cmocka_unit_test(test_without_storage_it_ends_in_time),
          cmocka_unit_test(test_storage_that_comes_back_in_time),
          cmocka_unit_test(test_nothing_read_ends_at_once),
          cmocka_unit_test(test_there_may_be_less_time_later),
          cmocka_unit_test(test_a_stop_while_partitions_go_away),
          cmocka_unit_test(test_a_revoke_waits_for_minutes),
          cmocka_unit_test(test_a_revoke_does_not_wait_for_ever))
