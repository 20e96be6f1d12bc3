// SPDX-License-Identifier: Apache-2.0
// Files by fastavro 1.13.1 are in the test as bytes; others are written here and read
// back. That other readers take ours: tests/e2e/test_avro_files.py.
#include "test.h"

#include "avro/file_writer.h"
#include "avro/table.h"
#include "memory/output_mem.h"
#include "memory/storage_mem.h"

#define NAME(literal)  {(literal), sizeof(literal) - 1}
#define BYTES(literal) ((struct str){(literal), sizeof(literal) - 1})

struct fixture {
    struct mem_tree *tree;
    struct storage *storage;
    struct err err;
    struct memory_output to;
    struct batch batch;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->tree = mem_tree_open(NULL);
    f->storage = storage_mem_open(f->tree, "/t");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->storage->ops->close(f->storage);
    mem_tree_unref(f->tree);
    memory_output_release(&f->to);
    batch_release(&f->batch);
    free(f);
    return 0;
}

// Sync markers 00 01 02 ... 0f.
static void count_up(UNUSED struct env *env, void *ret, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        ((uint8_t *)ret)[i] = (uint8_t)i;
}
static const struct env_ops counting_ops = {.random = count_up};
static struct env counting = {&counting_ops};

static struct column columns[] = {{NAME("a"), TYPE_TEXT, true},
                                  {NAME("b"), TYPE_INT, false}};
static const struct schema schema = {columns, 2};

static struct file_writer *open_writer(struct fixture *f, enum avro_codec codec,
                                       size_t block_bytes)
{
    struct avro_file_options options = {
        .schema = {.name = STR_LITERAL("t")},
        .codec = codec,
        .block_bytes = block_bytes,
        .env = &counting,
    };
    struct file_writer *writer;
    assert_ok(avro_file_writer_open(&schema, &options, &writer, &f->err), &f->err);
    memory_output_begin(&f->to);
    return writer;
}

static void write_file(struct fixture *f, struct str bytes)
{
    (void)f->storage->ops->remove(f->storage, str_of("x.avro"), NULL);
    assert_ok(storage_write_bytes(f->storage, str_of("x.avro"), bytes, &f->err), &f->err);
}

static struct rows *open_file(struct fixture *f, const struct schema *wanted)
{
    struct avro_table_options options = {.columns = wanted};
    struct rows *rows;
    assert_ok(avro_table_open(f->storage, str_of("x.avro"), &options, &rows, &f->err),
              &f->err);
    batch_release(&f->batch);
    batch_init(&f->batch, rows->schema->n);
    return rows;
}

#define SYNC "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
#define FASTAVRO_OBJ  \
    "Obj\x01\x04\x14" \
    "avro.codec"
#define FASTAVRO_SCHEMA                                                           \
    "\x16"                                                                        \
    "avro.schema\xc6\x02{\"type\": \"record\", \"name\": \"t\", \"fields\": ["    \
    "{\"field-id\": 1, \"default\": null, \"name\": \"a\", \"type\": [\"null\", " \
    "\"string\"]}, {\"field-id\": 2, \"name\": \"b\", \"type\": \"int\"}]}\x00"
#define NULL_FILE \
    FASTAVRO_OBJ "\x08null" FASTAVRO_SCHEMA SYNC "\x04\x0c\x02\x02x\x02\x00\x01" SYNC
#define DEFLATE_FILE                                       \
    FASTAVRO_OBJ "\x0e"                                    \
                 "deflate" FASTAVRO_SCHEMA SYNC "\x04\x16" \
                 "cb\xaa`b`\x04\x00\x02\x03\x00" SYNC

static void assert_two_rows(struct fixture *f, struct rows *rows)
{
    assert_ok(rows->ops->next(rows, &f->batch, &f->err), &f->err);
    assert_int_equal(f->batch.n_rows, 2);
    assert_str(value_str(batch_row(&f->batch, 0)[0]), "x");
    assert_int_equal(batch_row(&f->batch, 0)[1].i, 1);
    assert_int_equal(batch_row(&f->batch, 1)[0].kind, VALUE_NULL);
    assert_int_equal(batch_row(&f->batch, 1)[1].i, -1);
    assert_ok(rows->ops->next(rows, &f->batch, &f->err), &f->err);
    assert_int_equal(f->batch.n_rows, 0);
}

static void test_reads_what_fastavro_wrote(void **state)
{
    struct fixture *f = *state;
    struct str files[] = {BYTES(NULL_FILE), BYTES(DEFLATE_FILE)};
    for (size_t i = 0; i < 2; i++) {
        write_file(f, files[i]);
        struct rows *rows = open_file(f, &schema);
        assert_two_rows(f, rows);
        rows->ops->close(rows);
    }
}

static void test_columns_of_a_file_are_its_schemas(void **state)
{
    struct fixture *f = *state;
    write_file(f, BYTES(NULL_FILE));
    struct rows *rows = open_file(f, NULL);
    struct buf text = {0};
    schema_format(rows->schema, &text);
    assert_str(buf_as_str(&text), "a TEXT, b INT NOT NULL");
    buf_release(&text);
    assert_two_rows(f, rows);
    rows->ops->close(rows);
}

static void test_writes_what_the_specification_says(void **state)
{
    struct fixture *f = *state;
    struct avro_file_options options = {
        .schema = {.name = STR_LITERAL("t")},
        .plan = STR_LITERAL("p2"),
        .env = &counting,
    };
    struct file_writer *writer;
    assert_ok(avro_file_writer_open(&schema, &options, &writer, &f->err), &f->err);
    struct row_format *row_format = writer->row_format;
    struct value null = {.kind = VALUE_NULL};
    struct value row[] = {value_text(str_of("x")), value_int(1), null, value_int(-1)};
    struct buf rows = {0};
    row_format->ops->fields(row_format, 0, row, 1, &rows);
    row_format->ops->fields(row_format, 1, row + 1, 1, &rows);
    row_format->ops->end_row(row_format, &rows);
    row_format->ops->fields(row_format, 0, row + 2, 2, &rows);
    row_format->ops->end_row(row_format, &rows);
    memory_output_begin(&f->to);
    assert_ok(writer->ops->begin(writer, &f->to.output, 0, &f->err), &f->err);
    assert_ok(writer->ops->rows(writer, buf_as_str(&rows), 2, &f->err), &f->err);
    assert_ok(writer->ops->finish(writer, (struct str){0}, &f->err), &f->err);
    static const char expected[] =
        "Obj\x01\x06\x16"
        "avro.schema\xa0\x02"
        "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":"
        "[\"null\",\"string\"],\"default\":null,\"field-id\":1},{\"name\":\"b\","
        "\"type\":\"int\",\"field-id\":2}]}\x14"
        "avro.codec\x08null\x1a"
        "tramline.plan\x04p2\x00" SYNC "\x04\x0c\x02\x02x\x02\x00\x01" SYNC;
    assert_int_equal(f->to.file.n, sizeof(expected) - 1);
    assert_memory_equal(f->to.file.p, expected, f->to.file.n);
    buf_release(&rows);
    writer->ops->close(writer);
}

// Rows handed over so many at a time.
static void write_many(struct fixture *f, enum avro_codec codec, size_t n_rows,
                       size_t n_at_once)
{
    struct file_writer *writer = open_writer(f, codec, 1024);
    struct row_format *row_format = writer->row_format;
    struct buf rows = {0};
    assert_ok(writer->ops->begin(writer, &f->to.output, 0, &f->err), &f->err);
    for (size_t i = 0; i < n_rows; i++) {
        char text[30];
        snprintf(text, sizeof(text), "row number %zu", i);
        struct value row[] = {value_text(str_of(text)), value_int((int64_t)i)};
        row_format->ops->fields(row_format, 0, row, 2, &rows);
        row_format->ops->end_row(row_format, &rows);
        if ((i + 1) % n_at_once != 0)
            continue;
        assert_ok(writer->ops->rows(writer, buf_as_str(&rows), n_at_once, &f->err),
                  &f->err);
        buf_clear(&rows);
    }
    assert_int_equal(rows.n, 0);
    assert_int_equal(writer->ops->bytes(writer), f->to.file.n);
    assert_ok(writer->ops->finish(writer, (struct str){0}, &f->err), &f->err);
    writer->ops->close(writer);
    buf_release(&rows);
}

// Reads back rows numbered from 0; how many blocks they came in.
static int count_blocks(struct fixture *f, int64_t n_rows)
{
    write_file(f, buf_as_str(&f->to.file));
    struct rows *rows = open_file(f, &schema);
    int64_t n = 0;
    int n_blocks = 0;
    do {
        assert_ok(rows->ops->next(rows, &f->batch, &f->err), &f->err);
        for (size_t i = 0; i < f->batch.n_rows; i++)
            assert_int_equal(batch_row(&f->batch, i)[1].i, n++);
        n_blocks++;
    } while (f->batch.n_rows > 0);
    assert_int_equal(n, n_rows);
    rows->ops->close(rows);
    return n_blocks - 1;
}

static void test_all_codecs_read_back_in_blocks(void **state)
{
    for (int codec = AVRO_CODEC_NULL; codec <= AVRO_CODEC_ZSTANDARD; codec++) {
        write_many(*state, (enum avro_codec)codec, 10000, 10000);
        // 17 to 20 bytes a row, and a block closes with the row that fills 1024 bytes.
        assert_in_range(count_blocks(*state, 10000), 169, 209);
    }
}

static void test_a_block_that_does_not_fit_is_an_error(void **state)
{
    struct fixture *f = *state;
    for (int codec = AVRO_CODEC_DEFLATE; codec <= AVRO_CODEC_ZSTANDARD; codec++) {
        struct avro_compressor compressor;
        AUTO(buf_release) struct buf packed = BUF_INIT(4);
        avro_compressor_init(&compressor, (enum avro_codec)codec);
        assert_status(avro_compress(&compressor, STR_LITERAL("rows"), &packed, &f->err),
                      ST_LIMIT);
        assert_string_equal(f->err.text, "Avro block: more than 4 bytes");
        avro_compressor_release(&compressor);
    }
}

static void test_a_block_holds_the_whole_pieces_that_fit(void **state)
{
    for (int codec = AVRO_CODEC_NULL; codec <= AVRO_CODEC_ZSTANDARD; codec++) {
        // 20 rows are 340 to 400 bytes: two or three of 500 pieces a block.
        write_many(*state, (enum avro_codec)codec, 10000, 20);
        assert_in_range(count_blocks(*state, 10000), 167, 250);
    }
    write_many(*state, AVRO_CODEC_NULL, 3000, 50); // 850 to 1000 bytes: one a block
    assert_int_equal(count_blocks(*state, 3000), 60);
}

static enum status read_all(struct fixture *f)
{
    struct avro_table_options options = {.columns = &schema};
    struct rows *rows;
    TRY(avro_table_open(f->storage, str_of("x.avro"), &options, &rows, &f->err));
    batch_release(&f->batch);
    batch_init(&f->batch, 2);
    enum status rc;
    do {
        rc = rows->ops->next(rows, &f->batch, &f->err);
    } while (rc == ST_OK && f->batch.n_rows > 0);
    rows->ops->close(rows);
    return rc;
}

static void assert_wrong(struct fixture *f, struct str file, const char *text)
{
    write_file(f, file);
    assert_status(read_all(f), ST_DATA);
    assert_string_equal(f->err.text, text);
}

#define HEADER FASTAVRO_OBJ "\x08null" FASTAVRO_SCHEMA SYNC
#define SNAPPY          \
    FASTAVRO_OBJ "\x0c" \
                 "snappy" FASTAVRO_SCHEMA SYNC

static void test_errors_name_file_block_and_byte(void **state)
{
    struct fixture *f = *state;
    assert_wrong(
        f, BYTES("trip_id,route_id\n"),
        "x.avro: no Avro container file: it does not begin with Obj and the byte 1");
    assert_wrong(
        f, BYTES(""),
        "x.avro: no Avro container file: it does not begin with Obj and the byte 1");
    assert_wrong(f, BYTES("\x1F\x8B\x08\x00"),
                 "x.avro: packed by gzip; unpack it first: gunzip");
    assert_wrong(f,
                 BYTES("Obj\x01\x04\x14"
                       "avro"),
                 "x.avro: the file ends in the header");
    assert_wrong(f,
                 BYTES(FASTAVRO_OBJ "\x08"
                                    "lzma" FASTAVRO_SCHEMA SYNC),
                 "x.avro: codec 'lzma' is not known here; null, deflate, snappy and "
                 "zstandard are");
    assert_wrong(f, BYTES(HEADER "\x04\x0c\x02\x02"),
                 "x.avro: block 1 at byte 215: the file ends in a block");
    assert_wrong(f, BYTES(HEADER "\x04\x0c\x02\x02x\x02\x00\x01" SYNC "\x02"),
                 "x.avro: block 2 at byte 239: the file ends in the size of a block");
    assert_wrong(f,
                 BYTES(HEADER "\x04\x0c\x02\x02x\x02\x00\x01"
                              "0123456789abcdef"),
                 "x.avro: block 1 at byte 215: the sync marker at byte 223 is not the "
                 "file's");
    assert_wrong(f, BYTES(HEADER "\x04\x0e\x02\x02x\x02\x00\x01\x00" SYNC),
                 "x.avro: block 1 at byte 215: 1 bytes left behind the last row");
    assert_wrong(f, BYTES(HEADER "\x06\x0c\x02\x02x\x02\x00\x01" SYNC),
                 "x.avro: block 1 at byte 215: row 3: field 'a': cut off in a number "
                 "(byte 0)");
    assert_wrong(f, BYTES(HEADER "\x20\x0c\x02\x02x\x02\x00\x01" SYNC),
                 "x.avro: block 1 at byte 215: 16 rows cannot be in 6 bytes");
    assert_wrong(f, BYTES(HEADER "\x01\x0c"),
                 "x.avro: block 1 at byte 215: -1 is not a count of rows");
    assert_wrong(
        f, BYTES(HEADER "\x02\x01"),
        "x.avro: block 1 at byte 215: -1 bytes: a block has from 0 to 268435456");
    // Plain "\2\2x\2\0\1" has the CRC-32 5cc23f43, by Python's zlib.
    assert_wrong(f, BYTES(SNAPPY "\x04\x18\x06\x14\x02\x02x\x02\x00\x01\0\0\0\1" SYNC),
                 "x.avro: block 1 at byte 217: snappy: the checksum is 5cc23f43, but "
                 "00000001 is told");
    assert_wrong(f, BYTES(SNAPPY "\x04\x18\x06\x18\x02\x02x\x02\x00\x01\0\0\0\1" SYNC),
                 "x.avro: block 1 at byte 217: snappy: wrong data");
}

static void test_wrong_headers(void **state)
{
    struct fixture *f = *state;
    assert_wrong(f, BYTES("Obj\x01\x02\x01"), "x.avro: -1 is not a length of metadata");
    assert_wrong(f, BYTES("Obj\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
                 "x.avro: the header is longer than 64 bits");
    assert_wrong(f, BYTES("Obj\x01\x02\x02x\xfe\xff\xff\xff\x0f"),
                 "x.avro: 2147483647 is not a length of metadata");
    assert_wrong(f, BYTES("Obj\x01\x02\x02x\x02y\x00" SYNC),
                 "x.avro: the header has no avro.schema");
    assert_wrong(f,
                 BYTES("Obj\x01\x02\x16"
                       "avro.schema\x02{\x00" SYNC),
                 "x.avro: Avro schema: no JSON: line 1, column 1: string or '}' expected "
                 "near end of file");
    assert_wrong(f, BYTES(HEADER "\x80"),
                 "x.avro: block 1 at byte 215: the file ends in the count of a block");
    assert_wrong(
        f, BYTES(HEADER "\x04\x0c\x02\x02x\x02\x00\x01" SYNC "\x02\x00" SYNC "\x02"),
        "x.avro: block 2 at byte 239: 1 row cannot be in 0 bytes");
    assert_wrong(f, BYTES(HEADER "\x04\x0c\x02\x02x\x02\x00\x01\x00\x01"),
                 "x.avro: block 1 at byte 215: the file ends in a sync marker");
}

// Pairs of metadata without an end: 16 MB of them are read at most.
static void test_endless_metadata(void **state)
{
    struct fixture *f = *state;
    struct buf file = {0};
    char value[60000] = {0};
    buf_text(&file, "Obj\x01\x90\x4e"); // 5000 pairs
    for (size_t i = 0; i < 300; i++) {
        buf_text(&file, "\x02k\xc0\xa9\x07"); // 60000 bytes
        buf_append(&file, value, sizeof(value));
    }
    assert_wrong(f, buf_as_str(&file), "x.avro: more than 16777216 bytes of metadata");
    buf_release(&file);
}

static enum status write_bytes(struct fixture *f, struct file_writer *writer,
                               struct str rows, size_t n_rows)
{
    memory_output_begin(&f->to);
    TRY(writer->ops->begin(writer, &f->to.output, 0, &f->err));
    return writer->ops->rows(writer, rows, n_rows, &f->err);
}

static void test_rows_that_are_not_rows_are_not_written(void **state)
{
    struct fixture *f = *state;
    struct file_writer *writer = open_writer(f, AVRO_CODEC_NULL, 4);
    assert_status(write_bytes(f, writer, BYTES("\x02\x02x\x02\x00"), 2), ST_FAIL);
    assert_string_equal(f->err.text, "Avro rows: they are not whole");
    assert_status(write_bytes(f, writer, BYTES("\x02\x02x\x02\x00\x01"), 1), ST_FAIL);
    assert_string_equal(f->err.text, "Avro rows: more than were told");
    writer->ops->close(writer);
}

// A file that is given up leaves nothing in the next one.
static void test_a_file_may_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct file_writer *writer = open_writer(f, AVRO_CODEC_NULL, 0);
    assert_ok(write_bytes(f, writer, BYTES("\x02\x02q\x02"), 1), &f->err);
    writer->ops->abort(writer);
    assert_int_equal(writer->ops->bytes(writer), 0);
    writer->ops->abort(writer);
    assert_ok(write_bytes(f, writer, BYTES("\x02\x02x\x02\x00\x01"), 2), &f->err);
    assert_ok(writer->ops->finish(writer, (struct str){0}, &f->err), &f->err);
    write_file(f, buf_as_str(&f->to.file));
    struct rows *rows = open_file(f, &schema);
    assert_two_rows(f, rows);
    rows->ops->close(rows);
    writer->ops->close(writer);
}

// What the header's metadata holds behind the key begins so.
static void assert_offsets(struct str front, const char *expected)
{
    static const char key[] = "tramline.offsets";
    const char *at = memmem(front.p, front.n, key, strlen(key));
    assert_non_null(at);
    at += strlen(key);
    while (*at++ & 0x80) // its length, a varint
        ;
    assert_memory_equal(at, expected, strlen(expected));
}

// A note takes its place in a header that was long enough from the start.
static void test_a_note_becomes_metadata(void **state)
{
    struct fixture *f = *state;
    struct file_writer *writer = open_writer(f, AVRO_CODEC_NULL, 0);
    for (size_t n = 9; n < 409; n++) { // lengths around those of more bytes in a varint
        memory_output_begin(&f->to);
        assert_ok(writer->ops->begin(writer, &f->to.output, n, &f->err), &f->err);
        size_t n_header = f->to.file.n;
        assert_int_equal(n_header % FRONT_BYTES, 0);
        assert_ok(writer->ops->finish(writer, STR_LITERAL("{\"a\": 1}"), &f->err),
                  &f->err);
        assert_int_equal(f->to.file.n, n_header);
        write_file(f, buf_as_str(&f->to.file));
        struct rows *rows = open_file(f, &schema);
        assert_offsets(buf_as_str(&f->to.file), "{\"a\": 1}");
        rows->ops->close(rows);
    }
    writer->ops->close(writer);
}

static void test_rows_that_do_not_resolve_may_be_skipped(void **state)
{
    struct fixture *f = *state;
    struct column strict[] = {{NAME("a"), TYPE_TEXT, false},
                              {NAME("b"), TYPE_INT, false}};
    struct schema wanted = {strict, 2};
    write_file(f, BYTES(NULL_FILE));
    struct rows *rows = open_file(f, &wanted);
    const char *text = "x.avro: block 1 at byte 215: row 2: field 'a': null in a column "
                       "that is NOT NULL (byte 0)";
    assert_status(rows->ops->next(rows, &f->batch, &f->err), ST_DATA);
    assert_string_equal(f->err.text, text);
    rows->ops->close(rows);

    struct avro_table_options options = {.columns = &wanted, .skip_errors = true};
    assert_ok(avro_table_open(f->storage, str_of("x.avro"), &options, &rows, &f->err),
              &f->err);
    assert_ok(rows->ops->next(rows, &f->batch, &f->err), &f->err);
    assert_int_equal(f->batch.n_rows, 1);
    const struct rows_stats *stats = avro_table_stats(rows);
    assert_int_equal(stats->n_rows, 1);
    assert_int_equal(stats->n_skipped, 1);
    assert_string_equal(stats->messages[0], text);
    rows->ops->close(rows);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
TEST_MAIN(CASE(test_reads_what_fastavro_wrote),
          CASE(test_columns_of_a_file_are_its_schemas),
          CASE(test_writes_what_the_specification_says),
          CASE(test_all_codecs_read_back_in_blocks),
          CASE(test_a_block_that_does_not_fit_is_an_error),
          CASE(test_a_block_holds_the_whole_pieces_that_fit),
          CASE(test_errors_name_file_block_and_byte), CASE(test_wrong_headers),
          CASE(test_endless_metadata), CASE(test_rows_that_are_not_rows_are_not_written),
          CASE(test_a_file_may_be_given_up), CASE(test_a_note_becomes_metadata),
          CASE(test_rows_that_do_not_resolve_may_be_skipped))
