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
    assert_ok(csv_decoder_open(&f->schema, NULL, &f->decoder, &err), &err);
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

// As PostgreSQL's input of integer, double precision and boolean has them.
static void test_numbers_may_have_white_space_around_them(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a INT, b BIGINT, c REAL, d BOOLEAN, e TEXT");
    assert_row(&f, "  1,\t22 , 0.5\t,t ,  x ", "1|22|0.5|true|  x ");
    assert_row(&f, "\" 1 \",\"7\"  , 1e3,\" f\",\"x\"\t", "1|7|1000|false|x");
    assert_row(&f, "   ,\t,\" \", ,\"\"", "NULL|NULL|NULL|NULL|");
    assert_row(&f, " +5, -0 ,-1 ,\"1\" ,", "5|0|-1|true|NULL");
    close_decoder(&f);
    open_decoder(&f, "a INT NOT NULL");
    assert_reject(&f, str_of("  "), "column a is NOT NULL and has no value");
    close_decoder(&f);
}

static void test_reals_are_read_as_databases_write_them(UNUSED void **state)
{
    static const struct {
        const char *text, *value;
    } good[] = {
        {".53", "0.53"}, {"-.5", "-0.5"},   {"5.", "5"},     {"+1.5", "1.5"},
        {"+5", "5"},     {"+.5", "0.5"},    {"-5.", "-5"},   {"5.e2", "500"},
        {".5e1", "5"},   {"007.50", "7.5"}, {"-00", "-0"},   {"00.25", "0.25"},
        {"+0", "0"},     {" .5 ", "0.5"},   {"1.E+1", "10"}, {"\".5\"", "0.5"},
        {"-0.0", "-0"},  {"1.5", "1.5"},    {"010", "10"},   {"+1e-2", "0.01"},
    };
    static const char *const bad[] = {".",   "+",   "-",     "+-5",  "e5",  ".e5",
                                      "1,5", "5..", "1.2.3", "0x10", "nan", "inf",
                                      "1e",  "--5", "1 2",   "5.e",  "+.",  "\xC2\xBD"};
    struct fixture f;
    open_decoder(&f, "a REAL, b TEXT");
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char record[64], row[64];
        snprintf(record, sizeof(record), "%s,x", good[i].text);
        snprintf(row, sizeof(row), "%s|x", good[i].value);
        assert_row(&f, record, row);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char record[64], reason[128];
        snprintf(record, sizeof(record), "\"%s\",x", bad[i]);
        snprintf(reason, sizeof(reason), "column a: '%s' is not a REAL", bad[i]);
        assert_reject(&f, str_of(record), reason);
    }
    // As long as any that are read, and one byte longer.
    char digits[404] = ".";
    memset(digits + 1, '1', 398);
    memcpy(digits + 399, ",x", 2);
    assert_row(&f, digits, "0.1111111111111111|x");
    memcpy(digits + 399, "1,x", 4);
    decode_one(&f, str_of(digits));
    assert_int_equal(f.batch.n_rejects, 1);
    close_decoder(&f);
}

static void test_empty_fields_past_the_last_are_passed(UNUSED void **state)
{
    struct fixture f;
    open_decoder(&f, "a TEXT, b INT");
    assert_int_equal(f.decoder->n_tails, 0);
    assert_row(&f, "x,1,", "x|1");
    assert_row(&f, "x,1,,, ,\r\n", "x|1");
    assert_row(&f, ",,\t\n", "NULL|NULL");
    decode_one(&f, str_of("a,b,"));
    assert_int_equal(f.batch.n_ignored, 1);
    assert_int_equal(f.decoder->n_tails, 4);
    assert_reject(&f, str_of("x,1,\n,"),
                  "two lines in one record; a line break in a field is quoted");
    close_decoder(&f);
}

static void test_text_can_be_trimmed(UNUSED void **state)
{
    struct fixture f;
    struct err err;
    open_decoder(&f, "a TEXT, b TEXT NOT NULL, c INT");
    f.decoder->ops->close(f.decoder);
    struct csv_decoder_options options = {.trim = true, .key = -1};
    assert_ok(csv_decoder_open(&f.schema, &options, &f.decoder, &err), &err);
    assert_row(&f, "  x y\t ,\" \"\"q\"\" \", 1", "x y|\"q\"|1");
    assert_row(&f, "   ,\"  \",", "NULL||NULL");
    assert_row(&f, "\xC3\xA9 ,b,1", "\xC3\xA9|b|1");
    assert_reject(&f, str_of("x,  ,1"), "column b is NOT NULL and has no value");
    close_decoder(&f);
}

// Columns go by the header; fields that it does not give to a column are passed.
static void test_a_header_says_where_the_columns_are(UNUSED void **state)
{
    struct fixture f;
    struct err err;
    size_t columns[] = {3, CSV_NO_FIELD, 0};
    struct csv_header header = {.n_fields = 4, .columns = columns};
    struct csv_decoder_options options = {.header = &header, .key = 0};
    open_decoder(&f, "a TEXT NOT NULL, b TEXT, c INT");
    f.decoder->ops->close(f.decoder);
    assert_ok(csv_decoder_open(&f.schema, &options, &f.decoder, &err), &err);
    assert_row(&f, "1,\xFF,y,z", "z|NULL|1");
    assert_row(&f, "1,,,z,,", "z|NULL|1");
    decode_one(&f, str_of("c, x ,y,\"a\""));
    assert_int_equal(f.batch.n_ignored, 1);
    assert_reject(&f, str_of("1,x,y"),
                  "3 fields for 4 columns of the header: a is the first without one");
    assert_reject(&f, str_of("1"),
                  "1 field for 4 columns of the header: field 2 is the "
                  "first that is missing");
    assert_reject(&f, str_of("1,x,y,z,t"),
                  "5 fields for 4 columns of the header: the first too many is 't'");
    assert_reject(&f, str_of("1,x,y,\"z"), "column a: unclosed quote");
    assert_reject(&f, str_of("z,x,y,z"), "column c: 'z' is not an INT");
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
        {"1,,,, 5 6", "column stop_sequence: ' 5 6' is not an INT"},
        {"1,,,, 3000000000 ",
         "column stop_sequence: ' 3000000000 ' is out of the range of INT"},
        {" \t\x1A", "empty record"},
        {"1,,,,1\r\r\n", "the line ends with CR CR LF; mend the file: sed 's/\\r*$//'"},
        {"1,,,,1, ,x", "7 fields for 5 columns: the first too many is ' '"},
        {"1,,,,1,\"\"", "6 fields for 5 columns: the first too many is ''"},
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
        {"\x1F\x8B\x08", "the record is packed by gzip; unpack it first: gunzip"},
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
    assert_status(csv_decoder_open(&schema, NULL, &decoder, &err), ST_USAGE);
    assert_string_equal(err.text, "column b: BYTES cannot be read from CSV; declare it "
                                  "TEXT, or use format 'avro'");
    arena_release(&arena);
}

// As text: a value, '?' and the bytes of one that cannot be read, or '-'.
static struct str partial_text(struct fixture *f, struct str value, struct arena *arena,
                               struct str *ret_error)
{
    struct record record = {.value = value};
    struct partial_record partial;
    AUTO(buf_release) struct buf text = {0};
    csv_decoder_read_partly(f->decoder, &record, arena, &partial);
    for (size_t i = 0; i < f->schema.n; i++) {
        const struct partial_column *column = &partial.columns[i];
        buf_text(&text, i > 0 ? "|" : "");
        if (column->is_read)
            buf_str(&text, row_text(arena, &column->value, 1));
        else if (column->bytes.p != NULL)
            buf_printf(&text, "?%.*s", STR_ARGS(column->bytes));
        else
            buf_char(&text, '-');
    }
    if (partial.rest.p != NULL)
        buf_printf(&text, " rest %.*s", STR_ARGS(partial.rest));
    *ret_error = partial.error;
    return arena_str(arena, buf_as_str(&text));
}

static void test_a_record_is_read_as_far_as_it_goes(UNUSED void **state)
{
    static const struct {
        const char *value, *text, *error;
    } cases[] = {
        {"1,05:30,,7,12", "1|05:30|NULL|7|12", ""},
        {"1,05:30,,7,x1", "1|05:30|NULL|7|?x1",
         "column stop_sequence: 'x1' is not an INT"},
        {",05:30,\"\",7,99999999999", "?|05:30||7|?99999999999",
         "column trip_id is NOT NULL and has no value"},
        {"1,05:30", "1|05:30|-|-|-",
         "2 fields for 5 columns: departure_time is the first without one"},
        {"1,2,3,4,5,6", "1|2|3|4|5", "6 fields for 5 columns: the first too many is '6'"},
        {"1,2,\"open,4,5", "1|2|-|-|- rest \"open,4,5",
         "column departure_time: unclosed quote"},
        {"\"1\" ,\"2\"x,3", "1|-|-|-|- rest \"2\"x,3",
         "column arrival_time: text after the closing quote; a quote inside quotes is "
         "written twice"},
        {"1,2,3,4,5\n1", "1|2|3|4|5",
         "two lines in one record; a line break in a field is quoted"},
        {"", "?|-|-|-|-", "empty record"}, // trip_id is NOT NULL
    };
    struct fixture f;
    open_decoder(&f, STOP_TIMES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str error;
        struct str text = partial_text(&f, str_of(cases[i].value), &f.arena, &error);
        assert_str(text, cases[i].text);
        assert_str(error, cases[i].error);
    }
    struct str error;
    assert_str(partial_text(&f, (struct str){0}, &f.arena, &error), "-|-|-|-|-");
    assert_str(error, "it has no value");
    close_decoder(&f);
}

// What decoding says of any record, reading it as far as it goes says too.
static void test_reading_partly_agrees_with_decoding(UNUSED void **state)
{
    enum {
        RECORDS = 200000,
        BYTES_MAX = 14
    };
    static const char alphabet[] = "a1,,,\"\"\r\n \xC3\xA9";
    struct fixture f;
    AUTO(arena_release) struct arena arena = {0};
    uint32_t seed = 7;
    size_t n_rows = 0, n_rejects = 0;
    open_decoder(&f, "a TEXT NOT NULL, b INT, c TEXT");
    for (size_t i = 0; i < RECORDS; i++) {
        char bytes[BYTES_MAX];
        size_t n = 0;
        for (size_t want = (seed >> 8) % BYTES_MAX; n < want; n++) {
            seed = seed * 1664525 + 1013904223;
            bytes[n] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        seed = seed * 1664525 + 1013904223;
        struct str value = {bytes, n}, error;
        decode_one(&f, value);
        struct str text = partial_text(&f, value, &arena, &error);
        n_rows += f.batch.n_rows;
        n_rejects += f.batch.n_rejects;
        if (f.batch.n_rows == 1) {
            assert_int_equal(error.n, 0);
            assert_true(str_eq(text, row_text(&arena, batch_row(&f.batch, 0), 3)));
        } else if (f.batch.n_rejects == 1) {
            assert_true(str_eq(error, f.batch.rejects[0].reason));
        }
        arena_clear(&arena);
    }
    assert_true(n_rows > 1000 && n_rejects > 1000);
    close_decoder(&f);
}

TEST_MAIN(cmocka_unit_test(test_a_record_is_a_row_by_position),
          cmocka_unit_test(test_a_record_is_read_as_far_as_it_goes),
          cmocka_unit_test(test_reading_partly_agrees_with_decoding),
          cmocka_unit_test(test_all_types_are_read),
          cmocka_unit_test(test_numbers_may_have_white_space_around_them),
          cmocka_unit_test(test_reals_are_read_as_databases_write_them),
          cmocka_unit_test(test_empty_fields_past_the_last_are_passed),
          cmocka_unit_test(test_text_can_be_trimmed),
          cmocka_unit_test(test_a_header_says_where_the_columns_are),
          cmocka_unit_test(test_header_lines_and_tombstones_are_ignored),
          cmocka_unit_test(test_rejects_name_column_and_value),
          cmocka_unit_test(test_a_record_above_the_limit_is_a_reject),
          cmocka_unit_test(test_one_nullable_column_has_null_as_an_empty_line),
          cmocka_unit_test(test_a_run_keeps_order_and_indexes),
          cmocka_unit_test(test_bytes_have_no_form_in_csv))
