// SPDX-License-Identifier: Apache-2.0
// Real feeds: counts are those of the feeds' README, made with two other tools.
#include "test.h"

#include "bytes_storage.h"
#include "csv_fixture.h"
#include "feeds.h"

#include "csv/decoder.h"
#include "csv/file_stream.h"
#include "csv/file_topic.h"
#include "csv/table.h"

#define TRIPS \
    "route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, note_fr TEXT"
#define DATES "service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT"
#define FREQUENCIES \
    "trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT"

static const struct {
    const char *feed, *file, *schema;
    size_t n_rows;
    size_t n_empty; // rows whose second column is NULL
} tables[] = {
    {"stm-2014-extract", "trips.txt", TRIPS, 2787, 0},
    {"stm-2014-extract", "calendar_dates.txt", DATES, 133, 0},
    {"stm-2014-extract", "frequencies.txt", FREQUENCIES, 9674, 0},
    {"stm-2014-extract", "stop_times.txt", STOP_TIMES, 13658, 0},
    {"stm-2021-metro-rebuilt", "trips.txt", TRIPS, 96, 0},
    {"stm-2021-metro-rebuilt", "frequencies.txt", FREQUENCIES, 1454, 0},
    {"stm-2021-metro-rebuilt", "stop_times.txt", STOP_TIMES, 1752, 0},
    {"mumbai", "trips.txt", TRIPS, 3242, 0},
    {"mumbai", "calendar_dates.txt", DATES, 132, 0},
    {"mumbai", "frequencies.txt", FREQUENCIES, 11237, 0},
    {"mumbai", "stop_times.txt", STOP_TIMES, 114164, 60400},
    {"madrid-metro", "trips.txt", TRIPS, 128, 0},
    {"madrid-metro", "calendar_dates.txt", DATES, 56, 0},
    {"madrid-metro", "frequencies.txt", FREQUENCIES, 866, 0},
    {"madrid-metro", "stop_times.txt", STOP_TIMES, 2360, 0},
    {"exo-train", "trips.txt", TRIPS, 300, 0},
    {"exo-train", "stop_times.txt", STOP_TIMES, 3818, 0},
};

static void count_rows(struct rows *rows, size_t *n_rows, size_t *n_empty)
{
    struct batch batch;
    struct err err;
    batch_init(&batch, rows->schema->n);
    *n_rows = 0;
    *n_empty = 0;
    do {
        assert_ok(rows->ops->next(rows, &batch, &err), &err);
        *n_rows += batch.n_rows;
        for (size_t i = 0; i < batch.n_rows; i++)
            *n_empty += batch_row(&batch, i)[1].kind == VALUE_NULL;
    } while (batch.n_rows > 0);
    batch_release(&batch);
}

static void check_table(const char *feed, const char *file, const char *columns,
                        bool header, size_t expected_rows, size_t expected_empty)
{
    struct arena arena = {0};
    struct schema schema = schema_of(&arena, columns);
    struct buf bytes = {0};
    struct err err;
    read_feed_file(feed, file, &bytes);
    struct bytes_storage storage = bytes_storage(buf_as_str(&bytes));
    struct csv_table_options options = {.header = header, .piece_bytes = 10000};
    struct rows *rows;
    assert_ok(
        csv_table_open(&storage.storage, BYTES_FILE, &schema, &options, &rows, &err),
        &err);
    size_t n_rows, n_empty;
    count_rows(rows, &n_rows, &n_empty);
    if (n_rows != expected_rows || n_empty != expected_empty)
        fail_msg("%s/%s: %zu rows, %zu empty", feed, file, n_rows, n_empty);
    rows->ops->close(rows);
    buf_release(&bytes);
    arena_release(&arena);
}

static void test_tables_have_all_their_rows(UNUSED void **state)
{
    skip_without_feeds();
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        check_table(tables[i].feed, tables[i].file, tables[i].schema, true,
                    tables[i].n_rows, tables[i].n_empty);
    check_table("stm-2021-spring-sample", "stop_times.txt", STOP_TIMES, false, 3629, 0);
}

// Every record of the file through stream and decoder.
static void stream(const char *path, const struct schema *schema, size_t *n_rows,
                   size_t *n_ignored)
{
    struct stream *stream;
    struct decoder *decoder;
    struct err err;
    struct topic *topic;
    assert_ok(csv_file_topic_open(path, &topic, &err), &err);
    assert_ok(csv_file_stream_open(topic, NULL, &stream, &err), &err);
    assert_ok(csv_decoder_open(schema, NULL, &decoder, &err), &err);
    struct batch batch;
    batch_init(&batch, schema->n);
    struct stream_event event = {0};
    struct stream_start start = {0};
    assert_ok(stream->ops->poll(stream, 0, &event, &err), &err);
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    for (;;) {
        size_t next;
        assert_ok(stream->ops->poll(stream, 0, &event, &err), &err);
        if (event.kind != STREAM_RUN)
            break;
        batch_clear(&batch);
        assert_ok(decoder->ops->decode(decoder, &event.run, 0, &batch, &next, &err),
                  &err);
        assert_int_equal(batch.n_rejects, 0);
        *n_rows += batch.n_rows;
        *n_ignored += batch.n_ignored;
    }
    batch_release(&batch);
    decoder->ops->close(decoder);
    stream->ops->close(stream);
    topic->ops->close(topic);
}

static void test_files_stream_all_their_records(UNUSED void **state)
{
    static const struct {
        const char *feed;
        size_t n_rows, n_ignored;
    } files[] = {
        {"stm-2014-extract", 13658, 1},
        {"stm-2021-metro-rebuilt", 1752, 1},
        {"stm-2021-spring-sample", 3629, 0},
        {"mumbai", 114164, 1},
    };
    skip_without_feeds();
    struct arena arena = {0};
    struct schema schema = schema_of(&arena, STOP_TIMES);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[PATH_MAX];
        size_t n_rows = 0, n_ignored = 0;
        feed_path(files[i].feed, "stop_times.txt", path);
        stream(path, &schema, &n_rows, &n_ignored);
        assert_int_equal(n_rows, files[i].n_rows);
        assert_int_equal(n_ignored, files[i].n_ignored);
    }
    arena_release(&arena);
}

TEST_MAIN(cmocka_unit_test(test_tables_have_all_their_rows),
          cmocka_unit_test(test_files_stream_all_their_records))
