// SPDX-License-Identifier: Apache-2.0
// A result on a storage that cannot rename: files lie under names that nobody can guess
// from the start, next to others that were never committed. Whoever reads goes by the
// log, and sees each row once.
#include "test.h"

#include "base/log.h"
#include "job/result.h"
#include "log/log_read.h"
#include "log/paths.h"
#include "log/reset.h"
#include "log/verify.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"

enum {
    N_RECORDS = 200,
    N_BAD = 3
};

struct fixture {
    struct sim_job job;
    struct mem_tree *tree;
    struct storage *storage;
    int n_writes; // of files, not of entries
};

// Each second upload loses its answer, so that there is a file of no entry.
static struct fault lose_some(void *context, const struct fault_call *call)
{
    struct fixture *fix = context;
    bool is_lost = call->op == FAULT_WRITE && fix->n_writes++ % 2 == 0;
    return (struct fault){.kind = is_lost ? FAULT_LOSE : FAULT_NONE};
}

static void set_up(struct fixture *fix, bool by_day)
{
    struct err err = {0};
    *fix = (struct fixture){0};
    log_set_level(LOG_ERROR);
    sim_job_init(&fix->job, 2);
    fix->job.job.settings.commit_rows = 40;
    fix->job.job.settings.directory_by_day = by_day;
    fix->tree = mem_tree_open(&fix->job.clock.env);
    struct fault_config config = {.decide = lose_some, .context = fix};
    fix->storage = storage_fault_open(storage_mem_open_flat(fix->tree, "/r"), &config);
    for (int i = 0; i < N_RECORDS; i++)
        sim_job_record(&fix->job, i % 2, i < N_BAD ? SIM_BAD : SIM_ROWS, 1);
    enum status rc = sim_job_run(&fix->job, fix->storage, &err);
    assert_ok(rc, &err);
    storage_fault_set(fix->storage, &(struct fault_config){0});
}

static void tear_down(struct fixture *fix)
{
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
}

static size_t count_in(struct fixture *fix, const char *directory, const char *prefix)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    struct err err;
    size_t n = 0;
    assert_ok(
        fix->storage->ops->list(fix->storage, str_of(directory), &arena, &list, &err),
        &err);
    for (size_t i = 0; i < list.n; i++)
        n += str_starts_with(list.items[i].name, prefix);
    return n;
}

static void test_verify_goes_by_the_log(UNUSED void **state)
{
    static struct fixture fix;
    struct verify_options options = {.checksums = true};
    struct verify_report report;
    struct err err = {0};
    set_up(&fix, false);
    assert_true(fix.n_writes >= 4);
    assert_ok(verify_run(fix.storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 0);
    assert_int_equal(report.n_unmoved, 0);
    assert_int_equal(report.records, N_RECORDS);
    assert_int_equal(report.rows, N_RECORDS - N_BAD);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "no entry names %d files: of commits that did not come about, or not "
             "yet; this storage cannot rename, so whoever reads goes by the log",
             (fix.n_writes + 1) / 2);
    bool is_said = false;
    for (size_t i = 0; i < report.n_findings; i++)
        is_said |= str_is(report.findings[i].text, expected);
    assert_true(is_said);
    verify_report_release(&report);
    tear_down(&fix);
}

// A file that the log names and that is gone is missed here, too.
static void test_a_file_that_is_gone_is_missed(UNUSED void **state)
{
    static struct fixture fix;
    struct arena arena AUTO(arena_release) = {0};
    struct verify_options options = {0};
    struct verify_report report;
    struct entry entry;
    struct err err = {0};
    int64_t number = 0;
    set_up(&fix, false);
    do
        assert_ok(log_read(fix.storage, number++, &arena, &entry, &err), &err);
    while (entry.n_files == 0);
    assert_true(path_is_made(entry.files[0].name, entry.writer, false));
    assert_ok(fix.storage->ops->remove(fix.storage, entry.files[0].name, &err), &err);
    assert_ok(verify_run(fix.storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 1);
    verify_report_release(&report);
    tear_down(&fix);
}

struct seen {
    struct fixture *fix;
    size_t n_files, n_lines;
};

static enum status see(void *context, struct str path, struct err *err)
{
    struct seen *seen = context;
    struct buf bytes AUTO(buf_release) = {0};
    TRY(storage_read_all(seen->fix->storage, path, 1 << 20, &bytes, err));
    seen->n_files++;
    for (size_t i = 0; i < bytes.n; i++)
        seen->n_lines += bytes.p[i] == '\n';
    return ST_OK;
}

// What tramline cat shows: each committed row once, though there are more files.
static void test_what_is_shown_is_what_the_log_names(UNUSED void **state)
{
    for (int by_day = 0; by_day < 2; by_day++) {
        static struct fixture fix;
        struct err err = {0};
        set_up(&fix, by_day);
        struct seen data = {.fix = &fix}, dead = {.fix = &fix};
        assert_ok(result_files(fix.storage, false, see, &data, &err), &err);
        assert_ok(result_files(fix.storage, true, see, &dead, &err), &err);
        assert_int_equal(data.n_lines - 2 * data.n_files, N_RECORDS - N_BAD);
        assert_int_equal(dead.n_lines, N_BAD);
        assert_true(count_in(&fix, by_day ? "day=2026-09-21" : "", "part-") >
                    data.n_files);
        tear_down(&fix);
    }
}

// A job that begins again goes on where the log stands.
static void test_a_restart_goes_on(UNUSED void **state)
{
    static struct fixture fix;
    struct verify_options options = {.checksums = true};
    struct verify_report report;
    struct err err = {0};
    set_up(&fix, false);
    for (int i = 0; i < 10; i++)
        sim_job_record(&fix.job, i % 2, SIM_ROWS, 1);
    enum status rc = sim_job_run(&fix.job, fix.storage, &err);
    assert_ok(rc, &err);
    assert_ok(verify_run(fix.storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 0);
    assert_int_equal(report.records, N_RECORDS + 10);
    verify_report_release(&report);
    tear_down(&fix);
}

static void test_a_reset_takes_all_of_them(UNUSED void **state)
{
    static struct fixture fix;
    struct reset_report report;
    struct err err = {0};
    set_up(&fix, false);
    assert_true(count_in(&fix, "", "part-") > 0);
    assert_ok(reset_result(fix.storage, &report, &err), &err);
    assert_int_equal(report.n_left, 0);
    assert_int_equal(count_in(&fix, "", ""), 0);
    tear_down(&fix);
}

static void test_names_that_are_made(UNUSED void **state)
{
    const struct str writer = STR_LITERAL(A);
    static const struct {
        const char *path;
        bool is_data, is_dead;
    } paths[] = {
        {"part-" A "-" B ".csv", true, false},
        {"part-" A "-" B ".avro", true, false},
        {"day=2026-09-21/part-" A "-" B ".csv", true, false},
        {"_tramline/dead/" A "-" B ".jsonl", false, true},
        {"part-" B "-" A ".csv", false, false}, // of another writer
        {"part-" A "-" B ".txt", false, false},
        {"part-" A "-" B ".csv/x", false, false},
        {"part-" A "-" B, false, false},
        {"part-" A ".csv", false, false},
        {"part-" A "-" A "b.csv", false, false},
        {"x/part-" A "-" B ".csv", false, false},
        {"day=2026-09-21/../part-" A "-" B ".csv", false, false},
        {"/part-" A "-" B ".csv", false, false},
        {"_tramline/dead/" A "-" B ".csv", false, false},
        {"_tramline/tmp/" A "/" B, false, false},
        {"part-", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct str path = str_of(paths[i].path);
        assert_int_equal(path_is_made(path, writer, false), paths[i].is_data);
        assert_int_equal(path_is_made(path, writer, true), paths[i].is_dead);
    }
    assert_true(path_is_part(STR_LITERAL("part-" A "-" B ".csv")));
    assert_false(path_is_part(STR_LITERAL("part-" A "-" B ".jsonl")));
    assert_string_equal(path_part_made(writer, B, "avro", 1790000000000).text,
                        "day=2026-09-21/part-" A "-" B ".avro");
    assert_string_equal(path_part_made(writer, B, "csv", -1).text,
                        "part-" A "-" B ".csv");
    assert_string_equal(path_dead_made(writer, B).text,
                        "_tramline/dead/" A "-" B ".jsonl");
}

TEST_MAIN(cmocka_unit_test(test_verify_goes_by_the_log),
          cmocka_unit_test(test_a_file_that_is_gone_is_missed),
          cmocka_unit_test(test_what_is_shown_is_what_the_log_names),
          cmocka_unit_test(test_a_restart_goes_on),
          cmocka_unit_test(test_a_reset_takes_all_of_them),
          cmocka_unit_test(test_names_that_are_made))
