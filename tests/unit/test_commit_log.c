// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "commit/clean.h"
#include "commit/renames.h"
#include "log/commit_log.h"
#include "log/log_read.h"
#include "log/paths.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_patience.h"

static struct storage *open_mem(void)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *storage = storage_mem_open(tree, "/r");
    mem_tree_unref(tree);
    return storage_fault_open(storage, &(struct fault_config){0}); // counts calls
}

static void put(struct storage *storage, struct path path, struct str bytes)
{
    struct err err;
    assert_ok(storage_write_bytes(storage, path_str(&path), bytes, &err), &err);
}

static bool is_there(struct storage *storage, struct path path)
{
    struct err err;
    bool found;
    assert_ok(log_exists(storage, path_str(&path), &found, &err), &err);
    return found;
}

// Entries [from, to) as empty files: the search looks at names only.
static void put_names(struct storage *storage, int64_t from, int64_t to)
{
    for (int64_t n = from; n < to; n++)
        put(storage, path_entry(n), STR_LITERAL(""));
}

static int64_t find_end(struct storage *storage, int *ret_n_calls)
{
    struct err err;
    int64_t end;
    uint64_t before = storage_fault_n_calls(storage);
    assert_ok(log_find_end(storage, &end, &err), &err);
    *ret_n_calls = (int)(storage_fault_n_calls(storage) - before);
    return end;
}

static void test_end_of_the_log_is_found(UNUSED void **state)
{
    static const int64_t ends[] = {0, 1, 2, 3, 7, 999, 1000, 1001, 3999};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct storage *storage = open_mem();
        int n_calls;
        put_names(storage, 0, ends[i]);
        assert_int_equal(find_end(storage, &n_calls), ends[i]);
        assert_true(n_calls <= 20);
        storage->ops->close(storage);
    }
}

static void test_end_is_found_when_old_buckets_are_empty(UNUSED void **state)
{
    struct storage *storage = open_mem();
    struct err err;
    int n_calls;
    for (int64_t bucket = 0; bucket < 9; bucket++) {
        struct path path = path_bucket(bucket);
        assert_ok(storage->ops->mkdir(storage, path_str(&path), &err), &err);
    }
    put_names(storage, 8000, 8003);
    assert_int_equal(find_end(storage, &n_calls), 8003);
    // The bucket of the next entry was made, the entry did not come.
    struct path path = path_bucket(9);
    put_names(storage, 8003, 9000);
    assert_ok(storage->ops->mkdir(storage, path_str(&path), &err), &err);
    assert_int_equal(find_end(storage, &n_calls), 9000);
    storage->ops->close(storage);
}

// A log as its rules make it.

#define WRITER "00000000-0000-4000-8000-00000000000a"

struct made_log {
    struct storage *storage;
    char prev[SHA256_HEX];
    int64_t next;
    int64_t time_ms;
    struct job_script script; // of its entries; their plan is "p<number>"
    struct str topic_id;      // of its commits
    struct leader_epoch epoch;
};

static void add_entry(struct made_log *log, enum entry_kind kind, struct span *span,
                      struct snapshot *snapshot)
{
    struct entry entry = {
        .number = log->next,
        .kind = kind,
        .writer = STR_LITERAL(WRITER),
        .attempt = STR_LITERAL(WRITER),
        .time_ms = log->time_ms,
        .spans = span,
        .n_spans = span != NULL,
        .has_snapshot = snapshot != NULL,
        .script = log->script,
    };
    if (kind == ENTRY_COMMIT)
        entry.topic_id = log->topic_id;
    char plan[32];
    snprintf(plan, sizeof(plan), "p%d", (int)log->next);
    entry.plan = str_of(plan);
    if (snapshot)
        entry.snapshot = *snapshot;
    memcpy(entry.prev, log->prev, SHA256_HEX);
    struct buf bytes = {0};
    struct err err;
    assert_ok(entry_encode(&entry, &bytes, &err), &err);
    put(log->storage, path_entry(log->next++), buf_as_str(&bytes));
    memcpy(log->prev, entry.checksum, SHA256_HEX);
    buf_release(&bytes);
}

// A job's entry, then commits of 10 records each to partition 0, with a snapshot at
// `snapshot_at`.
static void make_log(struct made_log *log, int64_t n, int64_t snapshot_at)
{
    if (log->next == 0)
        add_entry(log, ENTRY_JOB, NULL, NULL);
    while (log->next < n) {
        int64_t first = 10 * (log->next - 1);
        struct span span = {.first = first,
                            .next = first + 10,
                            .data = 10,
                            .last = {.offset = first + 9},
                            .epoch = log->epoch};
        struct progress progress = {
            .next = first, .writer = STR_LITERAL(WRITER), .last = {.offset = first - 1}};
        int64_t pending[] = {3};
        struct snapshot snapshot = {.partitions = &progress,
                                    .n_partitions = 1,
                                    .pending = pending,
                                    .n_pending = 1,
                                    .topic_id = log->topic_id};
        add_entry(log, ENTRY_COMMIT, &span, log->next == snapshot_at ? &snapshot : NULL);
    }
}

static enum status recover(struct storage *storage, struct log_state *state,
                           struct err *err)
{
    return log_recover(storage, state, err);
}

static void test_recovery_begins_at_the_newest_snapshot(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 12, 8);
    struct path needless = path_entry(2); // older than the snapshot: not looked at
    assert_ok(log.storage->ops->remove(log.storage, path_str(&needless), &err), &err);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_int_equal(found.next, 12);
    assert_int_equal(found.n_pending, 1);
    assert_int_equal(found.pending[0], 3);
    assert_int_equal(found.removable, 3);
    struct log_partition *partition = log_state_find(&found, 0);
    assert_int_equal(partition->next, 110);
    assert_int_equal(partition->last.offset, 109);
    assert_null(log_state_find(&found, 1));
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

#define TOPIC "AAAAAAAAAAAAAAAAAAAAAQ"

// The id stays known behind entries that do not tell it, the epoch only where it is that
// of what lies before `next`.
static void test_the_state_knows_topic_and_epochs(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 3, -1);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_string_equal(found.topic_id, "");
    assert_false(log_state_find(&found, 0)->epoch.is_known);
    log.topic_id = STR_LITERAL(TOPIC);
    log.epoch = leader_epoch_of(7);
    make_log(&log, 6, -1);
    struct span claim = {.first = 50, .next = 50, .last = {.offset = -1}};
    add_entry(&log, ENTRY_CLAIM, &claim, NULL);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_string_equal(found.topic_id, TOPIC);
    assert_true(log_state_find(&found, 0)->epoch.is_known);
    assert_int_equal(log_state_find(&found, 0)->epoch.number, 7);
    AUTO(arena_release) struct arena arena = {0};
    struct snapshot snapshot = log_state_snapshot(&found, &arena);
    struct log_state loaded = {0};
    struct entry entry = {.number = 7, .has_snapshot = true, .snapshot = snapshot};
    log_state_load(&loaded, &entry);
    assert_string_equal(loaded.topic_id, TOPIC);
    assert_int_equal(log_state_find(&loaded, 0)->epoch.number, 7);
    log_state_release(&loaded);
    log.topic_id = (struct str){0};
    log.epoch = (struct leader_epoch){0};
    struct span more = {.first = 50, .next = 60, .data = 10, .last = {.offset = 59}};
    add_entry(&log, ENTRY_COMMIT, &more, NULL);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_string_equal(found.topic_id, TOPIC);
    assert_false(log_state_find(&found, 0)->epoch.is_known);
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

static void test_entries_of_another_topic_stop_recovery(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem(), .topic_id = STR_LITERAL(TOPIC)};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 3, -1);
    log.topic_id = STR_LITERAL("AAAAAAAAAAAAAAAAAAAAAg");
    make_log(&log, 4, -1);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(
        err.text,
        "entry 3: topic '' was recreated: what was read has the id "
        "AAAAAAAAAAAAAAAAAAAAAg, the log is of one with the id " TOPIC
        "; give the result another path, or start over with tramline init --reset");
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

// The state has the newest claim's script: from the claim, from a snapshot, and none
// where an older program claimed, whatever later entries say.
static void test_the_script_is_the_newest_claims(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    log.script = (struct job_script){.is_known = true, .query = STR_LITERAL("q")};
    add_entry(&log, ENTRY_JOB, NULL, NULL);
    add_entry(&log, ENTRY_CLAIM, NULL, NULL);
    log.script.query = STR_LITERAL("not a claim's");
    add_entry(&log, ENTRY_COMMIT, NULL, NULL);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_str(found.script.query, "q");
    assert_str(found.script.plan, "p1");
    assert_int_equal(found.script.entry, 1);
    AUTO(arena_release) struct arena arena = {0};
    struct snapshot snapshot = log_state_snapshot(&found, &arena);
    add_entry(&log, ENTRY_COMMIT, NULL, &snapshot);
    log_state_release(&found);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_str(found.script.query, "q");
    assert_str(found.script.plan, "p1");
    assert_int_equal(found.script.entry, 1);
    log.script = (struct job_script){0};
    add_entry(&log, ENTRY_CLAIM, NULL, NULL);
    add_entry(&log, ENTRY_COMMIT, NULL, NULL);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_false(found.script.is_known);
    assert_str(found.script.plan, "p4");
    assert_str(found.plan, "p5");
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

static void test_recovery_goes_on_from_where_it_was(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 3, -1);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_int_equal(found.next, 3);
    struct span span = {.first = 20, .next = 21, .skipped = 1, .last = {.offset = -1}};
    add_entry(&log, ENTRY_COMMIT, &span, NULL);
    assert_ok(recover(log.storage, &found, &err), &err);
    assert_int_equal(found.next, 4);
    assert_int_equal(log_state_find(&found, 0)->next, 21);
    assert_int_equal(log_state_find(&found, 0)->last.offset, 19);
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

// While it was away old entries were removed, or the log was recreated.
static void test_recovery_goes_on_only_in_the_same_log(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()}, other = {.storage = log.storage};
    struct log_state read = {0};
    struct err err;
    make_log(&log, 5, -1);
    assert_ok(recover(log.storage, &read, &err), &err);
    for (int64_t n = 0; n < 5; n++) {
        struct path path = path_entry(n);
        assert_ok(log.storage->ops->remove(log.storage, path_str(&path), &err), &err);
    }
    other.time_ms = 7;
    make_log(&other, 3, -1);
    assert_ok(recover(log.storage, &read, &err), &err);
    assert_int_equal(read.next, 3);
    assert_string_equal(read.last_checksum, other.prev);
    log_state_release(&read);
    log.storage->ops->close(log.storage);
}

// Its entry was removed, as another worker has seen its renames done.
static void test_a_pending_entry_that_was_removed_is_settled(UNUSED void **state)
{
    struct storage *storage = open_mem();
    int64_t *pending = mem_array(1, sizeof(*pending));
    struct log_state read = {
        .next = 9, .pending = pending, .n_pending = 1, .pending_capacity = 1};
    struct sim_clock clock;
    struct sim_patience patience;
    struct err err;
    sim_clock_init(&clock, 1);
    sim_patience_init(&patience, storage, &clock, 0);
    pending[0] = 5;
    assert_ok(rename_pending(&patience.patience, &read, &err), &err);
    assert_int_equal(read.n_pending, 0);
    log_state_release(&read);
    storage->ops->close(storage);
}

static void test_damage_stops_recovery(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 3, -1);
    struct span span = {.first = 40, .next = 41, .skipped = 1};
    add_entry(&log, ENTRY_COMMIT, &span, NULL);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text,
                        "the commit log is damaged: entry 3 begins partition 0 at 40, "
                        "the entries before it end at 20; tramline verify tells more");
    log_state_release(&found);
    memset(log.prev, 'f', SHA256_HEX - 1);
    log.next = 3;
    struct path path = path_entry(3);
    assert_ok(log.storage->ops->remove(log.storage, path_str(&path), &err), &err);
    add_entry(&log, ENTRY_COMMIT, NULL, NULL);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text, "the commit log is damaged: entry 3 does not follow on "
                                  "the entry before it; tramline verify tells more");
    log_state_release(&found);
    path = path_entry(1);
    assert_ok(log.storage->ops->remove(log.storage, path_str(&path), &err), &err);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text, "mem:///r: the commit log is damaged: entry 1 is not "
                                  "there, entry 2 is; tramline verify tells more");
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

static void test_entries_that_make_no_sense_stop_recovery(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 3, -1);
    struct span span = {.first = 20, .next = 30, .data = 3};
    add_entry(&log, ENTRY_COMMIT, &span, NULL);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text,
                        "the commit log is damaged: entry 3 has offsets that do "
                        "not add up; tramline verify tells more");
    log_state_release(&found);
    struct path path = path_entry(2), other = path_entry(3);
    struct buf bytes = {0};
    assert_ok(storage_read_all(log.storage, path_str(&path), 1 << 20, &bytes, &err),
              &err);
    assert_ok(log.storage->ops->remove(log.storage, path_str(&other), &err), &err);
    put(log.storage, path_entry(3), buf_as_str(&bytes));
    buf_release(&bytes);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text,
                        "mem:///r/_tramline/log/000000/00000000000000000003.json: says "
                        "that it is entry 2; nothing of it was followed: put the entry "
                        "back as it was, or start over with tramline init --reset");
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

// Snapshots come often: a log without any is none that the program made.
static void test_the_way_back_has_an_end(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem()};
    struct log_state found = {0};
    struct err err;
    make_log(&log, 10002, -1);
    assert_status(recover(log.storage, &found, &err), ST_DATA);
    assert_string_equal(err.text,
                        "mem:///r: the commit log is damaged: the 10000 entries before "
                        "entry 10002 have no snapshot; tramline verify tells more");
    log_state_release(&found);
    log.storage->ops->close(log.storage);
}

// Directories of buckets alone, wherever the search looks.
static void test_the_search_for_the_end_has_an_end(UNUSED void **state)
{
    struct storage *storage = open_mem();
    struct log_state found = {0};
    struct err err;
    for (int64_t bucket = 0; bucket < INT64_MAX / 2; bucket = 2 * bucket + 1) {
        struct path path = path_bucket(bucket);
        assert_ok(storage->ops->mkdir(storage, path_str(&path), &err), &err);
    }
    assert_status(recover(storage, &found, &err), ST_DATA);
    assert_string_equal(err.text,
                        "mem:///r: the commit log is damaged: it has directories of "
                        "buckets that no entry can be in; tramline verify tells more");
    log_state_release(&found);
    storage->ops->close(storage);
}

// Removal.

static void retain(struct storage *storage, int64_t removable, int64_t before_ms)
{
    struct log_state covered = {.removable = removable};
    struct err err;
    assert_ok(clean_entries(storage, &covered, before_ms, &err), &err);
}

static void test_old_buckets_are_removed_whole(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem(), .time_ms = 100};
    int n_calls;
    make_log(&log, 2500, -1);
    retain(log.storage, 2400, 100); // not older than that
    assert_true(is_there(log.storage, path_entry(0)));
    retain(log.storage, 999, 200); // the newest of the bucket is not covered
    assert_true(is_there(log.storage, path_entry(0)));
    retain(log.storage, 1500, 200);
    assert_false(is_there(log.storage, path_entry(0)));
    assert_false(is_there(log.storage, path_entry(999)));
    assert_true(is_there(log.storage, path_entry(1000)));
    assert_true(is_there(log.storage, path_bucket(0)));
    assert_int_equal(find_end(log.storage, &n_calls), 2500);
    log.storage->ops->close(log.storage);
}

static void test_a_removal_that_was_cut_short_goes_on(UNUSED void **state)
{
    struct made_log log = {.storage = open_mem(), .time_ms = 100};
    struct err err;
    make_log(&log, 2001, -1);
    for (int64_t n = 0; n < 500; n++) {
        struct path path = path_entry(n);
        assert_ok(log.storage->ops->remove(log.storage, path_str(&path), &err), &err);
    }
    retain(log.storage, 2001, 200);
    assert_false(is_there(log.storage, path_entry(500)));
    assert_false(is_there(log.storage, path_entry(1999)));
    assert_true(is_there(log.storage, path_entry(2000)));
    retain(log.storage, 2001, 200); // nothing left to do
    log.storage->ops->close(log.storage);
}

TEST_MAIN(cmocka_unit_test(test_entries_that_make_no_sense_stop_recovery),
          cmocka_unit_test(test_the_way_back_has_an_end),
          cmocka_unit_test(test_the_search_for_the_end_has_an_end),
          cmocka_unit_test(test_end_of_the_log_is_found),
          cmocka_unit_test(test_end_is_found_when_old_buckets_are_empty),
          cmocka_unit_test(test_recovery_begins_at_the_newest_snapshot),
          cmocka_unit_test(test_the_script_is_the_newest_claims),
          cmocka_unit_test(test_the_state_knows_topic_and_epochs),
          cmocka_unit_test(test_entries_of_another_topic_stop_recovery),
          cmocka_unit_test(test_recovery_goes_on_from_where_it_was),
          cmocka_unit_test(test_recovery_goes_on_only_in_the_same_log),
          cmocka_unit_test(test_a_pending_entry_that_was_removed_is_settled),
          cmocka_unit_test(test_damage_stops_recovery),
          cmocka_unit_test(test_old_buckets_are_removed_whole),
          cmocka_unit_test(test_a_removal_that_was_cut_short_goes_on))
