// SPDX-License-Identifier: Apache-2.0
// Tables in memory: what they take, its limit, and that what takes long can be ended.
// test: takes 20
#include "test.h"

#include "sql_help.h"
#include "table/dimensions.h"
#include "table/table_store.h"
#include "table_fixture.h"

enum {
    MANY = 100000
};

static const char tables[] =
    "CREATE TABLE a (k INT, n INT, s TEXT)" DIM
    "CREATE TABLE b (k INT, n INT, s TEXT)" DIM "CREATE TABLE st (k INT, s TEXT)" STREAM
    "CREATE TABLE o ()" SINK;

struct world {
    struct plan *plan;
    struct table_store *store;
    struct row_format row_format;
    struct dimensions dimensions;
    size_t limit_bytes;
    int64_t n_asked, n_until; // go_on says no from then on; 0: never
    struct err err;
};

static bool go_on(void *arg)
{
    struct world *world = arg;
    return world->n_until == 0 || ++world->n_asked < world->n_until;
}

// The INSERT's query, over views before it.
static void open_world(struct world *world, const char *views, const char *query)
{
    char *script = mem_printf("%s%sINSERT INTO o %s;", tables, views, query);
    world->plan = sql_plan(script);
    free(script);
    assert_non_null(world->plan->native);
    const struct table_store_options options = {world->limit_bytes, go_on, world};
    world->store = table_store_open(world->plan, &options);
    world->row_format = plain_row_format(&world->plan->output);
    table_store_want_insert(world->store, true);
}

static void close_world(struct world *world)
{
    dimensions_release(&world->dimensions);
    table_store_close(world->store);
    plan_free(world->plan);
}

// k is the row's number % keys, n the row's number, s different texts of 40 bytes.
static enum status load(struct world *world, const char *name, int64_t n, int64_t keys)
{
    const struct table *table = plan_table(world->plan, str_of(name));
    struct memory_rows *rows = memory_rows_open(&table->schema);
    uint64_t n_loaded;
    rows->step = 1000;
    for (int64_t i = 0; i < n; i++) {
        struct value *row = batch_add(&rows->all, 0);
        row[0] = value_int(i % keys);
        row[1] = value_int(i);
        row[2] = value_text(
            str_of(arena_printf(&rows->all.arena, "%032lld%8s", (long long)i, "é")));
    }
    enum status rc =
        table_store_load(world->store, table, &rows->rows, &n_loaded, &world->err);
    if (rc == ST_OK)
        assert_int_equal(n_loaded, n);
    rows->rows.ops->close(&rows->rows);
    return rc;
}

static enum status build(struct world *world)
{
    const struct dimension_options options = {.limit_bytes = world->limit_bytes};
    TRY(table_store_load_views(world->store, &world->err));
    return dimensions_build(world->plan->native, world->store, &world->row_format,
                            &options, &world->dimensions, &world->err);
}

static void assert_says(const struct world *world, const char *first, const char *last)
{
    size_t n = strlen(world->err.text);
    if (!str_starts_with(str_of(world->err.text), first) || n < strlen(last) ||
        strcmp(world->err.text + n - strlen(last), last) != 0)
        fail_msg("'%s' is not '%s...%s'", world->err.text, first, last);
}

static void test_a_table_over_the_limit_says_so(UNUSED void **state)
{
    struct world world = {.limit_bytes = 2 << 20};
    open_world(&world, "", "SELECT st.k, a.s FROM st JOIN a ON a.k = st.k");
    assert_int_equal(load(&world, "a", MANY, MANY), ST_LIMIT);
    assert_says(&world, "table 'a': row ",
                "or later: the tables take more than 2 MB of memory; raise SET "
                "dimension.memory, or stage fewer rows");
    close_world(&world);
}

static void test_only_columns_that_are_read_take_memory(UNUSED void **state)
{
    struct world world = {.limit_bytes = 6 << 20};
    open_world(&world, "", "SELECT st.k, a.n FROM st JOIN a ON a.k = st.k");
    assert_ok(load(&world, "a", MANY, 10), &world.err);
    assert_ok(load(&world, "b", MANY, MANY), &world.err); // nothing reads it
    assert_in_range(table_store_bytes(world.store), 16 * MANY, 21 * MANY);
    close_world(&world);
}

// What SQLite and columns take together is limited.
static void test_sqlite_and_columns_share_the_limit(UNUSED void **state)
{
    static const char view[] =
        "CREATE VIEW g AS SELECT k, min(s) AS s FROM b GROUP BY k;\n";
    for (int i = 0; i < 2; i++) {
        struct world world = {.limit_bytes = (i == 0 ? 32u : 11u) << 20};
        open_world(
            &world, view,
            "SELECT st.k, x.s FROM st JOIN (SELECT a.k, a.s FROM a JOIN g ON g.k = "
            "a.k) x ON x.k = st.k");
        assert_ok(load(&world, "a", MANY, MANY), &world.err); // of 8 MB
        enum status rc = load(&world, "b", MANY, MANY);       // of 7 MB
        assert_int_equal(rc, i == 0 ? ST_OK : ST_LIMIT);
        if (rc != ST_OK)
            assert_says(&world, "table 'b': row ",
                        "; raise SET dimension.memory, or stage fewer rows");
        else
            assert_in_range(table_store_bytes(world.store), 11 << 20, 16 << 20);
        close_world(&world);
    }
}

static const char pairs[] = "CREATE VIEW v AS SELECT a.k, a.n, b.n AS m FROM a JOIN b ON "
                            "b.k = a.k;\n";
static const char none[] = "CREATE VIEW v AS SELECT a.k, a.n, b.n AS m FROM a JOIN b ON "
                           "b.k = a.k WHERE a.n < b.k;\n";
static const char of_sqlite[] =
    "CREATE VIEW v AS SELECT DISTINCT a.k, a.n, b.n AS m FROM "
    "a JOIN b ON b.k = a.k;\n";
static const char joined[] = "SELECT st.k, v.n, v.m FROM st JOIN v ON v.k = st.k";

// 10^10 rows of one key, or of 10^5 keys.
static void test_rows_that_explode_end_by_the_limit(UNUSED void **state)
{
    static const char by_n[] =
        "SELECT st.k, v.m || '+' || v.n AS s FROM st JOIN v ON v.n = st.k";
    const char *const queries[] = {joined, by_n};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct world world = {.limit_bytes = 40 << 20};
        open_world(&world, pairs, queries[i]);
        assert_ok(load(&world, "a", MANY, 1), &world.err);
        assert_ok(load(&world, "b", MANY, 1), &world.err);
        assert_int_equal(build(&world), ST_LIMIT);
        assert_says(&world,
                    "the joined tables take more than 41943040 bytes of memory after ",
                    " rows; raise SET dimension.memory, or join fewer rows");
        close_world(&world);
    }
}

// What SQLite keeps while it computes rows of a join.
static void test_a_query_of_sqlite_over_the_limit_says_so(UNUSED void **state)
{
    static const char view[] =
        "CREATE VIEW v AS SELECT count(*) AS k, 1 AS n, 2 AS m FROM (SELECT DISTINCT "
        "a.k, a.n, b.n AS m FROM a JOIN b ON b.k = a.k) q;\n";
    struct world world = {.limit_bytes = 40 << 20};
    open_world(&world, view, joined);
    assert_ok(load(&world, "a", MANY, 1), &world.err);
    assert_ok(load(&world, "b", MANY, 1), &world.err);
    assert_int_equal(build(&world), ST_LIMIT);
    assert_string_equal(world.err.text,
                        "the query takes more than 40 MB of memory; raise SET "
                        "dimension.memory, or stage fewer rows");
    close_world(&world);
}

static void check_stop(const char *view)
{
    struct world world = {0};
    open_world(&world, view, joined);
    assert_ok(load(&world, "a", MANY, 1), &world.err);
    assert_ok(load(&world, "b", MANY, 1), &world.err);
    world.n_until = 50;
    assert_int_equal(build(&world), ST_STOP);
    assert_string_equal(world.err.text, "the query: interrupted");
    close_world(&world);
}

static void test_what_takes_long_can_be_ended(UNUSED void **state)
{
    check_stop(pairs);
    check_stop(none);
    check_stop(of_sqlite);
}

static void test_reading_can_be_ended(UNUSED void **state)
{
    struct world world = {.n_until = 50};
    open_world(&world, pairs, joined);
    assert_int_equal(load(&world, "a", MANY, 1), ST_STOP);
    assert_string_equal(world.err.text, "table 'a': the query: interrupted");
    close_world(&world);
}

static void test_a_million_rows(UNUSED void **state)
{
    enum {
        N = 1000000
    };
    struct world world = {0};
    open_world(&world, pairs, joined);
    assert_ok(load(&world, "a", N, N), &world.err);
    assert_ok(load(&world, "b", N, N / 2), &world.err);
    assert_ok(build(&world), &world.err);
    const struct dimension_stats *stats = &world.dimensions.items[0]->stats;
    assert_int_equal(stats->n_rows, N);
    assert_int_equal(stats->n_keys, N / 2);
    assert_int_equal(stats->max_matches, 2);
    close_world(&world);
}

static void test_two_thousand_columns(UNUSED void **state)
{
    AUTO(buf_release) struct buf script = {0};
    buf_text(&script, "CREATE TABLE w (");
    for (int i = 0; i < SCHEMA_COLUMNS_MAX; i++)
        buf_printf(&script, "%sc%d TEXT", i ? ", " : "", i);
    buf_text(&script, ")" DIM "CREATE VIEW v AS SELECT x.* FROM w x LEFT "
                      "JOIN w y ON y.c0 = x.c0 WHERE x.c3 <> y.c4;");
    struct plan *plan = sql_plan(buf_cstr(&script));
    const struct view *view = &plan->views[0];
    const struct table_store_options options = {0};
    struct table_store *store = table_store_open(plan, &options);
    struct memory_rows *rows = memory_rows_open(&plan->tables[0].schema);
    struct err err;
    uint64_t n;
    for (int row = 0; row < 3; row++) {
        struct value *values = batch_add(&rows->all, 0);
        for (int i = 0; i < SCHEMA_COLUMNS_MAX; i++)
            values[i] =
                value_text(str_of(arena_printf(&rows->all.arena, "%d/%d", row, i)));
    }
    assert_non_null(view->query);
    table_store_want_view(store, view);
    assert_ok(table_store_load(store, &plan->tables[0], &rows->rows, &n, &err), &err);
    rows->rows.ops->close(&rows->rows);
    struct rows *read;
    struct batch batch;
    batch_init(&batch, view->schema.n);
    assert_ok(table_store_view(store, view, &read, &err), &err);
    assert_ok(read->ops->next(read, &batch, &err), &err);
    assert_int_equal(batch.n_rows, 3);
    for (int i = 0; i < SCHEMA_COLUMNS_MAX; i++) {
        char text[16];
        snprintf(text, sizeof(text), "2/%d", i);
        assert_str(value_str(batch_row(&batch, 2)[i]), text);
    }
    batch_release(&batch);
    read->ops->close(read);
    table_store_close(store);
    plan_free(plan);
}

TEST_MAIN(cmocka_unit_test(test_a_query_of_sqlite_over_the_limit_says_so),
          cmocka_unit_test(test_a_table_over_the_limit_says_so),
          cmocka_unit_test(test_only_columns_that_are_read_take_memory),
          cmocka_unit_test(test_sqlite_and_columns_share_the_limit),
          cmocka_unit_test(test_rows_that_explode_end_by_the_limit),
          cmocka_unit_test(test_what_takes_long_can_be_ended),
          cmocka_unit_test(test_reading_can_be_ended),
          cmocka_unit_test(test_a_million_rows),
          cmocka_unit_test(test_two_thousand_columns))
