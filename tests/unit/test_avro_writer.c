// SPDX-License-Identifier: Apache-2.0
// Schemas imposed on columns: what fits, what is refused and how that is said; the bytes
// of each value, by the specification.
#include "test.h"

#include "avro/record_encoder.h"
#include "csv_fixture.h"

struct fixture {
    struct arena arena;
    struct schema columns;
    struct avro_row_format *format; // NULL: none is open
    struct buf row;
    struct err err;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static void close_format(struct fixture *f)
{
    if (f->format != NULL)
        f->format->row_format.ops->close(&f->format->row_format);
    f->format = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close_format(f);
    buf_release(&f->row);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static enum status open_options(struct fixture *f, const char *columns,
                                struct avro_schema_options schema)
{
    close_format(f);
    f->columns = schema_of(&f->arena, columns);
    return avro_row_format_open(&f->columns, &schema, &f->format, &f->err);
}

static enum status impose(struct fixture *f, const char *columns, const char *json)
{
    return open_options(f, columns, (struct avro_schema_options){.schema = str_of(json)});
}

static void assert_refused(struct fixture *f, const char *columns, const char *json,
                           const char *text)
{
    assert_status(impose(f, columns, json), ST_USAGE);
    assert_string_equal(f->err.text, text);
}

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

static void test_schemas_that_do_not_fit_name_the_column(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "a INT", "{",
                   "Avro schema: no JSON: line 1, column 1: string or "
                   "'}' expected near end of file");
    assert_refused(f, "a INT", "\"int\"", "Avro schema: rows are a record, this is int");
    assert_refused(f, "a BIGINT NOT NULL", RECORD(FIELD("a", "\"int\"")),
                   "Avro schema: field 'a' is int, which a column of BIGINT cannot be "
                   "written as; CAST it in the SELECT, or change the schema");
    assert_refused(f, "a TEXT", RECORD(FIELD("a", "[\"null\",\"int\"]")),
                   "Avro schema: field 'a' is union of null and int, which a column of "
                   "TEXT cannot be written as; CAST it in the SELECT, or change the "
                   "schema");
    assert_refused(
        f, "a INT", RECORD(FIELD("a", "\"int\"")),
        "Avro schema: field 'a' takes no null, but the column may be NULL; use "
        "COALESCE in the SELECT, or a union with null");
    assert_refused(f, "a INT NOT NULL, b INT NOT NULL",
                   RECORD(FIELD("b", "\"int\"") "," FIELD("a", "\"int\"")),
                   "Avro schema: field 1 is 'b', column 1 is 'a': select the columns in "
                   "the order of the schema's fields");
    assert_refused(f, "a INT NOT NULL, b INT NOT NULL", RECORD(FIELD("a", "\"int\"")),
                   "Avro schema: there is no field for column 'b'; add it, or leave the "
                   "other out");
    assert_refused(f, "a INT NOT NULL",
                   RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")),
                   "Avro schema: there is no column for field 'b'; add it, or leave the "
                   "other out");
}

static void test_names_that_avro_does_not_have_are_refused(void **state)
{
    struct fixture *f = *state;
    struct avro_schema_options options = {.name = STR_LITERAL("a-b")};
    assert_status(open_options(f, "a INT", options), ST_USAGE);
    assert_string_equal(f->err.text,
                        "'a-b' cannot be the name of an Avro record: letters, digits and "
                        "_ only; give one with schema.name");
    options = (struct avro_schema_options){.name = STR_LITERAL("r"),
                                           .namespace = STR_LITERAL("org..x")};
    assert_status(open_options(f, "a INT", options), ST_USAGE);
    assert_string_equal(f->err.text,
                        "schema.namespace 'org..x' is not an Avro namespace");
    options = (struct avro_schema_options){.name = STR_LITERAL("r")};
    assert_status(open_options(f, "1a INT", options), ST_USAGE);
    assert_string_equal(f->err.text,
                        "column '1a' cannot be an Avro field: letters, digits and _ "
                        "only; name it otherwise with AS");
}

static void assert_bytes(struct fixture *f, struct value v, const char *bytes, size_t n)
{
    buf_clear(&f->row);
    struct row_format *row_format = &f->format->row_format;
    row_format->refused = (struct str){0};
    row_format->ops->fields(row_format, 0, &v, 1, &f->row);
    assert_int_equal(row_format->refused.n, 0);
    assert_int_equal(f->row.n, n);
    assert_memory_equal(f->row.p, bytes, n);
}

static void assert_no_value(struct fixture *f, struct value v, const char *why)
{
    buf_clear(&f->row);
    struct row_format *row_format = &f->format->row_format;
    row_format->refused = (struct str){0};
    row_format->ops->fields(row_format, 0, &v, 1, &f->row);
    assert_str(row_format->refused, why);
}

static void one_field(struct fixture *f, const char *columns, const char *json)
{
    assert_ok(impose(f, columns, json), &f->err);
}

static struct value text(const char *s)
{
    return value_text(str_of(s));
}

static struct value bytes(const char *s, size_t n)
{
    struct value v = value_text((struct str){s, n});
    v.kind = VALUE_BYTES;
    return v;
}

static const struct value null = {.kind = VALUE_NULL};

static void test_null_may_be_any_branch(void **state)
{
    struct fixture *f = *state;
    one_field(f, "a TEXT", RECORD(FIELD("a", "[\"null\",\"string\"]")));
    assert_bytes(f, null, "\0", 1);
    assert_bytes(f, text("x"), "\2\2x", 3);
    one_field(f, "a TEXT", RECORD(FIELD("a", "[\"string\",\"null\"]")));
    assert_bytes(f, null, "\2", 1);
    assert_bytes(f, text("x"), "\0\2x", 3);
    one_field(f, "a TEXT", RECORD(FIELD("a", "[\"int\",\"string\",\"null\"]")));
    assert_bytes(f, null, "\4", 1);
    assert_bytes(f, text(""), "\2\0", 2);
    one_field(f, "a TEXT NOT NULL", RECORD(FIELD("a", "[\"string\"]")));
    assert_bytes(f, text("x"), "\0\2x", 3);
    assert_no_value(f, null, "column 'a': NULL, but the field takes no null");
}

static void test_numbers_may_be_written_wider(void **state)
{
    struct fixture *f = *state;
    one_field(f, "a INT NOT NULL", RECORD(FIELD("a", "\"int\"")));
    assert_bytes(f, value_int(-64), "\x7f", 1);
    assert_no_value(f, value_int(1LL << 31),
                    "column 'a': 2147483648 is not a value of int");
    one_field(f, "a INT NOT NULL", RECORD(FIELD("a", "\"long\"")));
    assert_bytes(f, value_int(64), "\x80\x01", 2);
    one_field(f, "a INT NOT NULL", RECORD(FIELD("a", "\"double\"")));
    assert_bytes(f, value_int(1), "\0\0\0\0\0\0\xf0\x3f", 8);
    one_field(f, "a BIGINT NOT NULL", RECORD(FIELD("a", "\"long\"")));
    assert_bytes(f, value_int(INT64_MIN), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    one_field(f, "a REAL NOT NULL", RECORD(FIELD("a", "\"float\"")));
    struct value real = {.r = 1.5, .kind = VALUE_REAL};
    assert_bytes(f, real, "\0\0\xc0\x3f", 4);
    real.r = 1e300;
    assert_no_value(f, real, "column 'a': 1e+300 is not a value of float");
    one_field(f, "a BOOLEAN NOT NULL", RECORD(FIELD("a", "\"boolean\"")));
    assert_bytes(f, (struct value){.i = 1, .kind = VALUE_BOOL}, "\1", 1);
}

static void test_bytes_and_fixed(void **state)
{
    struct fixture *f = *state;
    one_field(f, "a BYTES NOT NULL", RECORD(FIELD("a", "\"bytes\"")));
    assert_bytes(f, bytes("\0\xff", 2), "\4\0\xff", 3);
    one_field(f, "a BYTES NOT NULL",
              RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"f\","
                     "\"size\":2}}"));
    assert_bytes(f, bytes("\0\xff", 2), "\0\xff", 2);
    assert_no_value(f, bytes("abc", 3),
                    "column 'a': a value of 3 bytes is not a value of fixed 'f'");
}

static void test_enums(void **state)
{
    struct fixture *f = *state;
    one_field(f, "a TEXT NOT NULL",
              RECORD("{\"name\":\"a\",\"type\":{\"type\":\"enum\",\"name\":\"e\","
                     "\"symbols\":[\"BUS\",\"METRO\"]}}"));
    assert_bytes(f, text("METRO"), "\2", 1);
    assert_no_value(f, text("bus"), "column 'a': 'bus' is not a value of enum 'e'");
}

#define LOGICAL(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"

static void test_logical_types(void **state)
{
    struct fixture *f = *state;
    one_field(f, "a TEXT NOT NULL", RECORD(FIELD("a", LOGICAL("int", "date"))));
    assert_bytes(f, text("1970-01-03"), "\4", 1);
    assert_no_value(f, text("1970-02-30"),
                    "column 'a': '1970-02-30' is not a value of int (date)");
    one_field(f, "a TEXT NOT NULL",
              RECORD(FIELD("a", LOGICAL("long", "timestamp-millis"))));
    assert_bytes(f, text("1970-01-01T00:00:01.000Z"), "\xd0\x0f", 2);
    one_field(f, "a TEXT NOT NULL", RECORD(FIELD("a", LOGICAL("string", "uuid"))));
    assert_no_value(f, text("x"), "column 'a': 'x' is not a value of string (uuid)");
    one_field(f, "a TEXT NOT NULL",
              RECORD("{\"name\":\"a\",\"type\":{\"type\":\"bytes\",\"logicalType\":"
                     "\"decimal\",\"precision\":4,\"scale\":2}}"));
    assert_bytes(f, text("-1.28"), "\2\x80", 2);
    assert_no_value(f, text("100.00"),
                    "column 'a': '100.00' is not a value of bytes (decimal 4, 2)");
    assert_no_value(f, text("1.005"),
                    "column 'a': '1.005' is not a value of bytes (decimal 4, 2)");
    // A long value is shown in part.
    char longer[200];
    memset(longer, 'y', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_no_value(
        f, text(longer),
        "column 'a': 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
        "yyyyyyyyyyyyyyyyyyyyyyyy' is not a value of bytes (decimal 4, 2)");
}

static void test_a_record_that_cannot_be_written_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct avro_schema_options made = {.name = STR_LITERAL("r")};
    struct record_encoder *encoder;
    char letters[2000];
    memset(letters, 'x', sizeof(letters));
    f->columns = schema_of(&f->arena, "a TEXT NOT NULL");
    struct value row = value_text((struct str){letters, sizeof(letters)});
    AUTO(buf_release) struct buf small = BUF_INIT(128);
    assert_ok(avro_record_encoder_open(&f->columns, &made, &encoder, &f->err), &f->err);
    assert_status(encoder->ops->encode(encoder, &row, &small, &f->err), ST_LIMIT);
    assert_string_equal(f->err.text, "Avro datum: more than 128 bytes");
    buf_clear(&small);
    buf_char(&small, 'x');
    assert_status(encoder->ops->encode(encoder, &null, &small, &f->err), ST_DATA);
    assert_string_equal(f->err.text, "column 'a': NULL, but the field takes no null");
    assert_int_equal(small.n, 1);
    row = text("x");
    assert_ok(encoder->ops->encode(encoder, &row, &small, &f->err), &f->err);
    assert_int_equal(small.n, 8); // magic, the schema's id, the text
    assert_memory_equal(small.p, "x\0\0\0\0\0\2x", 8);
    encoder->ops->close(encoder);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
TEST_MAIN(CASE(test_schemas_that_do_not_fit_name_the_column),
          CASE(test_names_that_avro_does_not_have_are_refused),
          CASE(test_null_may_be_any_branch), CASE(test_numbers_may_be_written_wider),
          CASE(test_bytes_and_fixed), CASE(test_enums), CASE(test_logical_types),
          CASE(test_a_record_that_cannot_be_written_leaves_nothing))
