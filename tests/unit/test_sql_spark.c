// SPDX-License-Identifier: Apache-2.0
// The query over the stream as Spark SQL: what is printed. That it means the same is
// tests/e2e/test_spark_sql.py, what is refused tests/unit/sql_errors/spark.txt.
#include "sql/spark.h"
#include "sql_help.h"

#include "sql/functions.h"
#include "sql/spark_table.h"

#define TABLES                                                                 \
    "CREATE TABLE a (k INT, s TEXT, \"S\" TEXT)" DIM                           \
    "CREATE TABLE st (k INT, n INT NOT NULL, s TEXT, r REAL, b BIGINT)" STREAM \
    "CREATE TABLE o ()" SINK

static struct plan *plan_for_spark(const char *text)
{
    AUTO(buf_release) struct buf script_text = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    buf_text(&script_text, TABLES);
    buf_text(&script_text, text);
    const struct script script = {.name = STR_LITERAL("p.sql"),
                                  .text = buf_as_str(&script_text),
                                  .for_spark = true};
    if (plan_parse(&script, &plan, &report) != ST_OK)
        fail_msg("%s\n%s", text, buf_cstr(&report));
    return plan;
}

static void assert_printed(const char *query, const char *expected)
{
    AUTO(buf_release) struct buf text = {0};
    buf_printf(&text, "INSERT INTO o %s", query);
    struct plan *plan = plan_for_spark(buf_cstr(&text));
    assert_string_equal(plan->spark->query.p, expected);
    plan_free(plan);
}

static void assert_value(const char *expr, const char *expected)
{
    AUTO(buf_release) struct buf query = {0};
    AUTO(buf_release) struct buf sql = {0};
    buf_printf(&query, "SELECT %s AS x FROM st", expr);
    buf_printf(&sql, "SELECT %s AS `x`, `st`.`^.row` AS `^.row` FROM `st` AS `st`",
               expected);
    assert_printed(buf_cstr(&query), buf_cstr(&sql));
}

static void test_joins_and_unions(void **state)
{
    (void)state;
    assert_printed(
        "SELECT st.k, a.s, a.\"S\" AS \"T`\" FROM a RIGHT JOIN st ON a.k = st.k",
        "SELECT `st`.`k` AS `k`, `a`.`s` AS `s`, `a`.`S` AS `T```, "
        "`st`.`^.row` AS `^.row` FROM `st` AS `st` LEFT JOIN `a` AS `a` ON "
        "(`a`.`k` = `st`.`k`)");
    assert_printed(
        "SELECT k FROM st WHERE n = 1 UNION ALL SELECT NULL FROM st",
        "SELECT `st`.`k` AS `k`, `st`.`^.row` AS `^.row` FROM `st` AS `st` "
        "WHERE (`st`.`n` = 1) UNION ALL SELECT CAST(NULL AS INT) AS `column_1`, "
        "`st`.`^.row` AS `^.row` FROM `st` AS `st`");
    assert_printed("SELECT v.x FROM (SELECT n AS x FROM st) v, a",
                   "SELECT `v`.`x` AS `x`, `v`.`^.row` AS `^.row` FROM (SELECT `st`.`n` "
                   "AS `x`, `st`.`^.row` AS `^.row` FROM `st` AS `st`) AS `v` JOIN `a` "
                   "AS `a` ON true");
}

static void test_constants(void **state)
{
    (void)state;
    assert_value("'it''s \\ $${x}\n'", "'it\\'s \\\\ \\u0024{x}\\n'");
    assert_value("'\xF0\x9F\x98\x80"
                 "a'",
                 "'\\uD83D\\uDE00a'");
    assert_value("-2147483648", "CAST('-2147483648' AS INT)");
    assert_value("5000000000", "5000000000L");
    assert_value("r > 1.5", "(`st`.`r` > CAST('1.5' AS DOUBLE))");
    assert_value("n IS DISTINCT FROM CAST(NULL AS INT)",
                 "(NOT (`st`.`n` <=> CAST(NULL AS INT)))");
}

static void test_twins_that_are_printed_otherwise(void **state)
{
    (void)state;
    assert_value("lower(s)", "translate(`st`.`s`, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', "
                             "'abcdefghijklmnopqrstuvwxyz')");
    assert_value("left(s, -2)", "left(`st`.`s`, char_length(`st`.`s`) - 2)");
    assert_value("right(s, -2)", "substring(`st`.`s`, 3)");
    assert_value("ltrim(s, 'xy')", "trim(LEADING 'xy' FROM `st`.`s`)");
    assert_value("s LIKE '_a.%\\%'", "(`st`.`s` RLIKE '(?s)\\\\A.a\\\\..*\\\\%\\\\z')");
    assert_value("s LIKE 'a%%b_%c%d'", "(`st`.`s` RLIKE '(?s)\\\\Aa(?>.*?b.)(?>.*?c).*d"
                                       "\\\\z')");
    assert_value("s LIKE 'a\\'", "(`st`.`s` RLIKE '(?s)\\\\Aa(?!)\\\\z')");
    assert_value("n || ':' || b",
                 "(CAST(`st`.`n` AS STRING) || ':' || CAST(`st`.`b` AS STRING))");
    assert_value("now()", ":now");
}

// Functions whose twin names an argument several times.
static void test_a_query_too_long_is_refused(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf text = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    buf_text(&text, TABLES "INSERT INTO o SELECT ");
    for (int i = 0; i < 12; i++)
        buf_text(&text, "gtfs_seconds(gtfs_time(");
    buf_text(&text, "n");
    for (int i = 0; i < 12; i++)
        buf_text(&text, "))");
    buf_text(&text, " AS x FROM st");
    const struct script script = {
        .name = STR_LITERAL("p.sql"), .text = buf_as_str(&text), .for_spark = true};
    assert_int_equal(plan_parse(&script, &plan, &report), ST_USAGE);
    assert_non_null(
        strstr(buf_cstr(&report), "the query has more than 4194304 bytes as Spark SQL"));
    assert_non_null(
        strstr(buf_cstr(&report),
               "hint: nest fewer functions, or run the script by another engine"));
}

// `tables` makes st, a stream, and o.
static void assert_refused(const char *tables, const char *what, const char *hint)
{
    AUTO(buf_release) struct buf text = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    buf_printf(&text, "%sINSERT INTO o SELECT k FROM st", tables);
    const struct script script = {
        .name = STR_LITERAL("p.sql"), .text = buf_as_str(&text), .for_spark = true};
    assert_int_equal(plan_parse(&script, &plan, &report), ST_USAGE);
    if (strstr(buf_cstr(&report), what) == NULL ||
        strstr(buf_cstr(&report), hint) == NULL)
        fail_msg("%s\n%s\n%s", buf_cstr(&report), what, hint);
}

static void test_other_streams_and_results_are_refused(void **state)
{
    (void)state;
    assert_refused(
        "CREATE TABLE st (k INT) WITH (connector = 'file', path = '/s.csv');\n"
        "CREATE TABLE o ()" SINK,
        "a stream from a file with a header is not portable to Spark SQL: that line says "
        "which field is which column, and is read after the query is printed",
        "write header = 'false' where the fields are the columns of st in their order; "
        "else run the script by another engine");
    assert_refused("CREATE TABLE st (k INT) WITH (connector = 'kafka', brokers = 'b', "
                   "topic = 't', format = 'avro', registry = 'http://r');\n"
                   "CREATE TABLE o ()" SINK,
                   "a stream in Avro is not portable to Spark SQL: its records are not "
                   "decoded there",
                   "run the script by another engine");
    assert_refused(
        "CREATE TABLE st (k INT)" STREAM
        "CREATE TABLE o () WITH (connector = 'filesystem', path = '/out', "
        "format = 'avro');\n",
        "a result in Avro is not portable to Spark SQL: its files are not written "
        "there",
        "run the script by another engine");
}

// One that is added needs a twin, or a word why it has none.
static void test_every_function_of_values_has_a_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_functions; i++) {
        const struct expr call = {.function = &functions[i]};
        if (functions[i].kind == FUNCTION_SCALAR)
            assert_non_null(spark_function_of(&call));
    }
}

static void test_only_what_is_read_for_spark_has_it(void **state)
{
    (void)state;
    struct plan *plan = sql_plan(TABLES "INSERT INTO o SELECT abs(k) AS x FROM st");
    assert_null(plan->spark);
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins_and_unions),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_twins_that_are_printed_otherwise),
        cmocka_unit_test(test_a_query_too_long_is_refused),
        cmocka_unit_test(test_other_streams_and_results_are_refused),
        cmocka_unit_test(test_every_function_of_values_has_a_twin),
        cmocka_unit_test(test_only_what_is_read_for_spark_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
