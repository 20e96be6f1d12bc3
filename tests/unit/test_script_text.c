// SPDX-License-Identifier: Apache-2.0
// What a script computes in a form of its own: the writer's layout, comments, case and
// options are not in it, everything else is.
#include "sql_help.h"

#define TABLES                                            \
    "CREATE TABLE t (k INT NOT NULL, \"Big K\" TEXT)" DIM \
    "CREATE TABLE s (k INT, a TEXT, b BIGINT, c REAL)" STREAM "CREATE TABLE r ()" SINK
#define TABLES_TEXT                                                      \
    "CREATE TABLE t (\n  k INT NOT NULL,\n  \"Big K\" TEXT\n);\n"        \
    "CREATE TABLE s (\n  k INT,\n  a TEXT,\n  b BIGINT,\n  c REAL\n);\n" \
    "CREATE TABLE r ();\n"

static void check_script(const struct script *script, const char *expected)
{
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    if (plan_parse(script, &plan, &report) != ST_OK)
        fail_msg("%s", buf_cstr(&report));
    assert_str(plan->text, expected);
    plan_free(plan);
}

static void check(const char *statements, const char *expected)
{
    char *text = mem_printf(TABLES "%s", statements);
    char *all = mem_printf(TABLES_TEXT "%s", expected);
    struct script script = {.name = STR_LITERAL("p.sql"), .text = str_of(text)};
    check_script(&script, all);
    free(text);
    free(all);
}

static void test_layout_comments_and_case_are_not_in_it(UNUSED void **state)
{
    static const char expected[] = "INSERT INTO r\n"
                                   "SELECT s.k,\n"
                                   "  s.a AS x\n"
                                   "FROM s\n"
                                   "LEFT JOIN t ON t.k = s.k\n"
                                   "WHERE s.b > -1 AND s.c <= 2 * 3;\n";
    check("INSERT INTO r SELECT s.k, s.a AS x FROM s LEFT JOIN t ON t.k = s.k "
          "WHERE s.b > -1 AND s.c <= 2 * 3;",
          expected);
    check("insert into R -- a comment\n select S . k,/* another */ s.a as X from S\n\n"
          "left   join T on T.K=s.k where s.b>-1 and s.c<=2*3",
          expected);
}

static void test_queries_within_are_indented(UNUSED void **state)
{
    check("CREATE VIEW v (p) AS SELECT k FROM t UNION ALL SELECT k + 1 FROM t;\n"
          "INSERT INTO r SELECT s.k, q.p FROM s JOIN (SELECT p FROM v WHERE p IN "
          "(SELECT k FROM t WHERE k IN (1, 2))) q ON q.p = s.k;",
          "CREATE VIEW v (p) AS\n"
          "SELECT k\n"
          "FROM t\n"
          "UNION ALL\n"
          "SELECT k + 1\n"
          "FROM t;\n"
          "INSERT INTO r\n"
          "SELECT s.k,\n"
          "  q.p\n"
          "FROM s\n"
          "JOIN (\n"
          "  SELECT p\n"
          "  FROM v\n"
          "  WHERE p IN (\n"
          "    SELECT k\n"
          "    FROM t\n"
          "    WHERE k IN (1, 2))) q ON q.p = s.k;\n");
}

// No keyword of a clause where it is none.
static void test_words_that_are_no_clauses(UNUSED void **state)
{
    check("INSERT INTO r SELECT s.a || left(s.a, 2) AS \"from\", s.b IS DISTINCT FROM 3 "
          "AS x, CAST(s.c AS INT) AS offset, trim(s.a) AS values FROM s;",
          "INSERT INTO r\n"
          "SELECT s.a || left(s.a, 2) AS \"from\",\n"
          "  s.b IS DISTINCT FROM 3 AS x,\n"
          "  cast(s.c AS int) AS OFFSET,\n"
          "  trim(s.a) AS VALUES\n"
          "FROM s;\n");
}

static void test_a_view_is_without_its_options(UNUSED void **state)
{
    check("CREATE MATERIALIZED VIEW v WITH (format = 'csv', path = '/secret/x') AS "
          "WITH w AS (SELECT k FROM t) SELECT k FROM w;"
          "INSERT INTO r SELECT s.a FROM s JOIN v ON v.k = s.k;",
          "CREATE MATERIALIZED VIEW v AS\n"
          "WITH w AS (\n"
          "  SELECT k\n"
          "  FROM t)\n"
          "SELECT k\n"
          "FROM w;\n"
          "INSERT INTO r\n"
          "SELECT s.a\n"
          "FROM s\n"
          "JOIN v ON v.k = s.k;\n");
}

// Values of --set stand in it; of what else a variable has only the name.
static void test_values_of_variables(UNUSED void **state)
{
    const struct variable variables[] = {
        {STR_LITERAL("SHOWN"), STR_LITERAL("it's"), true},
        {STR_LITERAL("FILED"), STR_LITERAL("hunter2"), false},
    };
    const struct script script = {
        .name = STR_LITERAL("p.sql"),
        .text =
            STR_LITERAL(TABLES "INSERT INTO r SELECT s.k FROM s WHERE s.a = '${SHOWN} "
                               "${FILED} $${SHOWN}' OR s.a = '''' OR s.a = 'a}b';"),
        .variables = variables,
        .n_variables = ARRAY_LEN(variables),
    };
    check_script(
        &script, TABLES_TEXT
        "INSERT INTO r\nSELECT s.k\nFROM s\n"
        "WHERE s.a = 'it''s ${FILED} $${SHOWN}' OR s.a = '''' OR s.a = 'a}b';\n");
}

// The text of a text is the same text.
static void test_it_is_its_own_form(UNUSED void **state)
{
    static const char query[] =
        "INSERT INTO r SELECT s.k, CASE WHEN s.a LIKE 'x%' THEN -s.c ELSE +1 END AS c "
        "FROM s JOIN t ON t.k = s.k AND NOT (t.\"Big K\" = '') "
        "WHERE s.b BETWEEN 1 AND 2 OR s.k IN (1, 2);";
    char *text = mem_printf(TABLES "%s", query);
    struct plan *plan = sql_plan(text);
    const char *insert = strstr(plan->text.p, "INSERT");
    char *again = mem_printf(
        TABLES "%.*s", (int)(plan->text.n - (size_t)(insert - plan->text.p)), insert);
    struct plan *second = sql_plan(again);
    assert_true(str_eq(plan->text, second->text));
    assert_string_equal(plan->hash, second->hash);
    plan_free(plan);
    plan_free(second);
    free(text);
    free(again);
}

TEST_MAIN(cmocka_unit_test(test_layout_comments_and_case_are_not_in_it),
          cmocka_unit_test(test_queries_within_are_indented),
          cmocka_unit_test(test_words_that_are_no_clauses),
          cmocka_unit_test(test_a_view_is_without_its_options),
          cmocka_unit_test(test_values_of_variables),
          cmocka_unit_test(test_it_is_its_own_form))
