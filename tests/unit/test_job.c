// SPDX-License-Identifier: Apache-2.0
// A whole job of one worker, run after run, on a storage in memory.
#include "test.h"

#include <inttypes.h>

#include "log/commit_log.h"
#include "log/paths.h"
#include "log/verify.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"

struct fixture {
    struct sim_job job;
    struct storage *storage;
};

static void set_up(struct fixture *fix, int32_t n_partitions)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    sim_job_init(&fix->job, n_partitions);
    fix->storage = storage_mem_open(tree, "/r");
    mem_tree_unref(tree);
}

static void tear_down(struct fixture *fix)
{
    fix->storage->ops->close(fix->storage);
}

static void add_rows(struct fixture *fix, int32_t partition, int n)
{
    for (int i = 0; i < n; i++)
        sim_job_record(&fix->job, partition, SIM_ROWS, 1);
}

static void run_well(struct fixture *fix)
{
    struct err err = {0};
    assert_ok(sim_job_run(&fix->job, fix->storage, &err), &err);
}

static void run_badly(struct fixture *fix, enum status rc, const char *text)
{
    struct err err = {0};
    assert_status(sim_job_run(&fix->job, fix->storage, &err), rc);
    assert_string_equal(err.text, text);
}

static struct verify_report verified(struct fixture *fix)
{
    struct verify_options options = {.checksums = true};
    struct verify_report report;
    struct err err;
    assert_ok(verify_run(fix->storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 0);
    return report;
}

static void assert_file(struct fixture *fix, const char *path, const char *expected)
{
    struct buf bytes = {0};
    struct err err;
    assert_ok(storage_read_all(fix->storage, str_of(path), 1 << 20, &bytes, &err), &err);
    assert_string_equal(buf_cstr(&bytes), expected);
    buf_release(&bytes);
}

// Entry 0 is the job, entry 1 the claim, entry 2 the commit.
static void test_rows_and_dead_letters_lie_in_one_commit(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    sim_job_record(&fix.job, 0, SIM_ROWS, 2);
    sim_job_record(&fix.job, 0, SIM_BAD, 0);
    sim_job_record(&fix.job, 0, SIM_HOLE, 0);
    sim_job_record(&fix.job, 0, SIM_REFUSED, 0);
    sim_job_record(&fix.job, 0, SIM_EMPTY, 0);
    sim_job_record(&fix.job, 0, SIM_ROWS, 0);
    run_well(&fix);
    assert_file(&fix, "part-00000000000000000002-0.avro", "BEGIN\n0.0.0\n0.0.1\nEND\n");
    // "ITAuMS4w" is `printf '!0.1.0' | base64`.
    assert_file(
        &fix, "_tramline/dead/00000000000000000002-1.jsonl",
        "{\"topic\":\"stop_times\",\"partition\":0,\"offset\":1,\"time_ms\":"
        "1790000000001,"
        "\"key\":null,\"value\":\"ITAuMS4w\",\"headers\":[],\"reason\":\"not a value\"}\n"
        "{\"topic\":\"stop_times\",\"partition\":0,\"offset\":3,\"time_ms\":"
        "1790000000003,"
        "\"key\":null,\"value\":\"fjAuMy4w\",\"headers\":[],\"reason\":\"does not "
        "fit\"}\n");
    struct verify_report report = verified(&fix);
    assert_int_equal(report.records, 5);
    assert_int_equal(report.matched, 1);
    assert_int_equal(report.rows, 2);
    assert_int_equal(report.rejected, 2);
    assert_int_equal(report.ignored, 1);
    assert_int_equal(report.skipped, 1);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_a_second_run_goes_on(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 2);
    add_rows(&fix, 0, 3);
    run_well(&fix);
    add_rows(&fix, 0, 2);
    add_rows(&fix, 1, 1);
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rows, 6);
    assert_int_equal(report.n_commits, 2);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_without_records_there_is_no_file(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.n_claims, 1);
    assert_int_equal(report.n_commits, 0);
    assert_int_equal(report.n_data_files + report.n_dead_files, 0);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_on_error_fail_names_the_record(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 1);
    sim_job_record(&fix.job, 0, SIM_BAD, 0);
    fix.job.job.settings.on_error = ON_ERROR_FAIL;
    run_badly(&fix, ST_DATA,
              "topic 'stop_times' partition 0 offset 1: not a value; to set such records "
              "aside and go on: SET on_error = 'dead_letter'");
    tear_down(&fix);
}

static void test_too_many_bad_records_stop_the_job(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    for (int i = 0; i < 10; i++)
        sim_job_record(&fix.job, 0, SIM_BAD, 0);
    add_rows(&fix, 0, 9);
    fix.job.job.settings.on_error_share = 50;
    run_badly(
        &fix, ST_DATA,
        "topic 'stop_times': of the last 19 records 10 cannot be read, more than "
        "on_error.share = '50%'; the last is partition 0 offset 9: not a value; what "
        "was read since the last commit is read again at the next start");
    add_rows(&fix, 0, 1);
    run_well(&fix); // 10 of 20 are not more than half
    sim_job_record(&fix.job, 0, SIM_BAD, 0);
    fix.job.job.settings.on_error_share = 0;
    run_badly(
        &fix, ST_DATA,
        "topic 'stop_times': of the last 1 record 1 cannot be read, more than "
        "on_error.share = '0%'; the last is partition 0 offset 20: not a value; what "
        "was read since the last commit is read again at the next start");
    fix.job.job.settings.on_error_share = 100;
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rejected, 11);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_a_gap_stops_the_job_or_is_on_record(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 3);
    run_well(&fix);
    add_rows(&fix, 0, 4);
    fix.job.topic.partitions[0].low = 5;
    run_badly(
        &fix, ST_DATA,
        "topic 'stop_times' partition 0: offset 3 is wanted, but the first one there "
        "is 5: 2 offsets left the topic unread; to write that "
        "into the log and go on: SET on_gap = 'record'");
    fix.job.job.settings.on_gap = ON_GAP_RECORD; // entry 3 was a claim, 4 is the next
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.gap, 2);
    assert_int_equal(report.rows, 5);
    assert_int_equal(report.n_findings, 1);
    assert_string_equal(report.findings[0].text.p,
                        "entry 5: partition 0: 2 offsets had left the topic unread");
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_a_topic_made_anew_is_noticed(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 3);
    run_well(&fix);
    fix.job.topic.partitions[0].records[2].value[0] = 'x';
    run_badly(
        &fix, ST_DATA,
        "topic 'stop_times' partition 0 has another record at offset 2 than the log "
        "has seen there: the topic was recreated or cut since; give the result "
        "another path, or start over with tramline init --reset");
    fix.job.topic.partitions[0].high = 2;
    run_badly(
        &fix, ST_DATA,
        "topic 'stop_times' partition 0 ends at offset 2, but the log has read it up "
        "to 3: the topic was recreated or cut since; give the result another path, "
        "or start over with tramline init --reset");
    tear_down(&fix);
}

static void test_start_holds_for_all_partitions_of_an_empty_log(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 3);
    add_rows(&fix, 0, 3);
    fix.job.topic.n_partitions = 2; // the third comes later
    fix.job.job.settings.start = START_LATEST;
    run_well(&fix);
    fix.job.topic.n_partitions = 3;
    add_rows(&fix, 0, 1);
    add_rows(&fix, 1, 1);
    add_rows(&fix, 2, 2);
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rows, 4);
    assert_int_equal(report.partitions[0].first, 3);
    assert_int_equal(report.partitions[2].first, 0);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_start_at_a_time(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 5);
    fix.job.job.settings.start = START_TIME;
    fix.job.job.settings.start_ms = 1790000000003;
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.partitions[0].first, 3);
    assert_int_equal(report.rows, 2);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_another_job_is_refused(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 1);
    run_well(&fix);
    fix.job.job.identity.topic = STR_LITERAL("arrivals");
    fix.job.job.identity.name = STR_LITERAL("mine");
    add_rows(&fix, 0, 1);
    run_badly(
        &fix, ST_USAGE,
        "mem:///r belongs to job 'sim' (topic 'stop_times' of cluster 'sim-cluster', "
        "group 'g'); this is job 'mine' (topic 'arrivals' of cluster 'sim-cluster', "
        "group 'g'): give the result another path, or start over with tramline init "
        "--reset");
    tear_down(&fix);
}

static void test_only_nullable_columns_may_be_added(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 1);
    run_well(&fix);
    add_rows(&fix, 0, 1);
    fix.job.job.schema = STR_LITERAL("value TEXT NOT NULL, day TEXT NOT NULL");
    run_badly(
        &fix, ST_USAGE,
        "mem:///r has rows with other columns than the query gives: column 'day' is "
        "new and NOT NULL; only columns that may be NULL can be added at the end, "
        "unless SET schema_change = 'allow'");
    fix.job.job.schema = STR_LITERAL("value TEXT NOT NULL, day TEXT");
    run_well(&fix);
    add_rows(&fix, 0, 1);
    fix.job.job.schema = STR_LITERAL("other INT");
    fix.job.job.settings.schema_change = SCHEMA_CHANGE_ALLOW;
    run_well(&fix);
    tear_down(&fix);
}

static void test_another_format_is_a_change_of_the_schema(UNUSED void **state)
{
    struct file_option with = {STR_LITERAL("header"), STR_LITERAL("true")},
                       without = {STR_LITERAL("header"), STR_LITERAL("false")};
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 1);
    run_well(&fix); // as an older program, which does not tell its format
    add_rows(&fix, 0, 1);
    fix.job.job.format = (struct file_format){STR_LITERAL("csv"), &with, 1};
    run_well(&fix);
    add_rows(&fix, 0, 1);
    fix.job.job.format = (struct file_format){STR_LITERAL("csv"), &without, 1};
    run_badly(&fix, ST_USAGE,
              "mem:///r has files in format csv (header = true), the script says csv "
              "(header = false): most readers take a directory in one format only, so "
              "give the result another path, or SET schema_change = 'allow'");
    fix.job.job.format = (struct file_format){STR_LITERAL("avro"), NULL, 0};
    run_badly(&fix, ST_USAGE,
              "mem:///r has files in format csv (header = true), the script says avro: "
              "most readers take a directory in one format only, so give the result "
              "another path, or SET schema_change = 'allow'");
    fix.job.job.settings.schema_change = SCHEMA_CHANGE_ALLOW;
    run_well(&fix);
    tear_down(&fix);
}

static void test_a_storage_that_overwrites_is_refused(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 1);
    fix.storage->exclusive = false;
    run_badly(
        &fix, ST_USAGE,
        "mem:///r: this storage cannot rename without overwriting, so results there "
        "could not be kept free of duplicates");
    tear_down(&fix);
}

static void test_small_commits_and_snapshots_make_one_result(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 1);
    add_rows(&fix, 0, 200);
    fix.job.job.settings.commit_rows = 7;
    fix.job.job.settings.log_snapshot = 2;
    fix.job.job.settings.directory_by_day = true;
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rows, 200);
    assert_true(report.n_data_files >= 14); // a run has at most 6 records here
    verify_report_release(&report);
    tear_down(&fix);
}

// A storage in memory, one call of which goes wrong each time.
static const struct storage_ops *mem_ops;

static enum status write_without_room(UNUSED struct storage *st, UNUSED struct str path,
                                      UNUSED struct reader *reader,
                                      UNUSED int64_t size_bytes, struct err *err)
{
    return err_set(err, ST_RETRY, "no room");
}

static enum status publish_what_was_removed(struct storage *st, struct str from,
                                            struct str to, struct err *err)
{
    if (str_ends_with(to, "02.json"))
        assert_ok(mem_ops->remove(st, from, err), err);
    return mem_ops->publish(st, from, to, err);
}

static void spoil(struct fixture *fix, struct storage_ops *ops)
{
    mem_ops = fix->storage->ops;
    *ops = *mem_ops;
    fix->storage->ops = ops;
}

static void test_a_storage_without_room_is_given_up(UNUSED void **state)
{
    struct fixture fix;
    struct storage_ops ops;
    set_up(&fix, 1);
    add_rows(&fix, 0, 3);
    run_well(&fix); // its log is there
    add_rows(&fix, 0, 3);
    spoil(&fix, &ops);
    ops.write = write_without_room;
    fix.job.job.settings.storage_retry_ms = 3000;
    run_badly(&fix, ST_FAIL, "no room; gave up after 3 s (SET storage.retry)");
    fix.storage->ops = mem_ops;
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rows, 6); // nothing is lost
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_who_removes_files_in_tmp_is_told(UNUSED void **state)
{
    struct fixture fix;
    struct storage_ops ops;
    struct err err = {0};
    set_up(&fix, 1);
    add_rows(&fix, 0, 3);
    spoil(&fix, &ops);
    ops.publish = publish_what_was_removed;
    assert_status(sim_job_run(&fix.job, fix.storage, &err), ST_FAIL);
    const char *uuid = strstr(err.text, "_tramline/tmp/");
    assert_non_null(uuid);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "mem:///r: something keeps removing _tramline/tmp/%.36s: nothing but "
             "tramline may change what is below _tramline",
             uuid + strlen("_tramline/tmp/"));
    assert_string_equal(err.text, expected);
    fix.storage->ops = mem_ops;
    run_well(&fix);
    struct verify_report report = verified(&fix);
    assert_int_equal(report.rows, 3);
    verify_report_release(&report);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_who_removes_files_in_tmp_is_told),
          cmocka_unit_test(test_a_storage_without_room_is_given_up),
          cmocka_unit_test(test_rows_and_dead_letters_lie_in_one_commit),
          cmocka_unit_test(test_a_second_run_goes_on),
          cmocka_unit_test(test_without_records_there_is_no_file),
          cmocka_unit_test(test_on_error_fail_names_the_record),
          cmocka_unit_test(test_too_many_bad_records_stop_the_job),
          cmocka_unit_test(test_a_gap_stops_the_job_or_is_on_record),
          cmocka_unit_test(test_a_topic_made_anew_is_noticed),
          cmocka_unit_test(test_start_holds_for_all_partitions_of_an_empty_log),
          cmocka_unit_test(test_start_at_a_time),
          cmocka_unit_test(test_another_job_is_refused),
          cmocka_unit_test(test_only_nullable_columns_may_be_added),
          cmocka_unit_test(test_another_format_is_a_change_of_the_schema),
          cmocka_unit_test(test_a_storage_that_overwrites_is_refused),
          cmocka_unit_test(test_small_commits_and_snapshots_make_one_result))
