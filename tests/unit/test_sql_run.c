// SPDX-License-Identifier: Apache-2.0
// What expressions and queries mean. Expected values are PostgreSQL 15's, each computed
// there over the same row, but where docs/sql.md says that Tramline differs.
#include "sql_help.h"

#include <ctype.h>

#include "sql/functions.h"

#define ROW_TABLE \
    "CREATE TABLE t (a INT, b BIGINT, r REAL, s TEXT, f BOOLEAN, z INT, u TEXT)" DIM

static const char *const the_row[] = {"7|10000000000|2.5|Montréal|true|~|a,b,,c"};

struct meaning {
    const char *expr;
    const char *type;
    const char *value; // "~": NULL; "!...": an error with that text
};

static const struct meaning meanings[] = {
    // numbers
    {"1 + 2", "INT", "3"},
    {"a / 2", "INT", "3"},
    {"-a / 2", "INT", "-3"},
    {"a % 4", "INT", "3"},
    {"-a % 4", "INT", "-3"},
    {"a - 10", "INT", "-3"},
    {"a * -1", "INT", "-7"},
    {"- - a", "INT", "7"},
    {"-1", "INT", "-1"},
    {"-(-1)", "INT", "1"},
    {"- /* c */ 5", "INT", "-5"},
    {"2147483647", "INT", "2147483647"},
    {"2147483648", "BIGINT", "2147483648"},
    {"-2147483648", "INT", "-2147483648"},
    {"-9223372036854775808", "BIGINT", "-9223372036854775808"},
    {"a + 2147483647", "INT", "!INT out of range"},
    {"a * 2147483647", "INT", "!INT out of range"},
    {"b + 2147483647", "BIGINT", "12147483647"},
    {"b * b", "BIGINT", "!BIGINT out of range"},
    {"b + 9223372036854775807", "BIGINT", "!BIGINT out of range"},
    {"-9223372036854775808 / (a - 8)", "BIGINT", "!BIGINT out of range"},
    {"-9223372036854775808 % (a - 8)", "BIGINT", "0"},
    {"a / (a - 7)", "INT", "!division by zero"},
    {"a % (a - 7)", "INT", "!division by zero"},
    {"r / (a - 7)", "REAL", "!division by zero"},
    {"z / (a - 7)", "INT", "~"},
    {"z % (a - 7)", "INT", "~"},
    {"a / z", "INT", "~"},
    {"a + b", "BIGINT", "10000000007"},
    {"a + r", "REAL", "9.5"},
    {"a / 2.0", "REAL", "3.5"},
    {"r * 2", "REAL", "5"},
    {"1e300 * 1e300 * r", "REAL", "!REAL out of range"},
    {".5 + 1.", "REAL", "1.5"},
    {"abs(-a)", "INT", "7"},
    {"abs(-2147483648)", "INT", "!INT out of range"},
    {"abs(-r)", "REAL", "2.5"},
    {"round(r)", "REAL", "2"},
    {"round(3.5 * 1)", "REAL", "4"},
    {"round(-r)", "REAL", "-2"},
    {"ceil(r)", "REAL", "3"},
    {"floor(-r)", "REAL", "-3"},
    {"greatest(a, 9, z)", "INT", "9"},
    {"least(a, 9, z)", "INT", "7"},
    {"greatest('a', 'B', s)", "TEXT", "a"},
    {"greatest(z, NULL)", "INT", "~"},
    // text
    {"CAST(1 + 2 AS TEXT) || 3", "TEXT", "33"},
    {"s || '!' || a", "TEXT", "Montréal!7"},
    {"s || z", "TEXT", "~"},
    {"s || f", "TEXT", "Montréaltrue"},
    {"'it''s' || E'\\t' || $$x$$", "TEXT", "it's\tx"},
    {"'' IS NULL", "BOOLEAN", "false"},
    {"length(s)", "INT", "8"},
    {"length('')", "INT", "0"},
    {"lower('ABCxyz')", "TEXT", "abcxyz"},
    {"upper('abcXYZ')", "TEXT", "ABCXYZ"},
    {"substr(s, 5)", "TEXT", "réal"},
    {"substr(s, 5, 2)", "TEXT", "ré"},
    {"substr('abc', 0, 2)", "TEXT", "a"},
    {"substr('abc', -1, 3)", "TEXT", "a"},
    {"substr('abc', -1)", "TEXT", "abc"},
    {"substr('abc', 2, 0)", "TEXT", ""},
    {"substr('abc', 9)", "TEXT", ""},
    {"substr('abc', 2, 2147483647)", "TEXT", "bc"},
    {"substr('abc', 1, -1)", "TEXT", "!substr: a length less than 0"},
    {"substring(s from 2 for 3)", "TEXT", "ont"},
    {"substring(s, 2, 3)", "TEXT", "ont"},
    {"left(s, 2)", "TEXT", "Mo"},
    {"left(s, -2)", "TEXT", "Montré"},
    {"left('abc', -5)", "TEXT", ""},
    {"right(s, 3)", "TEXT", "éal"},
    {"right(s, -2)", "TEXT", "ntréal"},
    {"right('abc', 0)", "TEXT", ""},
    {"trim('  x ')", "TEXT", "x"},
    {"btrim('xxaxx', 'x')", "TEXT", "a"},
    {"trim(both 'xy' from 'xyaxyx')", "TEXT", "a"},
    {"trim('  x ') || '|'", "TEXT", "x|"},
    {"ltrim('  x ') || '|'", "TEXT", "x |"},
    {"rtrim('  x ') || '|'", "TEXT", "  x|"},
    {"ltrim('éa', 'é')", "TEXT", "a"},
    {"btrim('abc', '')", "TEXT", "abc"},
    {"replace('aXbX', 'X', '--')", "TEXT", "a--b--"},
    {"replace('abc', '', 'x')", "TEXT", "abc"},
    {"replace('abc', '', CAST(z AS TEXT))", "TEXT", "~"},
    {"replace('aaa', 'aa', 'b')", "TEXT", "ba"},
    {"replace('', 'a', 'b')", "TEXT", ""},
    {"replace('aa', 'a', '')", "TEXT", ""},
    {"lpad('7', 3, '0')", "TEXT", "007"},
    {"lpad('12345', 3, '0')", "TEXT", "123"},
    {"lpad('x', 3)", "TEXT", "  x"},
    {"lpad('x', 6, 'ab')", "TEXT", "ababax"},
    {"lpad('x', 4, '')", "TEXT", "x"},
    {"lpad('x', -1, 'a')", "TEXT", ""},
    {"strpos(s, 'é')", "INT", "6"},
    {"strpos(s, 'q')", "INT", "0"},
    {"strpos('abc', '')", "INT", "1"},
    {"position('b' in 'abc')", "INT", "2"},
    {"starts_with(s, 'Mon')", "BOOLEAN", "true"},
    {"starts_with('a', 'ab')", "BOOLEAN", "false"},
    {"split_part(u, ',', 2)", "TEXT", "b"},
    {"split_part(u, ',', 3)", "TEXT", ""},
    {"split_part(u, ',', 4)", "TEXT", "c"},
    {"split_part(u, ',', 5)", "TEXT", ""},
    {"split_part(u, ',', -1)", "TEXT", "c"},
    {"split_part(u, ',', -4)", "TEXT", "a"},
    {"split_part(u, ',', -5)", "TEXT", ""},
    {"split_part(u, '', 1)", "TEXT", "a,b,,c"},
    {"split_part('', ',', 1)", "TEXT", ""},
    {"split_part(u, ',', 0)", "TEXT",
     "!split_part: part 0; they count from 1, or from -1 at the end"},
    {"s < 'a'", "BOOLEAN", "true"},
    {"'Z' < 'a'", "BOOLEAN", "true"},
    {"'z' < 'é'", "BOOLEAN", "true"},
    {"'a' < 'ab'", "BOOLEAN", "true"},
    {"'10' < '9'", "BOOLEAN", "true"},
    {"s LIKE 'Mon%'", "BOOLEAN", "true"},
    {"s LIKE 'mon%'", "BOOLEAN", "false"},
    {"s LIKE '_ontr_al'", "BOOLEAN", "true"},
    {"s NOT LIKE '%z%'", "BOOLEAN", "true"},
    {"'a%b' LIKE 'a\\%b'", "BOOLEAN", "true"},
    {"'axb' LIKE 'a\\%b'", "BOOLEAN", "false"},
    {"'a%b' LIKE 'a!%b' ESCAPE '!'", "BOOLEAN", "true"},
    {"'a\\b' LIKE 'a\\b' ESCAPE ''", "BOOLEAN", "true"},
    {"'*' LIKE '%*'", "BOOLEAN", "true"},
    {"s LIKE u || '%'", "BOOLEAN", "false"},
    // conditions
    {"z = z", "BOOLEAN", "~"},
    {"z IS NULL", "BOOLEAN", "true"},
    {"z IS NOT NULL", "BOOLEAN", "false"},
    {"z IS DISTINCT FROM a", "BOOLEAN", "true"},
    {"z IS NOT DISTINCT FROM NULL", "BOOLEAN", "true"},
    {"a IS NOT DISTINCT FROM 7", "BOOLEAN", "true"},
    {"NULL AND false", "BOOLEAN", "false"},
    {"NULL OR true", "BOOLEAN", "true"},
    {"NOT NULL", "BOOLEAN", "~"},
    {"NOT f", "BOOLEAN", "false"},
    {"f IS TRUE", "BOOLEAN", "true"},
    {"(z = 1) IS NOT TRUE", "BOOLEAN", "true"},
    {"(z = 1) IS FALSE", "BOOLEAN", "false"},
    {"(z = 1) IS NOT FALSE", "BOOLEAN", "true"},
    {"(z = 1) IS UNKNOWN", "BOOLEAN", "true"},
    {"f = true", "BOOLEAN", "true"},
    {"f > false", "BOOLEAN", "true"},
    {"1 = 1 AND NOT 1 = 2 OR f", "BOOLEAN", "true"},
    {"a BETWEEN 1 AND 7", "BOOLEAN", "true"},
    {"a NOT BETWEEN 1 AND 7", "BOOLEAN", "false"},
    {"a BETWEEN 7 AND 1", "BOOLEAN", "false"},
    {"a BETWEEN 6.5 AND 7.5", "BOOLEAN", "true"},
    {"a IN (1, 7)", "BOOLEAN", "true"},
    {"a IN (1, NULL)", "BOOLEAN", "~"},
    {"a NOT IN (1, NULL)", "BOOLEAN", "~"},
    {"a NOT IN (1, 2)", "BOOLEAN", "true"},
    {"a IN (7.0, 1)", "BOOLEAN", "true"},
    {"a = 7.0", "BOOLEAN", "true"},
    {"a <> b", "BOOLEAN", "true"},
    {"a != 7", "BOOLEAN", "false"},
    {"(a = 7) = f", "BOOLEAN", "true"},
    // choices
    {"CASE WHEN a > 5 THEN 'big' ELSE 'small' END", "TEXT", "big"},
    {"CASE WHEN a > 9 THEN 'big' END", "TEXT", "~"},
    {"CASE a WHEN 1 THEN 'one' WHEN 7 THEN 'seven' END", "TEXT", "seven"},
    {"CASE z WHEN NULL THEN 1 ELSE 2 END", "INT", "2"},
    {"CASE WHEN f THEN 1 ELSE 2.5 END", "REAL", "1"},
    {"CASE WHEN f THEN NULL ELSE 2 END", "INT", "~"},
    {"COALESCE(z, a)", "INT", "7"},
    {"COALESCE(z, NULL, 2.5)", "REAL", "2.5"},
    {"COALESCE(a)", "INT", "7"},
    {"NULLIF(a, 7)", "INT", "~"},
    {"NULLIF(a, 8)", "INT", "7"},
    {"NULLIF(s, '')", "TEXT", "Montréal"},
    // casts
    {"CAST('42' AS INT)", "INT", "42"},
    {"'0042'::int", "INT", "42"},
    {"CAST('x' AS INT)", "INT", "!'x' is not INT"},
    {"CAST('3000000000' AS INT)", "INT", "!'3000000000' is not INT"},
    {"CAST('3000000000' AS BIGINT)", "BIGINT", "3000000000"},
    {"CAST(b AS INT)", "INT", "!INT out of range"},
    {"CAST(a AS BIGINT)", "BIGINT", "7"},
    {"CAST(r AS INT)", "INT", "2"},
    {"CAST(r + 1 AS INT)", "INT", "4"},
    {"CAST(-r AS BIGINT)", "BIGINT", "-2"},
    {"CAST(1e19 * r AS BIGINT)", "BIGINT", "!BIGINT out of range"},
    {"CAST(a AS DOUBLE PRECISION)", "REAL", "7"},
    {"CAST('1.5e3' AS DOUBLE PRECISION)", "REAL", "1500"},
    {"CAST(a AS TEXT)", "TEXT", "7"},
    {"CAST(r AS TEXT)", "TEXT", "2.5"},
    {"CAST(r * 40 AS TEXT)", "TEXT", "100"},
    {"CAST(r * 4e14 AS TEXT)", "TEXT", "1e+15"},
    {"CAST(r * 3.9e14 AS TEXT)", "TEXT", "975000000000000"},
    {"CAST(CAST(9007199254740993 AS DOUBLE PRECISION) AS TEXT)", "TEXT",
     "9.007199254740992e+15"},
    {"CAST(CAST(123456789012345680 AS DOUBLE PRECISION) AS TEXT)", "TEXT",
     "1.2345678901234568e+17"},
    {"CAST(r / 25000 AS TEXT)", "TEXT", "0.0001"},
    {"CAST(r / 30000 AS TEXT)", "TEXT", "8.333333333333333e-05"},
    {"CAST(1e14 / 3 / r AS TEXT)", "TEXT", "13333333333333.332"},
    {"CAST(r * -1e300 AS TEXT)", "TEXT", "-2.5e+300"},
    {"CAST(r / 100 AS TEXT)", "TEXT", "0.025"},
    {"CAST(r / 1e6 AS TEXT)", "TEXT", "2.5e-06"},
    {"CAST(f AS TEXT)", "TEXT", "true"},
    {"CAST(f AS INT)", "INT", "1"},
    {"CAST(a AS BOOLEAN)", "BOOLEAN", "true"},
    {"CAST('f' AS BOOLEAN)", "BOOLEAN", "false"},
    {"CAST('yeah' AS BOOLEAN)", "BOOLEAN", "!'yeah' is not BOOLEAN"},
    {"CAST(NULL AS TEXT)", "TEXT", "~"},
    {"CAST(z AS TEXT)", "TEXT", "~"},
    // subqueries
    {"(SELECT 5)", "INT", "5"},
    {"(SELECT max(x.a) FROM t x WHERE x.a < 0)", "INT", "~"},
    {"(SELECT x.a FROM t x WHERE x.a = t.a)", "INT", "7"},
    {"(SELECT x.a FROM t x WHERE x.a < 0)", "INT", "~"},
    {"(SELECT x.a FROM t x UNION ALL SELECT 8)", "INT",
     "!a subquery used as a value gave more than one row"},
    {"(SELECT x.a FROM t x UNION ALL SELECT 8 ORDER BY a DESC LIMIT 1)", "INT", "8"},
    {"EXISTS (SELECT 1 FROM t x WHERE x.a = t.a)", "BOOLEAN", "true"},
    {"NOT EXISTS (SELECT 1 FROM t x WHERE x.a = t.a + 1)", "BOOLEAN", "true"},
    {"a IN (SELECT x.a FROM t x)", "BOOLEAN", "true"},
    {"8 IN (SELECT x.z FROM t x)", "BOOLEAN", "~"},
    {"r NOT IN (SELECT x.a FROM t x)", "BOOLEAN", "true"},
    {"(SELECT count(*) FROM t x)", "BIGINT", "1"},
    {"(SELECT sum(q.n) FROM (SELECT x.a + t.a AS n FROM t x) q)", "BIGINT", "14"},
    {"(WITH q AS (SELECT x.a FROM t x) SELECT q.a FROM q)", "INT", "7"},
};

// Where PostgreSQL has no such thing, or docs/sql.md says that Tramline differs.
static const struct meaning own_meanings[] = {
    {"9007199254740993 = 9007199254740992.0", "BOOLEAN", "true"},
    {"0.1 = CAST('0.1' AS REAL)", "BOOLEAN", "true"},
    {"0.1 + 0.2 = 0.3", "BOOLEAN", "false"},
    {"1 + 2 || 3", "TEXT", "33"},
    {"a || a", "TEXT", "77"},
    {"instr(s, 'é')", "INT", "6"},
    {"2.5", "REAL", "2.5"},
    {"1.0 / 3", "REAL", "0.3333333333333333"},
    {"round(2.345, 2)", "REAL", "2.35"},
    {"round(-2.345, 2)", "REAL", "-2.35"},
    {"round(9.999, 2)", "REAL", "10"},
    {"round(1234.5, -2)", "REAL", "1200"},
    {"round(0.001, 1)", "REAL", "0"},
    {"round(0.05, 1)", "REAL", "0.1"},
    {"round(r, 20)", "REAL", "2.5"},
    {"CAST(r * 0 * -1 AS TEXT)", "TEXT", "0"},
    {"r * 1e-300 * 1e-300", "REAL", "0"},
    {"r / 1e300 / 1e300", "REAL", "0"},
    {"CAST('1e-400' AS REAL)", "REAL", "0"},
    {"replace(lpad('', 70000, 'a'), 'a', lpad('', 1000, 'b'))", "TEXT",
     "!replace: more than 67108864 bytes"},
    {"lpad('', 1048577, 'a')", "TEXT", "!lpad: more than 1048576 characters"},
    {"round(51.0, -2)", "REAL", "100"},
    {"round(49.0, -2)", "REAL", "0"},
    {"CAST(' 42' AS INT)", "INT", "!' 42' is not INT"},
    {"gtfs_seconds('06:30:15')", "INT", "23415"},
    {"gtfs_seconds('6:30:15')", "INT", "23415"},
    {"gtfs_seconds('25:00:00')", "INT", "90000"},
    {"gtfs_seconds('47:03:00')", "INT", "169380"},
    {"gtfs_seconds('100:00:00')", "INT", "360000"},
    {"gtfs_seconds('')", "INT", "~"},
    {"gtfs_seconds('6:30')", "INT", "~"},
    {"gtfs_seconds('06:60:00')", "INT", "~"},
    {"gtfs_seconds('06:00:6')", "INT", "~"},
    {"gtfs_seconds(' 6:00:00')", "INT", "~"},
    {"gtfs_seconds('-1:00:00')", "INT", "~"},
    {"gtfs_seconds(CAST(NULL AS TEXT))", "INT", "~"},
    {"gtfs_time(23415)", "TEXT", "06:30:15"},
    {"gtfs_time(90000)", "TEXT", "25:00:00"},
    {"gtfs_time(0)", "TEXT", "00:00:00"},
    {"gtfs_time(-1)", "TEXT", "~"},
    {"gtfs_time(z)", "TEXT", "~"},
};

static enum status evaluate(const char *expr, const char **ret_type, struct buf *out,
                            struct err *err)
{
    char *script = mem_printf(ROW_TABLE "CREATE VIEW v AS SELECT (%s) AS x FROM t", expr);
    struct plan *plan = sql_plan(script);
    struct sqlite_host *host;
    struct rows *rows;
    const struct view *view = &plan->views[0];
    assert_ok(sqlite_host_open(&host, err), err);
    sql_load(host, plan_table(plan, STR_LITERAL("t")), the_row, 1);
    assert_ok(sqlite_host_query(host, view->sql, &view->schema, &rows, err), err);
    enum status status = sql_run(rows, out, err);
    *ret_type = type_name(view->schema.columns[0].type);
    rows->ops->close(rows);
    sqlite_host_close(host);
    plan_free(plan);
    free(script);
    return status;
}

static bool calls(const char *expr, const char *name)
{
    char *call = mem_printf("%s(", name);
    const char *at = strstr(expr, call);
    while (at != NULL && at > expr && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))
        at = strstr(at + 1, call);
    free(call);
    return at != NULL;
}

static void check_has_a_meaning(const struct function *function)
{
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (calls(meanings[i].expr, function->name))
            return;
    for (size_t i = 0; i < ARRAY_LEN(own_meanings); i++)
        if (calls(own_meanings[i].expr, function->name))
            return;
    fail_msg("what %s gives is not in a list of this test", function->signature);
}

// now() has no value of its own: test_sql_host.c.
static void test_each_function_has_a_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_functions; i++)
        if (functions[i].call != NULL && functions[i].max_args > 0)
            check_has_a_meaning(&functions[i]);
}

static void check_meaning(const struct meaning *meaning)
{
    AUTO(buf_release) struct buf out = {0};
    struct err err = {0};
    const char *type;
    if (meaning->value == NULL)
        return;
    enum status status = evaluate(meaning->expr, &type, &out, &err);
    if (strcmp(type, meaning->type) != 0)
        fail_msg("%s is %s, not %s", meaning->expr, type, meaning->type);
    if (meaning->value[0] == '!') {
        char *expected = mem_printf("the query fails: %s", meaning->value + 1);
        if (status != ST_DATA || strcmp(err.text, expected) != 0)
            fail_msg("%s: %s '%s', not '%s'", meaning->expr, status_name(status),
                     err.text, expected);
        free(expected);
        return;
    }
    char *expected = mem_printf("%s\n", meaning->value);
    if (status != ST_OK || strcmp(buf_cstr(&out), expected) != 0)
        fail_msg("%s is %s%s, not %s", meaning->expr, buf_cstr(&out), err.text, expected);
    free(expected);
}

static void test_expressions_mean_what_postgresql_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        check_meaning(&meanings[i]);
}

static void test_expressions_of_our_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(own_meanings); i++)
        check_meaning(&own_meanings[i]);
}

TEST_MAIN(cmocka_unit_test(test_expressions_mean_what_postgresql_means),
          cmocka_unit_test(test_expressions_of_our_own),
          cmocka_unit_test(test_each_function_has_a_meaning))
