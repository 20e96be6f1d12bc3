// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "table/dimension.h"
#include "table_fixture.h"

// The query SELECT s.*, then the dimension's columns after its keys.
struct world {
    struct arena arena;
    struct schema result;
    struct native_join join;
    struct native_branch branch;
    struct row_format row_format;
    struct memory_rows *rows;
    struct dimension_options options;
    struct dimension *dimension;
    struct err err;
};

// `result` names the dimension's columns behind its first n_keys.
static void open_world(struct world *world, const char *dimension, const char *result,
                       size_t n_keys, const char *rows)
{
    *world = (struct world){0};
    world->result = schema_of(&world->arena, result);
    world->row_format = plain_row_format(&world->result);
    struct native_join *join = &world->join;
    struct native_branch *branch = &world->branch;
    join->schema = schema_of(&world->arena, dimension);
    join->read_schema = join->schema;
    join->n_keys = n_keys;
    branch->joins = join;
    branch->n_joins = 1;
    branch->n_outputs = world->result.n;
    struct output *outputs =
        arena_array(&world->arena, world->result.n, sizeof(*outputs));
    for (size_t i = 0; i < world->result.n; i++)
        outputs[i] = (struct output){SIDE_DIMENSION, n_keys + i};
    branch->outputs = outputs;
    world->rows = memory_rows_open(&join->schema);
    add_rows(&world->rows->all, &join->schema, rows);
}

static enum status build(struct world *world)
{
    return dimension_build(&world->branch, 0, &world->rows->rows, &world->row_format,
                           &world->options, &world->dimension, &world->err);
}

static void close_world(struct world *world)
{
    dimension_free(world->dimension);
    world->rows->rows.ops->close(&world->rows->rows);
    arena_release(&world->arena);
}

static const struct group *find(const struct world *world, struct str key)
{
    uint32_t at = key_index_find(&world->dimension->keys, hash64(key.p, key.n), key);
    return at ? group_at(&world->dimension->groups, at) : NULL;
}

// The rows of a group: its prefix before each tail.
static void assert_rows(const struct world *world, const struct group *group,
                        const char *expected)
{
    const struct tails *tails = tails_of(&world->dimension->groups, group);
    const char *from = tails_bytes(tails);
    struct buf rows = {0};
    for (uint32_t i = 0; i < tails->n_rows; i++) {
        buf_append(&rows, group->prefix, group->n_prefix);
        buf_append(&rows, from, tails->lengths[i]);
        from += tails->lengths[i];
    }
    assert_str(buf_as_str(&rows), expected);
    buf_release(&rows);
}

static void assert_group(const struct world *world, struct str key, const char *rows)
{
    const struct group *group = find(world, key);
    assert_non_null(group);
    assert_rows(world, group, rows);
}

static void test_rows_of_a_key_stand_together_in_order(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT", "v TEXT", 1,
               "A|1\nB|2\nA|3\nC|4\nA|5\nB|6\n~|7\n");
    assert_ok(build(&world), &world.err);
    assert_group(&world, str_of("A"), "1\n3\n5\n");
    assert_group(&world, str_of("B"), "2\n6\n");
    assert_group(&world, str_of("C"), "4\n");
    assert_null(find(&world, str_of("D")));
    assert_null(find(&world, str_of("")));
    const struct dimension_stats *stats = &world.dimension->stats;
    assert_int_equal(stats->n_rows, 6);
    assert_int_equal(stats->n_null_keys, 1);
    assert_int_equal(stats->n_keys, 3);
    assert_int_equal(stats->max_matches, 3);
    assert_string_equal(world.dimension->max_key, "'A'");
    assert_float_equal(dimension_fan_out(world.dimension), 2.0, 1e-9);
    close_world(&world);
}

static void test_equal_groups_are_stored_once(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT", "v TEXT", 1,
               "A|x\nA|y\nB|x\nB|y\nC|y\nC|x\nD|x\nD|y\n");
    assert_ok(build(&world), &world.err);
    assert_ptr_equal(find(&world, str_of("A")), find(&world, str_of("B")));
    assert_ptr_equal(find(&world, str_of("A")), find(&world, str_of("D")));
    assert_group(&world, str_of("C"), "y\nx\n");
    assert_int_equal(world.dimension->stats.n_groups, 2);
    assert_int_equal(world.dimension->stats.row_bytes, 16);
    close_world(&world);
}

// Trips of one service: what differs is stored for each, their dates once.
static void test_equal_tails_are_stored_once(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT, w TEXT", "v TEXT, w TEXT", 1,
               "A|red|d1\nA|red|d2\nB|blue|d1\nB|blue|d2\nC|red|d1\n");
    assert_ok(build(&world), &world.err);
    assert_group(&world, str_of("A"), "red|d1\nred|d2\n");
    assert_group(&world, str_of("B"), "blue|d1\nblue|d2\n");
    assert_group(&world, str_of("C"), "red|d1\n");
    assert_int_equal(world.dimension->stats.n_groups, 3);
    assert_int_equal(world.dimension->stats.n_tails, 2);
    close_world(&world);
}

static void test_the_empty_text_is_a_key_and_null_is_not(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT", "v TEXT", 1, "|1\n~|2\n|3\n");
    assert_ok(build(&world), &world.err);
    assert_group(&world, STR_LITERAL(""), "1\n3\n");
    assert_int_equal(world.dimension->stats.n_keys, 1);
    close_world(&world);
}

static void test_wide_keys_do_not_run_into_each_other(UNUSED void **state)
{
    struct world world;
    open_world(&world, "a TEXT, b TEXT, v INT", "v INT", 2,
               "a|bc|1\nab|c|2\nab|~|3\nabc||4\n");
    assert_ok(build(&world), &world.err);
    assert_int_equal(world.dimension->stats.n_keys, 3);
    assert_int_equal(world.dimension->stats.n_null_keys, 1);
    close_world(&world);
}

static void test_left_join_has_a_row_of_nulls(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT, w INT", "v TEXT, w INT", 1, "A|1|2\n");
    world.join.left = true;
    assert_ok(build(&world), &world.err);
    const struct group *group =
        group_at(&world.dimension->groups, world.dimension->unmatched);
    assert_rows(&world, group, "~|~\n");
    const struct dimension_stats *stats = &world.dimension->stats;
    assert_true(stats->n_keys == 1 && stats->n_rows == 1 && stats->max_matches == 1);
    assert_string_equal(world.dimension->max_key, "'A'");
    assert_true(dimension_fan_out(world.dimension) == 1.0);
    close_world(&world);
}

static void test_an_empty_table_builds(UNUSED void **state)
{
    struct world world;
    open_world(&world, "k TEXT, v TEXT", "v TEXT", 1, "");
    assert_ok(build(&world), &world.err);
    assert_null(find(&world, str_of("A")));
    const struct dimension_stats *stats = &world.dimension->stats;
    assert_true(stats->n_keys == 0 && stats->n_rows == 0 && stats->max_matches == 0);
    assert_true(dimension_fan_out(world.dimension) == 0.0);
    close_world(&world);
}

static void test_memory_is_limited(UNUSED void **state)
{
    char rows[10000];
    memset(rows, 'x', sizeof(rows));
    memcpy(rows, "A|1\nB|", 6);
    memcpy(rows + sizeof(rows) - 5, "\nC|3", 5); // its NUL too
    struct world world;
    open_world(&world, "k TEXT, v TEXT", "v TEXT", 1, rows);
    world.options.limit_bytes = 8000;
    assert_status(build(&world), ST_LIMIT);
    assert_string_equal(
        world.err.text,
        "the joined tables take more than 8000 bytes of memory after 2 rows; raise SET "
        "dimension.memory, or join fewer rows");
    close_world(&world);
}

struct counter {
    struct dimension_progress progress;
    size_t n_calls, n_rows;
};

static void count_rows(struct dimension_progress *progress, size_t n_rows)
{
    struct counter *counter = (struct counter *)progress;
    counter->n_calls++;
    counter->n_rows = n_rows;
}

// Many keys, each with rows far apart: the index grows, groups are put together.
static void test_many_keys_in_any_order(UNUSED void **state)
{
    enum {
        N_KEYS = 40000,
        N_ROUNDS = 2
    };
    struct counter counter = {.progress = {count_rows}};
    struct world world;
    open_world(&world, "k INT, v INT", "v INT", 1, "");
    for (int round = 0; round < N_ROUNDS; round++) {
        for (int key = 0; key < N_KEYS; key++) {
            struct value *row = batch_add(&world.rows->all, 0);
            row[0] = value_int(key);
            row[1] = value_int(round * N_KEYS + key);
        }
    }
    world.options.progress = &counter.progress;
    world.options.version = STR_LITERAL("v7");
    assert_ok(build(&world), &world.err);
    for (int64_t key = 0; key < N_KEYS; key++) {
        char rows[64];
        snprintf(rows, sizeof(rows), "%d\n%d\n", (int)key, (int)key + N_KEYS);
        assert_group(&world, (struct str){(const char *)&key, sizeof(key)}, rows);
    }
    assert_int_equal(counter.n_calls, 2);
    assert_int_equal(counter.n_rows, N_KEYS * N_ROUNDS);
    assert_string_equal(world.dimension->version, "v7");
    assert_int_equal(world.dimension->stats.n_groups, N_KEYS);
    close_world(&world);
}

TEST_MAIN(cmocka_unit_test(test_rows_of_a_key_stand_together_in_order),
          cmocka_unit_test(test_equal_groups_are_stored_once),
          cmocka_unit_test(test_equal_tails_are_stored_once),
          cmocka_unit_test(test_the_empty_text_is_a_key_and_null_is_not),
          cmocka_unit_test(test_wide_keys_do_not_run_into_each_other),
          cmocka_unit_test(test_left_join_has_a_row_of_nulls),
          cmocka_unit_test(test_an_empty_table_builds),
          cmocka_unit_test(test_memory_is_limited),
          cmocka_unit_test(test_many_keys_in_any_order))
