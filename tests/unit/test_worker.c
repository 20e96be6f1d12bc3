// SPDX-License-Identifier: Apache-2.0
// A worker with its committer on a topic in trouble, without chance: what is said, what
// goes on.
#include "test.h"

#include <unistd.h>

#include "base/log.h"
#include "log/log_read.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"

struct fixture {
    struct sim_job job;
    struct mem_tree *tree;
    struct storage *storage;
    FILE *said;
    int stderr_fd;
    struct buf text;
};

static void set_up(struct fixture *fix, int32_t n_partitions)
{
    *fix = (struct fixture){0};
    sim_job_init(&fix->job, n_partitions);
    fix->tree = mem_tree_open(&fix->job.clock.env);
    fix->storage = storage_mem_open(fix->tree, "/r");
    for (int32_t p = 0; p < n_partitions; p++)
        for (int i = 0; i < 20; i++)
            sim_job_record(&fix->job, p, SIM_ROWS, 1);
    fix->said = tmpfile();
    fix->stderr_fd = dup(STDERR_FILENO);
    dup2(fileno(fix->said), STDERR_FILENO);
}

// What was said on stderr since set_up().
static const char *said(struct fixture *fix)
{
    char piece[4096];
    size_t n;
    dup2(fix->stderr_fd, STDERR_FILENO);
    rewind(fix->said);
    while ((n = fread(piece, 1, sizeof(piece), fix->said)) > 0)
        buf_append(&fix->text, piece, n);
    return buf_cstr(&fix->text);
}

static void tear_down(struct fixture *fix)
{
    fclose(fix->said);
    close(fix->stderr_fd);
    buf_release(&fix->text);
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
}

static void append(struct fixture *fix, int32_t partition, int n)
{
    for (int i = 0; i < n; i++)
        sim_job_record(&fix->job, partition, SIM_ROWS, 1);
}

static void test_a_partition_without_leader_is_said(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix, 2);
    append(&fix, 1, 1000); // longer to read than until then
    sim_topic_away(&fix.job.topic, 1, 400, 5000);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    const char *text = said(&fix);
    assert_ok(rc, &err);
    assert_non_null(strstr(text,
                           "warn  topic 'stop_times' partition 1 has no leader (made "
                           "by a test); the other partitions go on\n"));
    assert_int_equal(atomic_load(&fix.job.status.committed_records), 1040);
    tear_down(&fix);
}

static void assert_once_fails(struct fixture *fix, const char *text)
{
    struct err err = {0};
    fix->job.job.settings.once_timeout_ms = 60000;
    int64_t began_ms = fix->job.clock.now_ms;
    enum status rc = sim_job_run(&fix->job, fix->storage, &err);
    said(fix);
    assert_int_equal(rc, ST_FAIL);
    assert_string_equal(err.text, text);
    assert_in_range(fix->job.clock.now_ms - began_ms, 60000, 100000);
}

// Before it is known where it ends, and later.
static void test_once_does_not_wait_for_ever(UNUSED void **state)
{
    static struct fixture fix;
    set_up(&fix, 3);
    sim_topic_away(&fix.job.topic, 1, 0, INT64_MAX);
    assert_once_fails(&fix, "run --once has waited for 60 s for 'stop_times': where "
                            "partition 1 ends; topic 'stop_times' partition 1 has no "
                            "leader (made by a test); a longer once.timeout waits "
                            "longer");
    tear_down(&fix);
    set_up(&fix, 2);
    append(&fix, 1, 1000); // longer to read than until then
    sim_topic_away(&fix.job.topic, 1, 400, INT64_MAX);
    struct err err = {0};
    fix.job.job.settings.once_timeout_ms = 60000;
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    said(&fix);
    assert_int_equal(rc, ST_FAIL);
    // How far it came until then is up to the schedule.
    const char *at = strstr(err.text, "stands at ");
    assert_non_null(at);
    char expected[200];
    snprintf(expected, sizeof(expected),
             "run --once has waited for 60 s for 'stop_times': partition 1, which was at "
             "1020 then and stands at %d; a longer once.timeout waits longer",
             atoi(at + strlen("stands at ")));
    assert_string_equal(err.text, expected);
    assert_true(atomic_load(&fix.job.status.committed_records) >= 20);
    tear_down(&fix);
}

// A unit that waits for the topic is not progress either: it may be of another one.
static void test_once_does_not_wait_for_a_look_for_ever(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix, 1);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err); // the witness
    assert_ok(rc, &err);
    append(&fix, 0, 1000); // longer to read than until then
    sim_topic_away(&fix.job.topic, 0, fix.job.clock.now_ms + 400, INT64_MAX);
    fix.job.job.settings.once_timeout_ms = 60000;
    fix.job.job.settings.commit_interval_ms = 1000;
    int64_t began_ms = fix.job.clock.now_ms;
    rc = sim_job_run(&fix.job, fix.storage, &err);
    const char *text = said(&fix);
    assert_int_equal(rc, ST_FAIL);
    assert_non_null(strstr(
        err.text, "; topic 'stop_times' partition 0 has no leader (made by a test); a "
                  "longer once.timeout waits longer"));
    assert_in_range(fix.job.clock.now_ms - began_ms, 60000, 100000);
    assert_non_null(strstr(text, "warn  topic 'stop_times' partition 0 has no leader "
                                 "(made by a test); waiting\n"));
    assert_int_equal(atomic_load(&fix.job.status.committed_records), 20);
    tear_down(&fix);
}

// As long as something comes it goes on, and one that comes back in time is read.
static void test_once_waits_while_something_comes(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix, 2);
    fix.job.job.settings.once_timeout_ms = 60000;
    sim_topic_away(&fix.job.topic, 1, 0, fix.job.clock.now_ms + 40000);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    said(&fix);
    assert_ok(rc, &err);
    assert_int_equal(atomic_load(&fix.job.status.committed_records), 40);
    tear_down(&fix);
}

// When the log has the partition up to `next`, -1: it has not.
static int64_t committed_ms(struct fixture *fix, int32_t partition, int64_t next)
{
    struct err err;
    struct entry entry;
    for (int64_t number = 0;; number++) {
        struct arena arena AUTO(arena_release) = {0};
        if (log_read(fix->storage, number, &arena, &entry, &err) != ST_OK)
            return -1;
        for (size_t i = 0; i < entry.n_spans; i++)
            if (entry.spans[i].partition == partition && entry.spans[i].next >= next)
                return entry.time_ms - SIM_EPOCH_MS;
    }
}

// What does not answer when it is assigned is read later, and keeps nobody waiting.
static void test_a_partition_that_does_not_answer_is_late(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix, 3);
    fix.job.job.settings.commit_interval_ms = 500;
    assert_ok(sim_job_run(&fix.job, fix.storage, &err), &err);
    int64_t now_ms = fix.job.clock.now_ms;
    sim_topic_away(&fix.job.topic, 1, now_ms, now_ms + 20000);
    for (int32_t p = 0; p < 3; p++)
        append(&fix, p, 20);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    const char *text = said(&fix);
    assert_ok(rc, &err);
    assert_non_null(strstr(text,
                           "warn  topic 'stop_times' partition 1 has no leader (made "
                           "by a test); waiting\n"));
    assert_non_null(strstr(text,
                           "warn  topic 'stop_times' partition 1 has no leader (made "
                           "by a test); 1 of 3 partitions do not answer and are "
                           "read later\n"));
    assert_non_null(strstr(text,
                           "info  topic 'stop_times': 1 of the partitions that did not "
                           "answer do now; after a commit all are claimed again\n"));
    for (int32_t p = 0; p < 3; p += 2)
        assert_in_range(committed_ms(&fix, p, 40), now_ms, now_ms + 5000);
    assert_in_range(committed_ms(&fix, 1, 40), now_ms + 20000, now_ms + 35000);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_once_does_not_wait_for_ever),
          cmocka_unit_test(test_once_does_not_wait_for_a_look_for_ever),
          cmocka_unit_test(test_once_waits_while_something_comes),
          cmocka_unit_test(test_a_partition_without_leader_is_said),
          cmocka_unit_test(test_a_partition_that_does_not_answer_is_late))
