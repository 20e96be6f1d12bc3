// SPDX-License-Identifier: Apache-2.0
#include "testing/test_suite.h"

#include <time.h>

#include "base/json_put.h"
#include "base/text.h"
#include "job/tables.h"

// One test.

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum status compare_insert(const struct test_case *test, const struct plan *plan,
                                  const struct test_records *records,
                                  const struct test_output *output,
                                  struct test_differences *ret, struct err *err)
{
    const struct test_block *rows = test_find_block(test, TEST_EXPECT, (struct str){0});
    if (rows != NULL)
        TRY(test_compare_rows(test, rows, &plan->output, output, ret, err));
    const struct test_block *rejects =
        test_find_block(test, TEST_REJECT, (struct str){0});
    test_compare_rejects(test, rejects, records, output, ret);
    return ST_OK;
}

// By SQLite, and natively where that can be: what is expected, and of each other.
static enum status run_both(const struct test_case *test, const struct plan *plan,
                            const struct test_records *records,
                            struct test_output *native, struct test_output *sqlite,
                            struct test_differences *ret, struct err *err)
{
    bool natively = tables_run_natively(plan);
    TRY(tables_executor_check(plan, err));
    if (natively)
        TRY(test_run_insert(test, plan, records, true, native, err));
    TRY(test_run_insert(test, plan, records, false, sqlite, err));
    if (natively)
        test_compare_executors(test, &plan->output, native, sqlite, ret);
    return compare_insert(test, plan, records, natively ? native : sqlite, ret, err);
}

static enum status run_insert(const struct test_case *test, const struct plan *plan,
                              struct test_differences *ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(test_output_release) struct test_output native = {0};
    AUTO(test_output_release) struct test_output sqlite = {0};
    struct test_records records;
    TRY(test_records_make(test, plan->stream, &arena, &records, err));
    return run_both(test, plan, &records, &native, &sqlite, ret, err);
}

static enum status run_view(const struct test_case *test, const struct plan *plan,
                            const struct test_block *block, struct test_differences *ret,
                            struct err *err)
{
    const struct view *view = plan->views;
    while (!str_eq(view->name, block->name))
        view++;
    AUTO(test_output_release) struct test_output output = {0};
    TRY(test_run_view(test, plan, view, &output, err));
    return test_compare_rows(test, block, &view->schema, &output, ret, err);
}

// Records are wanted, or what the INSERT gives.
static bool is_about_insert(const struct test_case *test, const struct plan *plan)
{
    struct str none = {0};
    return plan->sink != NULL &&
           (test_find_block(test, TEST_EXPECT, none) != NULL ||
            test_find_block(test, TEST_REJECT, none) != NULL ||
            test_find_block(test, TEST_TABLE, plan->stream->name) != NULL ||
            test_find_block(test, TEST_RAW, plan->stream->name) != NULL);
}

static enum status run_with_plan(const struct test_case *test, const struct plan *plan,
                                 struct test_differences *ret, struct err *err)
{
    TRY(test_rows_check(test, plan, err));
    if (is_about_insert(test, plan))
        TRY(run_insert(test, plan, ret, err));
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].kind == TEST_EXPECT && test->blocks[i].name.n > 0)
            TRY(run_view(test, plan, &test->blocks[i], ret, err));
    return ST_OK;
}

static enum status run(const struct test_script *script, struct test_result *result,
                       struct buf *report)
{
    AUTO(test_case_release) struct test_case test = {0};
    struct plan *plan;
    TRY(test_case_read(result->path, result->name, &test, &result->error));
    TRY(test_plan_open(script, &test, &plan, report, &result->error));
    enum status rc = run_with_plan(&test, plan, &result->differences, &result->error);
    plan_free(plan);
    return rc;
}

void test_run_one(const struct test_script *script, const struct test_found *found,
                  struct test_result *ret, struct buf *report)
{
    int64_t begin = now_us();
    *ret = (struct test_result){.name = found->name, .path = found->path};
    enum status rc = run(script, ret, report);
    ret->outcome = rc != ST_OK              ? TEST_BROKEN
                   : ret->differences.n > 0 ? TEST_FAILED
                                            : TEST_OK;
    ret->us = now_us() - begin;
}

void test_result_release(struct test_result *result)
{
    test_differences_release(&result->differences);
}

size_t test_results_count(const struct test_result *results, size_t n,
                          enum test_outcome outcome)
{
    size_t n_found = 0;
    for (size_t i = 0; i < n; i++)
        n_found += results[i].outcome == outcome;
    return n_found;
}

// Text.

void test_result_show(const struct test_result *result, bool colour, struct buf *ret)
{
    static const char *const words[] = {"ok    ", "FAILED", "WRONG "};
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[31m"};
    buf_printf(ret, "%s%s%s ", colour ? colours[result->outcome] : "",
               words[result->outcome], colour ? "\033[0m" : "");
    text_put_visible(ret, str_of(result->name));
    buf_char(ret, '\n');
    if (result->outcome == TEST_BROKEN)
        buf_printf(ret, "  %s\n", result->error.text);
    test_differences_show(&result->differences, colour, ret);
}

// JSON.

static const char *const outcome_names[] = {"ok", "failed", "wrong"};

static void put_line(const struct test_difference *difference,
                     const struct test_line *line, struct buf *out)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "sign", str_of(line->is_expected ? "missing" : "unexpected"));
    json_put_number(out, "line", (int64_t)line->line);
    json_put_open(out, "row", '{');
    for (size_t c = 0; c < difference->n_columns; c++) {
        json_put_name(out, difference->columns[c]);
        json_put_text(out, NULL, line->cells[c]);
    }
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_difference(const struct test_difference *difference, struct buf *out)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "of", difference->title);
    json_put_text(out, "file", str_of(difference->file));
    json_put_number(out, "line", (int64_t)difference->line);
    json_put_number(out, "same", (int64_t)difference->n_same);
    json_put_number(out, "missing", (int64_t)difference->n_missing);
    json_put_number(out, "unexpected", (int64_t)difference->n_unexpected);
    json_put_open(out, "rows", '[');
    for (size_t i = 0; i < difference->n_lines; i++)
        put_line(difference, &difference->lines[i], out);
    json_put_close(out, ']');
    json_put_close(out, '}');
}

static void put_result(const struct test_result *result, struct buf *out)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", str_of(result->name));
    json_put_text(out, "path", str_of(result->path));
    json_put_text(out, "outcome", str_of(outcome_names[result->outcome]));
    json_put_real(out, "ms", (double)result->us / 1000, 3);
    if (result->outcome == TEST_BROKEN)
        json_put_text(out, "error", str_of(result->error.text));
    json_put_open(out, "differences", '[');
    for (size_t i = 0; i < result->differences.n; i++)
        put_difference(&result->differences.items[i], out);
    json_put_close(out, ']');
    json_put_close(out, '}');
}

void test_results_json(const char *script, const struct test_result *results, size_t n,
                       struct buf *ret)
{
    json_put_open(ret, NULL, '{');
    json_put_number(ret, "version", 1);
    json_put_text(ret, "script", str_of(script));
    for (size_t i = 0; i < ARRAY_LEN(outcome_names); i++)
        json_put_number(ret, outcome_names[i],
                        (int64_t)test_results_count(results, n, (enum test_outcome)i));
    json_put_open(ret, "tests", '[');
    for (size_t i = 0; i < n; i++)
        put_result(&results[i], ret);
    json_put_close(ret, ']');
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}
