// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "core/env.h"
#include "sql/sqlite_host.h"
#include "table/output_check.h"
#include "table/sqlite_executor.h"
#include "table_fixture.h"

enum {
    ROWS_BYTES = 1 << 20
};

struct world {
    struct plan *plan;
    struct sqlite_host *host;
    struct row_format row_format;
    struct executor *executor;
    struct batch batch;
    struct buf rows;
    struct executor_result result;
    struct err err;
};

static const char stream_and_table[] =
    "CREATE TABLE s (k TEXT, n BIGINT) "
    "WITH (connector = 'kafka', brokers = 'b:1', topic = 't', format = 'csv');\n"
    "CREATE TABLE d (k TEXT, v TEXT, w INT) "
    "WITH (connector = 'filesystem', path = '/nowhere/d', format = 'csv');\n";

static const char table_rows[] = "A|x|1\nB|y|2\nA|z|3\nD|~|4\nE|e|0\n";

static void parse(struct world *world, const char *rest)
{
    struct buf text = {0}, report = {0};
    buf_text(&text, stream_and_table);
    buf_text(&text, rest);
    const struct script script = {.name = STR_LITERAL("test.sql"),
                                  .text = buf_as_str(&text)};
    if (plan_parse(&script, &world->plan, &report) != ST_OK)
        fail_msg("%.*s", STR_ARGS(report));
    buf_release(&text);
    buf_release(&report);
}

static void load(struct world *world)
{
    const struct table *table = plan_table(world->plan, STR_LITERAL("d"));
    struct memory_rows *rows = memory_rows_open(&table->schema);
    add_rows(&rows->all, &table->schema, table_rows);
    assert_ok(sqlite_host_open(&world->host, &world->err), &world->err);
    assert_ok(sqlite_host_load(world->host, table->name, &table->schema, &rows->rows,
                               NULL, &world->err),
              &world->err);
    rows->rows.ops->close(&rows->rows);
    for (size_t i = 0; i < world->plan->n_views; i++) {
        const struct view *view = &world->plan->views[i];
        assert_ok(sqlite_host_view(world->host, view,
                                   sqlite_executor_view(world->plan, view), &world->err),
                  &world->err);
    }
}

// `rest` is the script behind the stream s (k, n) and the table d (k, v, w).
static void open_world(struct world *world, const char *rest, size_t limit_bytes)
{
    *world = (struct world){.rows = BUF_INIT(limit_bytes)};
    parse(world, rest);
    load(world);
    world->row_format = plain_row_format(&world->plan->output);
    assert_ok(sqlite_executor_open(world->plan, world->host, &world->row_format,
                                   &world->executor, &world->err),
              &world->err);
    batch_init(&world->batch, world->plan->stream->schema.n);
}

static void close_world(struct world *world)
{
    world->executor->ops->close(world->executor);
    sqlite_host_close(world->host);
    plan_free(world->plan);
    batch_release(&world->batch);
    buf_release(&world->rows);
}

static void set_records(struct world *world, const char *records)
{
    batch_clear(&world->batch);
    add_rows(&world->batch, &world->plan->stream->schema, records);
}

static enum status run(struct world *world, size_t from, size_t *ret_next)
{
    buf_clear(&world->rows);
    return world->executor->ops->run(world->executor, &world->batch, from, &world->rows,
                                     ret_next, &world->result, &world->err);
}

static void assert_rows(struct world *world, const char *records, const char *expected)
{
    size_t next = 0;
    set_records(world, records);
    assert_ok(run(world, 0, &next), &world->err);
    assert_int_equal(next, world->batch.n_rows);
    char *sorted = sorted_lines(buf_as_str(&world->rows));
    assert_string_equal(sorted, expected);
    free(sorted);
}

static void assert_reject(const struct world *world, size_t i, uint32_t record,
                          const char *reason)
{
    assert_true(i < world->batch.n_rejects);
    assert_int_equal(world->batch.rejects[i].record, record);
    assert_str(world->batch.rejects[i].reason, reason);
}

static const char open_sink[] =
    "CREATE TABLE r () WITH (connector = 'filesystem', path = '/r', format = 'csv');\n";

static void open_query(struct world *world, const char *query, size_t limit_bytes)
{
    struct buf rest = {0};
    buf_printf(&rest, "%s INSERT INTO r %s;", open_sink, query);
    open_world(world, buf_cstr(&rest), limit_bytes);
    buf_release(&rest);
}

static const char expressions[] =
    "SELECT s.k AS k, s.n + d.w AS total FROM s JOIN d ON d.k = s.k WHERE d.w > 1";

static void test_expressions_over_both_sides(UNUSED void **state)
{
    struct world world;
    open_query(&world, expressions, ROWS_BYTES);
    assert_rows(&world, "A|10\nB|~\nC|5\n~|6\nA|7\n", "A|10\nA|13\nB|~\n");
    close_world(&world);
}

// A record that gives rows in both branches is one match.
static void test_matches_are_counted_by_record(UNUSED void **state)
{
    struct world world;
    open_query(&world,
               "SELECT s.k AS k, d.v AS v FROM s JOIN d ON d.k = s.k UNION ALL "
               "SELECT s.k, 'also' FROM s WHERE s.n > 0",
               ROWS_BYTES);
    assert_rows(&world, "A|1\nB|0\nC|2\nC|0\n", "A|also\nA|x\nA|z\nB|y\nC|also\n");
    assert_int_equal(world.result.n_rows, 5);
    assert_int_equal(world.result.n_matched, 3);
    assert_rows(&world, "C|0\n", "");
    assert_int_equal(world.result.n_matched, 0);
    close_world(&world);
}

static const char not_null_sink[] =
    "CREATE TABLE r (k TEXT, v TEXT NOT NULL, n BIGINT) "
    "WITH (connector = 'filesystem', path = '/r', format = 'csv');\n"
    "INSERT INTO r SELECT s.k AS k, d.v AS v, s.n * 2 AS n FROM s JOIN d ON d.k = s.k;";

static void test_null_in_a_not_null_column_is_rejected(UNUSED void **state)
{
    struct world world;
    open_world(&world, not_null_sink, ROWS_BYTES);
    assert_rows(&world, "A|1\nD|2\nB|3\nD|4\nA|5\n",
                "A|x|10\nA|x|2\nA|z|10\nA|z|2\nB|y|6\n");
    assert_int_equal(world.batch.n_rejects, 2);
    assert_reject(&world, 0, 1, "column 'v' is NULL, not TEXT NOT NULL");
    assert_reject(&world, 1, 3, "column 'v' is NULL, not TEXT NOT NULL");
    assert_int_equal(world.result.n_matched, 3);
    close_world(&world);
}

// One bad record among many: the others go on, in a run as large as before.
static void test_a_bad_record_is_found_among_many(UNUSED void **state)
{
    enum {
        N = 5000,
        BAD = 3333
    };
    struct world world;
    open_world(&world, not_null_sink, ROWS_BYTES);
    for (uint32_t i = 0; i < N; i++) {
        struct value *row = batch_add(&world.batch, i);
        row[0] = value_text(i == BAD ? STR_LITERAL("D") : STR_LITERAL("B"));
        row[1] = value_int(i);
    }
    size_t next = 0;
    assert_ok(run(&world, 0, &next), &world.err);
    assert_int_equal(next, N);
    assert_int_equal(world.result.n_rows, N - 1);
    assert_int_equal(world.result.n_matched, N - 1);
    assert_int_equal(world.batch.n_rejects, 1);
    assert_int_equal(world.batch.rejects[0].record, BAD);
    close_world(&world);
}

static void test_what_the_format_refuses_is_rejected(UNUSED void **state)
{
    struct world world;
    open_query(&world, "SELECT s.k || '' AS k FROM s", ROWS_BYTES);
    assert_rows(&world, "A|1\nrefuse|2\nB|3\n", "A\nB\n");
    assert_reject(&world, 0, 1, "column 'x': 'refuse' has no form");
    close_world(&world);
}

static void test_a_small_row_buffer_gives_slices(UNUSED void **state)
{
    struct world world;
    open_query(&world,
               "SELECT s.k AS k, s.n + 0 AS n, d.v AS v FROM s JOIN d ON d.k = s.k", 32);
    set_records(&world, "A|1\nB|2\nC|3\nA|4\nA|5\nB|6\n");
    struct buf all = {0};
    size_t n_slices = 0, n_matched = 0;
    for (size_t at = 0; at < world.batch.n_rows; n_slices++) {
        size_t from = at;
        assert_ok(run(&world, from, &at), &world.err);
        assert_true(at > from && world.rows.n <= 32);
        buf_str(&all, buf_as_str(&world.rows));
        n_matched += world.result.n_matched;
    }
    assert_true(n_slices > 1);
    assert_int_equal(n_matched, 5);
    char *sorted = sorted_lines(buf_as_str(&all));
    assert_string_equal(sorted,
                        "A|1|x\nA|1|z\nA|4|x\nA|4|z\nA|5|x\nA|5|z\nB|2|y\nB|6|y\n");
    free(sorted);
    buf_release(&all);
    close_world(&world);
}

static void test_each_fault_of_a_value_has_its_words(UNUSED void **state)
{
    const struct column column = {.name = STR_LITERAL("n"), .type = TYPE_INT};
    static const struct {
        enum output_fault fault;
        const char *text;
    } cases[] = {
        {OUTPUT_NULL, "column 'n' is NULL, not INT NOT NULL"},
        {OUTPUT_RANGE, "column 'n' is out of range, not INT"},
        {OUTPUT_TYPE, "column 'n' is of another type, not INT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf reason = {0};
        output_why(&column, cases[i].fault, &reason);
        assert_str(buf_as_str(&reason), cases[i].text);
        buf_release(&reason);
    }
}

// The reject before it must not be told twice.
static void test_a_record_too_big_alone_is_named(UNUSED void **state)
{
    struct world world;
    size_t next = 0;
    open_world(&world, not_null_sink, 10);
    set_records(&world, "D|1\nA|2\n");
    assert_ok(run(&world, 0, &next), &world.err);
    assert_int_equal(next, 1);
    assert_int_equal(world.batch.n_rejects, 1);
    assert_status(run(&world, 1, &next), ST_LIMIT);
    assert_string_equal(world.err.text, "the record with k = A gives 2 rows: more than "
                                        "fit the row buffer of 10 bytes");
    assert_int_equal(world.batch.n_rejects, 1);
    close_world(&world);
}

// A query that is slow gives back what it has, so that whoever waits sees it move.
static void test_a_slow_run_ends_early(UNUSED void **state)
{
    struct world world;
    size_t next = 0, last;
    open_query(&world,
               "SELECT s.k || (SELECT count(*) FROM d a, d b, d c, d e, d f, d g, d h "
               "WHERE a.w + b.w + c.w + e.w + f.w + g.w + h.w > s.n) AS k FROM s",
               ROWS_BYTES);
    for (uint32_t i = 0; i < SLOW_ROWS; i++) {
        struct value *row = batch_add(&world.batch, i);
        row[0] = value_text(STR_LITERAL("B"));
        row[1] = value_int(i);
    }
    struct env *env = env_system();
    int64_t began_ms = env->ops->monotonic_ms(env);
    assert_ok(run(&world, 0, &next), &world.err);
    assert_in_range(env->ops->monotonic_ms(env) - began_ms, 500, SLOW_MOST_MS);
    assert_in_range(next, 1, SLOW_ROWS - 1);
    assert_int_equal(world.result.n_rows, next);
    last = next;
    assert_ok(run(&world, last, &next), &world.err); // and goes on behind it
    assert_true(next > last);
    close_world(&world);
}

TEST_MAIN(cmocka_unit_test(test_a_slow_run_ends_early),
          cmocka_unit_test(test_each_fault_of_a_value_has_its_words),
          cmocka_unit_test(test_expressions_over_both_sides),
          cmocka_unit_test(test_matches_are_counted_by_record),
          cmocka_unit_test(test_null_in_a_not_null_column_is_rejected),
          cmocka_unit_test(test_a_bad_record_is_found_among_many),
          cmocka_unit_test(test_what_the_format_refuses_is_rejected),
          cmocka_unit_test(test_a_small_row_buffer_gives_slices),
          cmocka_unit_test(test_a_record_too_big_alone_is_named))
