// SPDX-License-Identifier: Apache-2.0
// The promise of legality: over any splitting of the stream, an accepted query's result
// is the sum of the parts. Random queries are planned; the accepted ones are run over the
// whole stream and over random splittings of it.
// test: takes 10
#include "sql_help.h"
#include "sql_random.h"

enum {
    N_QUERIES = 4000,
    N_QUERIES_LONG = 40000, // ./dev test --long
    N_RECORDS = 9,
};

static const char *const rows_of_a[] = {"1|2|a", "1|3|b", "2|~|ab",
                                        "~|1|a", "3|0|~", "0|2|é"};
static const char *const rows_of_b[] = {"1|1", "1|2", "2|~", "4|0"};
static const char *const records[N_RECORDS] = {
    "1|2|a", "1|2|a", "2|0|b", "~|3|ab", "3|1|~", "0|1|é", "4|2|a", "9|9|q", "1|3|b"};

struct world {
    struct plan *plan;
    struct sqlite_host *host;
    struct batch stream;
    struct schema traced; // the output and the row's index
};

static void load_world(struct world *world)
{
    struct err err = {0};
    const struct plan *plan = world->plan;
    assert_ok(sqlite_host_open(&world->host, &err), &err);
    sql_load(world->host, plan_table(plan, STR_LITERAL("a")), rows_of_a,
             ARRAY_LEN(rows_of_a));
    sql_load(world->host, plan_table(plan, STR_LITERAL("b")), rows_of_b,
             ARRAY_LEN(rows_of_b));
    assert_ok(
        sqlite_host_stream(world->host, plan->stream->name, &plan->stream->schema, &err),
        &err);
    for (size_t i = 0; i < plan->n_views; i++)
        assert_ok(sqlite_host_view(world->host, &plan->views[i],
                                   i % 2 ? SQLITE_TABLE : SQLITE_VIEW, &err),
                  &err);
    batch_init(&world->stream, plan->stream->schema.n);
    for (size_t i = 0; i < N_RECORDS; i++)
        sql_fill_row(&plan->stream->schema, &world->stream, records[i]);
    struct column *columns = arena_array(&world->plan->arena, 3, sizeof(*columns));
    memcpy(columns, plan->output.columns, 2 * sizeof(*columns));
    columns[2] = (struct column){STR_LITERAL("row"), TYPE_BIGINT, false};
    world->traced = (struct schema){columns, 3};
}

static void release_world(struct world *world)
{
    batch_release(&world->stream);
    sqlite_host_close(world->host);
    plan_free(world->plan);
}

static int by_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return str_compare(*x, *y);
}

// The lines in order, so that results compare as bags of rows.
static void sort_lines(struct buf *text, struct buf *out)
{
    struct str lines[4096];
    size_t n = 0;
    struct str rest = buf_as_str(text);
    while (rest.n > 0 && n < ARRAY_LEN(lines))
        lines[n++] = str_cut(&rest, '\n');
    qsort(lines, n, sizeof(*lines), by_text);
    for (size_t i = 0; i < n; i++) {
        buf_str(out, lines[i]);
        buf_char(out, '\n');
    }
}

static void run_part(struct world *world, struct rows *rows, size_t from, size_t n,
                     struct buf *out)
{
    struct err err = {0};
    sqlite_host_set_batch(world->host, &world->stream, from, n);
    sqlite_host_rewind(rows);
    assert_ok(sql_run(rows, out, &err), &err);
}

static void run_split(struct world *world, struct rows *rows, struct random_sql *random,
                      struct buf *out)
{
    for (size_t from = 0; from < N_RECORDS;) {
        size_t n = 1 + random_below(random, 4);
        if (n > N_RECORDS - from)
            n = N_RECORDS - from;
        run_part(world, rows, from, n, out);
        from += n;
    }
}

static void assert_same_rows(struct buf *a, struct buf *b, const char *query,
                             const char *what)
{
    AUTO(buf_release) struct buf x = {0};
    AUTO(buf_release) struct buf y = {0};
    sort_lines(a, &x);
    sort_lines(b, &y);
    if (!str_eq(buf_as_str(&x), buf_as_str(&y)))
        fail_msg("%s: %s\nwhole:\n%s\nparts:\n%s", what, query, buf_cstr(&x),
                 buf_cstr(&y));
}

static struct rows *open_query(struct world *world, struct str sql,
                               const struct schema *schema)
{
    struct err err = {0};
    struct rows *rows;
    assert_ok(sqlite_host_query(world->host, sql, schema, &rows, &err), &err);
    return rows;
}

static void check_sum_of_parts(struct world *world, struct random_sql *random,
                               const char *query)
{
    AUTO(buf_release) struct buf whole = {0};
    struct rows *rows = open_query(world, world->plan->insert_sql, &world->plan->output);
    run_part(world, rows, 0, N_RECORDS, &whole);
    for (int i = 0; i < 3; i++) {
        AUTO(buf_release) struct buf parts = {0};
        run_split(world, rows, random, &parts);
        assert_same_rows(&whole, &parts, query, "split");
    }
    rows->ops->close(rows);
}

// The traced query gives the same rows, each with the record that alone gives it.
static void check_trace(struct world *world, const char *query)
{
    AUTO(buf_release) struct buf whole = {0};
    AUTO(buf_release) struct buf parts = {0};
    struct rows *traced = open_query(world, world->plan->traced_sql, &world->traced);
    struct rows *rows = open_query(world, world->plan->insert_sql, &world->plan->output);
    run_part(world, traced, 0, N_RECORDS, &whole);
    for (size_t i = 0; i < N_RECORDS; i++) {
        AUTO(buf_release) struct buf one = {0};
        run_part(world, rows, i, 1, &one);
        struct str rest = buf_as_str(&one);
        while (rest.n > 0) {
            struct str line = str_cut(&rest, '\n');
            buf_printf(&parts, "%.*s|%zu\n", STR_ARGS(line), i);
        }
    }
    assert_same_rows(&whole, &parts, query, "traced");
    traced->ops->close(traced);
    rows->ops->close(rows);
}

static void test_accepted_queries_are_the_sum_of_their_parts(void **state)
{
    (void)state;
    size_t n_accepted = 0, n_refused = 0, n_native = 0;
    uint64_t n_queries = getenv("TEST_LONG") ? N_QUERIES_LONG : N_QUERIES;
    for (uint64_t seed = 1; seed <= n_queries; seed++) {
        AUTO(buf_release) struct buf script = {0};
        AUTO(buf_release) struct buf report = {0};
        struct random_sql random = {.state = seed * 0x9E3779B97F4A7C15u,
                                    .stream_percent = seed % 2 ? 45 : 75};
        struct world world = {0};
        buf_text(&script, RANDOM_TABLES "INSERT INTO out ");
        random_query(&random, 2, &script);
        if (sql_parse(buf_cstr(&script), &world.plan, &report) != ST_OK) {
            n_refused++;
            if (strstr(buf_cstr(&report), "must be the sum of the parts") == NULL &&
                strstr(buf_cstr(&report), "does not read a stream") == NULL)
                fail_msg("%s\n%s", buf_cstr(&script), buf_cstr(&report));
            continue;
        }
        n_accepted++;
        n_native += world.plan->native != NULL;
        load_world(&world);
        check_sum_of_parts(&world, &random, buf_cstr(&script));
        check_trace(&world, buf_cstr(&script));
        release_world(&world);
    }
    print_message("%zu accepted (%zu native), %zu refused\n", n_accepted, n_native,
                  n_refused);
    assert_true(n_accepted > 800);
    assert_true(n_native > 50);
    assert_true(n_refused > 1000);
}

TEST_MAIN(cmocka_unit_test(test_accepted_queries_are_the_sum_of_their_parts))
