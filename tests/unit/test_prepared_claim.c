// SPDX-License-Identifier: Apache-2.0
// A claim that was prepared beforehand: what lies in tmp is published where it is what
// the log now wants, and made anew where anything came otherwise. Nothing of it stays.
#include "test.h"

#include "commit/committer.h"
#include "job_settings.h"
#include "log/log_read.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_clock.h"

#define FOLDER "00000000-0000-4000-8000-00000000000f"

enum {
    PARTITIONS = 3,
    LOW = 5 // where each begins
};

struct fixture {
    struct waiter waiter; // first member
    struct sim_clock clock;
    struct mem_tree *tree;
    struct storage *storage; // counts
    struct storage *view;
    struct topic topic;
    bool is_silent; // the topic
    struct job job;
    struct deadline deadline;
    struct engine_status status;
    struct prepared_claim prepared;
    int n_written;
};

static void jump(struct waiter *waiter, struct wait wait)
{
    ((struct fixture *)waiter)->clock.now_ms = wait.until_ms;
}

static bool is_called(UNUSED void *context)
{
    return false;
}

static struct fault count_writes(void *context, const struct fault_call *call)
{
    ((struct fixture *)context)->n_written += call->op == FAULT_WRITE;
    return (struct fault){0};
}

static struct fixture *of(struct topic *topic)
{
    return (struct fixture *)((char *)topic - offsetof(struct fixture, topic));
}

static enum status count(struct topic *topic, int32_t *ret, struct err *err)
{
    *ret = PARTITIONS;
    return of(topic)->is_silent ? err_set(err, ST_RETRY, "no broker") : ST_OK;
}

static enum status range(UNUSED struct topic *topic, UNUSED int32_t partition,
                         struct topic_range *ret, UNUSED struct err *err)
{
    *ret = (struct topic_range){LOW, 100};
    return ST_OK;
}

static const struct topic_ops topic_ops = {.count = count, .range = range};

static void set_up(struct fixture *fix)
{
    struct fault_config config = {.decide = count_writes, .context = fix};
    *fix = (struct fixture){.waiter = {jump}, .topic = {.ops = &topic_ops}};
    sim_clock_init(&fix->clock, 1);
    fix->tree = mem_tree_open(&fix->clock.env);
    fix->view = storage_mem_open(fix->tree, "/r");
    fix->storage = storage_fault_open(storage_mem_open(fix->tree, "/r"), &config);
    fix->job = (struct job){.identity = {STR_LITERAL("c"), STR_LITERAL("t"),
                                         STR_LITERAL("g"), STR_LITERAL("n")},
                            .plan = STR_LITERAL("plan"),
                            .schema = STR_LITERAL("value TEXT"),
                            .dimension = STR_LITERAL("one"),
                            .worker = STR_LITERAL("host/1/0"),
                            .settings = job_settings_default()};
    memcpy(fix->prepared.folder, FOLDER, UUID_TEXT);
}

static void tear_down(struct fixture *fix)
{
    prepared_claim_release(&fix->prepared);
    fix->storage->ops->close(fix->storage);
    fix->view->ops->close(fix->view);
    mem_tree_unref(fix->tree);
}

static struct committer *open_committer(struct fixture *fix,
                                        struct prepared_claim *prepared)
{
    return committer_open(&(struct committer_parts){.job = &fix->job,
                                                    .storage = fix->storage,
                                                    .env = &fix->clock.env,
                                                    .waiter = &fix->waiter,
                                                    .deadline = &fix->deadline,
                                                    .status = &fix->status,
                                                    .prepared = prepared,
                                                    .is_called = is_called});
}

// Of the first `n` partitions, from where the log has them.
static void claim(struct committer *com, size_t n)
{
    struct stream_start starts[PARTITIONS];
    struct err err;
    assert_ok(committer_recover(com, &err), &err);
    for (int32_t i = 0; i < PARTITIONS; i++)
        starts[i] = (struct stream_start){.partition = i, .offset = LOW};
    const struct claim claim = {.starts = starts,
                                .n_starts = n,
                                .origins = starts,
                                .n_origins = PARTITIONS,
                                .base = committer_state(com)->next};
    assert_ok(committer_claim(com, &claim, &err), &err);
}

static void others_claim(struct fixture *fix, size_t n)
{
    struct committer *com = open_committer(fix, NULL);
    claim(com, n);
    committer_free(com);
}

static void prepare(struct fixture *fix)
{
    struct prepared_claim *prepared = &fix->prepared;
    struct err err;
    assert_ok(prepared_claim_read(prepared, &fix->job, fix->storage, &err), &err);
    assert_ok(
        prepared_claim_make(prepared, &fix->job, &fix->topic, &fix->clock.env, &err),
        &err);
    if (prepared->job != NULL)
        assert_ok(prepared_entry_write(prepared->job, fix->storage, &err), &err);
    if (prepared->claim != NULL)
        assert_ok(prepared_entry_write(prepared->claim, fix->storage, &err), &err);
    fix->n_written = 0;
}

static size_t n_in_folder(struct fixture *fix)
{
    struct arena arena = {0};
    struct file_list list = {0};
    struct err err;
    enum status rc = fix->view->ops->list(fix->view, STR_LITERAL("_tramline/tmp/" FOLDER),
                                          &arena, &list, &err);
    arena_release(&arena);
    return rc == ST_OK ? list.n : 0;
}

// What the log's entry `number` says: its kind, whether the prepared one is it, how many
// partitions it names and where the first stands.
static void assert_entry(struct fixture *fix, int64_t number, enum entry_kind kind,
                         const struct prepared_entry *same, size_t n_spans)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    assert_ok(log_read(fix->view, number, &arena, &entry, &err), &err);
    assert_int_equal(entry.kind, kind);
    assert_int_equal(entry.n_spans, n_spans);
    assert_int_equal(entry.spans[0].next, LOW);
    if (same != NULL)
        assert_true(str_eq(entry.attempt, same->made.entry.attempt));
    arena_release(&arena);
}

static void assert_tidied(struct fixture *fix, struct committer *com)
{
    while (committer_tidy(com))
        continue;
    assert_int_equal(n_in_folder(fix), 0);
    assert_false(fix->prepared.has_files);
}

static void test_an_empty_log_gets_both_entries(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    assert_int_equal(n_in_folder(&fix), 2);
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 0);
    assert_entry(&fix, 0, ENTRY_JOB, fix.prepared.job, PARTITIONS);
    assert_entry(&fix, 1, ENTRY_CLAIM, fix.prepared.claim, PARTITIONS);
    assert_string_equal(committer_writer(com), fix.prepared.writer);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

static void test_a_log_that_stands_gets_the_claim(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    others_claim(&fix, PARTITIONS);
    prepare(&fix);
    assert_null(fix.prepared.job);
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 0);
    assert_entry(&fix, 2, ENTRY_CLAIM, fix.prepared.claim, PARTITIONS);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

// The log has an entry more by now.
static void test_a_claim_that_lost_the_race_is_made_anew(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    others_claim(&fix, PARTITIONS);
    fix.n_written = 0;
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 1);
    assert_entry(&fix, 2, ENTRY_CLAIM, NULL, PARTITIONS);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

static void test_a_claim_of_fewer_partitions_is_made_anew(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, 1);
    assert_int_equal(fix.n_written, 1);
    assert_entry(&fix, 0, ENTRY_JOB, fix.prepared.job, PARTITIONS);
    assert_entry(&fix, 1, ENTRY_CLAIM, NULL, 1);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

static void test_other_tables_are_a_claim_made_anew(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    fix.job.dimension = STR_LITERAL("two");
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 2);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

static void test_a_folder_that_somebody_removed_is_a_claim_made_anew(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    others_claim(&fix, PARTITIONS);
    prepare(&fix);
    assert_ok(fix.view->ops->remove(fix.view, STR_LITERAL("_tramline/tmp/" FOLDER), &err),
              &err);
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 1);
    assert_entry(&fix, 2, ENTRY_CLAIM, NULL, PARTITIONS);
    assert_tidied(&fix, com);
    committer_free(com);
    tear_down(&fix);
}

// A worker that waits for partitions; it keeps its entries no longer than they are good.
static void test_what_is_too_old_goes(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    prepare(&fix);
    struct committer *com = open_committer(&fix, &fix.prepared);
    assert_ok(committer_recover(com, &err), &err);
    assert_false(committer_tidy(com));
    assert_int_equal(n_in_folder(&fix), 2);
    fix.clock.now_ms += 60001;
    assert_tidied(&fix, com);
    claim(com, PARTITIONS);
    assert_int_equal(fix.n_written, 2);
    committer_free(com);
    tear_down(&fix);
}

static void test_a_worker_without_a_claim_leaves_nothing(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    struct committer *com = open_committer(&fix, &fix.prepared);
    while (committer_tidy_last(com))
        continue;
    assert_int_equal(n_in_folder(&fix), 0);
    committer_free(com);
    tear_down(&fix);
}

static void test_after_a_failure_nothing_is_left(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    prepare(&fix);
    struct committer *com = open_committer(&fix, &fix.prepared);
    committer_drop_prepared(com);
    assert_int_equal(n_in_folder(&fix), 0);
    committer_free(com);
    tear_down(&fix);
}

// Then most of them would be of other partitions than they get.
static void test_shared_partitions_have_none_prepared(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    others_claim(&fix, PARTITIONS);
    others_claim(&fix, 1);
    prepare(&fix);
    assert_null(fix.prepared.claim);
    assert_int_equal(n_in_folder(&fix), 0);
    struct committer *com = open_committer(&fix, &fix.prepared);
    claim(com, 1);
    assert_entry(&fix, 3, ENTRY_CLAIM, NULL, 1);
    committer_free(com);
    tear_down(&fix);
}

static void test_a_log_of_another_job_has_nothing_written(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    others_claim(&fix, PARTITIONS);
    fix.job.identity.topic = STR_LITERAL("other");
    assert_status(prepared_claim_read(&fix.prepared, &fix.job, fix.storage, &err),
                  ST_USAGE);
    assert_int_equal(fix.prepared.log.next, 0);
    fix.job.identity.topic = STR_LITERAL("t");
    tear_down(&fix);
}

static void test_a_topic_that_is_silent_is_not_waited_for(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.is_silent = true;
    assert_status(
        prepared_claim_make(&fix.prepared, &fix.job, &fix.topic, &fix.clock.env, &err),
        ST_RETRY);
    assert_null(fix.prepared.claim);
    assert_false(fix.prepared.has_files);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_an_empty_log_gets_both_entries),
          cmocka_unit_test(test_a_log_that_stands_gets_the_claim),
          cmocka_unit_test(test_a_claim_that_lost_the_race_is_made_anew),
          cmocka_unit_test(test_a_claim_of_fewer_partitions_is_made_anew),
          cmocka_unit_test(test_other_tables_are_a_claim_made_anew),
          cmocka_unit_test(test_a_folder_that_somebody_removed_is_a_claim_made_anew),
          cmocka_unit_test(test_what_is_too_old_goes),
          cmocka_unit_test(test_a_worker_without_a_claim_leaves_nothing),
          cmocka_unit_test(test_after_a_failure_nothing_is_left),
          cmocka_unit_test(test_shared_partitions_have_none_prepared),
          cmocka_unit_test(test_a_log_of_another_job_has_nothing_written),
          cmocka_unit_test(test_a_topic_that_is_silent_is_not_waited_for))
