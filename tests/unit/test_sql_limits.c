// SPDX-License-Identifier: Apache-2.0
// test: build release
// Planning a large script: what it costs grows with its length, not with the square of
// it. The processor time of a script is compared with that of a quarter of it in the same
// run, as machines differ.
#include "test.h"

#include <time.h>

#include "base/buf.h"
#include "sql/plan.h"

enum {
    LINEAR = 8,  // at most for four times as much: 4 are expected, 16 by the square
    SQUARE = 36, // 16, 64 by the cube
    START_MS = 20,
    TABLES_MS = 16000
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
    return taken;
}

static void assert_grows(int64_t quarter_ms, int64_t whole_ms, int at_most)
{
    assert_true(whole_ms <= at_most * (quarter_ms + START_MS));
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

// SQLite walks the views below each: 399 of them took 18.7 s when each was printed whole.
static void test_chained_views(UNUSED void **state)
{
    int64_t quarter = plan_views(375);
    assert_grows(quarter, plan_views(1500), SQUARE);
}

// SQLite's share grows faster than the tables, so that four times as many say little: 3
// to 6 s here, where naming each among all others took 18 s on the quickest of machines.
static void test_many_tables(UNUSED void **state)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, TABLE, i, i);
    put_end(&text, "t0");
    assert_true(plan(&text, &n_errors) < TABLES_MS);
    assert_int_equal(n_errors, 0);
}

static int64_t plan_blanks(int n)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < n; i++)
        buf_text(&text, i % 1000 ? " " : "\n");
    buf_printf(&text, TABLE, 0, 0);
    put_end(&text, "t0");
    int64_t taken = plan(&text, &n_errors);
    assert_int_equal(n_errors, 0);
    return taken;
}

static void test_long_lines_and_many(UNUSED void **state)
{
    int64_t quarter = plan_blanks(250000);
    assert_grows(quarter, plan_blanks(1000000), LINEAR);
}

// Statements that are wrong, each with an error of its own.
static int64_t plan_errors(int n)
{
    struct buf text = {0};
    size_t n_errors;
    for (int i = 0; i < n; i++)
        buf_text(&text, "DROP TABLE x;\n");
    int64_t taken = plan(&text, &n_errors);
    assert_int_equal(n_errors, 50 * 4 + 1);
    return taken;
}

static void test_many_errors(UNUSED void **state)
{
    int64_t quarter = plan_errors(50000);
    assert_grows(quarter, plan_errors(200000), LINEAR);
}

TEST_MAIN(cmocka_unit_test(test_chained_views), cmocka_unit_test(test_many_tables),
          cmocka_unit_test(test_long_lines_and_many), cmocka_unit_test(test_many_errors))
