// SPDX-License-Identifier: Apache-2.0
// The tests of a script: found, run, and what came of them as text, JSON and JUnit's XML.
// One thread.
#ifndef TESTING_TEST_SUITE_H
#define TESTING_TEST_SUITE_H

#include "testing/test_compare.h"
#include "testing/test_plan.h"

enum {
    TESTS_MAX = 1000,
    TESTS_DEPTH_MAX = 8, // of folders
};

struct test_found {
    const char *name, *path;
};

struct test_list {
    struct arena arena;
    struct test_found *items; // by name
    size_t n, capacity;
};

// The tests below `words`: a file or folder each; what is not a path is a name or a glob
// ("night_*") that chooses among them, and among those of folder tests/ beside the
// script where no path is given. ST_USAGE: there are none.
enum status test_list_find(const char *script, const char *const *words, size_t n,
                           struct test_list *ret, struct err *err);
void test_list_release(struct test_list *list);

enum test_outcome {
    TEST_OK,
    TEST_FAILED, // there are differences
    TEST_BROKEN, // the test, or the script, is wrong: `error`
};

struct test_result {
    const char *name, *path;
    enum test_outcome outcome;
    struct err error;
    struct test_differences differences;
    int64_t us; // that it took
};

// `report`: what is wrong with the script, for stderr.
void test_run_one(const struct test_script *script, const struct test_found *found,
                  struct test_result *ret, struct buf *report);
void test_result_release(struct test_result *result);

// A line, and its differences.
void test_result_show(const struct test_result *result, bool colour, struct buf *ret);
// docs/testing-pipelines.md has what stands in both.
void test_results_json(const char *script, const struct test_result *results, size_t n,
                       struct buf *ret);
void test_results_junit(const char *script, const struct test_result *results, size_t n,
                        struct buf *ret);
size_t test_results_count(const struct test_result *results, size_t n,
                          enum test_outcome outcome);

#endif
