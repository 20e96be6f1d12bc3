// SPDX-License-Identifier: Apache-2.0
// The whole job in process over real feeds: tables, views, join, both executors. The
// counts are those published beside the feeds; all rows of the smaller ones are compared
// with what the sqlite3 shell makes of the same files by itself.
#include "test.h"

#include "csv/decoder.h"
#include "csv/file_stream.h"
#include "csv/file_topic.h"
#include "feed_job.h"
#include "feeds.h"
#include "table_fixture.h"

struct feed {
    const char *name;
    size_t n_enriched; // rows of enriched_trip: E
    size_t n_records;  // S
    size_t n_rows;     // J
};

// shared/data/README.md: counted with two independent tools.
static const struct feed feeds[] = {
    {"stm-2014-extract", 38526, 13658, 112354},
    {"stm-2021-metro-rebuilt", 1771, 1752, 45234},
    {"mumbai", 52917, 114164, 1868615},
    {"madrid-metro", 12124, 2360, 234948},
    {"exo-train", 4236, 3818, 56078},
};

enum {
    ROW_BUFFER = 1 << 20
};

struct world {
    struct feed_job job;
    struct row_format row_format;
    struct batch records;
    struct err err;
};

// All stop_times: by name, since some feeds have more columns.
static void read_records(struct world *world)
{
    const struct schema *schema = &world->job.plan->stream->schema;
    const struct csv_table_options options = {.header = true};
    struct rows *rows;
    struct batch batch;
    batch_init(&batch, schema->n);
    batch_init(&world->records, schema->n);
    assert_ok(csv_table_open(world->job.storage, STR_LITERAL("stop_times.txt"), schema,
                             &options, &rows, &world->err),
              &world->err);
    do {
        assert_ok(rows->ops->next(rows, &batch, &world->err), &world->err);
        for (size_t i = 0; i < batch.n_rows; i++) {
            uint32_t record = (uint32_t)world->records.n_rows;
            struct value *row = batch_add(&world->records, record);
            memcpy(row, batch_row(&batch, i), schema->n * sizeof(*row));
            for (size_t c = 0; c < schema->n; c++)
                if (row[c].kind == VALUE_TEXT)
                    row[c] =
                        value_text(arena_str(&world->records.arena, value_str(row[c])));
        }
    } while (batch.n_rows > 0);
    rows->ops->close(rows);
    batch_release(&batch);
}

static void open_world(struct world *world, const struct feed *feed)
{
    char directory[PATH_MAX];
    *world = (struct world){0};
    feed_path(feed->name, ".", directory);
    directory[strlen(directory) - 2] = '\0'; // without "/."
    assert_ok(feed_job_open(&world->job, directory, &world->err), &world->err);
    world->row_format = plain_row_format(&world->job.plan->output);
    assert_ok(feed_job_build(&world->job, &world->row_format, &world->err), &world->err);
}

static void close_world(struct world *world)
{
    batch_release(&world->records);
    feed_job_close(&world->job);
}

// `all` may be NULL: only counts.
static struct executor_result run(struct world *world, struct executor *executor,
                                  struct batch *batch, struct buf *all)
{
    struct executor_result total = {0}, result;
    struct buf rows = BUF_INIT(ROW_BUFFER);
    for (size_t at = 0; at < batch->n_rows;) {
        buf_clear(&rows);
        assert_ok(
            executor->ops->run(executor, batch, at, &rows, &at, &result, &world->err),
            &world->err);
        total.n_rows += result.n_rows;
        total.n_matched += result.n_matched;
        if (all != NULL)
            buf_str(all, buf_as_str(&rows));
    }
    assert_int_equal(batch->n_rejects, 0);
    buf_release(&rows);
    return total;
}

static struct executor_result run_native(struct world *world, struct batch *batch,
                                         struct buf *all)
{
    struct executor *executor =
        native_executor_open(world->job.plan, &world->job.dimensions, &world->row_format);
    struct executor_result total = run(world, executor, batch, all);
    executor->ops->close(executor);
    return total;
}

static struct executor_result run_sqlite(struct world *world, struct batch *batch,
                                         struct buf *all)
{
    struct executor *executor;
    assert_ok(sqlite_executor_open(world->job.plan, world->job.store->host,
                                   &world->row_format, &executor, &world->err),
              &world->err);
    struct executor_result total = run(world, executor, batch, all);
    executor->ops->close(executor);
    return total;
}

static void test_native_gives_the_counts_of_every_feed(UNUSED void **state)
{
    skip_without_feeds();
    for (size_t i = 0; i < ARRAY_LEN(feeds); i++) {
        struct world world;
        open_world(&world, &feeds[i]);
        assert_int_equal(world.job.dimensions.items[0]->stats.n_rows,
                         feeds[i].n_enriched);
        read_records(&world);
        assert_int_equal(world.records.n_rows, feeds[i].n_records);
        struct executor_result total = run_native(&world, &world.records, NULL);
        assert_int_equal(total.n_rows, feeds[i].n_rows);
        close_world(&world);
    }
}

static void test_sqlite_gives_the_counts_of_the_small_feeds(UNUSED void **state)
{
    skip_without_feeds();
    for (size_t i = 0; i < ARRAY_LEN(feeds); i++) {
        if (feeds[i].n_rows > 100000)
            continue;
        struct world world;
        open_world(&world, &feeds[i]);
        read_records(&world);
        struct executor_result sqlite = run_sqlite(&world, &world.records, NULL);
        struct executor_result native = run_native(&world, &world.records, NULL);
        assert_int_equal(sqlite.n_rows, feeds[i].n_rows);
        assert_int_equal(sqlite.n_matched, native.n_matched);
        close_world(&world);
    }
}

// The same by the sqlite3 shell. It reads an empty field as the empty string: made NULL
// here. The query's gaps are columns that not every feed has.
static const char shell_query[] =
    "SELECT nullif(s.trip_id, ''), nullif(s.arrival_time, ''), "
    "nullif(s.departure_time, ''), nullif(s.stop_id, ''), "
    "CAST(nullif(s.stop_sequence, '') AS INTEGER), nullif(t.route_id, ''), "
    "nullif(t.service_id, ''), nullif(t.trip_headsign, ''), %s, %s, "
    "CAST(nullif(t.wheelchair_accessible, '') AS INTEGER), %s, "
    "nullif(d.date, ''), CAST(nullif(d.exception_type, '') AS INTEGER), "
    "nullif(f.start_time, ''), nullif(f.end_time, ''), "
    "CAST(nullif(f.headway_secs, '') AS INTEGER) "
    "FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id "
    "LEFT JOIN calendar_dates d ON d.service_id = t.service_id "
    "LEFT JOIN frequencies f ON f.trip_id = t.trip_id;\n";

struct shell_feed {
    const struct feed *feed;
    bool has_frequencies;
    const char *direction, *shape, *notes;
};

static const struct shell_feed shell_feeds[] = {
    {&feeds[0], true, "NULL", "NULL", "NULL, NULL"},
    {&feeds[1], true, "CAST(nullif(t.direction_id, '') AS INTEGER)",
     "nullif(t.shape_id, '')", "nullif(t.note_fr, ''), nullif(t.note_en, '')"},
    {&feeds[4], false, "CAST(nullif(t.direction_id, '') AS INTEGER)",
     "nullif(t.shape_id, '')", "NULL, NULL"},
};

static void write_import(struct buf *script, const struct feed *feed, const char *table)
{
    char path[PATH_MAX], file[64];
    snprintf(file, sizeof(file), "%s.txt", table);
    feed_path(feed->name, file, path);
    buf_printf(script, ".import '%s' %s\n", path, table);
}

static void write_script(struct buf *script, const struct shell_feed *shell)
{
    buf_text(script, ".mode csv\n");
    write_import(script, shell->feed, "trips");
    write_import(script, shell->feed, "calendar_dates");
    write_import(script, shell->feed, "stop_times");
    if (shell->has_frequencies)
        write_import(script, shell->feed, "frequencies");
    else
        buf_text(script, "CREATE TABLE frequencies (trip_id, start_time, end_time, "
                         "headway_secs);\n");
    buf_text(script, ".mode list\n.separator |\n.nullvalue ~\n");
    buf_printf(script, shell_query, shell->direction, shell->shape, shell->notes);
}

static void run_shell(const struct shell_feed *shell, struct buf *ret)
{
    char path[] = "/tmp/tramline-test-XXXXXX", command[64], piece[65536];
    struct buf script = {0};
    write_script(&script, shell);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script.p, script.n), script.n);
    close(fd);
    buf_release(&script);
    snprintf(command, sizeof(command), "sqlite3 :memory: <%s", path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), out)) > 0)
        buf_append(ret, piece, n);
    assert_int_equal(pclose(out), 0);
    unlink(path);
}

static void test_rows_are_those_of_the_sqlite3_shell(UNUSED void **state)
{
    skip_without_feeds();
    for (size_t i = 0; i < ARRAY_LEN(shell_feeds); i++) {
        struct world world;
        struct buf expected = {0}, native = {0};
        run_shell(&shell_feeds[i], &expected);
        open_world(&world, shell_feeds[i].feed);
        read_records(&world);
        run_native(&world, &world.records, &native);
        char *want = sorted_lines(buf_as_str(&expected));
        char *have = sorted_lines(buf_as_str(&native));
        assert_true(strcmp(want, have) == 0);
        free(want);
        free(have);
        buf_release(&expected);
        buf_release(&native);
        close_world(&world);
    }
}

// As the engine does it: runs of a stream, decoded, a batch each.
static size_t run_stream(struct world *world, struct stream *stream)
{
    struct decoder *decoder;
    struct batch batch;
    struct stream_event event;
    const struct stream_start start = {.partition = 0, .offset = 0};
    size_t n_rows = 0;
    const struct schema *schema = &world->job.plan->stream->schema;
    assert_ok(csv_decoder_open(schema, NULL, &decoder, &world->err), &world->err);
    batch_init(&batch, schema->n);
    bool started = false;
    for (;;) {
        assert_ok(stream->ops->poll(stream, 0, &event, &world->err), &world->err);
        if (event.kind == STREAM_ASSIGN) {
            assert_ok(stream->ops->start(stream, &start, 1, &world->err), &world->err);
            started = true;
        } else if (event.kind == STREAM_RUN) {
            size_t next;
            batch_clear(&batch);
            assert_ok(
                decoder->ops->decode(decoder, &event.run, 0, &batch, &next, &world->err),
                &world->err);
            n_rows += run_native(world, &batch, NULL).n_rows;
        } else if (started) {
            break;
        }
    }
    batch_release(&batch);
    decoder->ops->close(decoder);
    return n_rows;
}

static void test_a_file_as_a_stream_gives_the_same_count(UNUSED void **state)
{
    skip_without_feeds();
    for (size_t i = 0; i < 3; i++) { // those whose stop_times have the five columns
        struct world world;
        struct stream *stream;
        char path[PATH_MAX];
        open_world(&world, &feeds[i]);
        feed_path(feeds[i].name, "stop_times.txt", path);
        struct topic *topic;
        assert_ok(csv_file_topic_open(path, &topic, &world.err), &world.err);
        assert_ok(csv_file_stream_open(topic, NULL, &stream, &world.err), &world.err);
        assert_int_equal(run_stream(&world, stream), feeds[i].n_rows);
        stream->ops->close(stream);
        topic->ops->close(topic);
        close_world(&world);
    }
}

TEST_MAIN(cmocka_unit_test(test_native_gives_the_counts_of_every_feed),
          cmocka_unit_test(test_sqlite_gives_the_counts_of_the_small_feeds),
          cmocka_unit_test(test_rows_are_those_of_the_sqlite3_shell),
          cmocka_unit_test(test_a_file_as_a_stream_gives_the_same_count))
