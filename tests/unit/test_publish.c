// SPDX-License-Identifier: Apache-2.0
// Every outcome of publishing an entry, one after another. The call to make fail is the
// first rename into the log; what is then right is docs/commit-log.md, "Publish entry N".
// test: takes 10
#include "test.h"

#include "commit/publish.h"
#include "job_settings.h"
#include "log/log_read.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_patience.h"

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
    struct sim_patience patience;
    struct publish publish;
    enum publish_outcome outcome;
    struct span span;
    struct fault fault;     // of the next rename into the log
    bool removes_source;    // before it
    int n_rivals;           // who take the number before it, one after another
    struct fault writing;   // of the next write
    struct path written[2]; // the entry, each time
    int n_written, n_renamed;
};

static void rival_publishes(struct fixture *fix);

static struct fault decide(void *context, const struct fault_call *call)
{
    struct fixture *fix = context;
    struct err err;
    struct fault fault = {0};
    if (call->op == FAULT_WRITE) {
        struct path *path = &fix->written[fix->n_written++ % 2];
        snprintf(path->text, sizeof(path->text), "%.*s", STR_ARGS(call->path));
        fault = fix->writing;
        fix->writing = (struct fault){0};
    }
    if (call->op != FAULT_PUBLISH)
        return fault;
    fix->n_renamed++;
    if (fix->n_rivals > 0 && fix->n_rivals--)
        rival_publishes(fix);
    if (fix->removes_source)
        assert_ok(fix->view->ops->remove(fix->view, call->path, &err), &err);
    fault = fix->fault;
    fix->fault = (struct fault){0};
    fix->removes_source = false;
    return fault;
}

static void prepare(struct fixture *fix, struct sim_patience *patience,
                    struct log_state *state, struct publish *publish, const char *writer)
{
    publish->patience = &patience->patience;
    publish->job = &fix->job;
    publish->state = state;
    publish->writer = writer;
}

static enum status publish_kind(struct fixture *fix, struct publish *publish,
                                enum entry_kind kind, struct err *err)
{
    struct publish_work work = {
        .kind = kind,
        .spans = &fix->span,
        .n_spans = kind != ENTRY_JOB,
        .base = publish->state->next,
    };
    return publish_entry(publish, &work, &fix->outcome, err);
}

// A claim of ours, as of an end of the log that was seen before others came.
static enum status publish_claim(struct fixture *fix, struct err *err)
{
    struct publish_work work = {
        .kind = ENTRY_CLAIM, .spans = &fix->span, .n_spans = 1, .base = 1};
    return publish_entry(&fix->publish, &work, &fix->outcome, err);
}

// Another worker publishes an entry of this partition.
static void others_publish(struct fixture *fix, enum entry_kind kind, int32_t partition)
{
    struct publish publish = {0};
    struct sim_patience patience;
    struct err err;
    fix->span.partition = partition;
    sim_patience_init(&patience, fix->view, &fix->clock, 0);
    prepare(fix, &patience, &fix->others, &publish, OTHER);
    assert_ok(publish_kind(fix, &publish, kind, &err), &err);
    assert_int_equal(fix->outcome, PUBLISH_DONE);
    publish_release(&publish);
    fix->span.partition = 0;
}

// A worker that has its next entry ready whenever somebody is about to take its number.
static void rival_publishes(struct fixture *fix)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    struct span span = fix->span;
    while (log_read(fix->view, fix->others.next, &arena, &entry, &err) == ST_OK)
        assert_ok(log_state_apply(&fix->others, &entry, &err), &err);
    arena_release(&arena);
    enum publish_outcome outcome = fix->outcome;
    others_publish(fix, ENTRY_CLAIM, 7);
    fix->outcome = outcome;
    fix->span = span;
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
    sim_patience_init(&fix->patience, fix->storage, &fix->clock, 60000);
    others_publish(fix, ENTRY_JOB, 0);
    struct arena arena = {0};
    struct entry entry;
    assert_ok(log_read(fix->view, 0, &arena, &entry, &err), &err);
    assert_ok(log_state_apply(&fix->state, &entry, &err), &err);
    arena_release(&arena);
    prepare(fix, &fix->patience, &fix->state, &fix->publish, ME);
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
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
    assert_status(publish_claim(&fix, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 1 is not published, since nobody could read it: "
                                  "field 'worker' is not a text");
    fix.job.worker = STR_LITERAL("host/1/0");
    fix.span.next = 10; // of which none was read or skipped
    assert_status(publish_claim(&fix, &err), ST_DATA);
    assert_string_equal(err.text,
                        "the commit log is damaged: entry 1 has offsets that do "
                        "not add up; tramline verify tells more");
    assert_ok(log_exists(fix.view, path_str(&folder), &is_there, &err), &err);
    assert_false(is_there);
    fix.span.next = 0;
    assert_ok(publish_claim(&fix, &err), &err);
    assert_writer(&fix, 1, ME);
    tear_down(&fix);
}

static void test_a_lost_answer_is_settled_by_reading(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault.kind = FAULT_LOSE;
    assert_ok(publish_claim(&fix, &err), &err); // reads, and it is ours
    assert_int_equal(fix.outcome, PUBLISH_DONE);
    assert_int_equal(fix.n_renamed, 1);
    assert_int_equal(fix.patience.paused_ms, 100);
    tear_down(&fix);
}

static void test_nothing_read_means_the_same_rename_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault.kind = FAULT_DROP;
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
    assert_int_equal(fix.n_renamed, 2);
    assert_int_equal(fix.n_written, 1);
    tear_down(&fix);
}

// The first rename takes effect just before the second, which then finds its own work.
static void test_a_late_rename_is_ours_too(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.fault = (struct fault){.kind = FAULT_LATE, .settle_after = 3};
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
    assert_int_equal(fix.n_renamed, 2);
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_CONFLICT);
    bool is_there, is_published;
    assert_ok(publish_abandon(&fix.publish, &is_published, &err), &err);
    assert_false(is_published);
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_LOST);
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
    fix.publish.n_made_buckets = 2; // believes that it is there
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_STALE);
    assert_int_equal(fix.state.next, 0); // to be read again
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
    assert_ok(publish_claim(&fix, &err), &err);
    assert_int_equal(fix.outcome, PUBLISH_STALE);
    tear_down(&fix);
}

static void test_an_entry_that_changed_on_its_way_is_written_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.writing.kind = FAULT_CHANGE;
    assert_ok(publish_claim(&fix, &err), &err);
    struct path changed = fix.written[0];
    char text[256];
    snprintf(text, sizeof(text),
             "mem:///r/%s: the storage does not hold the %zu bytes sent to it",
             changed.text, fix.publish.made.bytes.n);
    assert_string_equal(err.text, text);
    assert_int_equal(fix.outcome, PUBLISH_DONE);
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
    assert_ok(publish_claim(&fix, &err), &err);
    struct span work = {.next = 10, .data = 10, .last = {.offset = 9}};
    for (int i = 0; i < 2; i++) {
        fix.span = work;
        assert_ok(publish_kind(&fix, &fix.publish, ENTRY_COMMIT, &err), &err);
        assert_int_equal(fix.outcome, i ? PUBLISH_CONFLICT : PUBLISH_DONE);
    }
    tear_down(&fix);
}

// There is no time for another try.
static bool give_up(struct fixture *fix)
{
    bool is_published;
    struct err err;
    assert_ok(publish_abandon(&fix->publish, &is_published, &err), &err);
    return is_published;
}

static void test_given_up_it_can_never_appear(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    deadline_end(&fix.patience.deadline);
    fix.fault.kind = FAULT_LATE;
    assert_status(publish_claim(&fix, &err), ST_FAIL);
    assert_false(give_up(&fix));
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
    set_up(&fix);
    deadline_end(&fix.patience.deadline);
    fix.fault.kind = FAULT_LOSE;
    assert_status(publish_claim(&fix, &err), ST_FAIL);
    assert_true(give_up(&fix));
    assert_int_equal(fix.state.next, 2);
    bool is_there;
    struct path folder = path_writer(str_of(ME));
    assert_ok(log_exists(fix.view, path_str(&folder), &is_there, &err), &err);
    assert_true(is_there);
    tear_down(&fix);
}

// It gets its number when the others let it, and gives up where they never do.
static void test_a_replay_beside_a_faster_worker_ends(UNUSED void **state)
{
    for (int is_endless = 0; is_endless < 2; is_endless++) {
        struct fixture fix;
        struct err err = {0};
        struct unit unit = {.writer = STR_LITERAL(ME)};
        struct letter_range letter = {1, 0, 1};
        struct replay replay = {.letters = &letter, .n_letters = 1, .records = 1};
        set_up(&fix);
        assert_ok(publish_claim(&fix, &err), &err);
        struct publish_work work = {.kind = ENTRY_REPLAY,
                                    .unit = &unit,
                                    .replay = &replay,
                                    .base = fix.state.next};
        fix.n_rivals = is_endless ? 100000 : 50;
        enum status rc = publish_entry(&fix.publish, &work, &fix.outcome, &err);
        if (is_endless) {
            assert_int_equal(rc, ST_FAIL);
            assert_string_equal(err.text,
                                "nothing of this replay was committed: others took 10000 "
                                "numbers of the log before it; say it again when the job "
                                "has caught up");
            assert_false(give_up(&fix));
        } else {
            assert_ok(rc, &err);
            assert_int_equal(fix.outcome, PUBLISH_DONE);
            assert_writer(&fix, 52, ME);
        }
        tear_down(&fix);
    }
}

// Prepared entries: a unit of ours, its entry made for the end of the log as it is now,
// and its bytes in tmp.
struct ahead {
    struct forecast forecast;
    struct span span;
    struct unit unit;
    struct prepared_entry *prepared;
    int n_written; // before it is published
};

static void prepare_ahead(struct fixture *fix, struct ahead *ahead)
{
    struct log_state copy;
    struct err err;
    assert_ok(publish_claim(fix, &err), &err);
    *ahead = (struct ahead){
        .span = {.next = 10, .data = 10, .last = {.offset = 9}},
        .unit = {.writer = STR_LITERAL(ME), .spans = &ahead->span, .n_spans = 1}};
    log_state_copy(&fix->state, &copy);
    forecast_tell(&ahead->forecast, &copy);
    ahead->prepared =
        forecast_make(&ahead->forecast, &fix->job, &fix->clock.env, &ahead->unit);
    assert_non_null(ahead->prepared);
    assert_int_equal(ahead->forecast.tip.next, fix->state.next + 1);
    assert_ok(storage_write_bytes(fix->storage, path_str(&ahead->prepared->source),
                                  buf_as_str(&ahead->prepared->made.bytes), &err),
              &err);
    ahead->prepared->is_written = true;
    ahead->n_written = fix->n_written;
}

static void publish_ahead(struct fixture *fix, const struct ahead *ahead)
{
    struct publish_work work = {.kind = ENTRY_COMMIT,
                                .spans = &ahead->span,
                                .n_spans = 1,
                                .unit = &ahead->unit,
                                .prepared = ahead->prepared};
    struct err err;
    assert_ok(publish_entry(&fix->publish, &work, &fix->outcome, &err), &err);
    assert_int_equal(fix->outcome, PUBLISH_DONE);
}

static bool source_is_there(struct fixture *fix, const struct ahead *ahead)
{
    bool is_there;
    struct err err;
    assert_ok(log_exists(fix->view, path_str(&ahead->prepared->source), &is_there, &err),
              &err);
    return is_there;
}

static void release_ahead(struct ahead *ahead)
{
    prepared_free(ahead->prepared);
    forecast_release(&ahead->forecast);
}

static void test_a_prepared_entry_is_only_renamed(UNUSED void **state)
{
    struct fixture fix;
    struct ahead ahead;
    set_up(&fix);
    prepare_ahead(&fix, &ahead);
    publish_ahead(&fix, &ahead);
    assert_int_equal(fix.n_written, ahead.n_written);
    assert_true(prepared_is_last(ahead.prepared, &fix.state));
    assert_false(source_is_there(&fix, &ahead)); // it is the entry now
    assert_writer(&fix, 2, ME);
    release_ahead(&ahead);
    tear_down(&fix);
}

// An entry of others has its number, before it is published or in that moment.
static void test_a_prepared_entry_of_another_number_is_made_anew(UNUSED void **state)
{
    for (int is_read = 0; is_read < 2; is_read++) {
        struct fixture fix;
        struct ahead ahead;
        struct arena arena = {0};
        struct entry entry;
        struct err err;
        set_up(&fix);
        prepare_ahead(&fix, &ahead);
        assert_ok(log_read(fix.view, 1, &arena, &entry, &err), &err);
        assert_ok(log_state_apply(&fix.others, &entry, &err), &err);
        others_publish(&fix, ENTRY_CLAIM, 1);
        if (is_read) {
            assert_ok(log_read(fix.view, 2, &arena, &entry, &err), &err);
            assert_ok(log_state_apply(&fix.state, &entry, &err), &err);
        }
        publish_ahead(&fix, &ahead);
        assert_int_equal(fix.n_written, ahead.n_written + 1);
        assert_false(prepared_is_last(ahead.prepared, &fix.state));
        assert_false(source_is_there(&fix, &ahead));
        assert_writer(&fix, 2, OTHER);
        assert_writer(&fix, 3, ME);
        assert_int_equal(fix.state.next, 4);
        arena_release(&arena);
        release_ahead(&ahead);
        tear_down(&fix);
    }
}

static void test_a_prepared_entry_that_waited_long_is_made_anew(UNUSED void **state)
{
    struct fixture fix;
    struct ahead ahead;
    set_up(&fix);
    prepare_ahead(&fix, &ahead);
    fix.clock.now_ms += 60001;
    publish_ahead(&fix, &ahead);
    assert_int_equal(fix.n_written, ahead.n_written + 1);
    assert_false(source_is_there(&fix, &ahead));
    assert_writer(&fix, 2, ME);
    release_ahead(&ahead);
    tear_down(&fix);
}

// Its unit is not to be committed any more: its bytes go with the files.
static void test_a_prepared_entry_goes_with_its_unit(UNUSED void **state)
{
    struct fixture fix;
    struct ahead ahead;
    struct err err;
    set_up(&fix);
    prepare_ahead(&fix, &ahead);
    assert_true(source_is_there(&fix, &ahead));
    assert_ok(publish_remove_files(&fix.publish, &ahead.unit, ahead.prepared, &err),
              &err);
    assert_false(source_is_there(&fix, &ahead));
    assert_int_equal(fix.state.next, 2);
    release_ahead(&ahead);
    tear_down(&fix);
}

// Where another owns a partition, entries come between too often.
static void test_nothing_is_foretold_beside_others(UNUSED void **state)
{
    struct fixture fix;
    struct ahead ahead;
    struct arena arena = {0};
    struct entry entry;
    struct log_state copy;
    struct err err;
    set_up(&fix);
    prepare_ahead(&fix, &ahead);
    assert_ok(log_read(fix.view, 1, &arena, &entry, &err), &err);
    assert_ok(log_state_apply(&fix.others, &entry, &err), &err);
    others_publish(&fix, ENTRY_CLAIM, 1);
    log_state_copy(&fix.others, &copy);
    forecast_tell(&ahead.forecast, &copy);
    assert_null(forecast_make(&ahead.forecast, &fix.job, &fix.clock.env, &ahead.unit));
    arena_release(&arena);
    release_ahead(&ahead);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_a_prepared_entry_is_only_renamed),
          cmocka_unit_test(test_a_prepared_entry_of_another_number_is_made_anew),
          cmocka_unit_test(test_a_prepared_entry_that_waited_long_is_made_anew),
          cmocka_unit_test(test_a_prepared_entry_goes_with_its_unit),
          cmocka_unit_test(test_a_replay_beside_a_faster_worker_ends),
          cmocka_unit_test(test_nothing_is_foretold_beside_others),
          cmocka_unit_test(test_published),
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
