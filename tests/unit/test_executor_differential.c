// SPDX-License-Identifier: Apache-2.0
// Random schemas, tables, records and queries: the native executor, the sqlite executor
// and a nested loop of this file's own give the same rows.
// DIFFERENTIAL_SEED=7 runs one case, DIFFERENTIAL_CASES=10000 that many. Some cases have
// a hot key: one record has thousands of rows.
// test: takes 20
#include "test.h"

#include "sql/sqlite_host.h"
#include "table/native_executor.h"
#include "table/sqlite_executor.h"
#include "table_fixture.h"

enum {
    CASES = 1000,
    COLUMNS_MAX = 5,
    ROWS_MAX = 40,
    KEYS_MAX = 3,
    OUTPUTS_MAX = 8,
    SMALL_BUFFER = 512,
    LARGE_BUFFER = SMALL_BUFFER << 16
};

// One case.
struct world {
    uint64_t random;
    struct arena arena;
    struct schema schemas[2]; // by enum side
    struct batch tables[2];
    bool has_join, left, through_view;
    bool declared; // the sink's columns are, some of them NOT NULL
    bool not_null[OUTPUTS_MAX];
    size_t keys[KEYS_MAX][2]; // column of each side
    size_t n_keys;
    struct output outputs[OUTPUTS_MAX];
    size_t n_outputs;
    struct plan *plan;
    struct row_format row_format;
    struct err err;
};

// What an executor came to.
struct outcome {
    struct buf rows;
    struct executor_result result;
    size_t n_rejects;
    int64_t n_hits, n_misses, n_join_rows;
};

static size_t pick(struct world *world, size_t n)
{
    uint64_t x = world->random; // xorshift64
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    world->random = x;
    return (size_t)((x >> 11) % n);
}

static void make_schema(struct world *world, size_t side)
{
    static const enum type types[] = {TYPE_TEXT,   TYPE_TEXT, TYPE_INT,
                                      TYPE_BIGINT, TYPE_REAL, TYPE_BOOLEAN};
    struct schema *schema = &world->schemas[side];
    schema->n = 1 + pick(world, COLUMNS_MAX);
    schema->columns = arena_array(&world->arena, schema->n, sizeof(struct column));
    for (size_t i = 0; i < schema->n; i++) {
        const char *name =
            arena_printf(&world->arena, "%c%zu", side == SIDE_STREAM ? 's' : 'd', i);
        schema->columns[i] = (struct column){.name = str_of(name),
                                             .type = types[pick(world, ARRAY_LEN(types))],
                                             .nullable = pick(world, 4) != 0};
    }
}

// Few different values, so that keys meet.
static struct value make_value(struct world *world, size_t side,
                               const struct column *column)
{
    static const char *const texts[] = {"",  "a",    "b",     "ab",
                                        "A", "Fête", "a,\"b", "a longer text than most"};
    static const double reals[] = {0, 1, -0.5, 1e300, -0.0};
    static const int64_t wide[] = {0, 1, 2, INT64_C(1) << 40};
    if (column->nullable && pick(world, 5) == 0)
        return (struct value){0};
    switch (column->type) {
    case TYPE_TEXT:
        return value_text(str_of(texts[pick(world, ARRAY_LEN(texts))]));
    case TYPE_REAL:
        // SQLite keeps no -0 in a table.
        return (struct value){
            .r = reals[pick(world, ARRAY_LEN(reals) - (side == SIDE_DIMENSION))],
            .kind = VALUE_REAL};
    case TYPE_BIGINT:
        return value_int(wide[pick(world, ARRAY_LEN(wide))]);
    case TYPE_BOOLEAN:
        return (struct value){.i = (int64_t)pick(world, 2), .kind = VALUE_BOOL};
    default:
        return value_int((int64_t)pick(world, 4) - 1);
    }
}

static void make_rows(struct world *world, size_t side)
{
    const struct schema *schema = &world->schemas[side];
    batch_init(&world->tables[side], schema->n);
    size_t n = pick(world, ROWS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct value *row = batch_add(&world->tables[side], (uint32_t)i);
        for (size_t c = 0; c < schema->n; c++)
            row[c] = make_value(world, side, &schema->columns[c]);
    }
}

// The rows that a hot key has in the dimension, those of the record at `at`: they come to
// lie before, between or behind those of other keys.
static void make_hot_rows(struct world *world, size_t at, size_t n)
{
    struct batch *dimension = &world->tables[SIDE_DIMENSION];
    const struct schema *schema = &world->schemas[SIDE_DIMENSION];
    const struct value *record = batch_row(&world->tables[SIDE_STREAM], at);
    for (size_t i = 0; i < n; i++) {
        struct value *row = batch_add(dimension, 0);
        for (size_t c = 0; c < schema->n; c++)
            row[c] = make_value(world, SIDE_DIMENSION, &schema->columns[c]);
        for (size_t k = 0; k < world->n_keys; k++) {
            struct value key = record[world->keys[k][SIDE_STREAM]];
            size_t c = world->keys[k][SIDE_DIMENSION];
            if (key.kind != VALUE_NULL &&
                (schema->columns[c].type != TYPE_INT || key.i <= INT32_MAX))
                row[c] = key;
        }
    }
}

static bool is_integer(enum type type)
{
    return type == TYPE_INT || type == TYPE_BIGINT;
}

static void make_keys(struct world *world)
{
    struct schema *stream = &world->schemas[SIDE_STREAM];
    struct schema *dimension = &world->schemas[SIDE_DIMENSION];
    size_t n = 1 + pick(world, KEYS_MAX);
    for (size_t i = 0; i < n && i < stream->n && i < dimension->n; i++) {
        // INT = BIGINT is a key too; anything else is made the same type.
        if (!is_integer(stream->columns[i].type) ||
            !is_integer(dimension->columns[i].type))
            stream->columns[i].type = dimension->columns[i].type;
        world->keys[i][SIDE_STREAM] = i;
        world->keys[i][SIDE_DIMENSION] = i;
        world->n_keys++;
    }
}

static void make_outputs(struct world *world)
{
    world->n_outputs = 1 + pick(world, OUTPUTS_MAX);
    for (size_t i = 0; i < world->n_outputs; i++) {
        size_t side = world->has_join && pick(world, 2) ? SIDE_DIMENSION : SIDE_STREAM;
        world->outputs[i] = (struct output){side, pick(world, world->schemas[side].n)};
        world->not_null[i] = pick(world, 3) == 0;
    }
}

static void write_table(const struct world *world, struct buf *script, const char *name,
                        size_t side, const char *with)
{
    buf_printf(script, "CREATE TABLE %s (", name);
    schema_format(&world->schemas[side], script);
    buf_printf(script, ") WITH (%s, format = 'csv');\n", with);
}

static void write_sink(const struct world *world, struct buf *script)
{
    buf_text(script, "CREATE TABLE result (");
    for (size_t i = 0; world->declared && i < world->n_outputs; i++) {
        const struct output *output = &world->outputs[i];
        enum type type = world->schemas[output->side].columns[output->column].type;
        buf_printf(script, "%so%zu %s%s", i ? ", " : "", i, type_name(type),
                   world->not_null[i] ? " NOT NULL" : "");
    }
    buf_text(script, ") WITH (connector = 'filesystem', path = '/nowhere/r', "
                     "format = 'csv');\n");
}

static void write_query(const struct world *world, struct buf *script)
{
    buf_text(script, "INSERT INTO result SELECT ");
    for (size_t i = 0; i < world->n_outputs; i++) {
        const struct output *output = &world->outputs[i];
        struct str name = world->schemas[output->side].columns[output->column].name;
        buf_printf(script, "%s%c.%.*s AS o%zu", i ? ", " : "",
                   output->side == SIDE_STREAM ? 's' : 'd', STR_ARGS(name), i);
    }
    buf_text(script, " FROM stream s");
    if (world->has_join)
        buf_printf(script, " %s %s d ON ", world->left ? "LEFT JOIN" : "JOIN",
                   world->through_view ? "seen" : "dimension");
    for (size_t i = 0; i < world->n_keys; i++)
        buf_printf(script, "%sd.d%zu = s.s%zu", i ? " AND " : "",
                   world->keys[i][SIDE_DIMENSION], world->keys[i][SIDE_STREAM]);
    buf_text(script, ";\n");
}

static void make_plan(struct world *world)
{
    struct buf script = {0}, report = {0};
    write_table(world, &script, "stream", SIDE_STREAM,
                "connector = 'kafka', brokers = 'localhost:1', topic = 't'");
    if (world->has_join)
        write_table(world, &script, "dimension", SIDE_DIMENSION,
                    "connector = 'filesystem', path = '/nowhere/d'");
    if (world->has_join && world->through_view)
        buf_text(&script, "CREATE VIEW seen AS SELECT * FROM dimension;\n");
    write_sink(world, &script);
    write_query(world, &script);
    const struct script input = {.name = STR_LITERAL("case.sql"),
                                 .text = buf_as_str(&script)};
    if (plan_parse(&input, &world->plan, &report) != ST_OK)
        fail_msg("%.*s\n%.*s", STR_ARGS(report), STR_ARGS(script));
    if (world->plan->native == NULL)
        fail_msg("not native: %.*s\n%.*s", STR_ARGS(world->plan->native_why),
                 STR_ARGS(script));
    world->row_format = plain_row_format(&world->plan->output);
    buf_release(&script);
    buf_release(&report);
}

// n_hot: rows of the hot key, 0 for none; hot_at: its record, in percent of the batch.
static void make_world(struct world *world, uint64_t seed, size_t n_hot, size_t hot_at)
{
    *world = (struct world){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
    world->has_join = pick(world, 8) != 0 || n_hot > 0;
    world->left = pick(world, 2) == 0;
    world->through_view = pick(world, 2) == 0;
    world->declared = pick(world, 3) == 0;
    make_schema(world, SIDE_STREAM);
    make_schema(world, SIDE_DIMENSION);
    if (world->has_join)
        make_keys(world);
    make_outputs(world);
    make_rows(world, SIDE_STREAM);
    make_rows(world, SIDE_DIMENSION);
    size_t n_records = world->tables[SIDE_STREAM].n_rows;
    if (n_records > 0 && n_hot > 0)
        make_hot_rows(world, (n_records - 1) * hot_at / 100, n_hot);
    make_plan(world);
}

static void close_world(struct world *world)
{
    plan_free(world->plan);
    batch_release(&world->tables[SIDE_STREAM]);
    batch_release(&world->tables[SIDE_DIMENSION]);
    arena_release(&world->arena);
}

// The nested loop.

static bool equal(struct value a, struct value b)
{
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return false;
    if (a.kind == VALUE_TEXT)
        return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
    return a.kind == VALUE_REAL ? a.r == b.r : a.i == b.i;
}

static bool rows_match(const struct world *world, const struct value *record,
                       const struct value *row)
{
    for (size_t i = 0; i < world->n_keys; i++)
        if (!equal(record[world->keys[i][SIDE_STREAM]],
                   row[world->keys[i][SIDE_DIMENSION]]))
            return false;
    return true;
}

// Appends one row; false when it has a NULL where the sink does not want one.
static bool loop_row(struct world *world, struct outcome *outcome,
                     const struct value *record, const struct value *row)
{
    static const struct value nulls[COLUMNS_MAX + 1];
    struct value values[OUTPUTS_MAX];
    bool good = true;
    for (size_t i = 0; i < world->n_outputs; i++) {
        const struct output *output = &world->outputs[i];
        const struct value *from = output->side == SIDE_STREAM ? record
                                   : row != NULL               ? row
                                                               : nulls;
        values[i] = from[output->column];
        if (world->declared && world->not_null[i] && values[i].kind == VALUE_NULL)
            good = false;
    }
    plain_fields(&world->row_format, 0, values, world->n_outputs, &outcome->rows);
    plain_end_row(&world->row_format, &outcome->rows);
    outcome->result.n_rows++;
    return good;
}

static void loop_record(struct world *world, struct outcome *outcome,
                        const struct value *record)
{
    const struct batch *dimension = &world->tables[SIDE_DIMENSION];
    size_t n_before = outcome->result.n_rows, bytes_before = outcome->rows.n;
    size_t n_matches = 0;
    bool good = true;
    if (!world->has_join)
        good = loop_row(world, outcome, record, NULL);
    for (size_t i = 0; world->has_join && i < dimension->n_rows; i++)
        if (rows_match(world, record, batch_row(dimension, i))) {
            good = loop_row(world, outcome, record, batch_row(dimension, i)) && good;
            n_matches++;
        }
    if (world->has_join && world->left && outcome->result.n_rows == n_before)
        good = loop_row(world, outcome, record, NULL);
    if (!good) {
        outcome->n_rejects++;
        outcome->result.n_rows = n_before;
        outcome->rows.n = bytes_before;
    }
    bool has_rows = outcome->result.n_rows > n_before;
    outcome->result.n_matched += has_rows;
    if (!good || !world->has_join)
        return;
    outcome->n_hits += n_matches > 0;
    outcome->n_misses += n_matches == 0;
    outcome->n_join_rows += (int64_t)n_matches;
    outcome->result.n_unmatched += n_matches == 0 && !has_rows;
}

static void run_loop(struct world *world, struct outcome *outcome)
{
    const struct batch *stream = &world->tables[SIDE_STREAM];
    for (size_t i = 0; i < stream->n_rows; i++) {
        size_t n_before = outcome->n_rejects;
        loop_record(world, outcome, batch_row(stream, i));
        if (outcome->n_rejects > n_before)
            buf_printf(&outcome->rows, "rejected %zu\n", i);
    }
}

// The executors.

static struct table_store *open_store(struct world *world, bool native)
{
    const struct table_store_options options = {0};
    struct table_store *store = table_store_open(world->plan, &options);
    table_store_want_insert(store, native);
    if (world->has_join)
        store_load(store, STR_LITERAL("dimension"), &world->tables[SIDE_DIMENSION]);
    assert_ok(table_store_load_views(store, &world->err), &world->err);
    return store;
}

static void open_dimensions(struct world *world, struct table_store *store,
                            struct dimensions *ret)
{
    const struct dimension_options options = {0};
    assert_ok(dimensions_build(world->plan->native, store, &world->row_format, &options,
                               ret, &world->err),
              &world->err);
}

// Through a small row buffer, so that there are slices; a single record that is too big
// for one gets a larger buffer, the next slice a small one again.
static void run_executor(struct world *world, struct executor *executor,
                         struct outcome *outcome)
{
    struct batch *batch = &world->tables[SIDE_STREAM];
    struct buf rows = {0};
    size_t next = 0;
    while (next < batch->n_rows) {
        struct executor_result result;
        size_t from = next;
        enum status rc = ST_LIMIT;
        for (size_t limit = SMALL_BUFFER; rc == ST_LIMIT && limit <= LARGE_BUFFER;
             limit *= 4) {
            buf_clear(&rows);
            buf_set_limit(&rows, limit);
            rc = executor->ops->run(executor, batch, from, &rows, &next, &result,
                                    &world->err);
            assert_true(rows.n <= limit && rows.capacity <= limit);
        }
        assert_ok(rc, &world->err);
        assert_true(next > from);
        buf_str(&outcome->rows, buf_as_str(&rows));
        outcome->result.n_rows += result.n_rows;
        outcome->result.n_matched += result.n_matched;
        outcome->result.n_unmatched += result.n_unmatched;
    }
    assert_int_equal(executor->n_joins, world->has_join);
    for (size_t i = 0; i < executor->n_joins; i++) {
        assert_str(executor->joins[i].table, world->through_view ? "seen" : "dimension");
        outcome->n_hits += executor->joins[i].n_hits;
        outcome->n_misses += executor->joins[i].n_misses;
        outcome->n_join_rows += executor->joins[i].n_rows;
        assert_int_equal(executor->joins[i].missed.total, executor->joins[i].n_misses);
    }
    outcome->n_rejects = batch->n_rejects;
    for (size_t i = 0; i < batch->n_rejects; i++)
        buf_printf(&outcome->rows, "rejected %u\n", batch->rejects[i].record);
    batch->n_rejects = 0;
    buf_release(&rows);
}

static void run_native(struct world *world, struct outcome *outcome)
{
    struct table_store *store = open_store(world, true);
    struct dimensions dimensions;
    open_dimensions(world, store, &dimensions);
    struct executor *executor =
        native_executor_open(world->plan, &dimensions, &world->row_format);
    run_executor(world, executor, outcome);
    executor->ops->close(executor);
    dimensions_release(&dimensions);
    table_store_close(store);
}

static void run_sqlite(struct world *world, struct outcome *outcome)
{
    struct table_store *store = open_store(world, false);
    struct sqlite_host *host;
    struct executor *executor;
    assert_ok(table_store_host(store, &host, &world->err), &world->err);
    assert_ok(sqlite_executor_open(world->plan, host, &world->row_format, &executor,
                                   &world->err),
              &world->err);
    sqlite_executor_count(executor);
    run_executor(world, executor, outcome);
    executor->ops->close(executor);
    table_store_close(store);
}

static void compare(const struct outcome *expected, const struct outcome *actual,
                    const char *name, uint64_t seed)
{
    char *want = sorted_lines(buf_as_str(&expected->rows));
    char *have = sorted_lines(buf_as_str(&actual->rows));
    if (strcmp(want, have) != 0)
        fail_msg("seed %llu: %s gives\n%s---- instead of\n%s", (unsigned long long)seed,
                 name, have, want);
    free(want);
    free(have);
    assert_int_equal(actual->result.n_rows, expected->result.n_rows);
    assert_int_equal(actual->result.n_matched, expected->result.n_matched);
    assert_int_equal(actual->n_rejects, expected->n_rejects);
    if (actual->n_hits != expected->n_hits || actual->n_misses != expected->n_misses)
        fail_msg("seed %llu: %s counts %lld hits, %lld misses, not %lld, %lld",
                 (unsigned long long)seed, name, (long long)actual->n_hits,
                 (long long)actual->n_misses, (long long)expected->n_hits,
                 (long long)expected->n_misses);
    assert_int_equal(actual->n_join_rows, expected->n_join_rows);
    assert_int_equal(actual->result.n_unmatched, expected->result.n_unmatched);
}

static void run_case(uint64_t seed, size_t n_hot, size_t hot_at)
{
    struct world world;
    struct outcome loop = {0}, native = {0}, sqlite = {0};
    make_world(&world, seed, n_hot, hot_at);
    run_loop(&world, &loop);
    run_native(&world, &native);
    compare(&loop, &native, "native", seed);
    run_sqlite(&world, &sqlite);
    compare(&loop, &sqlite, "sqlite", seed);
    buf_release(&loop.rows);
    buf_release(&native.rows);
    buf_release(&sqlite.rows);
    close_world(&world);
}

static void test_executors_give_the_rows_of_a_nested_loop(UNUSED void **state)
{
    const char *seed = getenv("DIFFERENTIAL_SEED");
    const char *cases = getenv("DIFFERENTIAL_CASES");
    if (seed != NULL) {
        run_case(strtoull(seed, NULL, 10), 0, 0);
        return;
    }
    uint64_t n = cases != NULL ? strtoull(cases, NULL, 10) : CASES;
    for (uint64_t i = 1; i <= n; i++)
        run_case(i, 0, 0);
}

static void test_a_hot_key_gives_the_rows_of_a_nested_loop(UNUSED void **state)
{
    static const size_t n_hot[] = {1000, 1900, 4000};
    static const size_t at[] = {0, 50, 100};
    for (uint64_t seed = 1; seed <= 36; seed++)
        run_case(seed, n_hot[seed % ARRAY_LEN(n_hot)], at[seed / 3 % ARRAY_LEN(at)]);
    for (uint64_t seed = 100; seed < 103; seed++)
        run_case(seed, 50000, at[seed % ARRAY_LEN(at)]);
}

TEST_MAIN(cmocka_unit_test(test_executors_give_the_rows_of_a_nested_loop),
          cmocka_unit_test(test_a_hot_key_gives_the_rows_of_a_nested_loop))
