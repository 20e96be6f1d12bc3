// SPDX-License-Identifier: Apache-2.0
// Records go into the result as bytes of their own where that is the same: each query is
// run with the raw bytes that the decoder kept, and without them, where all is encoded;
// and with only those columns decoded that it uses.
#include "table/pass_through.h"

#include <unistd.h>

#include "csv/decoder.h"
#include "csv/row_format.h"
#include "feed_job.h"
#include "table/used_columns.h"
#include "test.h"

enum {
    QUERIES = 300,
    RECORDS = 400,
    ROW_BUFFER = 1 << 20,
    SLICE = 300 // bytes of rows
};

static uint64_t chance_state;

static size_t chance(size_t n)
{
    chance_state = chance_state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(chance_state >> 33) % n;
}

#define ANY(list) ((list)[chance(ARRAY_LEN(list))])

static const char *const texts[] = {
    "x",
    "stop",
    "",
    "25:10:00",
    "T1",
    "T2",
    "T3",
    "\"\"",
    "\"x,y\"",
    "a\"b",
    " x",
    "x ",
    "\"a\"\"b\"",
    "\xC3\xA9t",
    "\tq",
    "\"l\nm\"",
    "\"x\" ",
    "\xEF\xBB\xBFx",
    "x\xEF\xBB\xBF",
    "-",
    "\"x\"",
};
static const char *const numbers[] = {
    "7",  "0",  "-7", "",   "2147483647", "-2147483648", "12", "007", "+7",
    " 7", "7 ", "00", "-0", "-07",        "\"7\"",       "3",  "\t5", "123456789",
};
static const char *const ends[] = {"", "", "", "\n", "\r\n", "\r", ",,", ",\r\n"};

// T: TEXT, N: TEXT NOT NULL, I: INT, B: BIGINT, R: REAL. The first column is trip_id.
static const char *const shapes[] = {"TTTTI", "TITIT", "TIIIT", "TBTIT",
                                     "TIBII", "TT",    "TTRT",  "TNTNI"};

static const char *type_of(char letter)
{
    return letter == 'T'   ? "TEXT"
           : letter == 'N' ? "TEXT NOT NULL"
           : letter == 'I' ? "INT"
           : letter == 'R' ? "REAL"
                           : "BIGINT";
}

static void write_columns(const char *shape, struct buf *text)
{
    buf_text(text, "trip_id TEXT");
    for (size_t i = 1; shape[i] != '\0'; i++)
        buf_printf(text, ", c%zu %s", i, type_of(shape[i]));
}

static void write_column(size_t i, struct buf *text)
{
    if (i == 0)
        buf_text(text, "s.trip_id");
    else
        buf_printf(text, "s.c%zu", i);
}

// Several columns of the stream side by side, one of a table, or one that is computed.
static void write_outputs(const char *shape, bool has_table, struct buf *text)
{
    size_t n_columns = strlen(shape), n_outputs = 1 + chance(5), at = 0;
    for (size_t i = 0; i < n_outputs; i++) {
        size_t kind = chance(6), from = chance(n_columns),
               n = 1 + chance(n_columns - from);
        if (kind == 0 && has_table)
            buf_printf(text, "%st.route_id AS o%zu", at > 0 ? ", " : "", at);
        else if (kind == 1)
            buf_printf(text, "%supper(s.trip_id) AS o%zu", at > 0 ? ", " : "", at);
        at += kind == 1 || (kind == 0 && has_table);
        for (size_t k = from; kind > 1 && k < from + n; k++) {
            buf_text(text, at > 0 ? ", " : "");
            write_column(k, text);
            buf_printf(text, " AS o%zu", at++);
        }
    }
    if (at == 0)
        buf_text(text, "s.trip_id");
}

// Each looks at columns in another way: arguments, arms, lists, the condition itself.
static void write_condition(size_t last, struct buf *text)
{
    static const char *const forms[] = {
        "s.trip_id <> 'T2'",
        "s.trip_id IS NOT NULL",
        "s.c%zu IS NULL",
        "CASE WHEN s.trip_id = 'T1' THEN s.c%zu IS NOT NULL ELSE true END",
        "(s.trip_id = 'x' OR s.c%zu IS NULL)",
        "COALESCE(CAST(s.c%zu AS TEXT), 'T1') IN ('T1', 'x', '7')",
        "length(CAST(s.c%zu AS TEXT)) BETWEEN 1 AND 4",
    };
    if (chance(3) == 0)
        return;
    buf_text(text, " WHERE ");
    buf_printf(text, ANY(forms), 1 + chance(last));
}

// One more key of the join, where the column is a text.
static void write_second_key(const char *shape, struct buf *text)
{
    size_t column = 1 + chance(strlen(shape) - 1);
    if (chance(2) == 0 && shape[column] == 'T')
        buf_printf(text, " AND t.route_id = s.c%zu", column);
}

static void write_select(const char *shape, struct buf *text)
{
    static const char *const joins[] = {"", " JOIN trips t ON t.trip_id = s.trip_id",
                                        " LEFT JOIN trips t ON t.trip_id = s.trip_id"};
    const char *join = ANY(joins);
    buf_text(text, "SELECT ");
    write_outputs(shape, join[0] != '\0', text);
    buf_printf(text, " FROM stop_times s%s", join);
    if (join[0] != '\0')
        write_second_key(shape, text);
    write_condition(strlen(shape) - 1, text);
}

static void write_script(const char *shape, struct buf *text)
{
    buf_text(text,
             "CREATE TABLE trips (trip_id TEXT, route_id TEXT) WITH (connector = "
             "'filesystem', path = '/t', format = 'csv');\nCREATE TABLE stop_times (");
    write_columns(shape, text);
    buf_text(text, ") WITH (connector = 'kafka', brokers = 'b:1', topic = 's', format = "
                   "'csv');\nCREATE TABLE result () WITH (connector = 'filesystem', path "
                   "= '/r', format = 'csv');\nINSERT INTO result ");
    write_select(shape, text);
    buf_text(text, ";\n");
}

static void write_record(const char *shape, struct buf *text)
{
    bool is_plain = chance(2) == 0; // else hardly a record of several fields would be
    if (chance(20) == 0)
        buf_text(text, "\xEF\xBB\xBF");
    for (size_t i = 0; shape[i] != '\0'; i++) {
        const char *field = shape[i] == 'T' || shape[i] == 'N'
                                ? texts[chance(is_plain ? 7 : ARRAY_LEN(texts))]
                                : numbers[chance(is_plain ? 7 : ARRAY_LEN(numbers))];
        buf_printf(text, "%s%s", i > 0 ? "," : "", field);
    }
    buf_text(text, ANY(ends));
}

struct world {
    char directory[64];
    struct err err;
    struct feed_job job;
    struct buf text;
    struct record records[RECORDS];
    struct row_format *row_format;
    size_t n_raws, n_rows; // of all queries
    size_t n_left_out;     // columns that need not be decoded
};

static void make_tables(struct world *world)
{
    char path[128];
    snprintf(world->directory, sizeof(world->directory), "/tmp/pass_through.XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(path, sizeof(path), "%s/trips.txt", world->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("trip_id,route_id\nT1,stop\nT1,T1\nT2,\"a,b\"\nx,\n", file);
    assert_int_equal(fclose(file), 0);
}

static void remove_tables(struct world *world)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/trips.txt", world->directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(world->directory), 0);
}

static void make_records(struct world *world, const char *shape)
{
    size_t ends_at[RECORDS];
    buf_clear(&world->text);
    for (size_t i = 0; i < RECORDS; i++) {
        write_record(shape, &world->text);
        ends_at[i] = world->text.n;
    }
    for (size_t i = 0, from = 0; i < RECORDS; from = ends_at[i++])
        world->records[i] =
            (struct record){.value = {world->text.p + from, ends_at[i] - from}};
}

// `used`: NULL: all columns.
static void decode(struct world *world, const bool *used, struct batch *batch)
{
    const struct run run = {.records = world->records, .n = RECORDS};
    const struct schema *schema = &world->job.plan->stream->schema;
    const struct csv_decoder_options options = {.key = -1, .used = used};
    struct decoder *decoder;
    size_t next;
    batch_init(batch, schema->n);
    assert_ok(csv_decoder_open(schema, &options, &decoder, &world->err), &world->err);
    assert_ok(decoder->ops->decode(decoder, &run, 0, batch, &next, &world->err),
              &world->err);
    decoder->ops->close(decoder);
}

// What raws are said to be.
static void check_raws(struct world *world, const struct batch *batch)
{
    AUTO(buf_release) struct buf row = {0};
    struct row_format *row_format = csv_row_format_open(&world->job.plan->stream->schema);
    for (size_t i = 0; batch->separator != 0 && i < batch->n_rows; i++) {
        buf_clear(&row);
        row_format->ops->fields(row_format, 0, batch_row(batch, i), batch->n_columns,
                                &row);
        if (batch->raws[i].p != NULL && !str_eq(batch->raws[i], buf_as_str(&row)))
            fail_msg("'%.*s' is kept, '%.*s' is written", STR_ARGS(batch->raws[i]),
                     STR_ARGS(row));
        world->n_raws += batch->raws[i].p != NULL;
    }
    world->n_rows += batch->n_rows;
    row_format->ops->close(row_format);
}

static void run(struct world *world, struct batch *batch, struct buf *ret_rows)
{
    struct executor_result result;
    struct executor *executor =
        native_executor_open(world->job.plan, &world->job.dimensions, world->row_format);
    size_t next;
    *ret_rows = BUF_INIT(ROW_BUFFER);
    assert_ok(
        executor->ops->run(executor, batch, 0, ret_rows, &next, &result, &world->err),
        &world->err);
    assert_int_equal(next, batch->n_rows);
    executor->ops->close(executor);
}

// The same in slices, each as large as the rows of one record need it.
static void run_slices(struct world *world, struct batch *batch, struct buf *ret_rows)
{
    AUTO(buf_release) struct buf rows = BUF_INIT(SLICE);
    struct executor_result result;
    struct executor *executor =
        native_executor_open(world->job.plan, &world->job.dimensions, world->row_format);
    *ret_rows = BUF_INIT(ROW_BUFFER);
    for (size_t at = 0; at < batch->n_rows;) {
        enum status rc =
            executor->ops->run(executor, batch, at, &rows, &at, &result, &world->err);
        buf_str(ret_rows, buf_as_str(&rows));
        buf_clear(&rows);
        buf_set_limit(&rows, rc == ST_LIMIT ? 2 * rows.limit : SLICE);
    }
    executor->ops->close(executor);
}

static void compare(const char *what, const struct buf *rows, const struct buf *expected,
                    struct str script)
{
    if (!str_eq(buf_as_str(rows), buf_as_str(expected)))
        fail_msg("%.*s\n%s:\n%.*s\nnot:\n%.*s", STR_ARGS(script), what, STR_ARGS(*rows),
                 STR_ARGS(*expected));
}

// The same records are rejected, with the same reasons.
static void compare_rejects(const struct batch *a, const struct batch *b)
{
    assert_int_equal(a->n_rejects, b->n_rejects);
    for (size_t i = 0; i < a->n_rejects; i++) {
        assert_int_equal(a->rejects[i].record, b->rejects[i].record);
        assert_true(str_eq(a->rejects[i].reason, b->rejects[i].reason));
    }
}

static void run_ways(struct world *world, struct str script)
{
    AUTO(buf_release) struct buf passed, narrow, slices, encoded;
    bool used[8];
    struct batch batch, narrow_batch, slices_batch;
    decode(world, NULL, &batch);
    decode(world, NULL, &slices_batch);
    used_columns(world->job.plan, used);
    decode(world, used, &narrow_batch);
    for (size_t i = 0; i < batch.n_columns; i++)
        world->n_left_out += !used[i];
    check_raws(world, &batch);
    compare_rejects(&narrow_batch, &batch);
    run(world, &batch, &passed);
    run(world, &narrow_batch, &narrow);
    run_slices(world, &slices_batch, &slices);
    batch.separator = 0;
    run(world, &batch, &encoded);
    compare("passed", &passed, &encoded, script);
    compare("by the columns that are used", &narrow, &encoded, script);
    compare("in slices", &slices, &encoded, script);
    compare_rejects(&narrow_batch, &batch); // also of the query
    compare_rejects(&slices_batch, &batch);
    batch_release(&batch);
    batch_release(&narrow_batch);
    batch_release(&slices_batch);
}

static void run_query(struct world *world, const char *shape)
{
    const struct feed_job_executors native = {.native = true};
    AUTO(buf_release) struct buf script = {0};
    write_script(shape, &script);
    make_records(world, shape);
    assert_ok(feed_job_open_script(&world->job, buf_as_str(&script), world->directory,
                                   native, &world->err),
              &world->err);
    assert_non_null(world->job.plan->native);
    world->row_format = csv_row_format_open(&world->job.plan->output);
    assert_ok(feed_job_build(&world->job, world->row_format, &world->err), &world->err);
    run_ways(world, buf_as_str(&script));
    world->row_format->ops->close(world->row_format);
    feed_job_close(&world->job);
}

static void test_passed_fields_are_those_that_are_encoded(UNUSED void **state)
{
    static struct world world;
    make_tables(&world);
    for (size_t i = 0; i < QUERIES; i++) {
        chance_state = i;
        run_query(&world, shapes[i % ARRAY_LEN(shapes)]);
    }
    buf_release(&world.text);
    remove_tables(&world);
    // Both ways are gone: of the rows a good part is passed, and a good part is not.
    assert_in_range(world.n_raws * 100 / world.n_rows, 15, 85);
    assert_in_range(world.n_left_out, QUERIES / 2, 4 * QUERIES);
}

TEST_MAIN(cmocka_unit_test(test_passed_fields_are_those_that_are_encoded))
