// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "core/env.h"
#include "table/native_executor.h"
#include "table_fixture.h"

enum {
    ROWS_BYTES = 1 << 20
};

// A plan made by hand. Its outputs are a word of letters: s0 is the stream's column 0, d1
// the dimension query's column 1.
struct world {
    struct arena arena;
    struct plan plan;
    struct native_plan native;
    struct table stream;
    struct row_format row_format;
    struct dimension *dimension[1];
    struct dimensions dimensions;
    struct native_join join;
    struct native_branch branch;
    struct executor *executor;
    struct batch batch;
    struct buf rows;
    struct executor_result result;
    struct err err;
};

struct setup {
    const char *stream;    // schema
    size_t stream_keys[2]; // its key columns
    const char *dimension; // schema, keys first; NULL: no join
    size_t n_keys;
    bool left;
    const char *result; // schema
    const char *outputs;
    const char *dimension_rows;
    size_t limit_bytes; // of the row buffer; 0: enough
};

static void parse_outputs(struct world *world, const char *text)
{
    struct str rest = str_of(text);
    struct output *outputs = arena_array(&world->arena, 64, sizeof(*outputs));
    while (rest.p != NULL) {
        struct str item = str_cut(&rest, ' ');
        struct output *output = &outputs[world->branch.n_outputs++];
        output->side = item.p[0] == 's' ? SIDE_STREAM : SIDE_DIMENSION;
        output->column = (size_t)(item.p[1] - '0');
    }
    world->branch.outputs = outputs;
}

static void build(struct world *world, const char *text)
{
    struct memory_rows *rows = memory_rows_open(&world->join.schema);
    const struct dimension_options options = {0};
    add_rows(&rows->all, &world->join.schema, text);
    assert_ok(dimension_build(&world->branch, 0, &rows->rows, &world->row_format,
                              &options, &world->dimension[0], &world->err),
              &world->err);
    rows->rows.ops->close(&rows->rows);
}

static void open_world(struct world *world, const struct setup *setup)
{
    *world = (struct world){
        .rows = BUF_INIT(setup->limit_bytes ? setup->limit_bytes : ROWS_BYTES)};
    struct native_join *join = &world->join;
    struct native_branch *branch = &world->branch;
    options_init(&world->plan.settings, &set_option_group, &world->arena);
    world->stream.schema = schema_of(&world->arena, setup->stream);
    world->plan.stream = &world->stream;
    branch->stream_schema = world->stream.schema;
    world->native = (struct native_plan){branch, 1};
    world->plan.native = &world->native;
    world->plan.output = schema_of(&world->arena, setup->result);
    world->row_format = plain_row_format(&world->plan.output);
    parse_outputs(world, setup->outputs);
    if (setup->dimension != NULL) {
        branch->joins = join;
        branch->n_joins = 1;
        join->left = setup->left;
        join->n_keys = setup->n_keys;
        join->stream_keys = setup->stream_keys;
        join->schema = schema_of(&world->arena, setup->dimension);
        join->read_schema = join->schema;
        world->plan.join_column =
            world->stream.schema.columns[setup->stream_keys[0]].name;
        build(world, setup->dimension_rows);
        world->dimensions = (struct dimensions){world->dimension, 1};
    }
    world->executor =
        native_executor_open(&world->plan, &world->dimensions, &world->row_format);
    batch_init(&world->batch, world->stream.schema.n);
}

static void close_world(struct world *world)
{
    world->executor->ops->close(world->executor);
    dimension_free(world->dimension[0]);
    batch_release(&world->batch);
    buf_release(&world->rows);
    arena_release(&world->arena);
}

// Runs rows [from, ..) and returns where it stopped.
static size_t run(struct world *world, size_t from)
{
    size_t next = 0;
    buf_clear(&world->rows);
    assert_ok(world->executor->ops->run(world->executor, &world->batch, from,
                                        &world->rows, &next, &world->result, &world->err),
              &world->err);
    return next;
}

static void assert_rows(struct world *world, const char *records, const char *expected)
{
    batch_clear(&world->batch);
    add_rows(&world->batch, &world->stream.schema, records);
    assert_int_equal(run(world, 0), world->batch.n_rows);
    char *sorted = sorted_lines(buf_as_str(&world->rows));
    assert_string_equal(sorted, expected);
    free(sorted);
}

static const struct setup inner = {
    .stream = "k TEXT, n INT",
    .dimension = "k TEXT, v TEXT, w INT",
    .n_keys = 1,
    .result = "k TEXT, n INT, v TEXT, w INT",
    .outputs = "s0 s1 d1 d2",
    .dimension_rows = "A|x|1\nB|y|2\nA|z|3\n~|never|0\n",
};

static void test_inner_join(UNUSED void **state)
{
    struct world world;
    open_world(&world, &inner);
    assert_rows(&world, "A|1\nC|2\nB|~\n~|4\nA|5\n",
                "A|1|x|1\nA|1|z|3\nA|5|x|1\nA|5|z|3\nB|~|y|2\n");
    assert_int_equal(world.result.n_rows, 5);
    assert_int_equal(world.result.n_matched, 3);
    close_world(&world);
}

static void test_left_join(UNUSED void **state)
{
    struct setup setup = inner;
    setup.left = true;
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nC|2\n~|4\n", "A|1|x|1\nA|1|z|3\nC|2|~|~\n~|4|~|~\n");
    assert_int_equal(world.result.n_matched, 3);
    close_world(&world);
}

static void test_no_join(UNUSED void **state)
{
    const struct setup setup = {
        .stream = "k TEXT, n INT", .result = "n INT, k TEXT", .outputs = "s1 s0"};
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\n~|2\n", "1|A\n2|~\n");
    assert_int_equal(world.result.n_matched, 2);
    close_world(&world);
}

static void test_sides_may_alternate(UNUSED void **state)
{
    struct setup setup = inner;
    setup.result = "v TEXT, n INT, w INT, v2 TEXT, k TEXT";
    setup.outputs = "d1 s1 d2 d1 s0";
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nB|2\n", "x|1|1|x|A\ny|2|2|y|B\nz|1|3|z|A\n");
    close_world(&world);
}

static void test_one_side_alone_keeps_the_count(UNUSED void **state)
{
    struct setup setup = inner;
    setup.result = "n INT";
    setup.outputs = "s1";
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nB|2\nC|3\n", "1\n1\n2\n");
    close_world(&world);
    setup.result = "w INT";
    setup.outputs = "d2";
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nB|2\nC|3\n", "1\n2\n3\n");
    close_world(&world);
}

static void test_wide_keys(UNUSED void **state)
{
    const struct setup setup = {
        .stream = "a TEXT, n BIGINT",
        .stream_keys = {1, 0},
        .dimension = "n INT, a TEXT, v TEXT",
        .n_keys = 2,
        .result = "a TEXT, v TEXT",
        .outputs = "s0 d2",
        .dimension_rows = "7|A|x\n7|B|y\n8|A|z\n~|A|u\n",
    };
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|7\nB|7\nA|8\nA|9\nA|~\n~|7\nB|8\nA|07\n",
                "A|x\nA|x\nA|z\nB|y\n");
    close_world(&world);
}

static void test_numbers_compare_as_numbers(UNUSED void **state)
{
    const struct setup setup = {
        .stream = "r REAL",
        .dimension = "r REAL, v TEXT",
        .n_keys = 1,
        .result = "v TEXT",
        .outputs = "d1",
        .dimension_rows = "0|zero\n-0.5|half\n",
    };
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "-0\n0e5\n-5e-1\n0.5\n", "half\nzero\nzero\n");
    close_world(&world);
}

static void assert_reject(const struct world *world, size_t i, uint32_t record,
                          const char *reason)
{
    assert_true(i < world->batch.n_rejects);
    assert_int_equal(world->batch.rejects[i].record, record);
    assert_str(world->batch.rejects[i].reason, reason);
}

// Record 2 matches one good and one bad row: it gives none at all.
static void test_values_that_do_not_fit_are_rejected(UNUSED void **state)
{
    struct setup setup = inner;
    setup.stream = "k TEXT, n BIGINT";
    setup.result = "k TEXT, n INT, v TEXT NOT NULL, w INT";
    setup.dimension_rows = "A|x|1\nB|y|2\nB|~|3\n";
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nA|2147483648\nB|2\nC|2147483648\nA|-2147483648\n",
                "A|-2147483648|x|1\nA|1|x|1\n");
    assert_int_equal(world.batch.n_rejects, 2);
    assert_reject(&world, 0, 1, "column 'n' is out of range, not INT");
    assert_reject(&world, 1, 2, "column 'v' is NULL, not TEXT NOT NULL");
    assert_int_equal(world.result.n_matched, 2);
    close_world(&world);
}

static void test_left_join_into_not_null_is_rejected(UNUSED void **state)
{
    struct setup setup = inner;
    setup.left = true;
    setup.result = "k TEXT, n INT, v TEXT NOT NULL, w INT";
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "C|1\nB|2\n", "B|2|y|2\n");
    assert_reject(&world, 0, 0, "column 'v' is NULL, not TEXT NOT NULL");
    close_world(&world);
}

// A value may fit its column and still have no form in the file's schema.
static void test_values_that_the_format_refuses_are_rejected(UNUSED void **state)
{
    struct setup setup = inner;
    setup.dimension_rows = "A|x|1\nB|refuse|2\nB|y|3\nrefuse|x|4\n";
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "B|1\nrefuse|2\nA|3\nC|4\nA|5\n", "A|3|x|1\nA|5|x|1\n");
    assert_int_equal(world.batch.n_rejects, 2);
    assert_reject(&world, 0, 0, "column 'x': 'refuse' has no form");
    assert_reject(&world, 1, 1, "column 'x': 'refuse' has no form");
    assert_int_equal(world.row_format.refused.n, 0);
    close_world(&world);
}

static void test_refused_values_without_a_join(UNUSED void **state)
{
    const struct setup setup = {
        .stream = "k TEXT, n INT", .result = "k TEXT, n INT", .outputs = "s0 s1"};
    struct world world;
    open_world(&world, &setup);
    assert_rows(&world, "A|1\nrefuse|2\nB|3\n", "A|1\nB|3\n");
    assert_reject(&world, 0, 1, "column 'x': 'refuse' has no form");
    close_world(&world);
}

// All rows of a record lie in one slice; nothing is lost or doubled between slices.
static void test_a_small_row_buffer_gives_slices(UNUSED void **state)
{
    struct setup setup = inner;
    setup.limit_bytes = 64;
    struct world world;
    open_world(&world, &setup);
    add_rows(&world.batch, &world.stream.schema, "A|1\nB|2\nC|3\nA|4\nA|5\nB|6\n");
    struct buf all = {0};
    size_t n_slices = 0, n_rows = 0;
    for (size_t at = 0; at < world.batch.n_rows; n_slices++) {
        size_t next = run(&world, at);
        assert_true(next > at && world.rows.n <= 64);
        buf_str(&all, buf_as_str(&world.rows));
        n_rows += world.result.n_rows;
        at = next;
    }
    assert_true(n_slices > 1);
    assert_int_equal(n_rows, 8);
    assert_str(buf_as_str(&all), "A|1|x|1\nA|1|z|3\nB|2|y|2\nA|4|x|1\nA|4|z|3\n"
                                 "A|5|x|1\nA|5|z|3\nB|6|y|2\n");
    buf_release(&all);
    close_world(&world);
}

static void test_a_record_too_big_alone_is_named(UNUSED void **state)
{
    struct setup setup = inner;
    setup.limit_bytes = 40;
    setup.dimension_rows = "A|a long text of thirty letters|1\nA|b|2\nB|y|2\n";
    struct world world;
    open_world(&world, &setup);
    add_rows(&world.batch, &world.stream.schema, "C|1\nA|2\n");
    assert_int_equal(run(&world, 0), 1);
    size_t next = 0;
    buf_clear(&world.rows);
    assert_status(world.executor->ops->run(world.executor, &world.batch, 1, &world.rows,
                                           &next, &world.result, &world.err),
                  ST_LIMIT);
    assert_string_equal(world.err.text, "the record with k = A gives 2 rows: more than "
                                        "fit the row buffer of 40 bytes");
    close_world(&world);
}

// More records than one block of lookups, and more than one row each.
static void test_many_blocks(UNUSED void **state)
{
    struct world world;
    open_world(&world, &inner);
    for (uint32_t i = 0; i < 1000; i++) {
        struct value *row = batch_add(&world.batch, i);
        row[0] = value_text(i % 2 ? STR_LITERAL("A") : STR_LITERAL("B"));
        row[1] = value_int(i);
    }
    assert_int_equal(run(&world, 0), 1000);
    assert_int_equal(world.result.n_rows, 1500);
    assert_int_equal(world.result.n_matched, 1000);
    assert_true(str_ends_with(buf_as_str(&world.rows), "\nA|999|x|1\nA|999|z|3\n"));
    close_world(&world);
}

// Runs of equal keys, of any length, over the ends of blocks: known, unknown, NULL.
static void test_runs_of_equal_keys(UNUSED void **state)
{
    AUTO(buf_release) struct buf expected = {0};
    struct world world;
    open_world(&world, &inner);
    for (uint32_t i = 0; i < 3000; i++) {
        struct value *row = batch_add(&world.batch, i);
        uint32_t kind = i / (1 + i / 20) % 4; // runs grow up to 150
        row[0] =
            kind == 3 ? (struct value){0} : value_text((struct str){&"ABC"[kind], 1});
        row[1] = value_int(i);
        if (kind == 0)
            buf_printf(&expected, "A|%u|x|1\nA|%u|z|3\n", i, i);
        if (kind == 1)
            buf_printf(&expected, "B|%u|y|2\n", i);
    }
    assert_int_equal(run(&world, 0), 3000);
    assert_str(buf_as_str(&world.rows), buf_cstr(&expected));
    close_world(&world);
}

// A query that is slow gives back what it has, so that whoever waits sees it move.
static void test_a_slow_run_ends_early(UNUSED void **state)
{
    struct world world;
    open_world(&world, &inner);
    world.row_format.ops = &slow_row_format_ops;
    for (uint32_t i = 0; i < SLOW_ROWS; i++) {
        struct value *row = batch_add(&world.batch, i);
        row[0] = value_text(STR_LITERAL("B"));
        row[1] = value_int(i);
    }
    struct env *env = env_system();
    int64_t began_ms = env->ops->monotonic_ms(env);
    size_t next = run(&world, 0);
    assert_in_range(env->ops->monotonic_ms(env) - began_ms, 500, SLOW_MOST_MS);
    assert_in_range(next, 1, SLOW_ROWS - 1);
    assert_int_equal(world.result.n_rows, next);
    assert_true(run(&world, next) > next); // and goes on behind it
    close_world(&world);
}

TEST_MAIN(cmocka_unit_test(test_inner_join), cmocka_unit_test(test_left_join),
          cmocka_unit_test(test_no_join), cmocka_unit_test(test_sides_may_alternate),
          cmocka_unit_test(test_one_side_alone_keeps_the_count),
          cmocka_unit_test(test_wide_keys),
          cmocka_unit_test(test_numbers_compare_as_numbers),
          cmocka_unit_test(test_values_that_do_not_fit_are_rejected),
          cmocka_unit_test(test_left_join_into_not_null_is_rejected),
          cmocka_unit_test(test_values_that_the_format_refuses_are_rejected),
          cmocka_unit_test(test_refused_values_without_a_join),
          cmocka_unit_test(test_a_small_row_buffer_gives_slices),
          cmocka_unit_test(test_a_record_too_big_alone_is_named),
          cmocka_unit_test(test_many_blocks), cmocka_unit_test(test_runs_of_equal_keys),
          cmocka_unit_test(test_a_slow_run_ends_early))
