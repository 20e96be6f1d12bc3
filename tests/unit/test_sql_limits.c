// SPDX-License-Identifier: Apache-2.0
// test: build release
// Planning a large script: each of these takes less than TIME_MS of processor time, where
// the square of its statements would take minutes.
#include "test.h"

#include <time.h>

#include "base/buf.h"
#include "sql/plan.h"

enum {
    TIME_MS = 6000
};

static int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#define TABLE                                                                            \
    "CREATE TABLE t%d (a TEXT NOT NULL, b TEXT) WITH (connector = 'filesystem', path = " \
    "'/x/t%d', format = 'csv');\n"

static void put_end(struct buf *text, const char *relation)
{
    buf_printf(
        text,
        "CREATE TABLE s (a TEXT, c INT) WITH (connector = 'file', path = '/x/s');\n"
        "CREATE TABLE r () WITH (connector = 'filesystem', path = '/x/r', format = "
        "'csv');\nINSERT INTO r SELECT s.a, s.c, v.b FROM s JOIN %s v ON v.a = s.a;\n",
        relation);
}

// ms that it takes to plan the script; its errors are counted.
static int64_t plan(struct buf *text, size_t *ret_errors)
{
    struct script script = {.name = STR_LITERAL("p.sql"), .text = buf_as_str(text)};
    struct buf report = {0};
    struct plan *plan;
    int64_t begin = cpu_ms();
    enum status rc = plan_parse(&script, &plan, &report);
    int64_t taken = cpu_ms() - begin;
    *ret_errors = 0;
    for (size_t i = 0; i < report.n; i++)
        *ret_errors += report.p[i] == '\n';
    if (rc == ST_OK)
        plan_free(plan);
    buf_release(&report);
    buf_release(text);
    if (getenv("SHOW_COSTS") != NULL)
        printf("    %lld ms\n", (long long)taken);
    assert_true(taken < TIME_MS);
    return taken;
}

static int64_t plan_views(int n)
{
    struct buf text = {0};
    size_t n_errors;
    char last[32];
    buf_printf(&text, TABLE "CREATE VIEW v0 AS SELECT a, b FROM t0;\n", 0, 0);
    for (int i = 1; i < n; i++)
        buf_printf(&text, "CREATE VIEW v%d AS SELECT a, b FROM v%d;\n", i, i - 1);
    snprintf(last, sizeof(last), "v%d", n - 1);
    put_end(&text, last);
    int64_t taken = plan(&text, &n_errors);
    assert_int_equal(n_errors, 0);
    return taken;
}

// 399 of them took 18.7 s.
static void test_chained_views(UNUSED void **state)
{
    plan_views(399);
    plan_views(1500);
}

// 5,000 took 18 s.
static void test_many_tables(UNUSED void **state)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, TABLE, i, i);
    put_end(&text, "t0");
    plan(&text, &n_errors);
    assert_int_equal(n_errors, 0);
}

static void test_long_lines_and_many(UNUSED void **state)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < 1000000; i++)
        buf_text(&text, i % 1000 ? " " : "\n");
    buf_printf(&text, TABLE, 0, 0);
    put_end(&text, "t0");
    plan(&text, &n_errors);
    assert_int_equal(n_errors, 0);
}

// Statements that are wrong, each with an error of its own.
static void test_many_errors(UNUSED void **state)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < 200000; i++)
        buf_text(&text, "DROP TABLE x;\n");
    plan(&text, &n_errors);
    assert_int_equal(n_errors, 50 * 4 + 1);
}

TEST_MAIN(cmocka_unit_test(test_chained_views), cmocka_unit_test(test_many_tables),
          cmocka_unit_test(test_long_lines_and_many), cmocka_unit_test(test_many_errors))
