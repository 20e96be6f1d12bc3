// SPDX-License-Identifier: Apache-2.0
// A reset takes what the job made and nothing else.
#include "log/reset.h"

#include "log/paths.h"
#include "memory/storage_mem.h"
#include "test.h"

static const char *const ours[] = {
    "part-00000000000000000002-0.csv",
    "part-00000000000000000003-12.avro",
    "day=2026-11-22/part-00000000000000000002-0.csv",
    "day=2026-11-22/part-00000000000000000004-1.csv",
    "day=2026-11-23/part-00000000000000000004-0.csv",
    "_tramline/log/000000/00000000000000000000.json",
    "_tramline/dead/00000000000000000002-1.jsonl",
    "_tramline/tmp/w/u",
};

// Near to ours, each by one thing.
static const char *const others[] = {
    "precious/trips.txt",
    "precious/part-00000000000000000002-0.csv",
    "trips.csv",
    "part-00000-0.csv",
    "part-00000000000000000002-0.csv.gz",
    "part-00000000000000000002-0.csv~",
    "part-00000000000000000002-0.parquet",
    "part-00000000000000000002.csv",
    "part-0000000000000000002x-0.csv",
    "part-00000000000000000002-.csv",
    "part-000000000000000000020-0.csv",
    "Part-00000000000000000002-0.csv",
    ".part-00000000000000000002-0.csv.crc",
    "part-00000000000000000009-0.csv/inside",
    "day=2026-11-24/notes.txt",
    "day=2026-11-22x/part-00000000000000000002-0.csv",
    "day=2026-1-22/part-00000000000000000002-0.csv",
    "day=today/part-00000000000000000002-0.csv",
    "day=2026-11-25",
    "_tramline2/log",
    "_SUCCESS",
};

static struct err err;

static struct storage *open_mem(void)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *storage = storage_mem_open(tree, "/r");
    mem_tree_unref(tree);
    return storage;
}

static void put(struct storage *storage, const char *path)
{
    assert_ok(storage_write_bytes(storage, str_of(path), STR_LITERAL("x"), &err), &err);
}

static bool is_there(struct storage *storage, const char *path)
{
    struct file_info info;
    enum status rc = storage->ops->stat(storage, str_of(path), &info, &err);
    assert_true(rc == ST_OK || rc == ST_NOT_FOUND);
    return rc == ST_OK;
}

static void test_only_what_the_job_made_goes(UNUSED void **state)
{
    struct storage *storage = open_mem();
    struct reset_report report;
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        put(storage, ours[i]);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        put(storage, others[i]);
    assert_ok(reset_result(storage, &report, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (is_there(storage, ours[i]))
            fail_msg("%s is left", ours[i]);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (!is_there(storage, others[i]))
            fail_msg("%s is gone", others[i]);
    assert_int_equal(report.n_removed, 6); // five files and the log
    assert_int_equal(report.n_left, 20);   // two of them in one directory
    assert_string_equal(report.left, ".part-00000000000000000002-0.csv.crc");
    storage->ops->close(storage);
}

static void test_directories_of_days_go_when_they_are_empty(UNUSED void **state)
{
    struct storage *storage = open_mem();
    struct reset_report report;
    put(storage, "day=2026-11-22/part-00000000000000000002-0.csv");
    put(storage, "day=2026-11-23/part-00000000000000000002-0.csv");
    put(storage, "day=2026-11-23/notes.txt");
    assert_ok(storage->ops->mkdir(storage, STR_LITERAL("day=2026-11-24"), &err), &err);
    assert_ok(storage->ops->mkdir(storage, STR_LITERAL("other"), &err), &err);
    assert_ok(reset_result(storage, &report, &err), &err);
    assert_false(is_there(storage, "day=2026-11-22"));
    assert_true(is_there(storage, "day=2026-11-23/notes.txt"));
    assert_false(is_there(storage, "day=2026-11-24"));
    assert_true(is_there(storage, "other"));
    assert_string_equal(report.left, "day=2026-11-23/notes.txt");
    assert_int_equal(report.n_left, 2);
    storage->ops->close(storage);
}

static void test_all_names_that_are_made_are_known(UNUSED void **state)
{
    static const int64_t numbers[] = {0, 1, 999, 1000, 4294967296, INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        for (size_t index = 0; index < 12; index += 11) {
            struct path csv = path_part(numbers[i], index, "csv", -1);
            struct path avro = path_part(numbers[i], index, "avro", 1790000000000);
            struct str file = str_of(strchr(avro.text, '/') + 1);
            struct path day = path_parent(path_str(&avro));
            assert_true(path_is_part(path_str(&csv)));
            assert_true(path_is_part(file));
            assert_true(path_is_day(path_str(&day)));
        }
}

static void test_a_result_that_is_not_there_is_no_error(UNUSED void **state)
{
    struct storage *storage = open_mem();
    struct reset_report report;
    assert_ok(reset_result(storage, &report, &err), &err);
    assert_int_equal(report.n_removed, 0);
    assert_int_equal(report.n_left, 0);
    storage->ops->close(storage);
}

TEST_MAIN(cmocka_unit_test(test_only_what_the_job_made_goes),
          cmocka_unit_test(test_directories_of_days_go_when_they_are_empty),
          cmocka_unit_test(test_all_names_that_are_made_are_known),
          cmocka_unit_test(test_a_result_that_is_not_there_is_no_error))
