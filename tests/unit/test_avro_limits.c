// SPDX-License-Identifier: Apache-2.0
// test: build release
// A schema of 4 MB that compiles to more than is allowed; slow under a sanitizer.
#include "test.h"

#include "avro/plan.h"

enum {
    BRANCHES = 75,
    FIELDS = 9000
};

// Fields that are unions of the same enums: much is compiled of little text.
static void put_field(struct buf *json, int field)
{
    buf_printf(json, "%s{\"name\":\"f%d\",\"type\":[", field ? "," : "", field);
    for (int i = 0; i < BRANCHES; i++)
        buf_printf(json,
                   field ? "%s\"%c%c\""
                         : "%s{\"type\":\"enum\",\"name\":\"%c%c\",\"symbols\":[]}",
                   i ? "," : "", 'a' + i / 26, 'a' + i % 26);
    buf_text(json, "]}");
}

static void test_plans_are_bounded(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[");
    for (int field = 0; field < FIELDS; field++)
        put_field(&json, field);
    buf_text(&json, "]}");
    struct str text = buf_as_str(&json);
    struct column column = {STR_LITERAL("a"), TYPE_TEXT, true};
    struct schema columns = {&column, 1};
    struct avro_schema *writer;
    struct avro_reader *reader;
    struct avro_plan *plan;
    struct err err;
    assert_ok(avro_schema_parse(&text, 1, &writer, &err), &err);
    assert_ok(avro_reader_open(&columns, (struct str){0}, &reader, &err), &err);
    assert_status(avro_plan_open(writer, reader, &plan, &err), ST_DATA);
    const char *reason = strstr(err.text, "the schema is too large");
    assert_string_equal(reason, "the schema is too large: more than 1048576 steps");
    avro_schema_free(writer);
    avro_reader_free(reader);
    buf_release(&json);
}

TEST_MAIN(cmocka_unit_test(test_plans_are_bounded))
