// SPDX-License-Identifier: Apache-2.0
// Calls that failed for now are made again, for as long as they may.
#include "test.h"

#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_patience.h"

enum {
    LIMIT_MS = 60000
};

struct fixture {
    struct sim_clock clock;
    struct mem_tree *tree;
    struct storage *storage; // fault over mem
    struct sim_patience sim;
    int n_failures; // of calls to come
    enum fault_kind kind;
};

static struct fault decide(void *context, UNUSED const struct fault_call *call)
{
    struct fixture *fix = context;
    if (fix->n_failures == 0)
        return (struct fault){0};
    fix->n_failures--;
    return (struct fault){.kind = fix->kind};
}

static void set_up(struct fixture *fix)
{
    struct fault_config config = {.decide = decide, .context = fix};
    *fix = (struct fixture){.kind = FAULT_REFUSE};
    sim_clock_init(&fix->clock, 1);
    fix->tree = mem_tree_open(&fix->clock.env);
    fix->storage = storage_fault_open(storage_mem_open(fix->tree, "/r"), &config);
    sim_patience_init(&fix->sim, fix->storage, &fix->clock, LIMIT_MS);
}

static void tear_down(struct fixture *fix)
{
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
}

static enum status look(struct fixture *fix, struct err *err)
{
    struct storage *storage = &fix->sim.patience.storage;
    struct file_info info;
    return storage->ops->stat(storage, STR_LITERAL("x"), &info, err);
}

static uint64_t n_calls(const struct fixture *fix)
{
    return storage_fault_n_calls(fix->storage);
}

static void test_pauses_grow_until_there_is_an_answer(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.n_failures = 4;
    assert_status(look(&fix, &err), ST_NOT_FOUND);
    assert_int_equal(n_calls(&fix), 5);
    assert_int_equal(fix.sim.paused_ms, 100 + 200 + 400 + 800);
    fix.n_failures = 1; // an answer was progress: it begins with the shortest pause
    assert_status(look(&fix, &err), ST_NOT_FOUND);
    assert_int_equal(fix.sim.paused_ms, 1600);
    assert_int_equal(atomic_load(&fix.sim.status.n_waiting), 0);
    tear_down(&fix);
}

static void test_the_limit_counts_from_the_first_failure(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.n_failures = 1000;
    assert_status(look(&fix, &err), ST_FAIL);
    assert_string_equal(err.text, "mem:///r/x: stat: refused (made by a test); gave up "
                                  "after 60 s (SET storage.retry)");
    assert_in_range(fix.sim.paused_ms, LIMIT_MS, LIMIT_MS + 10000);
    tear_down(&fix);
}

// Within an attempt other calls that go well are not progress.
static void test_an_attempt_has_one_limit(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    enum status rc = ST_NOT_FOUND;
    patience_attempt(&fix.sim.patience);
    for (int i = 0; rc == ST_NOT_FOUND && i < 1000; i++) {
        fix.n_failures = 1;
        rc = look(&fix, &err);
    }
    assert_status(rc, ST_FAIL);
    patience_attempt_end(&fix.sim.patience);
    fix.n_failures = 1;
    assert_status(look(&fix, &err), ST_NOT_FOUND);
    tear_down(&fix);
}

static void test_failures_may_be_counted(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.n_failures = 1000;
    patience_attempt_times(&fix.sim.patience, 5);
    assert_status(look(&fix, &err), ST_FAIL);
    assert_int_equal(n_calls(&fix), 5);
    tear_down(&fix);
}

// What they came to is for the caller to find out.
static void test_writes_and_renames_are_made_once(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    struct storage *storage = &fix.sim.patience.storage;
    fix.n_failures = 2;
    fix.kind = FAULT_DROP;
    assert_status(storage_write_bytes(storage, STR_LITERAL("x"), STR_LITERAL("1"), &err),
                  ST_UNKNOWN);
    assert_status(
        storage->ops->publish(storage, STR_LITERAL("x"), STR_LITERAL("y"), &err),
        ST_UNKNOWN);
    assert_int_equal(n_calls(&fix), 2);
    enum status rc = ST_UNKNOWN;
    assert_true(patience_again(&fix.sim.patience, &rc, &err));
    assert_int_equal(fix.sim.paused_ms, 100);
    tear_down(&fix);
}

static void test_after_the_deadline_nothing_is_made_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    deadline_end(&fix.sim.deadline);
    assert_status(look(&fix, &err), ST_NOT_FOUND);
    fix.n_failures = 1000;
    assert_status(look(&fix, &err), ST_FAIL);
    assert_string_equal(err.text, "mem:///r/x: stat: refused (made by a test); no time "
                                  "was left to try again");
    assert_int_equal(n_calls(&fix), 2);
    tear_down(&fix);
}

static void test_at_leisure_there_is_one_try_and_none_when_called(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.sim.patience.is_leisure = true;
    fix.n_failures = 1;
    assert_status(look(&fix, &err), ST_FAIL);
    assert_status(look(&fix, &err), ST_NOT_FOUND);
    assert_int_equal(n_calls(&fix), 2);
    fix.sim.is_called = true;
    assert_status(look(&fix, &err), ST_STOP);
    assert_int_equal(n_calls(&fix), 2);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_pauses_grow_until_there_is_an_answer),
          cmocka_unit_test(test_the_limit_counts_from_the_first_failure),
          cmocka_unit_test(test_an_attempt_has_one_limit),
          cmocka_unit_test(test_failures_may_be_counted),
          cmocka_unit_test(test_writes_and_renames_are_made_once),
          cmocka_unit_test(test_after_the_deadline_nothing_is_made_again),
          cmocka_unit_test(test_at_leisure_there_is_one_try_and_none_when_called))
