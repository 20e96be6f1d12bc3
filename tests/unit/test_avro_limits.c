// SPDX-License-Identifier: Apache-2.0
// test: build release
// What a stranger can write into schemas, data and container files to make them cost more
// than their bytes. Each is made here and must end within TIME_MS of processor time and
// MEMORY_MB; docs/limits.md has the table. Slow under a sanitizer.
#include "test.h"

#include <sys/resource.h>
#include <time.h>

#include "avro/compress.h"
#include "avro/container.h"
#include "avro/decoder.h"
#include "avro/frame.h"
#include "avro/plan.h"
#include "avro/table.h"
#include "avro/wire.h"
#include "bytes_storage.h"
#include "memory/lookup_mem.h"

enum {
    TIME_MS = 6000, // on a busy machine; each takes less than a third of it
    MEMORY_MB = 700
};

static int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int begin_case(void **state)
{
    int64_t *begin = malloc(sizeof(*begin));
    *begin = cpu_ms();
    *state = begin;
    return 0;
}

static int end_case(void **state)
{
    int64_t *begin = *state;
    int64_t taken = cpu_ms() - *begin;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    free(begin);
    if (getenv("SHOW_COSTS") != NULL)
        printf("    %lld ms, %ld MB so far\n", (long long)taken, usage.ru_maxrss >> 10);
    if (taken > TIME_MS)
        print_error("took %lld ms\n", (long long)taken);
    if (usage.ru_maxrss >> 10 > MEMORY_MB)
        print_error("took %ld MB\n", usage.ru_maxrss >> 10);
    return taken > TIME_MS || usage.ru_maxrss >> 10 > MEMORY_MB;
}

static void put_times(struct buf *json, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        buf_text(json, text);
}

static struct column column_a = {{"a", 1}, TYPE_TEXT, true};
static const struct schema columns = {&column_a, 1};

static void assert_parses(const struct buf *json, struct avro_schema **ret)
{
    struct str text = buf_as_str(json);
    struct err err;
    assert_ok(avro_schema_parse(&text, 1, ret, &err), &err);
}

static void assert_refused(const struct buf *json, const char *reason)
{
    struct str text = buf_as_str(json);
    struct avro_schema *schema;
    struct err err;
    assert_status(avro_schema_parse(&text, 1, &schema, &err), ST_DATA);
    assert_string_equal(err.text, reason);
}

// The decoder of a stream with that writer's schema, and what becomes of one datum: NULL
// for a row, else the reason.
static char *decode(const struct buf *writer, const char *reader, struct str datum)
{
    struct schema_lookup *lookup = memory_lookup_open();
    memory_lookup_add(lookup, 1, buf_as_str(writer));
    struct avro_decoder_config config = {.columns = &columns,
                                         .reader_schema = str_of(reader),
                                         .lookup = lookup,
                                         .reject_unreadable = true};
    struct decoder *decoder;
    struct err err;
    assert_ok(avro_decoder_open(&config, &decoder, &err), &err);
    struct buf value = {0};
    frame_put(1, &value);
    buf_str(&value, datum);
    struct record record = {.value = buf_as_str(&value)};
    struct run run = {.records = &record, .n = 1};
    struct batch batch;
    size_t next;
    batch_init(&batch, 1);
    assert_ok(decoder->ops->decode(decoder, &run, 0, &batch, &next, &err), &err);
    assert_int_equal(batch.n_rows + batch.n_rejects, 1);
    struct str reason = batch.n_rejects ? batch.rejects[0].reason : (struct str){0};
    char *ret = reason.p ? mem_strndup(reason.p, reason.n) : NULL;
    batch_release(&batch);
    buf_release(&value);
    decoder->ops->close(decoder);
    lookup->ops->close(lookup);
    return ret;
}

static void assert_decodes(const struct buf *writer, const char *reader, struct str datum,
                           const char *reason)
{
    char *given = decode(writer, reader, datum);
    if (reason != NULL)
        assert_string_equal(given ? given : "(a row)", reason);
    else
        assert_null(given);
    free(given);
}

// Records within records: E0 has `leaf`, each other one refers twice to the one before.
static void put_doubling(struct buf *json, const char *leaf, int n)
{
    buf_printf(json,
               "{\"name\":\"x0\",\"type\":{\"type\":\"record\",\"name\":\"E0\","
               "\"fields\":[%s]}}",
               leaf);
    for (int i = 1; i < n; i++)
        buf_printf(json,
                   ",{\"name\":\"x%d\",\"type\":[\"null\",{\"type\":\"record\",\"name\":"
                   "\"E%d\",\"fields\":[{\"name\":\"a\",\"type\":\"E%d\"},{\"name\":"
                   "\"b\",\"type\":\"E%d\"}]}]}",
                   i, i, i - 1, i - 1);
}

#define RECORD_BEGIN "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
#define RECORD_END   "]}"

static void put_datum_of_doubling(struct buf *datum, int n, int last)
{
    for (int i = 1; i < n; i++)
        buf_char(datum, i == last ? 2 : 0);
}

// 2^45 calls for a datum of 45 bytes.
static void test_records_without_bytes_are_no_steps(UNUSED void **state)
{
    struct buf json = {0}, datum = {0};
    buf_text(&json, RECORD_BEGIN);
    put_doubling(&json, "{\"name\":\"n\",\"type\":\"null\"}", 46);
    buf_text(&json, RECORD_END);
    put_datum_of_doubling(&datum, 46, 45);
    assert_decodes(&json, NULL, buf_as_str(&datum), NULL);
    buf_release(&json);
    buf_release(&datum);
}

// The same behind an array, a map and with a reader's schema of the same shape.
static void test_records_without_bytes_in_arrays(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN);
    put_doubling(&json,
                 "{\"name\":\"n\",\"type\":{\"type\":\"fixed\",\"name\":\"F\","
                 "\"size\":0}}",
                 46);
    buf_text(&json, ",{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"E45\"}}"
                    ",{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"E45\"}}"
                    ",{\"name\":\"a\",\"type\":\"string\",\"default\":\"\"}" RECORD_END);
    struct buf datum = {0};
    put_datum_of_doubling(&datum, 46, 45);
    wire_put_long(&datum, INT64_MAX); // items of no bytes
    wire_put_long(&datum, 0);
    wire_put_long(&datum, 1);
    wire_put_bytes(&datum, STR_LITERAL("k"));
    wire_put_long(&datum, 0);
    wire_put_bytes(&datum, STR_LITERAL("text"));
    assert_decodes(&json, NULL, buf_as_str(&datum), NULL);
    assert_decodes(&json, buf_cstr(&json), buf_as_str(&datum), NULL);
    buf_release(&json);
    buf_release(&datum);
}

// One byte, but 900 records around it, a million times.
static void test_records_around_a_byte_are_bounded(UNUSED void **state)
{
    enum {
        DEEP = 900,
        ITEMS = 1000000
    };
    struct buf json = {0}, datum = {0};
    buf_text(&json,
             RECORD_BEGIN "{\"name\":\"x0\",\"type\":[\"null\",{\"type\":\"record\","
                          "\"name\":\"E0\",\"fields\":[{\"name\":\"v\",\"type\":"
                          "\"boolean\"}]}]}");
    for (int i = 1; i < DEEP; i++)
        buf_printf(&json,
                   ",{\"name\":\"x%d\",\"type\":[\"null\",{\"type\":\"record\",\"name\":"
                   "\"E%d\",\"fields\":[{\"name\":\"v\",\"type\":\"E%d\"}]}]}",
                   i, i, i - 1);
    buf_printf(&json,
               ",{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"E%d\"}}]}",
               DEEP - 1);
    for (int i = 0; i < DEEP; i++)
        buf_char(&datum, 0);
    wire_put_long(&datum, ITEMS);
    for (int i = 0; i <= ITEMS; i++)
        buf_char(&datum, 0);
    assert_decodes(&json, NULL, buf_as_str(&datum),
                   "schema id 1: field 'x80.v': more than 100 steps a byte: records that "
                   "hold little else than records (byte 56482)");
    buf_release(&json);
    buf_release(&datum);
}

// A container's header for that schema.
static void put_header(struct buf *file, struct str schema, const char *codec)
{
    buf_append(file, AVRO_MAGIC, AVRO_MAGIC_BYTES);
    wire_put_long(file, 2);
    wire_put_bytes(file, STR_LITERAL("avro.schema"));
    wire_put_bytes(file, schema);
    wire_put_bytes(file, STR_LITERAL("avro.codec"));
    wire_put_bytes(file, str_of(codec));
    wire_put_long(file, 0);
    put_times(file, "0123456789abcdef", 1);
}

static void put_block(struct buf *file, int64_t n_rows, struct str bytes)
{
    wire_put_long(file, n_rows);
    wire_put_bytes(file, bytes);
    put_times(file, "0123456789abcdef", 1);
}

static void assert_file(const struct buf *file, const char *reason)
{
    struct bytes_storage storage = bytes_storage(buf_as_str(file));
    struct avro_table_options options = {.columns = &columns};
    struct rows *rows;
    struct err err = {0};
    struct batch batch;
    assert_ok(avro_table_open(&storage.storage, BYTES_FILE, &options, &rows, &err), &err);
    batch_init(&batch, 1);
    enum status rc;
    do
        rc = rows->ops->next(rows, &batch, &err);
    while (rc == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    rows->ops->close(rows);
    assert_string_equal(rc == ST_OK ? "(read)" : err.text, reason);
}

// 22 kB that claim 2^28 rows in each of a thousand blocks.
static void test_rows_without_bytes_are_bounded(UNUSED void **state)
{
    struct buf file = {0};
    put_header(&file, STR_LITERAL(RECORD_BEGIN "{\"name\":\"a\",\"type\":\"null\"}]}"),
               "null");
    for (int i = 0; i < 1000; i++)
        put_block(&file, 1 << 28, (struct str){0});
    assert_file(&file, "t.csv: block 1 at byte 118: more than 1000000 rows of a schema "
                       "whose rows take no bytes");
    file.n = 118; // as many as may be, in two blocks
    put_block(&file, 500000, (struct str){0});
    put_block(&file, 500000, (struct str){0});
    assert_file(&file, "(read)");
    put_block(&file, 1, (struct str){0});
    assert_file(&file, "t.csv: block 3 at byte 158: more than 1000000 rows of a schema "
                       "whose rows take no bytes");
    buf_release(&file);
}

// A block of 200 MB in a few kB of zstandard.
static void test_blocks_do_not_unpack_without_end(UNUSED void **state)
{
    struct avro_compressor compressor;
    struct buf plain = {0}, packed = {0}, file = {0};
    char *room = buf_room(&plain, 200 << 20);
    memset(room, 0, 200 << 20);
    plain.n = 200 << 20;
    struct err err;
    avro_compressor_init(&compressor, AVRO_CODEC_ZSTANDARD);
    assert_ok(avro_compress(&compressor, buf_as_str(&plain), &packed, &err), &err);
    avro_compressor_release(&compressor);
    put_header(&file, STR_LITERAL(RECORD_BEGIN "{\"name\":\"a\",\"type\":\"string\"}]}"),
               "zstandard");
    put_block(&file, 200 << 20, buf_as_str(&packed));
    char *reason = mem_printf(
        "t.csv: block 1 at byte 125: more than %zu bytes when unpacked",
        packed.n * AVRO_RATIO_MAX > AVRO_UNPACKED_MIN ? packed.n * AVRO_RATIO_MAX
                                                      : (size_t)AVRO_UNPACKED_MIN);
    assert_true(packed.n < 20000);
    assert_file(&file, reason);
    free(reason);
    buf_release(&plain);
    buf_release(&packed);
    buf_release(&file);
}

// Each record's default is made of the ones before, up to 1 MB, in 19,000 fields: 6 GB.
static void test_defaults_are_bounded_in_sum(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json,
             RECORD_BEGIN "{\"name\":\"x0\",\"type\":{\"type\":\"record\",\"name\":"
                          "\"E0\",\"fields\":[{\"name\":\"v\",\"type\":\"long\","
                          "\"default\":1}]},\"default\":{}}");
    for (int i = 1; i <= 20; i++)
        buf_printf(&json,
                   ",{\"name\":\"x%d\",\"type\":{\"type\":\"record\",\"name\":\"E%d\","
                   "\"fields\":[{\"name\":\"a\",\"type\":\"E%d\",\"default\":{}},"
                   "{\"name\":\"b\",\"type\":\"E%d\",\"default\":{}}]},\"default\":{}}",
                   i, i, i - 1, i - 1);
    for (int i = 0; i < 19000; i++)
        buf_printf(&json, ",{\"name\":\"f%d\",\"type\":\"E20\",\"default\":{}}", i);
    buf_text(&json, RECORD_END);
    struct avro_schema *schema;
    struct err err;
    assert_parses(&json, &schema);
    assert_status(avro_schema_check_defaults(schema, &err), ST_DATA);
    assert_string_equal(err.text, "record 'r': field 'f0': default: the schema's "
                                  "defaults are too long in sum");
    avro_schema_free(schema);
    buf_release(&json);
}

// Each {} stands for 20,000 fields, of no bytes or of one.
static void assert_default_is_refused(const char *type, const char *value)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":"
                                 "{\"type\":\"record\",\"name\":\"s\",\"fields\":[");
    for (int i = 0; i < 9000; i++)
        buf_printf(&json, "%s{\"name\":\"f%d\",\"type\":\"%s\",\"default\":%s}",
                   i ? "," : "", i, type, value);
    buf_text(&json, "]}},\"default\":[{}");
    put_times(&json, ",{}", 150000);
    buf_text(&json, "]}" RECORD_END);
    struct avro_schema *schema;
    struct err err;
    assert_parses(&json, &schema);
    assert_status(avro_schema_check_defaults(schema, &err), ST_DATA);
    assert_string_equal(err.text, "record 'r': field 'a': default: the schema's defaults "
                                  "are too long in sum");
    avro_schema_free(schema);
    buf_release(&json);
}

static void test_defaults_take_bounded_steps(UNUSED void **state)
{
    assert_default_is_refused("null", "null");
    assert_default_is_refused("string", "\"\"");
}

static char *long_name(size_t n)
{
    char *name = mem_alloc(n + 1);
    memset(name, 'n', n);
    name[n] = '\0';
    return name;
}

#define NAME_40 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void assert_long_name(const char *format, size_t n, const char *reason)
{
    char *name = long_name(n);
    struct buf json = {0};
    const char *at = strstr(format, "%s");
    buf_append(&json, format, (size_t)(at - format));
    buf_text(&json, name);
    buf_text(&json, at + 2);
    assert_refused(&json, reason);
    free(name);
    buf_release(&json);
}

// One symbol of a megabyte would be copied for each record of 6 bytes.
static void test_names_are_bounded(UNUSED void **state)
{
    assert_long_name("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"%s\"]}", 1000000,
                     "Avro schema: '" NAME_40
                     "...': a name has at most 1000 bytes, this has 1000000");
    assert_long_name("{\"type\":\"enum\",\"name\":\"%s\",\"symbols\":[\"A\"]}", 1001,
                     "Avro schema: '" NAME_40
                     "...': a name has at most 1000 bytes, this has 1001");
    assert_long_name(
        "{\"type\":\"fixed\",\"size\":1,\"namespace\":\"%s\",\"name\":\"n\"}", 999,
        "Avro schema: '" NAME_40 "...': a name has at most 1000 bytes, this has 1001");
    assert_long_name(
        "{\"type\":\"fixed\",\"size\":1,\"aliases\":[\"%s\"],\"name\":\"n\"}", 2000,
        "Avro schema: '" NAME_40 "...': a name has at most 1000 bytes, this has 2000");
    assert_long_name(RECORD_BEGIN "{\"name\":\"%s\",\"type\":\"int\"}]}", 1001,
                     "Avro schema: record 'r': '" NAME_40
                     "...': a name has at most 1000 bytes, this has 1001");
    assert_long_name("\"%s\"", 1001,
                     "Avro schema: '" NAME_40
                     "...': a name has at most 1000 bytes, this has 1001");
}

// A namespace of 900 bytes before each of 800,000 aliases, or references.
static void test_namespaces_are_not_multiplied(UNUSED void **state)
{
    char *space = long_name(900);
    struct buf json = {0};
    buf_text(&json, "[\"null\"");
    for (int i = 0; i < 500; i++) {
        buf_printf(&json,
                   ",{\"type\":\"fixed\",\"size\":1,\"name\":\"f%d\",\"namespace\":"
                   "\"%s\",\"aliases\":[\"x\"",
                   i, space);
        put_times(&json, ",\"y\"", 700);
        buf_text(&json, "]}");
    }
    buf_text(&json, "]");
    assert_refused(&json, "Avro schema: it takes more than 67108864 bytes of memory");
    free(space);
    buf_release(&json);
}

// Values of two bytes take 250 in memory.
static void test_json_is_bounded(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, "[");
    put_times(&json, "{},", 1300000);
    buf_text(&json, "{}]");
    assert_refused(&json, "Avro schema: more than 400000 values at byte 599998");
    buf_clear(&json);
    put_times(&json, "[", 4000000);
    assert_refused(&json, "Avro schema: more than 500 levels at byte 500");
    buf_clear(&json);
    put_times(&json, " ", 4194305);
    assert_refused(&json, "Avro schema: the text is longer than 4194304 bytes");
    buf_release(&json);
}

// 10,000 records, each made of the one behind it, and a union that zigzags.
static void test_chains_of_types_are_measured_once(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, "[\"null\"");
    for (int i = 0; i < 3000; i++)
        buf_printf(&json,
                   ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\","
                   "\"type\":[\"%s\",\"R%d\"]}]}",
                   i, i ? "null" : "int", i ? i - 1 : 0);
    buf_text(&json, "]");
    struct avro_schema *schema;
    assert_parses(&json, &schema);
    assert_int_equal(schema->root->min_bytes, 1);
    avro_schema_free(schema);
    buf_release(&json);
}

static void put_fixed_types(struct buf *json, int n)
{
    for (int i = 0; i < n; i++)
        buf_printf(json, "%s{\"type\":\"fixed\",\"size\":1,\"name\":\"n%d\"}",
                   i ? "," : "", i);
}

// Names looked for among 9,900, and branches compared with each other.
static void test_unions_of_many_types(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"u\",\"type\":[");
    put_fixed_types(&json, 9900);
    buf_text(&json, "]}");
    for (int u = 0; u < 35; u++) {
        buf_printf(&json, ",{\"name\":\"u%d\",\"type\":[", u);
        for (int i = 0; i < 9900; i++)
            buf_printf(&json, "%s\"n%d\"", i ? "," : "", i);
        buf_text(&json, "]}");
    }
    buf_text(&json, RECORD_END);
    struct avro_schema *schema;
    assert_parses(&json, &schema);
    avro_schema_free(schema);
    buf_release(&json);
}

// An enum of 20,000 symbols, read by 20,000 fields.
static void test_enums_are_compared_once(UNUSED void **state)
{
    struct buf json = {0}, datum = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"a\",\"type\":{\"type\":\"enum\",\"name\":"
                                 "\"e\",\"symbols\":[");
    for (int i = 0; i < 20000; i++)
        buf_printf(&json, "%s\"s%d\"", i ? "," : "", i);
    buf_text(&json, "]}}");
    for (int i = 1; i < 20000; i++)
        buf_printf(&json, ",{\"name\":\"f%d\",\"type\":\"e\"}", i);
    buf_text(&json, RECORD_END);
    char *zeros = calloc(1, 20000);
    assert_decodes(&json, NULL, (struct str){zeros, 20000}, NULL);
    assert_decodes(&json, buf_cstr(&json), (struct str){zeros, 20000}, NULL);
    free(zeros);
    buf_release(&json);
    buf_release(&datum);
}

// The writer's 20,000 names are none of the reader's 2,000.
static void test_names_that_are_not_there(UNUSED void **state)
{
    struct buf writer = {0}, reader = {0};
    buf_text(&writer, RECORD_BEGIN "{\"name\":\"w\",\"type\":{\"type\":\"fixed\","
                                   "\"name\":\"F\",\"size\":0}}");
    for (int i = 1; i < 20000; i++)
        buf_printf(&writer, ",{\"name\":\"w%d\",\"type\":\"F\"}", i);
    buf_text(&writer, RECORD_END);
    buf_text(&reader,
             RECORD_BEGIN "{\"name\":\"a\",\"type\":\"string\",\"default\":\"\"}");
    for (int i = 1; i < 200; i++)
        buf_printf(&reader,
                   ",{\"name\":\"r%d\",\"type\":\"string\",\"default\":\"\",\"aliases\":"
                   "[\"s%d\"]}",
                   i, i);
    buf_text(&reader, RECORD_END);
    assert_decodes(&writer, buf_cstr(&reader), (struct str){"", 0}, NULL);
    reader.n -= strlen(RECORD_END);
    for (int i = 200; i < 300; i++)
        buf_printf(&reader, ",{\"name\":\"r%d\",\"type\":\"string\",\"default\":\"\"}",
                   i);
    buf_text(&reader, RECORD_END);
    assert_decodes(&writer, buf_cstr(&reader), (struct str){"", 0},
                   "schema id 1: the schema is too large: more than 4194304 steps to "
                   "compare it");
    buf_release(&writer);
    buf_release(&reader);
}

// A path of nested columns through unions of many records: their product.
static void test_branches_are_not_multiplied(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"a\",\"type\":[\"null\"");
    for (int i = 0; i < 900; i++)
        buf_printf(&json, ",{\"type\":\"record\",\"name\":\"A%d\",\"fields\":[]}", i);
    buf_text(&json, "]},{\"name\":\"x\",\"type\":[\"null\"");
    for (int i = 0; i < 900; i++) {
        buf_printf(&json,
                   ",{\"type\":\"record\",\"name\":\"X%d\",\"fields\":[{\"name\":"
                   "\"y\",\"type\":[\"null\"",
                   i);
        for (int j = 0; j < 900 && i < 200; j++)
            buf_printf(&json, ",\"A%d\"", j);
        buf_text(&json, "]}]}");
    }
    buf_text(&json, "]}" RECORD_END);
    struct column nested[] = {{STR_LITERAL("x.y.z"), TYPE_TEXT, false}};
    struct schema wanted = {nested, 1};
    struct avro_schema *writer;
    struct avro_reader *reader;
    struct avro_plan *plan = NULL;
    struct err err;
    assert_parses(&json, &writer);
    assert_ok(avro_reader_open(&wanted, (struct str){0}, &reader, &err), &err);
    assert_status(avro_plan_open(writer, reader, &plan, &err), ST_DATA);
    assert_string_equal(err.text,
                        "field 'x.y': null in column 'x.y.z', which is NOT NULL");
    avro_schema_free(writer);
    avro_reader_free(reader);
    buf_release(&json);
}

// 2^32 fields of no columns, and names of 1,000 bytes at each step.
static void test_columns_of_a_schema(UNUSED void **state)
{
    struct buf json = {0};
    struct arena arena = {0};
    struct schema found;
    struct err err;
    buf_text(&json, RECORD_BEGIN);
    put_doubling(&json, "{\"name\":\"n\",\"type\":\"null\"}", 31);
    buf_text(&json, RECORD_END);
    assert_status(avro_columns_of(buf_as_str(&json), &arena, &found, &err), ST_DATA);
    assert_string_equal(err.text, "Avro schema: more than 1000000 fields within fields");
    arena_release(&arena);
    buf_release(&json);
}

static void test_paths_are_bounded(UNUSED void **state)
{
    char *name = long_name(950);
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN);
    for (int i = 0; i < 90; i++)
        buf_printf(&json,
                   "{\"name\":\"%s\",\"type\":{\"type\":\"record\",\"name\":\"N%d\","
                   "\"fields\":[",
                   name, i);
    for (int i = 0; i < 20000; i++)
        buf_printf(&json, "%s{\"name\":\"f%d\",\"type\":%s}", i ? "," : "", i,
                   i ? "\"B\"" : "{\"type\":\"enum\",\"name\":\"B\",\"symbols\":[]}");
    put_times(&json, "]}}", 90);
    buf_text(&json, RECORD_END);
    assert_decodes(&json, NULL, (struct str){"", 0},
                   "schema id 1: the schema is too large: more than 67108864 bytes of "
                   "names in its steps");
    free(name);
    buf_release(&json);
}

// Fields that are unions of the same enums: much is compiled of little text.
static void test_plans_are_bounded(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN);
    for (int field = 0; field < 4000; field++) {
        buf_printf(&json, "%s{\"name\":\"f%d\",\"type\":[", field ? "," : "", field);
        for (int i = 0; i < 95; i++)
            buf_printf(&json,
                       field ? "%s\"%c%c\""
                             : "%s{\"type\":\"enum\",\"name\":\"%c%c\",\"symbols\":[]}",
                       i ? "," : "", 'a' + i / 26, 'a' + i % 26);
        buf_text(&json, "]}");
    }
    buf_text(&json, RECORD_END);
    assert_decodes(&json, NULL, (struct str){"", 0},
                   "schema id 1: the schema is too large: more than 1048576 steps");
    buf_release(&json);
}

// 200 schemas, each with a plan of many MB: those longest unused make room.
static void test_plans_are_bounded_in_sum(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"a\",\"type\":\"string\"}");
    for (int i = 1; i < 2000; i++)
        buf_printf(&json, ",{\"name\":\"f%d\",\"type\":[\"null\",\"int\",\"string\"]}",
                   i);
    buf_text(&json, RECORD_END);
    struct schema_lookup *lookup = memory_lookup_open();
    for (int id = 1; id <= 60; id++)
        memory_lookup_add(lookup, id, buf_as_str(&json));
    struct avro_decoder_config config = {.columns = &columns, .lookup = lookup};
    struct decoder *decoder;
    struct err err;
    struct batch batch;
    struct buf value = {0};
    batch_init(&batch, 1);
    assert_ok(avro_decoder_open(&config, &decoder, &err), &err);
    for (int id = 1; id <= 60; id++) {
        buf_clear(&value);
        frame_put(id, &value);
        char *room = buf_room(&value, 2000);
        memset(room, 0, 2000);
        value.n += 2000;
        struct record record = {.value = buf_as_str(&value)};
        struct run run = {.records = &record, .n = 1};
        size_t next;
        assert_ok(decoder->ops->decode(decoder, &run, 0, &batch, &next, &err), &err);
    }
    assert_int_equal(batch.n_rows, 60);
    decoder->ops->close(decoder);
    lookup->ops->close(lookup);
    batch_release(&batch);
    buf_release(&value);
    buf_release(&json);
}

// A batch ends by the bytes of its texts: decimals of 1 byte that have 303.
static void test_batches_end_by_bytes(UNUSED void **state)
{
    struct buf json = {0};
    buf_text(&json, RECORD_BEGIN "{\"name\":\"a\",\"type\":{\"type\":\"bytes\","
                                 "\"logicalType\":\"decimal\",\"precision\":300,"
                                 "\"scale\":299}}" RECORD_END);
    struct schema_lookup *lookup = memory_lookup_open();
    memory_lookup_add(lookup, 1, buf_as_str(&json));
    struct avro_decoder_config config = {.columns = &columns, .lookup = lookup};
    struct decoder *decoder;
    struct err err;
    assert_ok(avro_decoder_open(&config, &decoder, &err), &err);
    enum {
        RECORDS = 100000
    };
    struct record *records = calloc(RECORDS, sizeof(*records));
    for (int i = 0; i < RECORDS; i++)
        records[i].value = (struct str){"\0\0\0\0\1\2\1", 7};
    struct run run = {.records = records, .n = RECORDS};
    struct batch batch;
    batch_init(&batch, 1);
    batch.limit = 1 << 20;
    size_t next = 0;
    int n_batches = 0;
    for (size_t from = 0; from < RECORDS; from = next, n_batches++) {
        batch_clear(&batch);
        assert_ok(decoder->ops->decode(decoder, &run, from, &batch, &next, &err), &err);
        if (batch.n_rejects)
            fail_msg("%s", batch.rejects[0].reason.p);
        assert_int_equal(batch.n_rows, next - from);
        assert_int_equal(batch.records[0], from);
        assert_true(batch.arena.n_bytes < (1 << 20) + BATCH_LOOK * 400);
    }
    assert_in_range(n_batches, 30, 36);
    decoder->ops->close(decoder);
    lookup->ops->close(lookup);
    batch_release(&batch);
    free(records);
    buf_release(&json);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_case, end_case)

TEST_MAIN(CASE(test_records_without_bytes_are_no_steps),
          CASE(test_records_without_bytes_in_arrays),
          CASE(test_records_around_a_byte_are_bounded),
          CASE(test_rows_without_bytes_are_bounded),
          CASE(test_blocks_do_not_unpack_without_end),
          CASE(test_defaults_are_bounded_in_sum), CASE(test_defaults_take_bounded_steps),
          CASE(test_names_are_bounded), CASE(test_namespaces_are_not_multiplied),
          CASE(test_json_is_bounded), CASE(test_chains_of_types_are_measured_once),
          CASE(test_unions_of_many_types), CASE(test_enums_are_compared_once),
          CASE(test_names_that_are_not_there), CASE(test_branches_are_not_multiplied),
          CASE(test_columns_of_a_schema), CASE(test_paths_are_bounded),
          CASE(test_plans_are_bounded), CASE(test_plans_are_bounded_in_sum),
          CASE(test_batches_end_by_bytes))
