// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datum, read by schema resolution: a row or a reject with a reason, the
// same each time. The first byte picks a pair of schemas below; past them, writer and
// reader stand in the input, parted by zero bytes.
#include <assert.h>

#include "fuzz_parts.h"

#include "avro/decoder.h"
#include "avro/frame.h"
#include "avro/table.h"
#include "memory/lookup_mem.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 200000,
    .steps_a_byte = 3000,
    .bytes = 2 << 20,
    .bytes_a_byte = 20000,
    .held = 1 << 20,
    .held_a_byte = 10000,
};

// What few bytes of a schema may come to: docs/limits.md, "Schemas".
enum {
    COMPILE_STEPS = 256 << 20,
    COMPILE_BYTES = 256 << 20
};

struct pair {
    const char *writer, *reader; // reader empty: made from the columns
};

#define RECORD(name, fields) \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define OR_ELSE(name, type, text) \
    "{\"name\":\"" name "\",\"type\":" type ",\"default\":" text "}"
#define ENUM(symbols) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define ENUM_OR(symbols, text)                                                        \
    "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "],\"default\":\"" text \
    "\"}"
#define ARRAY(items)        "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values)         "{\"type\":\"map\",\"values\":" values "}"
#define LOGICAL(type, word) "{\"type\":\"" type "\",\"logicalType\":\"" word "\"}"
#define LONG                "\"long\""
#define INT                 "\"int\""
#define STRING              "\"string\""
#define BYTES               "\"bytes\""

static const struct pair pairs[] = {
    // Each primitive type, promoted where it can be.
    {RECORD("r",
            FIELD("a", INT) "," FIELD("b", LONG) "," FIELD("c", "\"float\"") "," FIELD(
                "d", STRING) "," FIELD("e", BYTES) "," FIELD("f", "\"boolean\"")),
     RECORD("r",
            FIELD("f", "\"boolean\"") "," FIELD("a", "\"double\"") "," FIELD(
                "d",
                BYTES) "," FIELD("c",
                                 "\"double\"") "," FIELD("e",
                                                         STRING) "," OR_ELSE("n", STRING,
                                                                             "\"new\""))},
    // Unions on both sides, an enum with and without a default.
    {RECORD(
         "r",
         FIELD("u", "[\"null\",\"int\",\"string\"]") "," FIELD(
             "v",
             "[\"string\","
             "\"null\","
             "\"long\"]") "," FIELD("e", ENUM("\"A\",\"B\",\"C\"")) "," FIELD("o",
                                                                              "[\"null\","
                                                                              "\"E\"]")),
     RECORD("r",
            FIELD("u", "[\"long\",\"null\"]") "," FIELD("v", STRING) "," FIELD(
                "e", ENUM_OR("\"B\",\"Z\"", "Z")) "," FIELD("o", "[\"null\",\"E\"]"))},
    // What is read past: arrays and maps within each other, items without bytes.
    {RECORD("r",
            FIELD("n", ARRAY(ARRAY("\"null\""))) "," FIELD(
                "m",
                MAP(ARRAY(STRING))) "," FIELD("z",
                                              ARRAY("{\"type\":\"fixed\",\"name\":\"Z\","
                                                    "\"size\":0}")) "," FIELD("a", LONG)),
     RECORD("r", FIELD("a", LONG))},
    // A type within itself, read past and read through.
    {RECORD("node", FIELD("next", "[\"null\",\"node\"]") "," FIELD(
                        "kids", ARRAY("\"node\"")) "," FIELD("a", INT)),
     RECORD("node", FIELD("a", LONG))},
    // Logical types.
    {RECORD(
         "r",
         FIELD("d", LOGICAL("int", "date")) "," FIELD(
             "t",
             LOGICAL(
                 "int",
                 "time-"
                 "milli"
                 "s")) "," FIELD("u",
                                 LOGICAL(
                                     "long",
                                     "time-micros")) "," FIELD("v",
                                                               LOGICAL(
                                                                   "long",
                                                                   "timestamp-"
                                                                   "millis")) "," FIELD("w",
                                                                                        LOGICAL(
                                                                                            "long",
                                                                                            "local-timestamp-"
                                                                                            "micros")) "," FIELD("i",
                                                                                                                 LOGICAL(
                                                                                                                     "string",
                                                                                                                     "uuid")) "," FIELD("p",
                                                                                                                                        "{\"type\":\"bytes\",\"logicalType\":\"decimal\","
                                                                                                                                        "\"precision\":30,\"scale\":6}") "," FIELD("q",
                                                                                                                                                                                   "{\"type\":\"fixed\",\"name\":\"D\",\"size\":12,"
                                                                                                                                                                                   "\"logicalType\":\"duration\"}")),
     ""},
    // Records within records, reached by path.
    {RECORD(
         "r",
         FIELD("s",
               RECORD("s", FIELD("x", "[\"null\",\"double\"]") "," FIELD(
                               "y", MAP("\"boolean\"")))) "," FIELD("t",
                                                                    "[\"null\",\"s\"]")),
     ""},
};

// The columns that a schema has; false when it is none.
static bool columns_of(struct str json, struct arena *arena, struct schema *ret)
{
    struct err err;
    return avro_columns_of(json, arena, ret, &err) == ST_OK && ret->n > 0;
}

static void check_batch(const struct batch *batch, const struct schema *columns)
{
    assert(batch->n_rows + batch->n_rejects == 1);
    for (size_t i = 0; i < batch->n_rejects; i++) {
        struct str reason = batch->rejects[i].reason;
        assert(reason.n > 0 && str_utf8_valid(reason) == reason.n);
    }
    for (size_t i = 0; batch->n_rows && i < columns->n; i++) {
        struct value v = batch_row(batch, 0)[i];
        assert(columns->columns[i].nullable || v.kind != VALUE_NULL);
        struct str text = {v.p, v.n};
        if (v.kind == VALUE_TEXT)
            assert(str_utf8_valid(text) == text.n);
    }
}

static void decode(struct decoder *decoder, struct str value)
{
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    struct batch batch;
    size_t next = 0;
    struct err err = {0};
    batch_init(&batch, decoder->schema->n);
    enum status rc = decoder->ops->decode(decoder, &run, 0, &batch, &next, &err);
    assert(rc == ST_OK ? next == 1 : rc == ST_DATA && err.text[0] != '\0');
    if (rc == ST_OK)
        check_batch(&batch, decoder->schema);
    batch_release(&batch);
}

struct opened {
    struct arena arena;
    struct schema columns;
    struct schema_lookup *lookup;
    struct decoder *decoder; // NULL: the schemas are none, or do not go together
};

static void open_pair(struct str writer, struct str reader, bool reject_unreadable,
                      struct opened *ret)
{
    struct err err = {0};
    *ret = (struct opened){0};
    if (!columns_of(reader.n ? reader : writer, &ret->arena, &ret->columns))
        return;
    ret->lookup = memory_lookup_open();
    memory_lookup_add(ret->lookup, 1, writer);
    struct avro_decoder_config config = {.columns = &ret->columns,
                                         .reader_schema = reader,
                                         .lookup = ret->lookup,
                                         .reject_unreadable = reject_unreadable};
    if (avro_decoder_open(&config, &ret->decoder, &err) != ST_OK)
        assert(err.text[0] != '\0');
}

static void close_pair(struct opened *pair)
{
    if (pair->decoder != NULL)
        pair->decoder->ops->close(pair->decoder);
    if (pair->lookup != NULL)
        pair->lookup->ops->close(pair->lookup);
    arena_release(&pair->arena);
}

static void check(const struct opened *pair, struct str datum)
{
    struct buf value = {0};
    frame_put(1, &value);
    buf_str(&value, datum);
    struct str copy = fuzz_copy(buf_as_str(&value));
    decode(pair->decoder, copy);
    free((char *)copy.p);
    buf_release(&value);
}

// Each is opened once and kept.
static const struct opened *given_pair(size_t index)
{
    static struct opened opened[ARRAY_LEN(pairs)];
    struct opened *pair = &opened[index];
    if (pair->decoder == NULL)
        open_pair(str_of(pairs[index].writer), str_of(pairs[index].reader), true, pair);
    assert(pair->decoder != NULL);
    return pair;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    struct str rest = {(const char *)data + 1, size - 1};
    if (data[0] < ARRAY_LEN(pairs)) {
        check(given_pair(data[0]), rest);
        return;
    }
    struct str writer = fuzz_part(&rest);
    struct str reader = fuzz_part(&rest);
    fuzz_allow(COMPILE_STEPS, COMPILE_BYTES);
    struct opened pair;
    open_pair(writer, reader, data[0] & 1, &pair);
    if (pair.decoder != NULL)
        check(&pair, rest);
    close_pair(&pair);
    free((char *)writer.p);
    free((char *)reader.p);
}
