// SPDX-License-Identifier: Apache-2.0
// What a crash has left of a claim that was prepared, where it cannot be removed when the
// next worker begins: it is kept in mind until it can.
#include "test.h"

#include <stdlib.h>

#include "job/claim_beside.h"
#include "log/paths.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"

#define FOLDER "00000000-0000-4000-8000-00000000000f"

struct fixture {
    struct mem_tree *tree;
    struct storage *storage, *uploads, *view;
    struct pipeline pipeline;
    struct job job;
    struct slot slot;
    struct topic topic;
    int n_refused; // calls to remove something that go wrong
};

static struct fault refuse_some(void *context, const struct fault_call *call)
{
    struct fixture *fix = context;
    if (call->op != FAULT_REMOVE || fix->n_refused == 0)
        return (struct fault){0};
    fix->n_refused--;
    return (struct fault){.kind = FAULT_REFUSE};
}

static void set_up(struct fixture *fix)
{
    struct fault_config config = {.decide = refuse_some, .context = fix};
    const struct path left = path_tmp(STR_LITERAL(FOLDER), FOLDER);
    struct err err;
    *fix = (struct fixture){.slot = {.kept = FOLDER, .is_left = true}, .n_refused = 1};
    fix->tree = mem_tree_open(NULL);
    fix->view = storage_mem_open(fix->tree, "/r");
    fix->uploads = storage_mem_open(fix->tree, "/r");
    fix->storage = storage_fault_open(storage_mem_open(fix->tree, "/r"), &config);
    assert_ok(storage_write_bytes(fix->view, path_str(&left), STR_LITERAL("{}"), &err),
              &err);
}

static void tear_down(struct fixture *fix)
{
    fix->storage->ops->close(fix->storage);
    fix->uploads->ops->close(fix->uploads);
    fix->view->ops->close(fix->view);
    mem_tree_unref(fix->tree);
}

static bool is_left(const struct fixture *fix)
{
    const struct path folder = path_writer(STR_LITERAL(FOLDER));
    struct file_info info;
    return fix->view->ops->stat(fix->view, path_str(&folder), &info, NULL) == ST_OK;
}

static void run(struct fixture *fix, bool is_wanted, struct prepared_claim **ret)
{
    struct claim_beside beside;
    claim_beside_begin(&beside, &(struct claim_beside_parts){
                                    .pipeline = &fix->pipeline,
                                    .job = &fix->job,
                                    .slot = &fix->slot,
                                    .topic = &fix->topic,
                                    .storage = fix->storage,
                                    .uploads = fix->uploads,
                                });
    claim_beside_end(&beside, is_wanted, ret);
}

static void test_what_cannot_be_removed_is_for_who_claims(UNUSED void **state)
{
    struct fixture fix;
    struct prepared_claim *prepared;
    set_up(&fix);
    run(&fix, true, &prepared);
    assert_non_null(prepared);
    assert_true(is_left(&fix) && prepared->claim == NULL);
    claim_beside_drop(fix.storage, prepared);
    assert_false(is_left(&fix));
    prepared_claim_release(prepared);
    free(prepared);
    tear_down(&fix);
}

static void test_a_worker_that_does_not_begin_tries_again(UNUSED void **state)
{
    struct fixture fix;
    struct prepared_claim *prepared;
    set_up(&fix);
    run(&fix, false, &prepared);
    assert_null(prepared);
    assert_false(is_left(&fix));
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_what_cannot_be_removed_is_for_who_claims),
          cmocka_unit_test(test_a_worker_that_does_not_begin_tries_again))
