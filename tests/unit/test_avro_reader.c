// SPDX-License-Identifier: Apache-2.0
// A reader's schema and columns that do not fit it, or each other; what a datum may do.
#include "test.h"

#include "avro/decoder.h"
#include "avro/plan.h"
#include "base/mem.h"
#include "memory/lookup_mem.h"

#define SCHEMA(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define BYTES(literal)    ((struct str){(literal), sizeof(literal) - 1})
#define A(type)           SCHEMA(FIELD("a", type))

static struct column column_of(const char *name, enum type type, bool nullable)
{
    return (struct column){str_of(name), type, nullable};
}

static enum status open_reader(struct column column, const char *schema,
                               struct avro_reader **ret, struct err *err)
{
    struct schema columns = {&column, 1};
    return avro_reader_open(&columns, str_of(schema), ret, err);
}

static void assert_no_reader(const char *name, enum type type, const char *schema,
                             const char *text)
{
    struct avro_reader *reader;
    struct err err;
    assert_status(open_reader(column_of(name, type, true), schema, &reader, &err),
                  ST_USAGE);
    assert_string_equal(err.text, text);
}

static void test_columns_that_the_schema_does_not_have(UNUSED void **state)
{
    assert_no_reader("a", TYPE_TEXT, "\"int\"",
                     "Avro schema: a table needs a record, this is int");
    assert_no_reader("trip", TYPE_TEXT, SCHEMA(FIELD("trips", "\"string\"")),
                     "column 'trip' is not a field of record 'r'; did you mean 'trips'?");
    assert_no_reader("a.b", TYPE_TEXT, A("\"string\""),
                     "column 'a.b' is not a field of record 'r'");
    assert_no_reader("a", TYPE_TEXT,
                     SCHEMA("{\"name\":\"a\",\"type\":\"int\",\"default\":\"x\"}"),
                     "record 'r': field 'a': default: \"x\" is not a value of int");
}

static void test_columns_of_other_types(UNUSED void **state)
{
    assert_no_reader("a", TYPE_INT, A("\"long\""),
                     "field 'a': the schema's long does not fit a column of INT; declare "
                     "it BIGINT");
    assert_no_reader("a", TYPE_TEXT, A("{\"type\":\"array\",\"items\":\"int\"}"),
                     "field 'a': the schema's array has no value in a column");
    assert_no_reader("a", TYPE_TEXT,
                     A("{\"type\":\"record\",\"name\":\"s\",\"fields\":[]}"),
                     "field 'a': the schema's record has no value in a column; name its "
                     "fields, as \"a.b\"");
    assert_no_reader("a", TYPE_TEXT,
                     A("{\"type\":\"bytes\",\"logicalType\":\"decimal\","
                       "\"precision\":400}"),
                     "field 'a': the schema's bytes (decimal 400, 0) has no value in a "
                     "column");
}

// What the reader, of one column, says of a writer's schema.
static void assert_unreadable(struct column column, const char *reader_schema,
                              const char *writer_schema, const char *text)
{
    struct avro_reader *reader;
    struct avro_schema *writer;
    struct avro_plan *plan;
    struct err err;
    struct str json = str_of(writer_schema);
    assert_ok(open_reader(column, reader_schema, &reader, &err), &err);
    assert_ok(avro_schema_parse(&json, 1, &writer, &err), &err);
    assert_status(avro_plan_open(writer, reader, &plan, &err), ST_DATA);
    assert_string_equal(err.text, text);
    avro_schema_free(writer);
    avro_reader_free(reader);
}

#define ENUM(name, symbols) \
    "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"

static void test_what_no_datum_can_resolve(UNUSED void **state)
{
    struct column text = column_of("a", TYPE_TEXT, true);
    struct column needed = column_of("a", TYPE_TEXT, false);
    assert_unreadable(text, A("\"string\""),
                      "{\"type\":\"record\",\"name\":\"q\",\"fields\":[]}",
                      "the writer's record 'q' cannot be read as record 'r'; give it the "
                      "writer's name, or that as an alias");
    assert_unreadable(text, A("\"string\""), SCHEMA(""),
                      "field 'a': record 'r' of the writer has no such field, and the "
                      "reader's has no default");
    assert_unreadable(text, A(ENUM("e", "\"A\"")), A(ENUM("e", "\"B\",\"C\"")),
                      "field 'a': enum 'e' of the reader has none of the writer's "
                      "symbols, and no default");
    assert_unreadable(needed, "", A("\"null\""),
                      "field 'a': null in column 'a', which is NOT NULL");
    assert_unreadable(needed,
                      SCHEMA("{\"name\":\"a\",\"type\":[\"null\",\"string\"],"
                             "\"default\":null}"),
                      SCHEMA(""),
                      "default cannot be read: field 'a': null in a column that is "
                      "NOT NULL (byte 0)");
    assert_unreadable(text, "",
                      A("{\"type\":\"bytes\",\"logicalType\":\"decimal\","
                        "\"precision\":400}"),
                      "field 'a': the writer's bytes (decimal 400, 0) cannot be read as "
                      "TEXT");
}

// What becomes of one datum.
static void assert_rejects(struct column column, const char *reader_schema,
                           const char *writer_schema, struct str value, const char *text)
{
    struct schema columns = {&column, 1};
    struct schema_lookup *lookup = memory_lookup_open();
    memory_lookup_add(lookup, 1, str_of(writer_schema));
    struct avro_decoder_config config = {
        .columns = &columns, .reader_schema = str_of(reader_schema), .lookup = lookup};
    struct decoder *decoder;
    struct err err;
    assert_ok(avro_decoder_open(&config, &decoder, &err), &err);
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    struct batch batch;
    size_t next;
    batch_init(&batch, 1);
    assert_ok(decoder->ops->decode(decoder, &run, 0, &batch, &next, &err), &err);
    assert_int_equal(batch.n_rejects, 1);
    assert_string_equal(batch.rejects[0].reason.p, text);
    batch_release(&batch);
    decoder->ops->close(decoder);
    lookup->ops->close(lookup);
}

static void test_what_depends_on_the_datum(UNUSED void **state)
{
    struct column boolean = column_of("a", TYPE_BOOLEAN, true);
    struct column text = column_of("a", TYPE_TEXT, true);
    assert_rejects(boolean, "", A("\"boolean\""), BYTES("\0\0\0\0\1\2"),
                   "schema id 1: field 'a': byte 0x02 is not a boolean (byte 0)");
    assert_rejects(text, "", A(ENUM("e", "\"A\",\"B\"")), BYTES("\0\0\0\0\1\4"),
                   "schema id 1: field 'a': symbol 2 of an enum of 2 (byte 0)");
    assert_rejects(column_of("a.b", TYPE_TEXT, true),
                   A("[\"int\",{\"type\":\"record\",\"name\":\"s\",\"fields\":[" FIELD(
                       "b", "\"string\"") "]}]"),
                   A("[\"int\",{\"type\":\"record\",\"name\":\"s\",\"fields\":[" FIELD(
                       "b", "\"string\"") "]}]"),
                   BYTES("\0\0\0\0\1\0\2"),
                   "schema id 1: field 'a': the schema has no record here");
}

static void test_lists_that_never_end(UNUSED void **state)
{
    struct buf value = {0};
    buf_append(&value, "\0\0\0\0\1\0", 6);
    for (int i = 0; i < 2000; i++)
        buf_char(&value, '\2');
    assert_rejects(column_of("a", TYPE_INT, true), "",
                   SCHEMA(FIELD("a", "\"int\"") "," FIELD(
                       "list", "{\"type\":\"record\",\"name\":\"l\",\"fields\":[" FIELD(
                                   "next", "[\"null\",\"l\"]") "]}")),
                   buf_as_str(&value),
                   "schema id 1: field 'list.next': more than 1000 levels deep (byte "
                   "1001)");
    buf_release(&value);
}

// A chain of records, each in the next by name, of several texts.
static void test_types_within_types_are_bounded(UNUSED void **state)
{
    enum {
        LINKS = 600
    };
    struct str texts[LINKS + 1];
    for (int i = 0; i <= LINKS; i++) {
        char *next = i ? mem_printf("\"l%d\"", i - 1) : mem_strdup("\"int\"");
        texts[i] = str_of(mem_printf("{\"type\":\"record\",\"name\":\"l%d\",\"fields\":"
                                     "[{\"name\":\"x\",\"type\":%s}]}",
                                     i, next));
        free(next);
    }
    struct avro_schema *writer;
    struct avro_reader *reader;
    struct avro_plan *plan;
    struct err err;
    assert_ok(avro_schema_parse(texts, LINKS + 1, &writer, &err), &err);
    assert_ok(open_reader(column_of("a", TYPE_TEXT, true), "", &reader, &err), &err);
    assert_status(avro_plan_open(writer, reader, &plan, &err), ST_DATA);
    assert_string_equal(strstr(err.text, "x': types"),
                        "x': types stand in each other more than 500 deep");
    avro_schema_free(writer);
    avro_reader_free(reader);
    for (int i = 0; i <= LINKS; i++)
        free((char *)texts[i].p);
}

TEST_MAIN(cmocka_unit_test(test_columns_that_the_schema_does_not_have),
          cmocka_unit_test(test_columns_of_other_types),
          cmocka_unit_test(test_what_no_datum_can_resolve),
          cmocka_unit_test(test_what_depends_on_the_datum),
          cmocka_unit_test(test_lists_that_never_end),
          cmocka_unit_test(test_types_within_types_are_bounded))
