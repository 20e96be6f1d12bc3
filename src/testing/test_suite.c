// SPDX-License-Identifier: Apache-2.0
#include "testing/test_suite.h"

#include <inttypes.h>
#include <time.h>

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

static const char *outcome_name(enum test_outcome outcome)
{
    static const char *const names[] = {"ok", "failed", "wrong"};
    return names[outcome];
}

static void json_line(const struct test_difference *difference,
                      const struct test_line *line, struct buf *ret)
{
    buf_printf(ret, "{\"sign\":\"%s\",\"line\":%zu,\"row\":{",
               line->is_expected ? "missing" : "unexpected", line->line);
    for (size_t c = 0; c < difference->n_columns; c++) {
        buf_text(ret, c ? "," : "");
        text_json(ret, difference->columns[c]);
        buf_char(ret, ':');
        text_json(ret, line->cells[c]);
    }
    buf_text(ret, "}}");
}

static void json_difference(const struct test_difference *difference, struct buf *ret)
{
    buf_text(ret, "{\"of\":");
    text_json(ret, difference->title);
    buf_text(ret, ",\"file\":");
    text_json(ret, str_of(difference->file));
    buf_printf(ret, ",\"line\":%zu,\"same\":%zu,\"missing\":%zu,\"unexpected\":%zu",
               difference->line, difference->n_same, difference->n_missing,
               difference->n_unexpected);
    buf_text(ret, ",\"rows\":[");
    for (size_t i = 0; i < difference->n_lines; i++) {
        buf_text(ret, i ? "," : "");
        json_line(difference, &difference->lines[i], ret);
    }
    buf_text(ret, "]}");
}

static void json_result(const struct test_result *result, struct buf *ret)
{
    buf_text(ret, "{\"name\":");
    text_json(ret, str_of(result->name));
    buf_text(ret, ",\"path\":");
    text_json(ret, str_of(result->path));
    buf_printf(ret, ",\"outcome\":\"%s\",\"ms\":%" PRId64 ".%03" PRId64,
               outcome_name(result->outcome), result->us / 1000, result->us % 1000);
    if (result->outcome == TEST_BROKEN) {
        buf_text(ret, ",\"error\":");
        text_json(ret, str_of(result->error.text));
    }
    buf_text(ret, ",\"differences\":[");
    for (size_t i = 0; i < result->differences.n; i++) {
        buf_text(ret, i ? "," : "");
        json_difference(&result->differences.items[i], ret);
    }
    buf_text(ret, "]}");
}

void test_results_json(const char *script, const struct test_result *results, size_t n,
                       struct buf *ret)
{
    buf_text(ret, "{\"version\":1,\"script\":");
    text_json(ret, str_of(script));
    buf_printf(ret, ",\"ok\":%zu,\"failed\":%zu,\"wrong\":%zu,\"tests\":[",
               test_results_count(results, n, TEST_OK),
               test_results_count(results, n, TEST_FAILED),
               test_results_count(results, n, TEST_BROKEN));
    for (size_t i = 0; i < n; i++) {
        buf_text(ret, i ? ",\n" : "\n");
        json_result(&results[i], ret);
    }
    buf_text(ret, "]}\n");
}
