// SPDX-License-Identifier: Apache-2.0
// Every outcome of publishing an entry, one after another. The call to make fail is the
// first rename into the log; what is then right is docs/commit-log.md, "Publish entry N".
#include "test.h"

#include "engine/abandon.h"
#include "engine/log_read.h"
#include "sim/sim_clock.h"
#include "storage/fault.h"
#include "storage/mem.h"

#define ME    "00000000-0000-4000-8000-00000000000a"
#define OTHER "00000000-0000-4000-8000-00000000000b"

// A log with entry 0, and a claim of partition 0 that is to become entry 1.
struct fixture {
    struct sim_clock clock;
    struct mem_tree *tree;
    struct storage *storage; // with faults
    struct storage *view;    // without
    struct job job;
    struct log_state state, others;
    struct publish publish;
    struct span span;
    struct fault fault;   // of the next rename into the log
    bool removes_source;  // before it
    struct fault writing; // of the next write
};

static struct fault decide(void *context, const struct fault_call *call)
{
    struct fixture *fix = context;
    struct err err;
    struct fault fault = {0};
    if (call->op == FAULT_WRITE) {
        fault = fix->writing;
        fix->writing = (struct fault){0};
    }
    if (call->op != FAULT_PUBLISH)
        return fault;
    if (fix->removes_source)
        assert_ok(fix->view->ops->remove(fix->view, call->path, &err), &err);
    fault = fix->fault;
    fix->fault = (struct fault){0};
    fix->removes_source = false;
    return fault;
}

static void prepare(struct fixture *fix, struct storage *storage, struct log_state *state,
                    struct publish *publish, const char *writer, enum entry_kind kind)
{
    publish->storage = storage;
    publish->env = &fix->clock.env;
    publish->job = &fix->job;
    publish->state = state;
    publish->kind = kind;
    publish->writer = writer;
    publish->spans = &fix->span;
    publish->n_spans = kind != ENTRY_JOB;
    publish->base = state->next;
    publish_start(publish);
}

static enum status step_to_end(struct publish *publish, struct err *err)
{
    enum status rc = ST_OK;
    while (rc == ST_OK && publish->outcome == PUBLISH_GOES_ON)
        rc = publish_step(publish, err);
    return rc;
}

// Another worker publishes an entry of this partition.
static void others_publish(struct fixture *fix, enum entry_kind kind, int32_t partition)
{
    struct publish publish = {0};
    struct err err;
    fix->span.partition = partition;
    prepare(fix, fix->view, &fix->others, &publish, OTHER, kind);
    assert_ok(step_to_end(&publish, &err), &err);
    assert_int_equal(publish.outcome, PUBLISH_DONE);
    publish_release(&publish);
}

static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.span = {.last = {.offset = -1}}};
    struct fault_config config = {.decide = decide, .context = fix};
    struct err err;
    sim_clock_init(&fix->clock, 1);
    fix->tree = mem_tree_open(&fix->clock.env);
    fix->view = storage_mem_open(fix->tree, "/r");
    fix->storage = storage_fault_open(storage_mem_open(fix->tree, "/r"), &config);
    fix->job.settings = job_settings_default();
    others_publish(fix, ENTRY_JOB, 0);
    struct arena arena = {0};
    struct entry entry;
    assert_ok(log_read(fix->view, 0, &arena, &entry, &err), &err);
    assert_ok(log_state_apply(&fix->state, &entry, &err), &err);
    arena_release(&arena);
    fix->span.partition = 0;
    prepare(fix, fix->storage, &fix->state, &fix->publish, ME, ENTRY_CLAIM);
}

static void tear_down(struct fixture *fix)
{
    publish_release(&fix->publish);
    log_state_release(&fix->state);
    log_state_release(&fix->others);
    fix->storage->ops->close(fix->storage);
    fix->view->ops->close(fix->view);
    mem_tree_unref(fix->tree);
}

static void assert_writer(struct fixture *fix, int64_t number, const char *writer)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    assert_ok(log_read(fix->view, number, &arena, &entry, &err), &err);
    assert_str(entry.writer, writer);
    arena_release(&arena);
}

static void test_published(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_writer(&fix, 1, ME);
    assert_int_equal(fix.state.next, 2);
    tear_down(&fix);
}

// Nobody could read it, or no reader would take it: it is not written anywhere.
static void test_an_entry_that_would_end_the_log_is_not_published(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    bool is_there;
    set_up(&fix);
    struct path folder = path_writer(str_of(ME));
    fix.job.worker = STR_LITERAL("caf\xE9/1/0");
    assert_status(step_to_end(&fix.publish, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 1 is not published, since nobody could read it: "
                                  "field 'worker' is not a text");
    fix.job.worker = STR_LITERAL("host/1/0");
    fix.span.next = 10; // of which none was read or skipped
    publish_start(&fix.publish);
    assert_status(step_to_end(&fix.publish, &err), ST_DATA);
    assert_string_equal(err.text,
                        "the commit log is damaged: entry 1 has offsets that do "
                        "not add up; tramline verify tells more");
    assert_ok(log_exists(fix.view, path_str(&folder), &is_there, &err), &err);
    assert_false(is_there);
    fix.span.next = 0;
    publish_start(&fix.publish);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_writer(&fix, 1, ME);
    tear_down(&fix);
}

static void test_a_lost_answer_is_settled_by_reading(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault.kind = FAULT_LOSE;
    assert_status(step_to_end(&fix.publish, &err), ST_UNKNOWN);
    assert_int_equal(fix.publish.outcome, PUBLISH_GOES_ON);
    assert_ok(step_to_end(&fix.publish, &err), &err); // reads, and it is ours
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    tear_down(&fix);
}

static void test_nothing_read_means_the_same_rename_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault.kind = FAULT_DROP;
    assert_status(step_to_end(&fix.publish, &err), ST_UNKNOWN);
    struct path source = fix.publish.source;
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_string_equal(fix.publish.source.text, source.text);
    tear_down(&fix);
}

// The first rename takes effect just before the second, which then finds its own work.
static void test_a_late_rename_is_ours_too(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault = (struct fault){.kind = FAULT_LATE, .settle_after = 2};
    assert_status(step_to_end(&fix.publish, &err), ST_UNKNOWN);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_writer(&fix, 1, ME);
    assert_int_equal(fix.state.next, 2);
    tear_down(&fix);
}

static void test_a_number_taken_by_others_means_the_next_one(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    others_publish(&fix, ENTRY_CLAIM, 1);
    fix.span.partition = 0;
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_writer(&fix, 1, OTHER);
    assert_writer(&fix, 2, ME);
    tear_down(&fix);
}

static void test_a_number_taken_for_our_partition_is_a_conflict(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    others_publish(&fix, ENTRY_CLAIM, 0);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_CONFLICT);
    struct abandon abandon;
    abandon_start(&abandon);
    while (abandon.phase != ABANDON_END)
        assert_ok(abandon_step(&abandon, &fix.publish, &err), &err);
    assert_false(abandon.is_published);
    bool is_there;
    struct path folder = path_writer(str_of(ME));
    assert_ok(log_exists(fix.view, path_str(&folder), &is_there, &err), &err);
    assert_false(is_there);
    tear_down(&fix);
}

static void test_a_source_that_is_gone_is_told(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.removes_source = true;
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_LOST);
    tear_down(&fix);
}

static void test_a_bucket_that_is_gone_is_made_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    struct path last = path_entry(bucket_first(1) - 1);
    struct entry newest = {.number = bucket_first(1) - 1,
                           .kind = ENTRY_CLAIM,
                           .writer = STR_LITERAL(OTHER),
                           .attempt = STR_LITERAL(OTHER)};
    memcpy(newest.prev, fix.state.last_checksum, SHA256_HEX);
    struct buf bytes = {0};
    assert_ok(entry_encode(&newest, &bytes, &err), &err);
    assert_ok(storage_write_bytes(fix.view, path_str(&last), buf_as_str(&bytes), &err),
              &err);
    buf_release(&bytes);
    fix.state.next = bucket_first(1);
    memcpy(fix.state.last_checksum, newest.checksum, SHA256_HEX);
    fix.span.partition = 0;
    fix.publish.base = fix.state.next;
    fix.publish.n_made_buckets = 2; // believes that it is there
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_writer(&fix, bucket_first(1), ME);
    tear_down(&fix);
}

// Its number is free because entries were removed, or because there is no log any more.
static void test_a_number_that_is_free_again_is_not_taken(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    struct path entry = path_entry(0);
    set_up(&fix);
    assert_ok(fix.view->ops->remove(fix.view, path_str(&entry), &err), &err);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_STALE);
    assert_int_equal(fix.state.next, 0); // to be read anew
    bool is_there;
    entry = path_entry(1);
    assert_ok(log_exists(fix.view, path_str(&entry), &is_there, &err), &err);
    assert_false(is_there);
    tear_down(&fix);
}

static void test_nothing_is_published_into_another_log(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    struct path entry = path_entry(0);
    set_up(&fix);
    assert_ok(fix.view->ops->remove(fix.view, path_str(&entry), &err), &err);
    log_state_release(&fix.others);
    others_publish(&fix, ENTRY_JOB, 0);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_STALE);
    tear_down(&fix);
}

static void test_an_entry_that_changed_on_its_way_is_written_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.writing.kind = FAULT_CHANGE;
    assert_status(step_to_end(&fix.publish, &err), ST_RETRY);
    struct path changed = fix.publish.source;
    char text[256];
    snprintf(text, sizeof(text),
             "mem:///r/%s: the storage does not hold the %zu bytes sent to it",
             changed.text, fix.publish.bytes.n);
    assert_string_equal(err.text, text);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    assert_int_equal(fix.publish.outcome, PUBLISH_DONE);
    assert_string_not_equal(fix.publish.source.text, changed.text);
    assert_writer(&fix, 1, ME);
    tear_down(&fix);
}

// However it came about: work that the log has already is not published once more.
static void test_work_is_published_where_the_partition_stands(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    assert_ok(step_to_end(&fix.publish, &err), &err);
    struct span work = {.next = 10, .data = 10, .last = {.offset = 9}};
    for (int i = 0; i < 2; i++) {
        fix.span = work;
        prepare(&fix, fix.storage, &fix.state, &fix.publish, ME, ENTRY_COMMIT);
        assert_ok(step_to_end(&fix.publish, &err), &err);
        assert_int_equal(fix.publish.outcome, i ? PUBLISH_CONFLICT : PUBLISH_DONE);
    }
    tear_down(&fix);
}

static void give_up(struct fixture *fix, struct abandon *abandon)
{
    struct err err;
    abandon_start(abandon);
    while (abandon->phase != ABANDON_END)
        assert_ok(abandon_step(abandon, &fix->publish, &err), &err);
}

static void test_given_up_it_can_never_appear(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    struct abandon abandon;
    set_up(&fix);
    fix.fault.kind = FAULT_LATE;
    assert_status(step_to_end(&fix.publish, &err), ST_UNKNOWN);
    give_up(&fix, &abandon);
    assert_false(abandon.is_published);
    storage_fault_settle(fix.storage);
    bool is_there;
    struct path entry = path_entry(1);
    assert_ok(log_exists(fix.view, path_str(&entry), &is_there, &err), &err);
    assert_false(is_there);
    tear_down(&fix);
}

static void test_giving_up_finds_what_was_published_after_all(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    struct abandon abandon;
    set_up(&fix);
    fix.fault.kind = FAULT_LOSE;
    assert_status(step_to_end(&fix.publish, &err), ST_UNKNOWN);
    give_up(&fix, &abandon);
    assert_true(abandon.is_published);
    assert_int_equal(fix.state.next, 2);
    bool is_there;
    struct path folder = path_writer(str_of(ME));
    assert_ok(log_exists(fix.view, path_str(&folder), &is_there, &err), &err);
    assert_true(is_there);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_published),
          cmocka_unit_test(test_an_entry_that_would_end_the_log_is_not_published),
          cmocka_unit_test(test_a_lost_answer_is_settled_by_reading),
          cmocka_unit_test(test_nothing_read_means_the_same_rename_again),
          cmocka_unit_test(test_a_late_rename_is_ours_too),
          cmocka_unit_test(test_a_number_taken_by_others_means_the_next_one),
          cmocka_unit_test(test_a_number_taken_for_our_partition_is_a_conflict),
          cmocka_unit_test(test_a_source_that_is_gone_is_told),
          cmocka_unit_test(test_a_bucket_that_is_gone_is_made_again),
          cmocka_unit_test(test_a_number_that_is_free_again_is_not_taken),
          cmocka_unit_test(test_nothing_is_published_into_another_log),
          cmocka_unit_test(test_an_entry_that_changed_on_its_way_is_written_again),
          cmocka_unit_test(test_work_is_published_where_the_partition_stands),
          cmocka_unit_test(test_given_up_it_can_never_appear),
          cmocka_unit_test(test_giving_up_finds_what_was_published_after_all))
