// SPDX-License-Identifier: Apache-2.0
// Errors and names. That generated code compiles and works:
// tests/e2e/test_avro_codegen.py.
#include "test.h"

#include "codegen/codegen.h"

static void assert_refused(const char *schema, const char *prefix, enum status status,
                           const char *text)
{
    struct buf header = {0};
    struct buf source = {0};
    struct err err;
    assert_status(avro_codegen(schema, prefix, "x.h", &header, &source, &err), status);
    assert_string_equal(err.text, text);
    buf_release(&header);
    buf_release(&source);
}

static void test_says_what_cannot_be_made(UNUSED void **state)
{
    assert_refused("\"string\"", "", ST_DATA,
                   "codegen: the schema is of string; it must be a record's");
    assert_refused(
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}", "my-", ST_USAGE,
        "codegen: no name in C begins with 'my-'; a prefix has letters, digits "
        "and _, and no digit first");
    assert_refused(
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":"
        "\"strng\"}]}",
        "", ST_DATA,
        "Avro schema: record 'r': field 'a': type 'strng' is not known; did you "
        "mean 'string'?");
    assert_refused(
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":"
        "\"int\",\"default\":\"x\"}]}",
        "", ST_DATA, "record 'r': field 'a': default: \"x\" is not a value of int");
}

static void assert_header_has(const char *schema, const char *prefix, const char *text)
{
    struct buf header = {0};
    struct buf source = {0};
    struct err err;
    assert_ok(avro_codegen(schema, prefix, "x.h", &header, &source, &err), &err);
    if (strstr(buf_cstr(&header), text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, buf_cstr(&header));
    buf_release(&header);
    buf_release(&source);
}

static void test_names_are_legible_and_unique(UNUSED void **state)
{
    const char *schema =
        "{\"type\":\"record\",\"name\":\"stop\",\"namespace\":\"g\",\"fields\":["
        "{\"name\":\"class\",\"type\":\"int\"},{\"name\":\"class_\",\"type\":\"int\"},"
        "{\"name\":\"name\",\"type\":[\"null\",\"string\"]},"
        "{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-"
        "millis\"}},"
        "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"kind\",\"symbols\":"
        "[\"BUS\",\"text\"]}},"
        "{\"name\":\"up\",\"type\":[\"null\",\"stop\"]},"
        "{\"name\":\"other\",\"type\":{\"type\":\"record\",\"name\":\"kind\","
        "\"namespace\":\"h\",\"fields\":[]}}]}";
    assert_header_has(schema, "gtfs_", "    int32_t class_;\n    int32_t class__2;\n");
    assert_header_has(schema, "gtfs_", "    struct gtfs_optional_string name;\n");
    assert_header_has(schema, "gtfs_",
                      "    /* ms since 1970-01-01T00:00:00Z */\n    int64_t at;\n");
    assert_header_has(schema, "gtfs_", "    enum gtfs_g_kind kind;\n");
    assert_header_has(schema, "gtfs_", "    struct gtfs_h_kind other;\n");
    // A symbol must not take the name of the enum's function.
    assert_header_has(schema, "gtfs_", "    gtfs_g_kind_BUS,\n    gtfs_g_kind_text_2\n");
    assert_header_has(schema, "gtfs_", "    struct gtfs_stop *value; /* NULL: null */\n");
    assert_header_has(schema, "", "enum avro_result stop_init(struct stop *x);");
}

TEST_MAIN(cmocka_unit_test(test_says_what_cannot_be_made),
          cmocka_unit_test(test_names_are_legible_and_unique))
