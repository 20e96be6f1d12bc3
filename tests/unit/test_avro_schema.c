// SPDX-License-Identifier: Apache-2.0
// What is not a schema, by the Avro 1.11 specification, and what is said of it.
#include "test.h"

#include "avro/schema.h"
#include "avro/table.h"
#include "base/mem.h"

static void assert_refused(const char *json, const char *reason)
{
    struct avro_schema *schema;
    struct err err;
    struct str text = str_of(json);
    if (avro_schema_parse(&text, 1, &schema, &err) != ST_DATA)
        fail_msg("taken: %.200s", json);
    char *expected = mem_printf("Avro schema: %s", reason);
    assert_string_equal(err.text, expected);
    free(expected);
}

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

static void test_texts_that_are_no_schema(UNUSED void **state)
{
    assert_refused("{",
                   "no JSON: line 1, column 1: string or '}' expected near end of file");
    assert_refused("7", "a type must be a string, an array or an object");
    assert_refused("{}", "a type needs \"type\"");
    assert_refused("\"strng\"", "type 'strng' is not known; did you mean 'string'?");
    assert_refused("\"Stop\"", "type 'Stop' is not known; it must be defined before");
    assert_refused("{\"type\":\"array\"}", "array: \"items\" must be given");
    assert_refused("{\"type\":\"map\"}", "map: \"values\" must be given");
}

static void test_names(UNUSED void **state)
{
    assert_refused("{\"type\":\"fixed\",\"size\":1}",
                   "fixed: \"name\" must be given, as a string");
    assert_refused("{\"type\":\"fixed\",\"size\":1,\"name\":\"f\",\"namespace\":1}",
                   "fixed: \"namespace\" must be a string");
    assert_refused("{\"type\":\"fixed\",\"size\":1,\"name\":\"a-b\",\"namespace\":\"x\"}",
                   "'x.a-b' cannot be the name of a type");
    assert_refused("{\"type\":\"fixed\",\"size\":1,\"name\":\"int\"}",
                   "'int' cannot be the name of a type");
    assert_refused("[{\"type\":\"fixed\",\"size\":1,\"name\":\"f\"},"
                   "{\"type\":\"fixed\",\"size\":2,\"name\":\"f\"}]",
                   "'f' is defined twice");
    assert_refused("{\"type\":\"fixed\",\"size\":1,\"name\":\"f\",\"aliases\":\"g\"}",
                   "fixed: \"aliases\" must be an array of at most 1000 strings");
    assert_refused("{\"type\":\"fixed\",\"size\":1,\"name\":\"f\",\"aliases\":[1]}",
                   "fixed: \"aliases\" must be an array of strings");
    assert_refused("{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}",
                   "fixed: \"size\" must be a number of bytes from 0 to 67108864");
}

#define ENUM(rest) "{\"type\":\"enum\",\"name\":\"e\"" rest "}"

static void test_enums(UNUSED void **state)
{
    assert_refused(ENUM(""), "enum: \"symbols\" must be given, as an array of strings");
    assert_refused(ENUM(",\"symbols\":[\"A\",\"b-c\"]"),
                   "enum 'e': 'b-c' cannot be a symbol");
    assert_refused(ENUM(",\"symbols\":[\"A\",\"B\",\"A\"]"),
                   "enum 'e': symbol 'A' stands there twice");
    assert_refused(ENUM(",\"symbols\":[\"A\"],\"default\":\"B\""),
                   "enum 'e': default 'B' is none of its symbols");
}

static void test_records(UNUSED void **state)
{
    assert_refused("{\"type\":\"record\",\"name\":\"r\"}",
                   "record 'r': \"fields\" must be an array of at most 20000");
    assert_refused(RECORD("1"), "record 'r': a field must be an object");
    assert_refused(RECORD("{\"type\":\"int\"}"),
                   "record 'r': field: \"name\" must be given, as a string");
    assert_refused(RECORD("{\"name\":\"a\"}"),
                   "record 'r': field 'a': \"type\" must be given");
    assert_refused(RECORD(FIELD("a.b", "\"int\"")),
                   "record 'r': 'a.b' cannot be the name of a field");
    assert_refused(RECORD(FIELD("a", "\"int\"") "," FIELD("a", "\"long\"")),
                   "record 'r': field 'a' stands there twice");
    assert_refused(RECORD(FIELD("a", "\"r\"")),
                   "record 'r' holds itself: no datum of it ever ends; a union with null "
                   "would end it");
}

static void test_unions(UNUSED void **state)
{
    assert_refused("[]", "a union needs at least one branch");
    assert_refused("[\"int\",[\"null\"]]", "a union stands directly in a union");
    assert_refused("[\"int\",\"null\",\"int\"]", "a union has two branches of type int");
}

// `n` times `open`, then `middle`, then `n` times `close`.
static char *nested(const char *open, const char *middle, const char *close, size_t n)
{
    struct buf text = {0};
    for (size_t i = 0; i < n; i++)
        buf_text(&text, open);
    buf_text(&text, middle);
    for (size_t i = 0; i < n; i++)
        buf_text(&text, close);
    char *copy = mem_strndup(text.p, text.n);
    buf_release(&text);
    return copy;
}

static void test_limits(UNUSED void **state)
{
    char *deep = nested("{\"type\":\"array\",\"items\":", "\"int\"", "}", AVRO_DEPTH_MAX);
    assert_refused(deep, "types stand in each other more than 100 deep");
    free(deep);
    char *fields = nested("{\"name\":\"f\",\"type\":\"int\"},", "1", "", AVRO_TYPES_MAX);
    char *record = mem_printf(RECORD("%s"), fields);
    assert_refused(record, "record 'r': field 'f': more than 10000 types");
    free(record);
    free(fields);
    char *blanks = nested(" ", "\"int\"", "", AVRO_TEXT_MAX);
    assert_refused(blanks, "the text is longer than 4194304 bytes");
    free(blanks);
}

static void test_columns_are_bounded(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[");
    for (int i = 0; i <= SCHEMA_COLUMNS_MAX; i++)
        buf_printf(&json, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i ? "," : "", i);
    buf_text(&json, "]}");
    struct arena arena = {0};
    struct schema columns;
    struct err err;
    assert_status(avro_columns_of(buf_as_str(&json), &arena, &columns, &err), ST_DATA);
    char *expected = mem_printf("Avro schema: more than %d columns", SCHEMA_COLUMNS_MAX);
    assert_string_equal(err.text, expected);
    free(expected);
    arena_release(&arena);
    buf_release(&json);
}

// Of a default: it matters only where it is used, as in a reader's schema.
static void assert_default(const char *type, const char *value, const char *reason)
{
    char *json =
        mem_printf(RECORD("{\"name\":\"a\",\"type\":%s,\"default\":%s}"), type, value);
    struct avro_schema *schema;
    struct err err;
    struct str text = str_of(json);
    assert_ok(avro_schema_parse(&text, 1, &schema, &err), &err);
    assert_status(avro_schema_check_defaults(schema, &err), ST_DATA);
    char *expected = mem_printf("record 'r': field 'a': default: %s", reason);
    assert_string_equal(err.text, expected);
    free(expected);
    free(json);
    avro_schema_free(schema);
}

static void test_defaults(UNUSED void **state)
{
    assert_default("\"int\"", "\"x\"", "\"x\" is not a value of int");
    assert_default("\"int\"", "2147483648", "2147483648 is not a value of int");
    assert_default("[\"null\",\"int\"]", "3",
                   "3 is not a value of null, the union's first branch");
    assert_default(
        "{\"type\":\"record\",\"name\":\"s\",\"fields\":[" FIELD("b", "\"int\"") "]}",
        "{}", "field 'b' is missing");
    char *deep = nested("{\"next\":", "null", "}", 60);
    assert_default("{\"type\":\"record\",\"name\":\"s\",\"fields\":[" FIELD(
                       "next", "[\"s\",\"null\"]") "]}",
                   deep, "more than 100 deep");
    free(deep);
}

TEST_MAIN(cmocka_unit_test(test_texts_that_are_no_schema), cmocka_unit_test(test_names),
          cmocka_unit_test(test_enums), cmocka_unit_test(test_records),
          cmocka_unit_test(test_unions), cmocka_unit_test(test_limits),
          cmocka_unit_test(test_columns_are_bounded), cmocka_unit_test(test_defaults))
