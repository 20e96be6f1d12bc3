// SPDX-License-Identifier: Apache-2.0
// Names mean what PostgreSQL's grammar says, whatever SQLite makes of them: those that
// differ only in case are different names, and none is taken.
//
// Expected rows are PostgreSQL 15's over the same tables.
#include "sql_help.h"

#define TABLES                                                                  \
    "CREATE TABLE t (k INT, \"K\" TEXT)" DIM                                    \
    "CREATE TABLE \"T\" (k INT, \"K\" TEXT, \"Ké\" INT)" DIM                    \
    "CREATE TABLE st (k INT, \"K\" TEXT, \"^.row\" INT)" STREAM                 \
    "CREATE TABLE \"x#1\" (k INT)" DIM "CREATE VIEW w AS SELECT k AS a FROM t;" \
    "CREATE VIEW \"W\" AS SELECT \"K\" AS a FROM t;"

static const char *const rows_of_t[] = {"1|a", "2|b", "3|~"};
static const char *const rows_of_T[] = {"1|x|10", "2|y|20"};
static const char *const records[] = {"1|p|7", "2|q|8", "9|r|9"};

struct world {
    struct plan *plan;
    struct sqlite_host *host;
};

static struct world open_world(const char *script, enum sqlite_view how)
{
    struct err err = {0};
    char *text = mem_printf(TABLES "%s", script);
    struct world world = {.plan = sql_plan(text)};
    const struct plan *plan = world.plan;
    free(text);
    assert_ok(sqlite_host_open(&world.host, &err), &err);
    sql_load(world.host, plan_table(plan, STR_LITERAL("t")), rows_of_t, 3);
    sql_load(world.host, plan_table(plan, STR_LITERAL("T")), rows_of_T, 2);
    sql_load(world.host, plan_table(plan, STR_LITERAL("x#1")), rows_of_t, 0);
    const struct table *st = plan_table(plan, STR_LITERAL("st"));
    assert_ok(sqlite_host_stream(world.host, st->name, &st->schema, &err), &err);
    for (size_t i = 0; i < plan->n_views; i++)
        assert_ok(sqlite_host_view(world.host, &plan->views[i], how, &err), &err);
    for (size_t i = 0; i < plan->n_lookups; i++)
        if (how == SQLITE_TABLE)
            assert_ok(sqlite_host_index(world.host, plan->lookups[i].relation,
                                        plan->lookups[i].column, &err),
                      &err);
    return world;
}

static void close_world(struct world *world)
{
    sqlite_host_close(world->host);
    plan_free(world->plan);
}

static void assert_rows(struct world *world, struct str sql, const struct schema *schema,
                        const char *expected)
{
    struct err err = {0};
    AUTO(buf_release) struct buf out = {0};
    struct rows *rows;
    assert_ok(sqlite_host_query(world->host, sql, schema, &rows, &err), &err);
    assert_ok(sql_run(rows, &out, &err), &err);
    rows->ops->close(rows);
    if (strcmp(buf_cstr(&out), expected) != 0)
        fail_msg("%.*s\ngives\n%snot\n%s", STR_ARGS(sql), buf_cstr(&out), expected);
}

struct meaning {
    const char *query;
    const char *rows;
};

static const struct meaning queries[] = {
    // outputs, from the inside out
    {"SELECT q.\"K\", q.k FROM (SELECT k, k + 1 AS \"K\" FROM t) q ORDER BY 1",
     "2|1\n3|2\n4|3\n"},
    {"SELECT q.* FROM (SELECT k, k * 10 AS \"K\" FROM t) q ORDER BY k",
     "1|10\n2|20\n3|30\n"},
    {"SELECT \"K\" FROM (SELECT k AS z, k % 2 AS \"Z\", k + 5 AS \"K\" FROM t) q "
     "WHERE \"Z\" = 0",
     "7\n"},
    {"SELECT \"é\", \"É\" FROM (SELECT k AS \"é\", k + 1 AS \"É\" FROM t WHERE k = 1) q",
     "1|2\n"},
    {"SELECT q.\"A\" FROM t AS q (a, \"A\") WHERE q.a = 2", "b\n"},
    // tables and aliases
    {"SELECT t.k, \"T\".\"K\" FROM t JOIN \"T\" ON \"T\".k = t.k ORDER BY 1",
     "1|x\n2|y\n"},
    {"SELECT a.\"K\", \"A\".\"K\" AS z FROM t a JOIN \"T\" \"A\" ON \"A\".k = a.k "
     "ORDER BY 1",
     "a|x\nb|y\n"},
    {"SELECT \"A\".k FROM t a, \"T\" \"A\" WHERE a.\"K\" = 'a' ORDER BY 1", "1\n2\n"},
    {"SELECT \"T\".k, \"T\".\"K\", \"T\".\"Ké\" FROM \"T\" ORDER BY \"Ké\" DESC",
     "2|y|20\n1|x|10\n"},
    // an inner name does not hide an outer one that differs in case
    {"SELECT a.k FROM t a WHERE EXISTS (SELECT 1 FROM \"T\" \"A\" WHERE "
     "\"A\".k = a.k + 1)",
     "1\n"},
    {"SELECT a.k FROM t a WHERE (SELECT max(\"A\".k) FROM \"T\" \"A\" WHERE "
     "\"A\".k < a.k) = 1",
     "2\n"},
    // nor does one that the printer made up
    {"SELECT a.k FROM t a, t a_2 WHERE a_2.k = 2 AND EXISTS (SELECT 1 FROM t a, t a_2 "
     "WHERE a.k = 3 AND a_2.k = 1) ORDER BY 1",
     "1\n2\n3\n"},
    {"SELECT a.k FROM t a WHERE EXISTS (SELECT 1 FROM \"T\" b, t a_2 WHERE b.k = a.k + "
     "1 AND a_2.k = 3)",
     "1\n"},
    {"SELECT a.k FROM t a WHERE EXISTS (SELECT 1 FROM t a, \"T\" a_2 WHERE a.k = 3 AND "
     "a_2.\"K\" = 'x') ORDER BY 1",
     "1\n2\n3\n"},
    // USING and star
    {"SELECT * FROM t JOIN (SELECT k, \"Ké\" AS n FROM \"T\") q USING (k) ORDER BY 1",
     "1|a|10\n2|b|20\n"},
    {"SELECT \"K\", l, r FROM (SELECT \"K\", k AS l FROM t) a JOIN (SELECT k AS r, "
     "CASE WHEN k = 1 THEN 'b' END AS \"K\" FROM \"T\") b USING (\"K\")",
     "b|2|1\n"},
    {"SELECT \"K\", a.k, b.k AS bk FROM t a JOIN (SELECT 3 AS k, 'a' AS \"K\") b "
     "USING (\"K\")",
     "a|1|3\n"},
    // groups, orders, set operations
    {"SELECT \"K\" AS k, max(k) AS \"K\" FROM t GROUP BY \"K\" ORDER BY \"K\" DESC",
     "~|3\nb|2\na|1\n"},
    {"SELECT k AS a, -k AS \"A\" FROM t ORDER BY \"A\" LIMIT 1", "3|-3\n"},
    {"SELECT k AS a, 5 - k AS \"A\" FROM t UNION SELECT k, k FROM \"T\" ORDER BY "
     "\"A\", a DESC",
     "1|1\n3|2\n2|2\n2|3\n1|4\n"},
    {"SELECT (SELECT \"A\" FROM (SELECT k AS a, 5 AS \"A\" FROM t LIMIT 1) q) AS x",
     "5\n"},
    // WITH and views
    {"WITH q AS (SELECT k FROM t), \"Q\" AS (SELECT \"Ké\" AS k FROM \"T\") SELECT "
     "\"Q\".k, q.k AS l FROM q JOIN \"Q\" ON \"Q\".k = q.k * 10 ORDER BY 1",
     "10|1\n20|2\n"},
    {"WITH q (a, \"A\") AS (SELECT k, \"K\" FROM t) SELECT \"A\", a FROM q WHERE a = 2",
     "b|2\n"},
    {"SELECT w.a, \"W\".a AS b FROM w, \"W\" WHERE w.a = 1 AND \"W\".a = 'b'", "1|b\n"},
    // names of SQLite's own
    {"SELECT \"rowid\", \"oid\" FROM (SELECT 7 AS \"rowid\", 8 AS \"oid\") q", "7|8\n"},
    {"WITH sqlite_master AS (SELECT k FROM t) SELECT k FROM sqlite_master WHERE k = 1",
     "1\n"},
    {"SELECT \"\"\"\", \"^\", \"a b\" FROM (SELECT 1 AS \"\"\"\", 2 AS \"^\", 3 AS "
     "\"a b\") \"''\"",
     "1|2|3\n"},
    {"SELECT \"^k\", \"K\" FROM (SELECT 1 AS \"^k\", 2 AS \"K\", 3 AS \"^^k\") q",
     "1|2\n"},
};

static void check_query(const struct meaning *meaning, enum sqlite_view how)
{
    char *script = mem_printf("CREATE VIEW v AS %s", meaning->query);
    struct world world = open_world(script, how);
    const struct view *view = &world.plan->views[world.plan->n_views - 1];
    assert_str(view->name, "v");
    assert_rows(&world, view->sql, &view->schema, meaning->rows);
    close_world(&world);
    free(script);
}

static void test_names_that_differ_in_case_are_different(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        check_query(&queries[i], SQLITE_VIEW);
        check_query(&queries[i], SQLITE_TABLE);
    }
}

static const struct meaning inserts[] = {
    {"SELECT s.\"K\", s.k FROM st s WHERE s.k < 3", "p|1\nq|2\n"},
    {"SELECT \"^.row\", s.k FROM st s WHERE s.k < 3", "7|1\n8|2\n"},
    {"SELECT s.*, x.\"Ké\" AS n FROM st s JOIN \"T\" x ON x.k = s.k",
     "1|p|7|10\n2|q|8|20\n"},
    {"SELECT \"S\".\"K\", s.\"K\" AS z FROM st s JOIN t \"S\" ON \"S\".k = s.k",
     "a|p\nb|q\n"},
    {"SELECT s.k, x.a, \"X\".a AS b FROM st s JOIN (SELECT k, \"K\" AS a FROM t) x ON "
     "x.k = "
     "s.k JOIN (SELECT k, \"K\" AS a FROM \"T\") \"X\" ON \"X\".k = s.k",
     "1|a|x\n2|b|y\n"},
    {"WITH q AS (SELECT k, \"K\" FROM st), \"Q\" AS (SELECT k AS \"K\", \"K\" AS k FROM "
     "t) "
     "SELECT q.\"K\", \"Q\".k FROM q JOIN \"Q\" ON \"Q\".\"K\" = q.k",
     "p|a\nq|b\n"},
};

static void check_insert(const struct meaning *meaning, enum sqlite_view how)
{
    AUTO(batch_release) struct batch batch;
    char *script =
        mem_printf("CREATE TABLE out ()" SINK "INSERT INTO out %s", meaning->query);
    struct world world = open_world(script, how);
    const struct plan *plan = world.plan;
    batch_init(&batch, plan->stream->schema.n);
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        sql_fill_row(&plan->stream->schema, &batch, records[i]);
    sqlite_host_set_batch(world.host, &batch, 0, batch.n_rows);
    assert_rows(&world, plan->insert_sql, &plan->output, meaning->rows);
    close_world(&world);
    free(script);
}

static void test_the_same_over_the_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(inserts); i++) {
        check_insert(&inserts[i], SQLITE_VIEW);
        check_insert(&inserts[i], SQLITE_TABLE);
    }
}

// A table may have a name that SQLite keeps for itself, or that the plan gave to a
// subquery or an index.
static void test_no_name_is_taken(void **state)
{
    (void)state;
    static const char *const names[] = {"sqlite_x",  "sqlite_master", "SQLITE_SEQUENCE",
                                        "json_each", "index of t.k",  "tramline_stream",
                                        "x#2",       "^.sqlite_x"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *script = mem_printf(
            "CREATE TABLE out ()" SINK "CREATE VIEW \"%s\" AS SELECT k, \"K\" FROM t;"
            "INSERT INTO out SELECT s.k, x.\"K\" FROM st s JOIN (SELECT k, "
            "\"K\" FROM \"%s\") x ON x.k = s.k",
            names[i], names[i]);
        struct world world = open_world(script, SQLITE_TABLE);
        const struct view *view = &world.plan->views[2];
        assert_str(view->name, names[i]);
        assert_rows(&world, view->sql, &view->schema, "1|a\n2|b\n3|~\n");
        close_world(&world);
        free(script);
    }
}

TEST_MAIN(cmocka_unit_test(test_names_that_differ_in_case_are_different),
          cmocka_unit_test(test_the_same_over_the_stream),
          cmocka_unit_test(test_no_name_is_taken))
