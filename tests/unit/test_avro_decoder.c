// SPDX-License-Identifier: Apache-2.0
// Expected bytes are written down from the Avro 1.11 specification, by hand.
#include "test.h"

#include "avro/decoder.h"
#include "memory/lookup_mem.h"

#define SCHEMA(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define BYTES(literal)    ((struct str){(literal), sizeof(literal) - 1})
#define NAME(literal)     {(literal), sizeof(literal) - 1}

// One decoder with schemas 1..n, and what it made of records.
struct fixture {
    struct schema_lookup *lookup;
    struct decoder *decoder;
    struct batch batch;
    struct err err;
};

static void open_with(struct fixture *f, struct column *columns, size_t n,
                      const char *reader_schema, const char *writer)
{
    *f = (struct fixture){.lookup = memory_lookup_open()};
    memory_lookup_add(f->lookup, 1, str_of(writer));
    struct schema schema = {columns, n};
    struct avro_decoder_config config = {
        .columns = &schema,
        .reader_schema = str_of(reader_schema),
        .lookup = f->lookup,
    };
    assert_ok(avro_decoder_open(&config, &f->decoder, &f->err), &f->err);
    batch_init(&f->batch, n);
}

static void close_fixture(struct fixture *f)
{
    f->decoder->ops->close(f->decoder);
    f->lookup->ops->close(f->lookup);
    batch_release(&f->batch);
}

static enum status decode(struct fixture *f, struct str value)
{
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    size_t next;
    batch_clear(&f->batch);
    return f->decoder->ops->decode(f->decoder, &run, 0, &f->batch, &next, &f->err);
}

static const struct value *decode_row(struct fixture *f, struct str value)
{
    assert_ok(decode(f, value), &f->err);
    if (f->batch.n_rejects)
        fail_msg("rejected: %s", f->batch.rejects[0].reason.p);
    assert_int_equal(f->batch.n_rows, 1);
    return batch_row(&f->batch, 0);
}

static void assert_rejects(struct fixture *f, struct str value, const char *reason)
{
    assert_ok(decode(f, value), &f->err);
    assert_int_equal(f->batch.n_rows, 0);
    assert_int_equal(f->batch.n_rejects, 1);
    assert_string_equal(f->batch.rejects[0].reason.p, reason);
}

static struct column stop_times[] = {
    {NAME("trip_id"), TYPE_TEXT, false},
    {NAME("arrival_time"), TYPE_TEXT, true},
    {NAME("stop_sequence"), TYPE_INT, true},
};

static const char stop_times_schema[] = SCHEMA(FIELD("trip_id", "\"string\"") "," FIELD(
    "arrival_time", "[\"null\",\"string\"]") "," FIELD("stop_sequence",
                                                       "[\"int\",\"null\"]"));

static void test_reads_a_framed_record(UNUSED void **state)
{
    struct fixture f;
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    const struct value *row = decode_row(&f, BYTES("\0\0\0\0\1"
                                                   "\4T1"
                                                   "\2\12"
                                                   "25:00"
                                                   "\0\7"));
    assert_str(value_str(row[0]), "T1");
    assert_str(value_str(row[1]), "25:00");
    assert_int_equal(row[2].i, -4);
    row = decode_row(&f, BYTES("\0\0\0\0\1\0\0\2"));
    assert_str(value_str(row[0]), "");
    assert_int_equal(row[1].kind, VALUE_NULL);
    assert_int_equal(row[2].kind, VALUE_NULL);
    assert_int_equal(memory_lookup_calls(f.lookup), 1);
    close_fixture(&f);
}

static void test_says_what_is_not_framed(UNUSED void **state)
{
    struct fixture f;
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    assert_rejects(&f, BYTES("{\"a\":1}"),
                   "first byte is 0x7B '{': looks like JSON, not Confluent Avro");
    assert_rejects(&f, BYTES("T1,25:00:00"),
                   "first byte is 0x54 'T': looks like text, not Confluent Avro");
    assert_rejects(&f, BYTES("\xC3\x01x"),
                   "first byte is 0xC3: looks like Avro's single-object encoding, not "
                   "Confluent Avro");
    assert_rejects(&f, BYTES("Obj\x01"),
                   "first byte is 0x4F 'O': looks like an Avro container file, not "
                   "Confluent Avro");
    assert_rejects(&f, BYTES("\xFF"),
                   "first byte is 0xFF: not Confluent Avro, which "
                   "begins with a zero byte");
    assert_rejects(&f, BYTES(""),
                   "the value is empty: Confluent Avro begins with a zero byte");
    assert_rejects(&f, BYTES("\0\0"),
                   "2 bytes: too short for Confluent Avro, whose magic "
                   "byte and schema id take 5");
    assert_rejects(&f, BYTES("\0\xFF\xFF\xFF\xFF\0"),
                   "the schema id is negative: not Confluent Avro");
    assert_rejects(&f, BYTES("\0\0\0\0\0\0\0\0\1\2A"),
                   "the schema id is 0, which no registry gives: looks like Apicurio's "
                   "framing with an id of 8 bytes, not Confluent Avro");
    assert_rejects(&f, BYTES("\3\0 16 bytes of UUID"),
                   "first byte is 0x03: looks like the framing of AWS Glue, not "
                   "Confluent Avro");
    assert_rejects(&f, BYTES("\1 16 bytes of GUID"),
                   "first byte is 0x01: looks like Confluent framing with a schema GUID, "
                   "not Confluent Avro");
    assert_ok(decode(&f, (struct str){0}), &f.err);
    assert_int_equal(f.batch.n_ignored, 1);
    assert_int_equal(f.batch.n_rejects, 0);
    close_fixture(&f);
}

static void test_rejects_broken_datums(UNUSED void **state)
{
    struct fixture f;
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    assert_rejects(
        &f, BYTES("\0\0\0\0\1\12T1"),
        "schema id 1: field 'trip_id': cut off: 5 bytes wanted, 2 left (byte 0)");
    assert_rejects(&f, BYTES("\0\0\0\0\1"),
                   "schema id 1: field 'trip_id': cut off in a number (byte 0)");
    assert_rejects(&f, BYTES("\0\0\0\0\1\0\0\2\0\0"),
                   "schema id 1: 2 bytes left behind the last field");
    assert_rejects(&f, BYTES("\0\0\0\0\1\1"),
                   "schema id 1: field 'trip_id': -1 is not a length (byte 0)");
    assert_rejects(&f, BYTES("\0\0\0\0\1\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
                   "schema id 1: field 'trip_id': cut off: 9223372036854775807 bytes "
                   "wanted, 0 left (byte 0)");
    assert_rejects(
        &f, BYTES("\0\0\0\0\1\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"),
        "schema id 1: field 'trip_id': a number of more than 64 bits (byte 0)");
    assert_rejects(&f, BYTES("\0\0\0\0\1\4a\xFF\0\2"),
                   "schema id 1: field 'trip_id': no UTF-8 text without a zero byte: "
                   "wrong after 1 good bytes (byte 0)");
    assert_rejects(
        &f, BYTES("\0\0\0\0\1\4T1\4"),
        "schema id 1: field 'arrival_time': branch 2 of a union of 2 (byte 3)");
    assert_rejects(&f, BYTES("\0\0\0\0\1\0\0\0\x80\x80\x80\x80\x10"),
                   "schema id 1: field 'stop_sequence': 2147483648 is not an int of 32 "
                   "bits (byte 2)");
    close_fixture(&f);
}

static void test_new_ids_are_looked_up_once_and_retried(UNUSED void **state)
{
    struct fixture f;
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    memory_lookup_add(f.lookup, 7, str_of(SCHEMA(FIELD("trip_id", "\"bytes\""))));
    memory_lookup_fail(f.lookup, 1);
    struct record records[] = {
        {.value = BYTES("\0\0\0\0\7\2A")},
        {.value = BYTES("\0\0\0\0\1\2B\0\2")},
        {.value = BYTES("\0\0\0\0\7\2C")},
        {.value = BYTES("\0\0\0\0\11\2D")},
    };
    struct run run = {.records = records, .n = 4};
    size_t next = 99;
    enum status rc = f.decoder->ops->decode(f.decoder, &run, 0, &f.batch, &next, &f.err);
    assert_status(rc, ST_RETRY);
    assert_string_equal(f.err.text, "schema id 7: no answer");
    assert_int_equal(next, 0);
    assert_ok(f.decoder->ops->decode(f.decoder, &run, 0, &f.batch, &next, &f.err),
              &f.err);
    assert_int_equal(next, 4);
    assert_int_equal(f.batch.n_rows, 3);
    assert_int_equal(f.batch.records[2], 2);
    assert_str(value_str(batch_row(&f.batch, 2)[0]), "C");
    assert_int_equal(f.batch.n_rejects, 1);
    assert_string_equal(f.batch.rejects[0].reason.p,
                        "schema id 9: there is no schema id 9");
    assert_int_equal(memory_lookup_calls(f.lookup), 4);
    close_fixture(&f);
}

static void assert_unreadable(struct column column, const char *type, const char *text)
{
    struct fixture f;
    char *writer = mem_printf(SCHEMA(FIELD("a", "%s")), type);
    open_with(&f, &column, 1, NULL, writer);
    assert_status(decode(&f, BYTES("\0\0\0\0\1\0")), ST_DATA);
    assert_string_equal(f.err.text, text);
    free(writer);
    close_fixture(&f);
}

static void test_types_that_never_fit_are_found_at_once(UNUSED void **state)
{
    struct column text = {NAME("a"), TYPE_TEXT, true};
    struct column number = {NAME("a"), TYPE_INT, true};
    struct column missing = {NAME("b"), TYPE_INT, false};
    struct column other_case = {NAME("A"), TYPE_INT, true};
    assert_unreadable(text, "\"long\"",
                      "schema id 1: field 'a': the writer's long cannot "
                      "be read as TEXT; declare the column BIGINT");
    assert_unreadable(number, "\"long\"",
                      "schema id 1: field 'a': the writer's long cannot "
                      "be read as INT; declare the column BIGINT");
    assert_unreadable(missing, "\"int\"",
                      "schema id 1: field 'b': record 'r' has no such "
                      "field, and the column is NOT NULL; did you mean "
                      "'a'?");
    assert_unreadable(
        other_case, "\"int\"",
        "schema id 1: field 'A': record 'r' has 'a': write the column quoted, "
        "\"a\"");
    assert_unreadable(
        text, "{\"type\":\"array\",\"items\":\"string\"}",
        "schema id 1: field 'a': the writer's array of string cannot be read "
        "as TEXT");
    assert_unreadable(text, "{\"type\":\"record\",\"name\":\"n\",\"fields\":[]}",
                      "schema id 1: field 'a': the writer's record 'n' cannot be read as "
                      "TEXT; name its fields, as \"a.b\"");
}

// The header __value_schema_id: by it the value is the datum alone.

#define GUID "\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00"

// One record with that header; p == NULL: without.
static enum status decode_by_header(struct fixture *f, struct str header,
                                    struct str value)
{
    struct record record = {.value = value, .value_schema = header};
    struct run run = {.records = &record, .n = 1};
    size_t next;
    batch_clear(&f->batch);
    return f->decoder->ops->decode(f->decoder, &run, 0, &f->batch, &next, &f->err);
}

static void test_reads_what_a_header_names(UNUSED void **state)
{
    struct fixture f;
    struct schema_key guid = {.guid = GUID};
    static const char other[] =
        SCHEMA(FIELD("stop_sequence", "\"int\"") "," FIELD("trip_id", "\"string\""));
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    memory_lookup_add_key(f.lookup, &guid, str_of(other));
    // By the frame, by id, by GUID, by id again: each with its own schema.
    const struct {
        struct str header, value;
    } records[] = {
        {{0}, BYTES("\0\0\0\0\1\4T1\0\0\7")}, {BYTES("\0\0\0\0\1"), BYTES("\4T1\0\0\7")},
        {BYTES("\1" GUID), BYTES("\7\4T1")},  {BYTES("\0\0\0\0\1"), BYTES("\4T1\0\0\7")},
        {BYTES("\1" GUID), BYTES("\7\4T1")},
    };
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        assert_ok(decode_by_header(&f, records[i].header, records[i].value), &f.err);
        assert_int_equal(f.batch.n_rows, 1);
        assert_str(value_str(batch_row(&f.batch, 0)[0]), "T1");
        assert_int_equal(batch_row(&f.batch, 0)[2].i, -4);
    }
    assert_int_equal(memory_lookup_calls(f.lookup), 2);
    close_fixture(&f);
}

static void assert_header_rejects(struct fixture *f, struct str header, struct str value,
                                  const char *reason)
{
    assert_ok(decode_by_header(f, header, value), &f->err);
    assert_int_equal(f->batch.n_rows, 0);
    assert_int_equal(f->batch.n_rejects, 1);
    assert_string_equal(f->batch.rejects[0].reason.p, reason);
}

// Never by what the value happens to begin with.
static void test_a_value_with_a_header_is_no_frame(UNUSED void **state)
{
    static const char ends[] =
        ": neither a zero byte and an id above 0 in 4 bytes, nor a "
        "byte of 1 and a GUID in 16";
    static const struct {
        struct str header;
        const char *what;
    } headers[] = {
        {{"", 0}, "0 bytes"},
        {NAME("\0"), "1 byte that begins with 0x00"},
        {NAME("\0\0\0\1"), "4 bytes that begin with 0x00"},
        {NAME("\0\0\0\0\0"), "5 bytes that begin with 0x00"},
        {NAME("\0\xff\0\0\1"), "5 bytes that begin with 0x00"},
        {NAME("\1\0\0\0\1"), "5 bytes that begin with 0x01"},
        {NAME("\0\0\0\0\1\0"), "6 bytes that begin with 0x00"},
        {NAME("\0" GUID), "17 bytes that begin with 0x00"},
        {NAME("\2" GUID), "17 bytes that begin with 0x02"},
        {NAME("\1" GUID "x"), "18 bytes that begin with 0x01"},
        {NAME("1"), "1 byte that begins with 0x31"},
    };
    struct fixture f;
    struct str framed = BYTES("\0\0\0\0\1\4T1\0\0\7");
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        char reason[200];
        snprintf(reason, sizeof(reason), "header __value_schema_id: %s%s",
                 headers[i].what, ends);
        assert_header_rejects(&f, headers[i].header, framed, reason);
    }
    assert_header_rejects(
        &f, BYTES("\0\0\0\0\1"), framed,
        "header __value_schema_id: schema id 1: 7 bytes left behind the "
        "last field"); // "", null and 0 are its first four bytes
    close_fixture(&f);
}

static void test_headers_of_schemas_that_are_not_there(UNUSED void **state)
{
    struct fixture f;
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    assert_header_rejects(
        &f, BYTES("\0\0\0\0\11"), BYTES("\4T1\0\0\7"),
        "header __value_schema_id: schema id 9: there is no schema id 9");
    assert_header_rejects(&f, BYTES("\1" GUID), BYTES("\4T1\0\0\7"),
                          "header __value_schema_id: schema GUID "
                          "123e4567-e89b-12d3-a456-426614174000: there is no schema GUID "
                          "123e4567-e89b-12d3-a456-426614174000");
    assert_ok(decode_by_header(&f, BYTES("\0\0\0\0\1"), (struct str){0}), &f.err);
    assert_int_equal(f.batch.n_ignored, 1); // a tombstone
    memory_lookup_fail(f.lookup, 1);
    assert_status(decode_by_header(&f, BYTES("\1" GUID), BYTES("x")), ST_RETRY);
    assert_string_equal(f.err.text,
                        "schema GUID 123e4567-e89b-12d3-a456-426614174000: no answer");
    close_fixture(&f);
}

// As text: a value, or '-'; then how many bytes were not read.
static void partial_text(struct fixture *f, struct str value, struct arena *arena,
                         struct buf *text, struct str *ret_error)
{
    struct record record = {.value = value};
    struct partial_record partial;
    assert_ok(avro_decoder_read_partly(f->decoder, &record, arena, &partial, &f->err),
              &f->err);
    buf_clear(text);
    for (size_t i = 0; i < f->decoder->schema->n; i++) {
        const struct partial_column *column = &partial.columns[i];
        buf_text(text, i > 0 ? "|" : "");
        if (!column->is_read)
            buf_char(text, '-');
        else if (column->value.kind == VALUE_NULL)
            buf_text(text, "NULL");
        else
            value_format(column->value, text);
    }
    if (partial.rest.p != NULL)
        buf_printf(text, " rest %zu", partial.rest.n);
    *ret_error = partial.error;
}

static void test_a_record_is_read_as_far_as_it_goes(UNUSED void **state)
{
    static const struct {
        struct str value;
        const char *text, *error;
    } cases[] = {
        {NAME("\0\0\0\0\1\4T1\2\4hi\0\7"), "T1|hi|-4", ""},
        {NAME("\0\0\0\0\1\4T1\0\2"), "T1|NULL|NULL", ""},
        {NAME("\0\0\0\0\1\4T1\2\4hi\4\7"), "T1|hi|- rest 2",
         "schema id 1: field 'stop_sequence': branch 2 of a union of 2 (byte 7)"},
        {NAME("\0\0\0\0\1\4T1\0\0"), "T1|NULL|- rest 1",
         "schema id 1: field 'stop_sequence': cut off in a number (byte 4)"},
        {NAME("\0\0\0\0\1\4T1\2\4\xFFi\0\7"), "T1|-|- rest 6",
         "schema id 1: field 'arrival_time': no UTF-8 text without a zero byte: wrong "
         "after 0 good bytes (byte 3)"},
        {NAME("\0\0\0\0\1\4T1\0\2x"), "T1|NULL|NULL rest 1",
         "schema id 1: 1 byte left behind the last field"},
        {NAME("\0\0\0\0\11\4T1"), "-|-|- rest 8", "schema id 9: there is no schema id 9"},
        {NAME("T1"), "-|-|- rest 2",
         "first byte is 0x54 'T': looks like text, not Confluent Avro"},
    };
    struct fixture f;
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    open_with(&f, stop_times, 3, NULL, stop_times_schema);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str error;
        partial_text(&f, cases[i].value, &arena, &text, &error);
        assert_str(buf_as_str(&text), cases[i].text);
        assert_str(error, cases[i].error);
    }
    memory_lookup_fail(f.lookup, 1);
    struct record record = {.value = BYTES("\0\0\0\0\12x")};
    struct partial_record partial;
    assert_status(avro_decoder_read_partly(f.decoder, &record, &arena, &partial, &f.err),
                  ST_RETRY);
    close_fixture(&f);
}

// A column that is read, of a datum cut anywhere, is that of the whole datum, and none is
// read behind one that is not. With a record, a union and an array before the columns.
static void test_a_datum_cut_anywhere_is_read_up_to_there(UNUSED void **state)
{
    static const char schema[] = SCHEMA(FIELD("a", "\"string\"") "," FIELD(
        "skipped",
        "{"
        "\""
        "ty"
        "pe"
        "\""
        ":"
        "\""
        "ar"
        "ra"
        "y"
        "\""
        ","
        "\""
        "it"
        "em"
        "s"
        "\""
        ":["
        "\""
        "nu"
        "ll"
        "\""
        ","
        "\""
        "lo"
        "ng"
        "\""
        "]"
        "}") "," FIELD("n",
                       "[\"null\",\"int\"]") "," FIELD("r",
                                                       "{\"type\":\"record\","
                                                       "\"name\":"
                                                       "\"inner\","
                                                       "\"fields\":[" FIELD(
                                                           "x",
                                                           "\"long"
                                                           "\"") "," FIELD("y",
                                                                           "[\"int\","
                                                                           "\"null\","
                                                                           "\"string"
                                                                           "\"]") "]"
                                                                                  "}") "," FIELD("z",
                                                                                                 "\"int\""));
    static struct column columns[] = {
        {NAME("z"), TYPE_INT, false},
        {NAME("a"), TYPE_TEXT, false},
        {NAME("r.y"), TYPE_TEXT, true},
        {NAME("n"), TYPE_INT, true},
    };
    static const struct str datum = NAME("\0\0\0\0\1"
                                         "\6abc"
                                         "\4\2\16\0\0"
                                         "\0"
                                         "\2"
                                         "\4\4yy"
                                         "\22");
    // Which columns, as a person counts bytes behind the frame: a ends at 4, n at 10, r.y
    // at 15, z at 16.
    static const size_t ends[] = {16, 4, 15, 10};
    static const char *const values[] = {"9", "abc", "yy", "NULL"};
    struct fixture f;
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0}, expected = {0};
    open_with(&f, columns, ARRAY_LEN(columns), NULL, schema);
    for (size_t n = 0; n <= datum.n - 5; n++) {
        struct str error;
        partial_text(&f, (struct str){datum.p, n + 5}, &arena, &text, &error);
        buf_clear(&expected);
        for (size_t c = 0; c < ARRAY_LEN(columns); c++)
            buf_printf(&expected, "%s%s", c > 0 ? "|" : "",
                       ends[c] <= n ? values[c] : "-");
        if (n < datum.n - 5)
            text.n -= text.n - (size_t)((char *)memchr(text.p, ' ', text.n) - text.p);
        assert_str(buf_as_str(&text), buf_cstr(&expected));
        assert_true((error.n == 0) == (n == datum.n - 5));
    }
    close_fixture(&f);
}

TEST_MAIN(cmocka_unit_test(test_reads_a_framed_record),
          cmocka_unit_test(test_a_record_is_read_as_far_as_it_goes),
          cmocka_unit_test(test_a_datum_cut_anywhere_is_read_up_to_there),
          cmocka_unit_test(test_reads_what_a_header_names),
          cmocka_unit_test(test_a_value_with_a_header_is_no_frame),
          cmocka_unit_test(test_headers_of_schemas_that_are_not_there),
          cmocka_unit_test(test_says_what_is_not_framed),
          cmocka_unit_test(test_rejects_broken_datums),
          cmocka_unit_test(test_new_ids_are_looked_up_once_and_retried),
          cmocka_unit_test(test_types_that_never_fit_are_found_at_once))
