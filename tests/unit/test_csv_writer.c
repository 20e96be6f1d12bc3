// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "csv_fixture.h"

#include "csv/decoder.h"
#include "csv/file_writer.h"
#include "csv/row_format.h"
#include "memory/output_mem.h"

struct fixture {
    struct arena arena;
    struct schema schema;
    struct row_format *row_format;
    struct buf out;
};

static void open_format(struct fixture *f, const char *schema)
{
    *f = (struct fixture){0};
    f->schema = schema_of(&f->arena, schema);
    f->row_format = csv_row_format_open(&f->schema);
}

static void close_format(struct fixture *f)
{
    f->row_format->ops->close(f->row_format);
    buf_release(&f->out);
    arena_release(&f->arena);
}

static void encode(struct fixture *f, const struct value *row)
{
    f->row_format->ops->fields(f->row_format, 0, row, f->schema.n, &f->out);
    f->row_format->ops->end_row(f->row_format, &f->out);
}

static struct value text(const char *s)
{
    return value_text(str_of(s));
}

// Lines as Python's csv.writer (lineterminator '\n', QUOTE_MINIMAL) makes them, but for
// CR, which it leaves bare, and the empty string, which it does not tell from None.
static void test_quotes_stand_only_where_needed(UNUSED void **state)
{
    struct fixture f;
    open_format(&f, "a TEXT, b TEXT, c TEXT, d TEXT, e TEXT");
    encode(&f, (struct value[]){text("a,b"), text("c\"d"), text("e\nf"), text("g\rh"),
                                text("i")});
    encode(&f,
           (struct value[]){
               text(""), {.kind = VALUE_NULL}, text(" x "), text("b;c"), text("d'e")});
    encode(&f, (struct value[]){text("\""), text("\"\""), text(","), text("F\xC3\xAAte"),
                                text("a long text, with a comma past sixteen bytes")});
    assert_str(buf_as_str(&f.out), "\"a,b\",\"c\"\"d\",\"e\nf\",\"g\rh\",i\n"
                                   "\"\",, x ,b;c,d'e\n"
                                   "\"\"\"\",\"\"\"\"\"\",\",\",F\xC3\xAAte,"
                                   "\"a long text, with a comma past sixteen bytes\"\n");
    close_format(&f);
}

static void test_values_are_canonical(UNUSED void **state)
{
    struct fixture f;
    open_format(&f, "a INT, b BIGINT, c REAL, d BOOLEAN, e BYTES");
    encode(&f, (struct value[]){value_int(-7),
                                value_int(INT64_MIN),
                                {.r = 0.1, .kind = VALUE_REAL},
                                {.i = 1, .kind = VALUE_BOOL},
                                {.p = "\x00\xFF,", .n = 3, .kind = VALUE_BYTES}});
    assert_str(buf_as_str(&f.out), "-7,-9223372036854775808,0.1,true,\\x00ff2c\n");
    close_format(&f);
}

static void test_a_file_begins_with_the_names(UNUSED void **state)
{
    struct fixture f;
    struct memory_output to = {0};
    struct err err;
    open_format(&f, "trip_id TEXT, x TEXT");
    f.schema.columns[1].name = str_of("a,b");
    struct file_writer *writer = csv_file_writer_open(&f.schema, true);
    assert_int_equal(writer->ops->bytes(writer), 0);
    memory_output_begin(&to);
    assert_ok(writer->ops->begin(writer, &to.output, 100, &err), &err);
    assert_ok(writer->ops->rows(writer, str_of("1,2\n3,4\n"), 2, &err), &err);
    assert_int_equal(writer->ops->bytes(writer), 22);
    assert_ok(writer->ops->finish(writer, STR_LITERAL("{}"), &err), &err);
    assert_str(buf_as_str(&to.file), "trip_id,\"a,b\"\n1,2\n3,4\n");
    writer->ops->close(writer);
    memory_output_release(&to);
    close_format(&f);
}

static void test_an_output_that_is_full_is_an_error(UNUSED void **state)
{
    struct fixture f;
    struct memory_output to = {.file = BUF_INIT(8)};
    struct err err;
    open_format(&f, "a TEXT");
    struct file_writer *writer = csv_file_writer_open(&f.schema, true);
    memory_output_begin(&to);
    assert_ok(writer->ops->begin(writer, &to.output, 0, &err), &err);
    assert_status(writer->ops->rows(writer, str_of("123456789"), 1, &err), ST_LIMIT);
    assert_string_equal(err.text, "memory: more than 8 bytes");
    writer->ops->abort(writer);
    assert_int_equal(writer->ops->bytes(writer), 0);
    writer->ops->close(writer);
    memory_output_release(&to);
    close_format(&f);
}

// Notes what it is given.
struct noting_output {
    struct file_output output; // first member
    size_t most_bytes, n_bytes;
};

static enum status note_bytes(struct file_output *output, struct str bytes,
                              UNUSED struct err *err)
{
    struct noting_output *to = (struct noting_output *)output;
    to->most_bytes = bytes.n > to->most_bytes ? bytes.n : to->most_bytes;
    to->n_bytes += bytes.n;
    return ST_OK;
}

static void test_long_rows_of_a_batch_come_in_pieces(UNUSED void **state)
{
    enum {
        ROWS = 100,
        ROW_BYTES = 100000,
        MOST = 2 << 20
    };
    static const struct file_output_ops noting_ops = {.append = note_bytes};
    struct fixture f;
    struct noting_output to = {.output = {.ops = &noting_ops}};
    struct batch batch;
    struct err err;
    AUTO(buf_release) struct buf text = {0};
    while (text.n < ROW_BYTES - 1)
        buf_char(&text, 'x');
    open_format(&f, "a TEXT");
    batch_init(&batch, 1);
    for (int i = 0; i < ROWS; i++)
        *batch_add(&batch, 0) = value_text(buf_as_str(&text));
    struct file_writer *writer = csv_file_writer_open(&f.schema, false);
    assert_ok(writer->ops->begin(writer, &to.output, 0, &err), &err);
    assert_ok(writer->ops->batch(writer, &batch, &err), &err);
    assert_int_equal(to.n_bytes, ROWS * ROW_BYTES);
    assert_true(to.most_bytes <= MOST);
    batch_release(&batch);
    writer->ops->close(writer);
    close_format(&f);
}

// A small generator: the same rows at every run (xorshift64, Marsaglia 2003).
static uint64_t chance(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static struct value random_text(struct arena *arena, uint64_t *seed)
{
    static const char *const parts[] = {"a",    ",",  "\"",         "\n",           "\r",
                                        "\r\n", " ",  "\xC3\xA9",   "\xEF\xBB\xBF", "0",
                                        "'",    "\t", "long enough"};
    struct buf out = {0};
    for (size_t n = chance(seed) % 6; n > 0; n--)
        buf_text(&out, parts[chance(seed) % ARRAY_LEN(parts)]);
    struct str copy = arena_str(arena, buf_as_str(&out));
    buf_release(&out);
    return value_text(copy);
}

static struct value random_value(struct arena *arena, const struct column *column,
                                 uint64_t *seed)
{
    if (column->nullable && chance(seed) % 4 == 0)
        return (struct value){0};
    int64_t bits = (int64_t)chance(seed) >> chance(seed) % 64;
    switch (column->type) {
    case TYPE_TEXT:
        return random_text(arena, seed);
    case TYPE_INT:
        return value_int((int32_t)bits);
    case TYPE_REAL:
        return (struct value){.r = (double)bits / 1024, .kind = VALUE_REAL};
    case TYPE_BOOLEAN:
        return (struct value){.i = bits & 1, .kind = VALUE_BOOL};
    default:
        return value_int(bits);
    }
}

static void assert_reads_back(struct fixture *f, struct decoder *decoder,
                              const struct value *row, struct batch *batch)
{
    struct err err;
    size_t next;
    buf_clear(&f->out);
    encode(f, row);
    struct record record = {.value = buf_as_str(&f->out)};
    struct run run = {.records = &record, .n = 1};
    batch_clear(batch);
    assert_ok(decoder->ops->decode(decoder, &run, 0, batch, &next, &err), &err);
    if (batch->n_rejects)
        fail_msg("%.*s: %.*s", STR_ARGS(record.value),
                 STR_ARGS(batch->rejects[0].reason));
    assert_int_equal(batch->n_rows, 1);
    for (size_t i = 0; i < f->schema.n; i++)
        if (!value_eq(row[i], batch_row(batch, 0)[i]))
            fail_msg("%.*s: column %zu differs", STR_ARGS(record.value), i);
}

static void check_random_rows(const char *schema)
{
    struct fixture f;
    struct decoder *decoder;
    struct err err;
    struct batch batch;
    open_format(&f, schema);
    assert_ok(csv_decoder_open(&f.schema, NULL, &decoder, &err), &err);
    batch_init(&batch, f.schema.n);
    uint64_t seed = 20261122;
    for (size_t i = 0; i < 20000; i++) {
        struct arena arena = {0};
        struct value row[8];
        for (size_t c = 0; c < f.schema.n; c++)
            row[c] = random_value(&arena, &f.schema.columns[c], &seed);
        assert_reads_back(&f, decoder, row, &batch);
        arena_release(&arena);
    }
    batch_release(&batch);
    decoder->ops->close(decoder);
    close_format(&f);
}

// The readers pass a line of white space, but a quoted one.
static void test_a_text_of_white_space_alone_is_quoted(UNUSED void **state)
{
    struct fixture f;
    struct value row[] = {value_text(str_of(" \x1A")), value_text(str_of(" "))};
    open_format(&f, "only TEXT");
    encode(&f, row);
    assert_str(buf_as_str(&f.out), "\" \x1A\"\n");
    close_format(&f);
    open_format(&f, "a TEXT, b TEXT");
    encode(&f, row);
    assert_str(buf_as_str(&f.out), " \x1A, \n");
    close_format(&f);
}

static void test_random_rows_read_back(UNUSED void **state)
{
    check_random_rows(
        "a TEXT, b TEXT NOT NULL, c INT, d BIGINT, e REAL, f BOOLEAN, g TEXT");
    check_random_rows("only TEXT");
    check_random_rows("only INT");
}

TEST_MAIN(cmocka_unit_test(test_quotes_stand_only_where_needed),
          cmocka_unit_test(test_values_are_canonical),
          cmocka_unit_test(test_a_file_begins_with_the_names),
          cmocka_unit_test(test_an_output_that_is_full_is_an_error),
          cmocka_unit_test(test_long_rows_of_a_batch_come_in_pieces),
          cmocka_unit_test(test_a_text_of_white_space_alone_is_quoted),
          cmocka_unit_test(test_random_rows_read_back))
