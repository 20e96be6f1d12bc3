// SPDX-License-Identifier: Apache-2.0
// A worker with its committer on a topic in trouble, without chance: what is said, what
// goes on.
#include "test.h"

#include <unistd.h>

#include "base/log.h"
#include "sim/sim_job.h"
#include "storage/mem.h"

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

static void test_a_partition_without_leader_is_said(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix, 2);
    sim_topic_away(&fix.job.topic, 1, 400, 5000);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    const char *text = said(&fix);
    assert_ok(rc, &err);
    assert_non_null(strstr(text,
                           "warn  topic 'stop_times' partition 1 has no leader (made "
                           "by a test); the other partitions go on\n"));
    assert_int_equal(atomic_load(&fix.job.status.committed_records), 40);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_a_partition_without_leader_is_said))
