// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "csv_fixture.h"

#include "csv/decoder.h"
#include "csv/scanner.h"

struct fixture {
    struct arena arena;
    struct schema schema;
    struct decoder *decoder;
    struct batch batch;
};

static void open_decoder(struct fixture *f, const char *schema)
{
    struct err err;
    *f = (struct fixture){0};
    f->schema = schema_of(&f->arena, schema);
    assert_ok(csv_decoder_open(&f->schema, &f->decoder, &err), &err);
    batch_init(&f->batch, f->schema.n);
}

static void close_decoder(struct fixture *f)
{
    f->decoder->ops->close(f->decoder);
    batch_release(&f->batch);
    arena_release(&f->arena);
}

static void decode_one(struct fixture *f, struct str value)
{
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    struct err err;
    size_t next;
    batch_clear(&f->batch);
    assert_ok(f->decoder->ops->decode(f->decoder, &run, 0, &f->batch, &next, &err), &err);
    assert_int_equal(next, 1);
}

static void assert_row(struct fixture *f, const char *value, const char *row)
{
    decode_one(f, str_of(value));
    if (f->batch.n_rejects)
        fail_msg("%s: %.*s", value, STR_ARGS(f->batch.rejects[0].reason));
    assert_int_equal(f->batch.n_rows, 1);
    assert_str(row_text(&f->arena, batch_row(&f->batch, 0), f->schema.n), row);
}

static void assert_reject(struct fixture *f, struct str value, const char *reason)
{
    decode_one(f, value);
    assert_int_equal(f->batch.n_rows, 0);
    assert_int_equal(f->batch.n_ignored, 0);
    assert_int_equal(f->batch.n_rejects, 1);
    assert_str(f->batch.rejects[0].reason, reason);
}

static void test_a_record_is_a_row_by_position(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, STOP_TIMES);
    assert_row(&f, "281000000,05:30:00,25:30:10,51096,01",
               "281000000|05:30:00|25:30:10|51096|1");
    assert_row(&f, "1,,\"\",,", "1|NULL||NULL|NULL");
    assert_row(&f, "\"a,b\",\"x\"\"y\",,\"\",+7\r\n", "a,b|x\"y|NULL||7");
    assert_row(&f,
               "\xEF\xBB\xBF"
               "1,,,,2\n",
               "1|NULL|NULL|NULL|2");
    assert_row(&f, "1,,,,2\r", "1|NULL|NULL|NULL|2");
    assert_row(&f, "F\xC3\xAAte,\"a\r\nb\",,,-0", "F\xC3\xAAte|a\r\nb|NULL|NULL|0");
    close_decoder(&f);
}

static void test_all_types_are_read(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a INT, b BIGINT, c REAL, d BOOLEAN, e TEXT");
    assert_row(&f, "-2147483648,9223372036854775807,2.5e1,t,0012",
               "-2147483648|9223372036854775807|25|true|0012");
    // No type but TEXT has an empty form: quoted or not, it is NULL.
    assert_row(&f, "\"\",\"\",\"\",\"\",\"\"", "NULL|NULL|NULL|NULL|");
    assert_row(&f, "\"5\",\"6\",\"0.5\",\"false\",\"x\"", "5|6|0.5|false|x");
    close_decoder(&f);
}

static void test_header_lines_and_tombstones_are_ignored(UNUSED void **state)
{
    static const char *const headers[] = {
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence",
        "\xEF\xBB\xBFtrip_id,arrival_time,departure_time,stop_id,stop_sequence\r\n",
        " trip_id , arrival_time,\"departure_time\",stop_id,stop_sequence ",
        NULL,
    };
    struct fixture f;
    open_decoder(&f, STOP_TIMES);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        decode_one(&f, str_of(headers[i]));
        assert_int_equal(f.batch.n_rows, 0);
        assert_int_equal(f.batch.n_rejects, 0);
        assert_int_equal(f.batch.n_ignored, 1);
    }
    assert_row(&f, "trip_id,arrival_time,departure_time,stop_id,5",
               "trip_id|arrival_time|departure_time|stop_id|5");
    close_decoder(&f);
}

static void test_rejects_name_column_and_value(UNUSED void **state)
{
    static const struct {
        const char *value, *reason;
    } bad[] = {
        {"", "empty record"},
        {"\r\n", "empty record"},
        {"1,,,,x7", "column stop_sequence: 'x7' is not an INT"},
        {"1,,,,1.5", "column stop_sequence: '1.5' is not an INT"},
        {"1,,,, 5", "column stop_sequence: ' 5' is not an INT"},
        {"1,,,,2147483648",
         "column stop_sequence: '2147483648' is out of the range of INT"},
        {",,,,1", "column trip_id is NOT NULL and has no value"},
        {"1,,,5", "4 fields for 5 columns: stop_sequence is the first without one"},
        {"1,2,3,4,5,tail,7", "7 fields for 5 columns: the first too many is 'tail'"},
        {"1,,,,1\n2,,,,2\n",
         "two lines in one record; a line break in a field is quoted"},
        {"1,,,,1\r2", "two lines in one record; a line break in a field is quoted"},
        {"1,,,,1\n\n", "two lines in one record; a line break in a field is quoted"},
        {"1,\"05:30,,,1", "column arrival_time: unclosed quote"},
        {"1,,\"a\"b,,1", "column departure_time: text after the closing quote; a quote "
                         "inside quotes is written twice"},
        {"1,2,3,4,5,\"6", "field 6: unclosed quote"},
        {"1,Fran\xE7"
         "ais,,,1",
         "column arrival_time: 'Fran\\xE7ais' is not UTF-8"},
        {"1,a\x1B[2J\xC2\x9B\xFF,,,1",
         "column arrival_time: 'a\\x1B[2J\\xC2\\x9B\\xFF' is not UTF-8"},
        {"1,,,,\xC3\xA9-0123456789012345678901234567890123456789\xC3\xA9",
         "column stop_sequence: '\xC3\xA9-0123456789012345678901234567890123456...' is "
         "not "
         "an INT"},
        {"\xFF\xFE"
         "1",
         "the record is UTF-16, not UTF-8; convert it first, for example: "
         "iconv -f UTF-16 -t UTF-8"},
    };
    struct fixture f;
    open_decoder(&f, STOP_TIMES);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_reject(&f, str_of(bad[i].value), bad[i].reason);
    assert_reject(&f, (struct str){"1,a\0b,,,1", 9},
                  "column arrival_time: 'a\\x00b' holds a NUL byte");
    close_decoder(&f);
    open_decoder(&f, "a BOOLEAN, b BIGINT, c REAL");
    assert_reject(&f, str_of("yes,1,1"), "column a: 'yes' is not a BOOLEAN");
    assert_reject(&f, str_of("t,9223372036854775808,1"),
                  "column b: '9223372036854775808' is out of the range of BIGINT");
    assert_reject(&f, str_of("t,1,1e999"), "column c: '1e999' is not a REAL");
    close_decoder(&f);
}

static void test_a_record_above_the_limit_is_a_reject(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a TEXT");
    char *bytes = malloc(CSV_RECORD_MAX + 1);
    memset(bytes, 'x', CSV_RECORD_MAX + 1);
    assert_reject(&f, (struct str){bytes, CSV_RECORD_MAX + 1},
                  "a record of 16777217 bytes; at most 16777216 are read");
    decode_one(&f, (struct str){bytes, CSV_RECORD_MAX});
    assert_int_equal(f.batch.n_rows, 1);
    free(bytes);
    close_decoder(&f);
}

static void test_one_nullable_column_has_null_as_an_empty_line(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a TEXT");
    assert_row(&f, "", "NULL");
    assert_row(&f, "\n", "NULL");
    assert_row(&f, "\"\"", "");
    close_decoder(&f);
    open_decoder(&f, "a TEXT NOT NULL");
    assert_reject(&f, str_of(""), "column a is NOT NULL and has no value");
    close_decoder(&f);
}

static void test_a_run_keeps_order_and_indexes(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a INT, b TEXT");
    struct record records[] = {
        {.value = STR_LITERAL("skipped by from")},
        {.value = STR_LITERAL("a,b")},
        {.value = STR_LITERAL("1,x")},
        {.value = STR_LITERAL("z,x")},
        {.value = {0}},
        {.value = STR_LITERAL("2,y")},
    };
    struct run run = {.records = records, .n = ARRAY_LEN(records)};
    struct err err;
    size_t next;
    assert_ok(f.decoder->ops->decode(f.decoder, &run, 1, &f.batch, &next, &err), &err);
    assert_int_equal(next, 6);
    assert_int_equal(f.batch.n_ignored, 2);
    assert_int_equal(f.batch.n_rows, 2);
    assert_int_equal(f.batch.records[0], 2);
    assert_int_equal(f.batch.records[1], 5);
    assert_int_equal(f.batch.n_rejects, 1);
    assert_int_equal(f.batch.rejects[0].record, 3);
    close_decoder(&f);
}

static void test_bytes_have_no_form_in_csv(UNUSED void **state)
{
    struct arena arena = {0};
    struct schema schema = schema_of(&arena, "a TEXT, b BYTES");
    struct decoder *decoder;
    struct err err;
    assert_status(csv_decoder_open(&schema, &decoder, &err), ST_USAGE);
    assert_string_equal(err.text, "column b: BYTES cannot be read from CSV; declare it "
                                  "TEXT, or use format 'avro'");
    arena_release(&arena);
}

TEST_MAIN(cmocka_unit_test(test_a_record_is_a_row_by_position),
          cmocka_unit_test(test_all_types_are_read),
          cmocka_unit_test(test_header_lines_and_tombstones_are_ignored),
          cmocka_unit_test(test_rejects_name_column_and_value),
          cmocka_unit_test(test_a_record_above_the_limit_is_a_reject),
          cmocka_unit_test(test_one_nullable_column_has_null_as_an_empty_line),
          cmocka_unit_test(test_a_run_keeps_order_and_indexes),
          cmocka_unit_test(test_bytes_have_no_form_in_csv))
