// SPDX-License-Identifier: Apache-2.0
// SQLite as a host: loading, typed rows, the stream as a table, limits, and what is off.
#include <time.h>

#include "sql_help.h"

struct world {
    struct plan *plan;
    struct sqlite_host *host;
    struct err err;
};

static struct world open_world(const char *script)
{
    struct world world = {.plan = sql_plan(script)};
    assert_ok(sqlite_host_open(&world.host, &world.err), &world.err);
    return world;
}

static void close_world(struct world *world)
{
    sqlite_host_close(world->host);
    plan_free(world->plan);
}

static void load(struct world *world, const char *table, const char *const *lines,
                 size_t n)
{
    sql_load(world->host, plan_table(world->plan, str_of(table)), lines, n);
}

static struct rows *query(struct world *world, const char *sql,
                          const struct schema *schema)
{
    struct rows *rows;
    assert_ok(sqlite_host_query(world->host, str_of(sql), schema, &rows, &world->err),
              &world->err);
    return rows;
}

static void assert_rows(struct world *world, struct rows *rows, const char *expected)
{
    AUTO(buf_release) struct buf out = {0};
    assert_ok(sql_run(rows, &out, &world->err), &world->err);
    assert_string_equal(buf_cstr(&out), expected);
}

static void test_values_of_all_types_come_back(void **state)
{
    (void)state;
    struct world world =
        open_world("CREATE TABLE t (a TEXT, b INT, c BIGINT, d REAL, e BOOLEAN)" DIM);
    const char *lines[] = {"é|1|9223372036854775807|0.1|true", "~|~|~|~|~",
                           "|-2147483648|0|-1e+300|false"};
    load(&world, "t", lines, 3);
    struct rows *rows = query(&world, "SELECT * FROM t", &world.plan->tables[0].schema);
    assert_rows(&world, rows,
                "é|1|9223372036854775807|0.1|true\n~|~|~|~|~\n"
                "|-2147483648|0|-1e+300|false\n");
    assert_rows(&world, rows, "");
    sqlite_host_rewind(rows);
    AUTO(buf_release) struct buf out = {0};
    assert_ok(sql_run(rows, &out, &world.err), &world.err);
    assert_true(out.n > 0);
    rows->ops->close(rows);
    close_world(&world);
}

static void test_bytes_come_back(void **state)
{
    (void)state;
    struct world world = open_world("SET executor = 'sqlite'");
    struct column column = {STR_LITERAL("x"), TYPE_BYTES, false};
    struct schema schema = {&column, 1};
    struct rows *rows = query(&world, "SELECT x'00ff41'", &schema);
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, 1);
    assert_ok(rows->ops->next(rows, &batch, &world.err), &world.err);
    assert_int_equal(batch_row(&batch, 0)->kind, VALUE_BYTES);
    assert_int_equal(batch_row(&batch, 0)->n, 3);
    assert_memory_equal(batch_row(&batch, 0)->p, "\0\xff\x41", 3);
    rows->ops->close(rows);
    close_world(&world);
}

// SQL that the printer would never give: the last defence.
static void test_a_value_of_another_type_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum type type;
        const char *error;
    } cases[] = {
        {"SELECT NULL", TYPE_INT, "column 'x' is NULL, not INT NOT NULL"},
        {"SELECT 3000000000", TYPE_INT, "column 'x' is out of range, not INT"},
        {"SELECT 1.5", TYPE_INT, "column 'x' is REAL or out of range, not INT"},
        {"SELECT 9223372036854775807 + 1", TYPE_BIGINT,
         "column 'x' is REAL or out of range, not BIGINT"},
        {"SELECT 'a'", TYPE_INT, "column 'x' is TEXT, not INT"},
        {"SELECT x'00'", TYPE_TEXT, "column 'x' is BYTES, not TEXT"},
        {"SELECT 1", TYPE_TEXT, "column 'x' is a whole number, not TEXT"},
        {"SELECT 1", TYPE_REAL, "column 'x' is a whole number, not REAL"},
        {"SELECT 9e999", TYPE_REAL, "column 'x' is infinite, not REAL"},
        {"SELECT 2", TYPE_BOOLEAN, "column 'x' is a number, not BOOLEAN"},
    };
    struct world world = open_world("SET executor = 'sqlite'");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf out = {0};
        struct column column = {STR_LITERAL("x"), cases[i].type, false};
        struct schema schema = {&column, 1};
        struct rows *rows = query(&world, cases[i].sql, &schema);
        assert_status(sql_run(rows, &out, &world.err), ST_DATA);
        assert_string_equal(world.err.text, cases[i].error);
        rows->ops->close(rows);
    }
    close_world(&world);
}

static void test_what_is_off_in_sqlite(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *error;
    } cases[] = {
        {"SELECT \"no such column\"", "sqlite: no such column: "},
        {"SELECT load_extension('x')", "the query fails: not authorized"},
        {"ATTACH ':memory:' AS x",
         "the query fails: too many attached databases - max 0"},
    };
    struct world world = open_world("SET executor = 'sqlite'");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct column column = {STR_LITERAL("x"), TYPE_TEXT, true};
        struct schema schema = {&column, i == 2 ? 0 : 1};
        AUTO(buf_release) struct buf out = {0};
        struct rows *rows = NULL;
        enum status status = sqlite_host_query(world.host, str_of(cases[i].sql), &schema,
                                               &rows, &world.err);
        if (status == ST_OK)
            status = sql_run(rows, &out, &world.err);
        assert_true(status != ST_OK);
        // Of the column later versions of SQLite say more.
        assert_true(str_starts_with(str_of(world.err.text), cases[i].error));
        if (rows != NULL)
            rows->ops->close(rows);
    }
    close_world(&world);
}

static void test_a_bad_row_of_a_table_is_named(void **state)
{
    (void)state;
    struct world world = open_world("CREATE TABLE t (a TEXT NOT NULL)" DIM);
    const struct table *table = &world.plan->tables[0];
    const char *lines[] = {"x", "~"};
    struct text_rows rows = {.rows = {.ops = &text_rows_ops, .schema = &table->schema},
                             .lines = lines,
                             .n_lines = 2};
    assert_status(sqlite_host_load(world.host, table->name, &table->schema, &rows.rows,
                                   NULL, &world.err),
                  ST_DATA);
    assert_string_equal(world.err.text,
                        "table 't': row 1 or later: column 'a' is NULL, but is NOT NULL");
    close_world(&world);
}

// Rows of another schema than the table's, a column that is not there: wrong code's.
static void test_wrong_use_is_named(void **state)
{
    (void)state;
    struct world world =
        open_world("CREATE TABLE t (a TEXT)" DIM "CREATE TABLE n (a INT)" DIM);
    const struct table *t = &world.plan->tables[0], *n = &world.plan->tables[1];
    const char *lines[] = {"1"};
    struct text_rows rows = {.rows = {.ops = &text_rows_ops, .schema = &n->schema},
                             .lines = lines,
                             .n_lines = 1};
    assert_status(
        sqlite_host_load(world.host, t->name, &t->schema, &rows.rows, NULL, &world.err),
        ST_DATA);
    assert_string_equal(world.err.text,
                        "table 't': row 1 or later: column 'a' is not TEXT");
    assert_true(sqlite_host_index(world.host, t->name, STR_LITERAL("q"), &world.err) !=
                ST_OK);
    assert_true(str_starts_with(str_of(world.err.text),
                                "index of t.q: SQLite fails: no such column: "));
    struct rows *none;
    struct schema two = {n->schema.columns, 0};
    assert_status(
        sqlite_host_query(world.host, STR_LITERAL("SELECT 1"), &two, &none, &world.err),
        ST_FAIL);
    assert_string_equal(world.err.text, "sqlite: the query has 1 column, not 0");
    close_world(&world);
}

#define STREAM_TABLES                                \
    "CREATE TABLE d (k INT NOT NULL, name TEXT)" DIM \
    "CREATE TABLE s (k INT, n INT)" STREAM "CREATE TABLE o ()" SINK

static void declare_stream(struct world *world)
{
    assert_ok(sqlite_host_stream(world->host, world->plan->stream->name,
                                 &world->plan->stream->schema, &world->err),
              &world->err);
}

static void test_one_query_runs_over_batch_after_batch(void **state)
{
    (void)state;
    struct world world = open_world(
        STREAM_TABLES
        "INSERT INTO o SELECT s.n, d.name, now() AS at FROM s LEFT JOIN d ON d.k = s.k");
    const char *lines[] = {"1|one", "2|two", "3|three"};
    load(&world, "d", lines, 3);
    declare_stream(&world);
    struct rows *rows = query(&world, world.plan->insert_sql.p, &world.plan->output);
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, 2);
    sql_fill_row(&world.plan->stream->schema, &batch, "1|10");
    sql_fill_row(&world.plan->stream->schema, &batch, "2|20");
    sql_fill_row(&world.plan->stream->schema, &batch, "~|30");
    sqlite_host_set_batch(world.host, &batch, 0, 2);
    sqlite_host_rewind(rows);
    assert_rows(&world, rows,
                "10|one|1970-01-01T00:00:00.000Z\n20|two|1970-01-01T00:00:00.000Z\n");
    batch.now_ms = INT64_C(1795323600123);
    sqlite_host_set_batch(world.host, &batch, 2, 1);
    sqlite_host_rewind(rows);
    assert_rows(&world, rows, "30|~|2026-11-22T05:00:00.123Z\n");
    rows->ops->close(rows);
    close_world(&world);
}

static void test_an_error_in_one_batch_does_not_stay(void **state)
{
    (void)state;
    struct world world =
        open_world(STREAM_TABLES "INSERT INTO o SELECT 10 / n AS x FROM s");
    declare_stream(&world);
    struct rows *rows = query(&world, world.plan->insert_sql.p, &world.plan->output);
    AUTO(batch_release) struct batch batch;
    AUTO(buf_release) struct buf out = {0};
    batch_init(&batch, 2);
    sql_fill_row(&world.plan->stream->schema, &batch, "1|0");
    sql_fill_row(&world.plan->stream->schema, &batch, "1|5");
    sqlite_host_set_batch(world.host, &batch, 0, 1);
    assert_status(sql_run(rows, &out, &world.err), ST_DATA);
    assert_string_equal(world.err.text, "the query fails: division by zero");
    sqlite_host_set_batch(world.host, &batch, 1, 1);
    sqlite_host_rewind(rows);
    assert_rows(&world, rows, "2\n");
    rows->ops->close(rows);
    close_world(&world);
}

static bool stop_at_third(void *arg)
{
    int *n = arg;
    return ++*n < 3;
}

static void test_a_query_can_be_stopped(void **state)
{
    (void)state;
    struct world world = open_world(
        "CREATE VIEW a AS SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL "
        "SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7;\n"
        "CREATE VIEW v AS SELECT count(*) AS n FROM a CROSS JOIN a b CROSS JOIN a c "
        "CROSS JOIN "
        "a d CROSS JOIN a e CROSS JOIN a f CROSS JOIN a g CROSS JOIN a h CROSS JOIN a i");
    int n = 0;
    assert_ok(
        sqlite_host_view(world.host, &world.plan->views[0], SQLITE_TABLE, &world.err),
        &world.err);
    sqlite_host_on_progress(world.host, stop_at_third, &n);
    struct rows *rows =
        query(&world, world.plan->views[1].sql.p, &world.plan->views[1].schema);
    AUTO(buf_release) struct buf out = {0};
    assert_status(sql_run(rows, &out, &world.err), ST_STOP);
    assert_string_equal(world.err.text, "the query: interrupted");
    assert_int_equal(n, 3);
    rows->ops->close(rows);
    close_world(&world);
}

// Many rows with little text: what STM's tables are, 177,000 trips on 20 service days.

enum {
    N_TRIPS = 177000,
    N_SERVICES = 40,
    N_DAYS = 80,
};

struct made_rows {
    struct rows rows;
    size_t n, at;
    void (*make)(struct arena *arena, size_t i, struct value *row);
};

static struct value text_of(struct arena *arena, const char *fmt, size_t i)
{
    char text[64];
    snprintf(text, sizeof(text), fmt, i);
    return value_text(arena_str(arena, str_of(text)));
}

static void make_trip(struct arena *arena, size_t i, struct value *row)
{
    row[0] = text_of(arena, "%zu", i % 220);
    row[1] = text_of(arena, "26S-GLOBAUX-%zu-S", i % N_SERVICES);
    row[2] = text_of(arena, "2238%zu", 10000 + i);
    row[3] = text_of(arena, "Station Côte-Vertu %zu", i % 500);
    row[4] = value_int((int64_t)i % 2);
    row[5] = text_of(arena, "%zu", i % 900);
    row[6] = value_int(1);
    row[7] = row[8] = value_text(STR_LITERAL(""));
}

static void make_day(struct arena *arena, size_t i, struct value *row)
{
    row[0] = text_of(arena, "26S-GLOBAUX-%zu-S", i % N_SERVICES);
    row[1] = text_of(arena, "202611%02zu", 1 + i / N_SERVICES);
    row[2] = value_int(2);
}

static enum status made_next(struct rows *base, struct batch *batch, struct err *err)
{
    struct made_rows *rows = (struct made_rows *)base;
    (void)err;
    batch_clear(batch);
    for (; rows->at < rows->n && batch->n_rows < 5000; rows->at++)
        rows->make(&batch->arena, rows->at, batch_add(batch, 0));
    return ST_OK;
}

static const struct rows_ops made_ops = {.next = made_next, .close = text_rows_close};

static void load_made(struct world *world, const char *name, size_t n,
                      void (*make)(struct arena *arena, size_t i, struct value *row))
{
    const struct table *table = plan_table(world->plan, str_of(name));
    struct made_rows rows = {
        .rows = {.ops = &made_ops, .schema = &table->schema}, .n = n, .make = make};
    uint64_t n_loaded = 0;
    assert_ok(sqlite_host_load(world->host, table->name, &table->schema, &rows.rows,
                               &n_loaded, &world->err),
              &world->err);
    assert_int_equal(n_loaded, n);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t count_rows(struct world *world, struct rows *rows)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, rows->schema->n);
    size_t n = 0;
    do {
        assert_ok(rows->ops->next(rows, &batch, &world->err), &world->err);
        n += batch.n_rows;
    } while (batch.n_rows > 0);
    return n;
}

// A scan of all trips for each day or record would take minutes: that is what fails here.
static void test_dimension_of_stm_size_is_joined_by_indexes(void **state)
{
    (void)state;
    struct world world = open_world(
        "CREATE TABLE trips (route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT "
        "NULL, "
        "trip_headsign TEXT, direction_id INT, shape_id TEXT, wheelchair_accessible INT, "
        "note_fr TEXT, note_en TEXT)" DIM
        "CREATE TABLE calendar_dates (service_id TEXT, date TEXT, exception_type INT)" DIM
        "CREATE TABLE frequencies (trip_id TEXT, start_time TEXT)" DIM
        "CREATE TABLE s (trip_id TEXT NOT NULL)" STREAM "CREATE TABLE o ()" SINK
        "CREATE VIEW e AS SELECT t.*, d.date, d.exception_type, f.start_time FROM trips "
        "t "
        "LEFT JOIN calendar_dates d ON d.service_id = t.service_id "
        "LEFT JOIN frequencies f ON f.trip_id = t.trip_id;\n"
        "INSERT INTO o SELECT e.* FROM s JOIN e ON e.trip_id = s.trip_id");
    double start = now_seconds();
    load_made(&world, "trips", N_TRIPS, make_trip);
    load_made(&world, "calendar_dates", N_DAYS, make_day);
    load_made(&world, "frequencies", 0, make_day);
    double loaded = now_seconds();
    const struct view *view = &world.plan->views[0];
    assert_ok(sqlite_host_view(world.host, view, SQLITE_VIEW, &world.err), &world.err);
    struct rows *rows = query(&world, world.plan->native->branches[0].joins[0].sql.p,
                              &world.plan->native->branches[0].joins[0].read_schema);
    assert_int_equal(count_rows(&world, rows), N_TRIPS * (N_DAYS / N_SERVICES));
    rows->ops->close(rows);
    double joined = now_seconds();
    struct view kept = *view;
    kept.name = STR_LITERAL("kept");
    assert_ok(sqlite_host_view(world.host, &kept, SQLITE_TABLE, &world.err), &world.err);
    assert_ok(
        sqlite_host_index(world.host, kept.name, STR_LITERAL("trip_id"), &world.err),
        &world.err);
    print_message("load %.2f s, join to %d rows %.2f s, keep and index %.2f s\n",
                  loaded - start, N_TRIPS * 2, joined - loaded, now_seconds() - joined);
    declare_stream(&world);
    struct rows *insert =
        query(&world, "SELECT e.* FROM s JOIN kept AS e ON e.trip_id = s.trip_id",
              &world.plan->output);
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, 1);
    for (size_t i = 0; i < 1000; i++)
        batch_add(&batch, 0)[0] = text_of(&batch.arena, "2238%zu", 10000 + i * 100);
    start = now_seconds();
    for (int i = 0; i < 20; i++) {
        sqlite_host_set_batch(world.host, &batch, 0, batch.n_rows);
        sqlite_host_rewind(insert);
        assert_int_equal(count_rows(&world, insert), 2000);
    }
    print_message("20 batches of 1,000 records: %.3f s\n", now_seconds() - start);
    insert->ops->close(insert);
    close_world(&world);
}

TEST_MAIN(cmocka_unit_test(test_values_of_all_types_come_back),
          cmocka_unit_test(test_bytes_come_back),
          cmocka_unit_test(test_a_value_of_another_type_is_named),
          cmocka_unit_test(test_what_is_off_in_sqlite),
          cmocka_unit_test(test_a_bad_row_of_a_table_is_named),
          cmocka_unit_test(test_wrong_use_is_named),
          cmocka_unit_test(test_one_query_runs_over_batch_after_batch),
          cmocka_unit_test(test_an_error_in_one_batch_does_not_stay),
          cmocka_unit_test(test_a_query_can_be_stopped),
          cmocka_unit_test(test_dimension_of_stm_size_is_joined_by_indexes))
