// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "base/text_file.h"
#include "cli/commands.h"
#include "cli/term.h"
#include "testing/test_record.h"
#include "testing/test_suite.h"

enum {
    RECORDS = 20 // of a test that is recorded, unless --limit says otherwise
};

struct suite {
    struct test_script script;
    struct test_list list;
    struct test_result *results;
    size_t n;
    bool json, colour;
    struct buf report; // what is wrong with the script
};

static void suite_release(struct suite *suite)
{
    for (size_t i = 0; i < suite->n; i++)
        test_result_release(&suite->results[i]);
    free(suite->results);
    test_list_release(&suite->list);
    buf_release(&suite->report);
}

static void tell(const struct suite *suite, const struct test_result *result)
{
    AUTO(buf_release) struct buf text = {0};
    test_result_show(result, suite->colour, &text);
    fwrite(text.p, 1, text.n, stdout);
}

// What is wrong with the script is the same for each test: it is said once.
static enum status run_all(struct suite *suite, struct err *err)
{
    suite->results = mem_array(suite->list.n, sizeof(*suite->results));
    while (suite->n < suite->list.n) {
        struct test_result *result = &suite->results[suite->n];
        test_run_one(&suite->script, &suite->list.items[suite->n], result,
                     &suite->report);
        suite->n++;
        if (suite->report.n > 0) {
            fwrite(suite->report.p, 1, suite->report.n, stderr);
            return err_set(err, ST_USAGE, "%s", result->error.text);
        }
        if (!suite->json)
            tell(suite, result);
    }
    return ST_OK;
}

static enum status write_junit(const struct suite *suite, const char *path,
                               struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    test_results_junit(suite->script.path, suite->results, suite->n, &text);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(text.p, 1, text.n, file) == text.n;
    int error = errno;
    if (file != NULL && fclose(file) != 0 && good) {
        good = false;
        error = errno;
    }
    return good ? ST_OK
                : err_set(err, ST_USAGE, "--junit: cannot write %s: %s", path,
                          strerror(error));
}

static void tell_sum(const struct suite *suite)
{
    if (suite->json) {
        AUTO(buf_release) struct buf text = {0};
        test_results_json(suite->script.path, suite->results, suite->n, &text);
        fwrite(text.p, 1, text.n, stdout);
        return;
    }
    size_t n_ok = test_results_count(suite->results, suite->n, TEST_OK);
    size_t n_failed = test_results_count(suite->results, suite->n, TEST_FAILED);
    size_t n_wrong = test_results_count(suite->results, suite->n, TEST_BROKEN);
    printf("%s: %zu ok", text_counted((int64_t)suite->n, "test", "tests"), n_ok);
    if (n_failed)
        printf(", %zu failed", n_failed);
    if (n_wrong)
        printf(", %zu wrong", n_wrong);
    putchar('\n');
}

static enum status conclude(const struct suite *suite, struct err *err)
{
    size_t n_failed = test_results_count(suite->results, suite->n, TEST_FAILED);
    size_t n_wrong = test_results_count(suite->results, suite->n, TEST_BROKEN);
    if (n_wrong > 0)
        return err_set(err, ST_USAGE, "%s cannot be run as written",
                       text_counted((int64_t)n_wrong, "test", "tests"));
    if (n_failed > 0)
        return err_set(err, ST_FAIL, "%s other rows than expected",
                       text_counted((int64_t)n_failed, "test gives", "tests give"));
    return ST_OK;
}

static enum status run_suite(const struct args *args, struct suite *suite,
                             struct err *err)
{
    const char *junit = args_text(args, "--junit", NULL);
    TRY(test_list_find(args->positional[0], args->positional + 1, args->n_positional - 1,
                       &suite->list, err));
    TRY(run_all(suite, err));
    tell_sum(suite);
    if (junit != NULL)
        TRY(write_junit(suite, junit, err));
    return conclude(suite, err);
}

static enum status record_to(const struct args *args, struct pipeline *pipeline,
                             const struct look_from *from, int64_t limit, struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    TRY(pipeline_need_insert(pipeline, err));
    TRY(test_record(pipeline, from, limit, args->positional[1], args_has(args, "--json"),
                    &text, err));
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static enum status record(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    struct look_from from;
    int64_t limit;
    if (args->n_positional != 2)
        return err_set(
            err, ST_USAGE,
            "--record takes one folder behind the script: that of the new test");
    TRY(args_number(args, "--limit", 1, RECORDS, &limit, err));
    if (limit > TEST_ROWS_MAX)
        return err_set(err, ST_USAGE,
                       "--limit takes at most %d records for a test, not '%lld'",
                       TEST_ROWS_MAX, (long long)limit);
    TRY(look_from_parse(args_text(args, "--from", "earliest"), &from, err));
    TRY(args_script(args, 0, &pipeline, err));
    enum status rc = record_to(args, &pipeline, &from, limit, err);
    pipeline_release(&pipeline);
    return rc;
}

static enum status run(const struct args *args, struct err *err)
{
    // No stop flag: but for a new folder it only reads, so a signal may end it.
    if (args_has(args, "--record"))
        return record(args, err);
    if (args_has(args, "--limit") || args_has(args, "--from"))
        return err_set(err, ST_USAGE, "--limit and --from are for --record");
    AUTO(buf_release) struct buf text = {0};
    TRY(text_input_read(args->positional[0], &text, err));
    AUTO(suite_release)
    struct suite suite = {
        .script =
            {
                .path = args->positional[0],
                .text = buf_as_str(&text),
                .variables = args->variables,
                .n_variables = args->n_variables,
                .width = term_width_err(),
            },
        .json = args_has(args, "--json"),
        .colour = term_has_colour_out(),
    };
    return run_suite(args, &suite, err);
}

static const struct flag flags[] = {
    {"--json", NULL, "what came of them as one JSON object"},
    {"--junit", "FILE", "also write it there as JUnit's XML"},
    {"--record", NULL, "make the folder TEST from the live stream and the staged tables"},
    {"--limit", "N", "with --record: so many records (default 20)"},
    {"--from", "PLACE",
     "with --record: earliest (the default), latest, an offset, PARTITION:OFFSET or a "
     "time"},
};

const struct command command_test = {
    .name = "test",
    .arguments = "PIPELINE.sql [TEST ...]",
    .about = "Run tests of a script: rows in, rows expected; no server is asked",
    .more =
        "TEST is a file NAME.test, a folder with expect.csv or reject.csv, a folder of\n"
        "tests, or a name or glob that chooses among them; by default all of the folder\n"
        "tests/ beside the script. How one is written: the page testing-pipelines.md.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .takes_more = true,
    .run = run,
};
