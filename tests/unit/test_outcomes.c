// SPDX-License-Identifier: Apache-2.0
// What becomes of records that give no row: unmatched or filtered, for each shape of join
// and WHERE, by both executors, against loops over the same rows.
#include "test.h"

#include "table/native_executor.h"
#include "table/sqlite_executor.h"
#include "table_fixture.h"

enum {
    RECORDS = 200, // more than three blocks
    TABLE_ROWS = 9,
    VALUES = 7,
    SEEDS = 20,
    NONE = -1, // NULL
    ALL = -2,  // rows whose other column is above
    NO_ROW = 100
};

struct pair {
    int k, j;
};

struct world {
    uint64_t random;
    struct pair records[RECORDS];
    struct pair a[TABLE_ROWS], b[TABLE_ROWS]; // their columns k and x, k and y
    struct plan *plan;
    struct table_store *store;
    struct row_format row_format;
    struct batch batch;
    struct err err;
};

struct shape {
    const char *query;
    // 'm'atched, 'u'nmatched or 'f'iltered.
    char (*outcome)(const struct world *world, struct pair record);
};

// Expected, by loops.

static bool any(const struct pair *table, int key, int above)
{
    for (int i = 0; i < TABLE_ROWS; i++)
        if (key != NONE && table[i].k == key && table[i].j > above)
            return true;
    return false;
}

static char look_up(const struct pair *table, int key, int above)
{
    return any(table, key, above) ? 'm' : any(table, key, ALL) ? 'f' : 'u';
}

static char where_table(const struct world *world, struct pair record)
{
    return look_up(world->a, record.k, 2);
}

static char on_table(const struct world *world, struct pair record)
{
    return any(world->a, record.k, 2) ? 'm' : 'u';
}

static char where_no_row(const struct world *world, struct pair record)
{
    return any(world->a, record.k, ALL) ? 'f' : 'm';
}

static char on_both(const struct world *world, struct pair record)
{
    return record.j != NONE && any(world->a, record.k, record.j) ? 'm' : 'u';
}

static char where_both(const struct world *world, struct pair record)
{
    return on_both(world, record) == 'm' ? 'm' : look_up(world->a, record.k, NO_ROW);
}

static char where_stream(const struct world *world, struct pair record)
{
    return record.j > 2 ? look_up(world->a, record.k, ALL) : 'f';
}

// WHERE over the first of two tables: the second is asked for what it leaves.
static char first_of_two(const struct world *world, struct pair record)
{
    char first = look_up(world->a, record.k, 2);
    return first == 'm' ? look_up(world->b, record.j, ALL) : first;
}

static char second_of_two(const struct world *world, struct pair record)
{
    return any(world->a, record.k, ALL) ? look_up(world->b, record.j, 2) : 'u';
}

static char left_then_second(const struct world *world, struct pair record)
{
    return look_up(world->b, record.j, 2);
}

// a's row joined with b's by x.
static char chain(const struct world *world, struct pair record)
{
    char outcome = 'u';
    for (int i = 0; i < TABLE_ROWS; i++) {
        if (record.k == NONE || world->a[i].k != record.k)
            continue;
        char found = look_up(world->b, world->a[i].j, 2);
        outcome = found == 'm' || outcome == 'u' ? found : outcome;
        if (outcome == 'm')
            break;
    }
    return outcome;
}

static char any_branch(const struct world *world, struct pair record)
{
    char a = look_up(world->a, record.k, 2), b = look_up(world->b, record.j, 2);
    return a == 'm' || b == 'm' ? 'm' : a == 'u' || b == 'u' ? 'u' : 'f';
}

static char branch_beside(const struct world *world, struct pair record)
{
    return record.j > 4 ? 'm' : look_up(world->a, record.k, 2);
}

static char where_in(const struct world *world, struct pair record)
{
    char outcome = any(world->a, record.k, ALL) ? 'f' : 'u';
    for (int i = 0; i < TABLE_ROWS; i++)
        if (record.k != NONE && world->a[i].k == record.k &&
            any(world->b, world->a[i].j, ALL))
            outcome = 'm';
    return outcome;
}

static char where_exists(const struct world *world, struct pair record)
{
    return any(world->b, record.j, ALL) ? look_up(world->a, record.k, ALL) : 'f';
}

static char links_in_where(const struct world *world, struct pair record)
{
    char outcome = 'u';
    for (int i = 0; i < TABLE_ROWS; i++)
        if (record.k != NONE && world->a[i].k == record.k && world->a[i].j == record.j &&
            record.j != NONE)
            outcome = 'm';
    return outcome;
}

static char only_where(UNUSED const struct world *world, struct pair record)
{
    return record.j > 2 ? 'm' : 'f';
}

#define A   "FROM s JOIN a ON a.k = s.k "
#define A_B A "JOIN b ON b.k = s.j "

static const struct shape shapes[] = {
    {"SELECT s.k AS k, a.x AS x " A "WHERE a.x > 2", where_table},
    {"SELECT s.k AS k, a.x AS x FROM a JOIN s ON a.k = s.k WHERE a.x > 2", where_table},
    {"SELECT s.k AS k, a.x AS x FROM s, a WHERE a.k = s.k AND a.x > 2", where_table},
    {"SELECT s.k AS k, a.x AS x FROM s LEFT JOIN a ON a.k = s.k WHERE a.x > 2",
     where_table},
    {"SELECT s.k AS k FROM s LEFT JOIN a ON a.k = s.k WHERE a.x IS NULL", where_no_row},
    {"SELECT s.k + 1 AS k, a.x AS x FROM s JOIN a ON a.k = s.k AND a.x > 2", on_table},
    {"SELECT s.k AS k, a.x AS x FROM s JOIN (SELECT * FROM a WHERE a.x > 2) a "
     "ON a.k = s.k",
     on_table},
    {"SELECT s.k AS k, a.x AS x FROM s JOIN a ON a.k = s.k AND a.x > s.j", on_both},
    {"SELECT s.k AS k, a.x AS x " A "WHERE a.x > s.j", where_both},
    {"SELECT s.k AS k, a.x AS x " A "WHERE CASE WHEN s.j IS NULL THEN FALSE ELSE a.x > "
     "s.j END",
     where_both},
    {"SELECT s.k AS k, a.x AS x " A "WHERE s.j > 2", where_stream},
    {"SELECT s.k AS k, a.x AS x FROM s JOIN a ON a.k = s.k AND s.j > 2", where_stream},
    {"SELECT s.k AS k, a.x AS x, b.y AS y " A_B "WHERE a.x > 2", first_of_two},
    {"SELECT s.k * 2 AS k, a.x AS x, b.y AS y " A_B "WHERE a.x > 2", first_of_two},
    {"SELECT s.k AS k, a.x AS x, b.y AS y " A_B "WHERE b.y > 2", second_of_two},
    {"SELECT s.k AS k, b.y AS y FROM s LEFT JOIN a ON a.k = s.k JOIN b ON b.k = s.j "
     "WHERE b.y > 2",
     left_then_second},
    {"SELECT s.k AS k, b.y AS y FROM s LEFT JOIN a ON a.k = s.k JOIN b ON b.k = s.j "
     "WHERE a.x > 2",
     first_of_two},
    {"SELECT s.k AS k, b.y AS y " A "JOIN b ON b.k = a.x WHERE b.y > 2", chain},
    {"SELECT v.k AS k, v.x AS x FROM (SELECT s.k, a.x " A ") v WHERE v.x > 2",
     where_table},
    {"SELECT v.k AS k, v.x AS x FROM (SELECT s.k, a.x " A "WHERE a.x > 2) v",
     where_table},
    {"SELECT v.k AS k, b.y AS y FROM (SELECT s.k, s.j, a.x " A "WHERE a.x > 2) v "
     "JOIN b ON b.k = v.j",
     first_of_two},
    {"SELECT s.k AS k " A "WHERE a.x > 2 UNION ALL SELECT s.j FROM s JOIN b ON b.k = s.j "
     "WHERE b.y > 2",
     any_branch},
    {"SELECT s.k AS k " A "WHERE a.x > 2 UNION ALL SELECT s.j FROM s WHERE s.j > 4",
     branch_beside},
    {"SELECT s.k AS k, a.x AS x " A "WHERE a.x IN (SELECT b.k FROM b)", where_in},
    {"SELECT s.k AS k, a.x AS x " A "WHERE EXISTS (SELECT 1 FROM b WHERE b.k = s.j)",
     where_exists},
    {"SELECT s.k AS k, a.x AS x " A "WHERE a.x = s.j", links_in_where},
    {"SELECT s.k AS k FROM s WHERE s.j > 2", only_where},
};

// The executors.

static int pick(struct world *world, int n)
{
    world->random =
        world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((world->random >> 33) % (uint64_t)n);
}

static void make_record(struct world *world, struct pair *ret, bool nullable)
{
    ret->k = pick(world, VALUES + nullable) - nullable;
    ret->j = pick(world, VALUES + nullable) - nullable;
}

static struct value value_of(int number)
{
    return number == NONE ? (struct value){0} : value_int(number);
}

static void add_record(struct batch *batch, struct pair record)
{
    struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
    row[0] = value_of(record.k);
    row[1] = value_of(record.j);
}

static void load(struct world *world, const char *name, const struct pair *rows)
{
    struct batch batch;
    batch_init(&batch, 2);
    for (int i = 0; i < TABLE_ROWS; i++)
        add_record(&batch, rows[i]);
    store_load(world->store, str_of(name), &batch);
    batch_release(&batch);
}

static struct plan *plan_of(const char *query)
{
    AUTO(buf_release) struct buf text = {0}, report = {0};
    struct plan *plan = NULL;
    buf_printf(&text,
               "CREATE TABLE s (k INT, j INT) WITH (connector = 'kafka', brokers = "
               "'b:1', topic = 't', format = 'csv');\n"
               "CREATE TABLE a (k INT, x INT) WITH (connector = 'filesystem', path = "
               "'/nowhere/a', format = 'csv');\n"
               "CREATE TABLE b (k INT, y INT) WITH (connector = 'filesystem', path = "
               "'/nowhere/b', format = 'csv');\n"
               "CREATE TABLE r () WITH (connector = 'filesystem', path = '/nowhere/r', "
               "format = 'csv');\nINSERT INTO r %s;\n",
               query);
    const struct script script = {.name = STR_LITERAL("case.sql"),
                                  .text = buf_as_str(&text)};
    if (plan_parse(&script, &plan, &report) != ST_OK)
        fail_msg("%.*s\n%s", STR_ARGS(report), query);
    return plan;
}

static void open_world(struct world *world, const struct shape *shape, uint64_t seed,
                       bool native)
{
    const struct table_store_options options = {0};
    *world = (struct world){.random = seed};
    world->plan = plan_of(shape->query);
    world->row_format = plain_row_format(&world->plan->output);
    batch_init(&world->batch, 2);
    for (int i = 0; i < TABLE_ROWS; i++) {
        make_record(world, &world->a[i], false);
        make_record(world, &world->b[i], false);
    }
    for (int i = 0; i < RECORDS; i++) {
        make_record(world, &world->records[i], true);
        add_record(&world->batch, world->records[i]);
    }
    world->store = table_store_open(world->plan, &options);
    table_store_want_insert(world->store, native);
    load(world, "a", world->a);
    load(world, "b", world->b);
    assert_ok(table_store_load_views(world->store, &world->err), &world->err);
}

static void close_world(struct world *world)
{
    table_store_close(world->store);
    batch_release(&world->batch);
    plan_free(world->plan);
}

static struct executor_result run(struct world *world, struct executor *executor)
{
    AUTO(buf_release) struct buf rows = BUF_INIT(1 << 20);
    struct executor_result result;
    size_t next = 0;
    assert_ok(executor->ops->run(executor, &world->batch, 0, &rows, &next, &result,
                                 &world->err),
              &world->err);
    assert_int_equal(next, RECORDS);
    assert_int_equal(world->batch.n_rejects, 0);
    executor->ops->close(executor);
    return result;
}

static struct executor_result run_native(struct world *world)
{
    const struct dimension_options options = {.counts = true};
    struct dimensions dimensions;
    assert_ok(dimensions_build(world->plan->native, world->store, &world->row_format,
                               &options, &dimensions, &world->err),
              &world->err);
    struct executor_result result =
        run(world, native_executor_open(world->plan, &dimensions, &world->row_format));
    dimensions_release(&dimensions);
    return result;
}

static struct executor_result run_sqlite(struct world *world)
{
    struct sqlite_host *host;
    struct executor *executor;
    assert_ok(table_store_host(world->store, &host, &world->err), &world->err);
    assert_ok(sqlite_executor_open(world->plan, host, &world->row_format, &executor,
                                   &world->err),
              &world->err);
    sqlite_executor_count(executor);
    return run(world, executor);
}

static void check_shape(const struct shape *shape, uint64_t seed, bool native,
                        size_t times[256])
{
    struct world world;
    size_t n[256] = {0};
    open_world(&world, shape, seed, native);
    assert_non_null(world.plan->native);
    struct executor_result result = native ? run_native(&world) : run_sqlite(&world);
    for (int i = 0; i < RECORDS; i++)
        n[(unsigned char)shape->outcome(&world, world.records[i])]++;
    size_t n_filtered = RECORDS - result.n_matched - result.n_unmatched;
    if (result.n_matched != n['m'] || result.n_unmatched != n['u'])
        fail_msg("%s, seed %llu: %zu matched, %zu unmatched, %zu filtered, not %zu, %zu, "
                 "%zu\n%s",
                 native ? "native" : "sqlite", (unsigned long long)seed, result.n_matched,
                 result.n_unmatched, n_filtered, n['m'], n['u'], n['f'], shape->query);
    for (size_t i = 0; i < 256; i++)
        times[i] += n[i];
    close_world(&world);
}

static void check_all(bool native)
{
    size_t times[256] = {0};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            check_shape(&shapes[i], seed, native, times);
    assert_true(times['m'] > RECORDS && times['u'] > RECORDS && times['f'] > RECORDS);
}

static void test_native_counts_unmatched_and_filtered_apart(UNUSED void **state)
{
    check_all(true);
}

static void test_sqlite_counts_unmatched_and_filtered_apart(UNUSED void **state)
{
    check_all(false);
}

TEST_MAIN(cmocka_unit_test(test_native_counts_unmatched_and_filtered_apart),
          cmocka_unit_test(test_sqlite_counts_unmatched_and_filtered_apart))
