// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/env.h"
#include "csv/file_stream.h"
#include "csv/file_topic.h"
#include "csv/scanner.h"

#include "csv_fixture.h"

struct fixture {
    char directory[64];
    char path[96];
    struct topic *topic;
    struct stream *stream;
    struct stream_event event;
    struct err err;
};

static void write_file(struct fixture *f, struct str bytes)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

static void make_file(struct fixture *f, struct str bytes)
{
    *f = (struct fixture){.directory = "/tmp/tramline-test-XXXXXX"};
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/s.csv", f->directory);
    write_file(f, bytes);
}

static void remove_file(struct fixture *f)
{
    if (f->stream != NULL)
        f->stream->ops->close(f->stream);
    if (f->topic != NULL)
        f->topic->ops->close(f->topic);
    unlink(f->path);
    rmdir(f->directory);
}

static enum status open_path(struct fixture *f, const char *path,
                             const struct schema *schema)
{
    TRY(csv_file_topic_open(path, &f->topic, &f->err));
    return csv_file_stream_open(f->topic, schema, &f->stream, &f->err);
}

static void poll_stream(struct fixture *f, enum stream_event_kind expected)
{
    assert_ok(f->stream->ops->poll(f->stream, 0, &f->event, &f->err), &f->err);
    assert_int_equal(f->event.kind, expected);
}

static void start_at(struct fixture *f, int64_t offset)
{
    struct stream_start start = {.partition = 0, .offset = offset};
    assert_ok(f->stream->ops->start(f->stream, &start, 1, &f->err), &f->err);
}

static void open_stream(struct fixture *f, struct str bytes)
{
    make_file(f, bytes);
    assert_ok(open_path(f, f->path, NULL), &f->err);
    poll_stream(f, STREAM_ASSIGN);
    assert_int_equal(f->event.n_partitions, 1);
    assert_int_equal(f->event.partitions[0], 0);
    poll_stream(f, STREAM_IDLE); // not started yet
}

static void *wake_after_a_moment(void *stream)
{
    env_system()->ops->sleep_ms(env_system(), 100);
    ((struct stream *)stream)->ops->wake(stream);
    return NULL;
}

static void test_a_wake_ends_a_poll(UNUSED void **state)
{
    struct fixture f = {0};
    open_stream(&f, STR_LITERAL("a,b\n"));
    struct env *env = env_system();
    int64_t began_ms = env->ops->monotonic_ms(env);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_after_a_moment, f.stream), 0);
    assert_ok(f.stream->ops->poll(f.stream, 60000, &f.event, &f.err), &f.err);
    pthread_join(thread, NULL);
    assert_int_equal(f.event.kind, STREAM_IDLE);
    assert_true(env->ops->monotonic_ms(env) - began_ms < 50000);
    remove_file(&f);
}

// All runs from `offset` to the end as "offset:value;", then "next".
static void assert_stream(struct fixture *f, int64_t offset, const char *expected)
{
    struct buf text = {0};
    int64_t next = offset;
    start_at(f, offset);
    for (;;) {
        assert_ok(f->stream->ops->poll(f->stream, 0, &f->event, &f->err), &f->err);
        if (f->event.kind == STREAM_IDLE)
            break;
        assert_int_equal(f->event.kind, STREAM_RUN);
        assert_int_equal(f->event.run.first, next);
        next = f->event.run.next;
        for (size_t i = 0; i < f->event.run.n; i++) {
            const struct record *record = &f->event.run.records[i];
            assert_null(record->key.p);
            assert_int_equal(record->time_ms, -1);
            buf_printf(&text, "%d:%.*s;", (int)record->offset, STR_ARGS(record->value));
        }
    }
    buf_i64(&text, next);
    assert_str(buf_as_str(&text), expected);
    buf_release(&text);
}

static void test_offsets_are_byte_positions(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id,v\n1,a\r\n\n\"2\n\",\"b\r\n\"\r\n3,c"));
    assert_stream(&f, 0, "0:id,v;5:1,a;11:\"2\n\",\"b\r\n\";23:3,c;26");
    assert_stream(&f, 11, "11:\"2\n\",\"b\r\n\";23:3,c;26");
    assert_stream(&f, 26, "26");
    struct topic_range range;
    assert_ok(f.topic->ops->range(f.topic, 0, &range, &f.err), &f.err);
    assert_int_equal(range.low, 0);
    assert_int_equal(range.high, 26);
    assert_str(f.topic->cluster, "file");
    assert_str(f.topic->name, f.path);
    remove_file(&f);
}

static void test_byte_order_mark_and_blank_lines_are_passed(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("\xEF\xBB\xBFid\n1\n\r\n\n"));
    assert_stream(&f, 0, "3:id;6:1;11");
    remove_file(&f);
    open_stream(&f, STR_LITERAL(""));
    assert_stream(&f, 0, "0");
    remove_file(&f);
}

static void test_lines_of_white_space_are_passed(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL(" \n1\n  \t\r\n\"\"\n\x1A"));
    assert_stream(&f, 0, "2:1;9:\"\";13");
    remove_file(&f);
}

static enum status open_with_header(struct fixture *f, struct arena *arena,
                                    struct schema *schema, struct str bytes)
{
    make_file(f, bytes);
    *schema = schema_of(arena, "id TEXT NOT NULL, v TEXT, n INT");
    return open_path(f, f->path, schema);
}

// Wherever reading begins, and what was read before has no part in it.
static void test_the_header_is_that_of_the_files_front(UNUSED void **state)
{
    struct fixture f;
    struct arena arena = {0};
    struct schema schema;
    assert_ok(
        open_with_header(&f, &arena, &schema,
                         STR_LITERAL("\xEF\xBB\xBF\n n ,other,\"id\"\r\n1,2,a\n3,4,b\n")),
        &f.err);
    const struct csv_header *header = csv_file_stream_header(f.stream);
    poll_stream(&f, STREAM_ASSIGN);
    assert_stream(&f, 26, "26:3,4,b;32");
    assert_int_equal(header->n_fields, 3);
    assert_int_equal(header->columns[0], 2);
    assert_int_equal(header->columns[1], CSV_NO_FIELD);
    assert_int_equal(header->columns[2], 0);
    assert_string_equal(header->absent, "v");
    assert_stream(&f, 0, "4: n ,other,\"id\";20:1,2,a;26:3,4,b;32");
    remove_file(&f);
    open_stream(&f, STR_LITERAL("id\n"));
    assert_null(csv_file_stream_header(f.stream));
    remove_file(&f);
    arena_release(&arena);
}

static void test_a_header_that_does_not_fit_is_told(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"Id,v\n1,2\n",
         "column id is NOT NULL and not in the header; the nearest there is "
         "'Id'"},
        {"id,v,id\n", "column id stands twice in the header, as field 1 and 3"},
        {"id,v,v\n", "column v stands twice in the header, as field 2 and 3"},
        {"1,2\n",
         "column id is NOT NULL and not in the header, which has '1', '2'; a file "
         "without a header line is read with header = false"},
        {"", "the file is empty; a header line was expected"},
        {"id,v\r1,2\r", "the lines end with CR alone; mend the file: tr '\\r' '\\n'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fixture f;
        struct arena arena = {0};
        struct schema schema;
        assert_status(open_with_header(&f, &arena, &schema, str_of(bad[i].text)),
                      ST_DATA);
        char expected[256];
        snprintf(expected, sizeof(expected), "%s: %s", f.path, bad[i].message);
        assert_string_equal(f.err.text, expected);
        remove_file(&f);
        arena_release(&arena);
    }
}

static void test_a_stray_quote_costs_one_line(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("1,\"a\n2,b\n3,\"x\"y\n4,d\n"));
    assert_stream(&f, 0, "0:1,\"a;5:2,b;9:3,\"x\"y;16:4,d;20");
    // The same records from the middle on: boundaries hang on nothing before.
    assert_stream(&f, 5, "5:2,b;9:3,\"x\"y;16:4,d;20");
    remove_file(&f);
}

static void test_one_record_can_be_read_again(UNUSED void **state)
{
    struct fixture f;
    struct record record;
    open_stream(&f, STR_LITERAL("id\n1\n\n2\n"));
    assert_ok(f.topic->ops->fetch(f.topic, 0, 3, &record, &f.err), &f.err);
    assert_str(record.value, "1");
    assert_int_equal(record.offset, 3);
    assert_status(f.topic->ops->fetch(f.topic, 0, 5, &record, &f.err), ST_NOT_FOUND);
    char expected[256];
    snprintf(expected, sizeof(expected), "%s: no record at byte 5", f.path);
    assert_string_equal(f.err.text, expected);
    assert_status(f.topic->ops->fetch(f.topic, 0, 8, &record, &f.err), ST_NOT_FOUND);
    assert_stream(&f, 3, "3:1;6:2;8");
    remove_file(&f);
}

static void test_a_start_past_the_end_is_a_gap(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id\n1\n"));
    start_at(&f, 6);
    poll_stream(&f, STREAM_GAP);
    assert_int_equal(f.event.gap.wanted, 6);
    assert_int_equal(f.event.gap.low, 0);
    poll_stream(&f, STREAM_IDLE);
    assert_stream(&f, 3, "3:1;5");
    remove_file(&f);
}

static void test_nothing_is_read_while_held_or_stopped(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id\n1\n"));
    start_at(&f, 0);
    f.stream->ops->hold(f.stream, true);
    poll_stream(&f, STREAM_IDLE);
    f.stream->ops->hold(f.stream, false);
    poll_stream(&f, STREAM_RUN);
    assert_ok(f.stream->ops->stop(f.stream, &f.err), &f.err);
    poll_stream(&f, STREAM_IDLE);
    remove_file(&f);
}

static void test_what_is_left_of_a_run_is_given_again(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id\n1\n2\n"));
    start_at(&f, 0);
    poll_stream(&f, STREAM_RUN);
    assert_int_equal(f.event.run.n, 3);
    f.stream->ops->hold_back(f.stream, 0, 1);
    poll_stream(&f, STREAM_IDLE);
    f.stream->ops->release(f.stream, 0);
    poll_stream(&f, STREAM_RUN);
    assert_int_equal(f.event.run.first, 3);
    assert_int_equal(f.event.run.next, 7);
    assert_int_equal(f.event.run.n, 2);
    assert_int_equal(f.event.run.records[0].offset, 3);
    poll_stream(&f, STREAM_IDLE);
    remove_file(&f);
}

static void test_runs_are_bounded_and_dense(UNUSED void **state)
{
    struct fixture f;
    struct buf text = {0};
    for (int i = 0; i < 250000; i++)
        buf_printf(&text, "%d,%s\n", i, i % 1000 ? "x" : "\"line\nbreak\"");
    open_stream(&f, buf_as_str(&text));
    start_at(&f, 0);
    int64_t next = 0;
    int n_records = 0;
    int n_runs = 0;
    while (next < (int64_t)text.n) {
        poll_stream(&f, STREAM_RUN);
        const struct run *run = &f.event.run;
        assert_int_equal(run->first, next);
        assert_in_range(run->n, 1, 10000);
        for (size_t i = 0; i < run->n; i++, n_records++) {
            assert_int_equal(run->records[i].offset, next);
            char number[16];
            snprintf(number, sizeof(number), "%d,", n_records);
            assert_true(str_starts_with(run->records[i].value, number));
            next += (int64_t)run->records[i].value.n + 1;
        }
        assert_int_equal(run->next, next);
        n_runs++;
    }
    assert_int_equal(n_records, 250000);
    assert_in_range(n_runs, 25, 40);
    buf_release(&text);
    remove_file(&f);
}

static void test_what_cannot_be_opened_is_told(UNUSED void **state)
{
    struct fixture f;
    char expected[256];
    make_file(&f, STR_LITERAL("\xFF\xFEi\0"));
    assert_status(open_path(&f, f.path, NULL), ST_DATA);
    snprintf(expected, sizeof(expected),
             "%s: the file is UTF-16, not UTF-8; convert it first, for example: iconv -f "
             "UTF-16 -t UTF-8",
             f.path);
    assert_string_equal(f.err.text, expected);
    assert_status(open_path(&f, f.directory, NULL), ST_FAIL);
    snprintf(expected, sizeof(expected), "%s: cannot be opened: a directory, not a file",
             f.directory);
    assert_string_equal(f.err.text, expected);
    remove_file(&f);
    assert_status(open_path(&f, f.path, NULL), ST_NOT_FOUND);
    snprintf(expected, sizeof(expected),
             "%s: cannot be opened: No such file or directory", f.path);
    assert_string_equal(f.err.text, expected);
}

// Of a quote that is left open one line is read; it has a limit.
static void test_a_line_above_the_limit_is_an_error(UNUSED void **state)
{
    struct fixture f;
    size_t n = CSV_RECORD_MAX + 2;
    char *bytes = malloc(n);
    memset(bytes, 'x', n);
    memcpy(bytes, "\n\"", 2);
    open_stream(&f, (struct str){bytes, n});
    start_at(&f, 0);
    assert_status(f.stream->ops->poll(f.stream, 0, &f.event, &f.err), ST_LIMIT);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "%s: the line at byte 1 has more than 16777216 bytes", f.path);
    assert_string_equal(f.err.text, expected);
    remove_file(&f);
    free(bytes);
}

// What the disk says while a file is read: here of a folder in the file's place.
static void test_a_failing_read_is_told(UNUSED void **state)
{
    struct fixture f;
    int fd = dup(0); // the number that the stream's file will have
    close(fd);
    open_stream(&f, STR_LITERAL("id\n1\n"));
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(dup2(folder, fd), fd);
    struct stream_start start = {.partition = 0, .offset = 3};
    assert_status(f.stream->ops->start(f.stream, &start, 1, &f.err), ST_FAIL);
    char expected[256];
    snprintf(expected, sizeof(expected), "%s: cannot be read: Is a directory", f.path);
    assert_string_equal(f.err.text, expected);
    close(folder);
    remove_file(&f);
}

static void test_a_file_that_becomes_shorter_is_an_error(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id\n1\n2\n"));
    write_file(&f, STR_LITERAL("id\n"));
    struct stream_start start = {.partition = 0, .offset = 3};
    assert_status(f.stream->ops->start(f.stream, &start, 1, &f.err), ST_FAIL);
    char expected[256];
    snprintf(expected, sizeof(expected), "%s: became shorter while it was read", f.path);
    assert_string_equal(f.err.text, expected);
    remove_file(&f);
}

static void test_records_have_no_time(UNUSED void **state)
{
    struct fixture f;
    open_stream(&f, STR_LITERAL("id\n"));
    int64_t offset;
    assert_status(f.topic->ops->offset_at(f.topic, 0, 0, &offset, &f.err), ST_FAIL);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "%s: records of a file have no time; a start at a time needs a Kafka topic",
             f.path);
    assert_string_equal(f.err.text, expected);
    remove_file(&f);
}

TEST_MAIN(cmocka_unit_test(test_a_wake_ends_a_poll),
          cmocka_unit_test(test_offsets_are_byte_positions),
          cmocka_unit_test(test_byte_order_mark_and_blank_lines_are_passed),
          cmocka_unit_test(test_lines_of_white_space_are_passed),
          cmocka_unit_test(test_the_header_is_that_of_the_files_front),
          cmocka_unit_test(test_a_header_that_does_not_fit_is_told),
          cmocka_unit_test(test_a_stray_quote_costs_one_line),
          cmocka_unit_test(test_one_record_can_be_read_again),
          cmocka_unit_test(test_a_start_past_the_end_is_a_gap),
          cmocka_unit_test(test_nothing_is_read_while_held_or_stopped),
          cmocka_unit_test(test_what_is_left_of_a_run_is_given_again),
          cmocka_unit_test(test_runs_are_bounded_and_dense),
          cmocka_unit_test(test_what_cannot_be_opened_is_told),
          cmocka_unit_test(test_a_line_above_the_limit_is_an_error),
          cmocka_unit_test(test_a_failing_read_is_told),
          cmocka_unit_test(test_a_file_that_becomes_shorter_is_an_error),
          cmocka_unit_test(test_records_have_no_time))
