// SPDX-License-Identifier: Apache-2.0
// The port that files are written through: that a format which keeps columns together
// has a place in it, and what a file in the spool is.
#include "test.h"

#include "core/spool_writer.h"
#include "core/value_row.h"
#include "csv_fixture.h"
#include "memory/output_mem.h"
#include "memory/spool_mem.h"

// A columnar format, no larger than it must be: each group of GROUP_ROWS rows is a line a
// column, values by ','; the last line is the note. It takes rows by their bytes, of a
// row format of values, as well as batches.

enum {
    GROUP_ROWS = 4,
    N_COLUMNS = 3
};

struct columnar_writer {
    struct file_writer writer; // first member
    struct row_format values;
    struct buf lines[N_COLUMNS];
    size_t n_group;
};

static enum status begin_file(struct file_writer *writer, struct file_output *to,
                              UNUSED size_t note_bytes, struct err *err)
{
    struct columnar_writer *columnar = (struct columnar_writer *)writer;
    writer->to = to;
    columnar->n_group = 0;
    for (size_t c = 0; c < N_COLUMNS; c++)
        buf_clear(&columnar->lines[c]);
    return to->ops->append(to, STR_LITERAL("columns\n"), err);
}

static enum status write_group(struct columnar_writer *columnar, struct err *err)
{
    struct file_output *to = columnar->writer.to;
    for (size_t c = 0; c < N_COLUMNS && columnar->n_group > 0; c++) {
        buf_char(&columnar->lines[c], '\n');
        TRY(to->ops->append(to, buf_as_str(&columnar->lines[c]), err));
        buf_clear(&columnar->lines[c]);
    }
    columnar->n_group = 0;
    return ST_OK;
}

static enum status add_row(struct columnar_writer *columnar, const struct value *row,
                           struct err *err)
{
    for (size_t c = 0; c < N_COLUMNS; c++) {
        buf_text(&columnar->lines[c], columnar->n_group > 0 ? "," : "");
        value_format(row[c], &columnar->lines[c]);
    }
    return ++columnar->n_group < GROUP_ROWS ? ST_OK : write_group(columnar, err);
}

static enum status take_rows(struct file_writer *writer, struct str rows, size_t n_rows,
                             struct err *err)
{
    static const size_t places[N_COLUMNS] = {0, 1, 2};
    struct value row[N_COLUMNS];
    const char *p = rows.p;
    for (size_t i = 0; i < n_rows; i++) {
        p = value_decode(p, places, N_COLUMNS, row);
        TRY(add_row((struct columnar_writer *)writer, row, err));
    }
    assert_ptr_equal(p, rows.p + rows.n);
    return ST_OK;
}

static enum status take_batch(struct file_writer *writer, const struct batch *batch,
                              struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        TRY(add_row((struct columnar_writer *)writer, batch_row(batch, i), err));
    return ST_OK;
}

static int64_t count_bytes(const struct file_writer *writer)
{
    const struct columnar_writer *columnar = (const struct columnar_writer *)writer;
    int64_t n = file_writer_appended(writer);
    for (size_t c = 0; c < N_COLUMNS && writer->to != NULL && columnar->n_group > 0; c++)
        n += (int64_t)columnar->lines[c].n + 1;
    return n;
}

static enum status finish_file(struct file_writer *writer, struct str note,
                               struct err *err)
{
    struct file_output *to = writer->to;
    TRY(write_group((struct columnar_writer *)writer, err));
    writer->to = NULL;
    return to->ops->append(to, note, err);
}

static void abort_file(struct file_writer *writer)
{
    writer->to = NULL;
}

static void close_writer(struct file_writer *writer)
{
    for (size_t c = 0; c < N_COLUMNS; c++)
        buf_release(&((struct columnar_writer *)writer)->lines[c]);
    free(writer);
}

static const struct file_writer_ops columnar_ops = {
    .begin = begin_file,
    .rows = take_rows,
    .batch = take_batch,
    .bytes = count_bytes,
    .finish = finish_file,
    .abort = abort_file,
    .close = close_writer,
};

static struct file_writer *columnar_open(const struct schema *schema)
{
    struct columnar_writer *columnar = calloc(1, sizeof(*columnar));
    value_row_format_init(&columnar->values, schema);
    columnar->writer =
        (struct file_writer){.ops = &columnar_ops, .row_format = &columnar->values};
    return &columnar->writer;
}

struct fixture {
    struct arena arena;
    struct schema schema;
    struct file_writer *writer;
    struct memory_output to;
    struct err err;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    f->schema = schema_of(&f->arena, "a TEXT, b INT, c BOOLEAN");
    f->writer = columnar_open(&f->schema);
}

static void tear_down(struct fixture *f)
{
    f->writer->ops->close(f->writer);
    memory_output_release(&f->to);
    arena_release(&f->arena);
}

static void begin(struct fixture *f)
{
    memory_output_begin(&f->to);
    assert_ok(f->writer->ops->begin(f->writer, &f->to.output, 9, &f->err), &f->err);
}

static void make_row(int64_t i, struct value *ret)
{
    static const char *const texts[] = {"x", "", "a longer text", "y"};
    ret[0] = i % 5 == 4 ? (struct value){0} : value_text(str_of(texts[i % 4]));
    ret[1] = i % 3 == 2 ? (struct value){0} : value_int(i);
    ret[2] = (struct value){.kind = VALUE_BOOL, .i = i % 2};
}

// Each row is put together from two pieces, as a join does it.
static void put_rows(struct fixture *f, int64_t from, int64_t to)
{
    AUTO(buf_release) struct buf rows = {0};
    struct row_format *row_format = f->writer->row_format;
    for (int64_t i = from; i < to; i++) {
        AUTO(buf_release) struct buf kept = {0};
        struct value row[N_COLUMNS];
        make_row(i, row);
        row_format->ops->fields(row_format, 1, row + 1, 2, &kept);
        row_format->ops->fields(row_format, 0, row, 1, &rows);
        buf_str(&rows, buf_as_str(&kept));
        row_format->ops->end_row(row_format, &rows);
    }
    assert_ok(
        f->writer->ops->rows(f->writer, buf_as_str(&rows), (size_t)(to - from), &f->err),
        &f->err);
}

static void put_batch(struct fixture *f, int64_t from, int64_t to)
{
    struct batch batch;
    batch_init(&batch, N_COLUMNS);
    for (int64_t i = from; i < to; i++)
        make_row(i, batch_add(&batch, 0));
    assert_ok(f->writer->ops->batch(f->writer, &batch, &f->err), &f->err);
    batch_release(&batch);
}

static const char six_rows[] = "columns\n"
                               "x,,a longer text,y\n0,1,,3\nfalse,true,false,true\n"
                               ",\n4,\nfalse,true\n";

static void test_a_format_of_columns_takes_rows_and_batches(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    for (int64_t n_first = 0; n_first <= 6; n_first++) {
        begin(&f);
        put_rows(&f, 0, n_first);
        put_batch(&f, n_first, 6);
        assert_int_equal(f.writer->ops->bytes(f.writer), sizeof(six_rows) - 1);
        assert_ok(f.writer->ops->finish(f.writer, STR_LITERAL("{\"n\":6}"), &f.err),
                  &f.err);
        assert_int_equal(f.writer->ops->bytes(f.writer), 0);
        assert_int_equal(f.to.file.n, sizeof(six_rows) - 1 + strlen("{\"n\":6}"));
        assert_memory_equal(f.to.file.p, six_rows, sizeof(six_rows) - 1);
    }
    tear_down(&f);
}

static void test_a_format_of_columns_may_give_a_file_up(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    begin(&f);
    put_rows(&f, 0, 3);
    f.writer->ops->abort(f.writer);
    assert_int_equal(f.writer->ops->bytes(f.writer), 0);
    begin(&f);
    put_rows(&f, 0, 6);
    assert_ok(f.writer->ops->finish(f.writer, (struct str){0}, &f.err), &f.err);
    assert_str(buf_as_str(&f.to.file), six_rows);
    tear_down(&f);
}

// The spool.

static void read_all(const struct spooled *made, struct buf *ret)
{
    char *room = buf_room(ret, (size_t)made->bytes + 1);
    struct err err;
    assert_ok(made->file->ops->read(made->file, 0, room, (size_t)made->bytes + 1, &ret->n,
                                    &err),
              &err);
}

static void assert_checksum(const struct spooled *made, struct str bytes)
{
    struct checksummer *sum = checksummer_open(CHECKSUM_HDFS);
    struct checksum expected;
    checksummer_add(sum, bytes.p, bytes.n);
    checksummer_finish(sum, &expected);
    checksummer_free(sum);
    assert_true(checksum_eq(&made->checksum, &expected));
}

// Pieces of sizes by chance, up to more than what is kept back; every other file has its
// front written over.
static void check_spooled(struct spool_writer *writer, struct spool *spool, unsigned seed)
{
    AUTO(buf_release) struct buf wanted = {0}, found = {0};
    char front[FRONT_BYTES];
    struct spooled made;
    struct err err;
    struct file_output *to = &writer->output;
    assert_ok(spool_writer_begin(writer, spool, CHECKSUM_HDFS, &err), &err);
    for (int n_pieces = 1 + rand_r(&seed) % 8; n_pieces > 0; n_pieces--) {
        AUTO(buf_release) struct buf piece = {0};
        size_t n = (size_t)rand_r(&seed) % (1U << rand_r(&seed) % 20);
        while (piece.n < n + FRONT_BYTES)
            buf_char(&piece, (char)rand_r(&seed));
        buf_str(&wanted, buf_as_str(&piece));
        assert_ok(to->ops->append(to, buf_as_str(&piece), &err), &err);
        assert_int_equal(to->bytes, wanted.n);
    }
    if (seed % 2 == 0) {
        memset(front, 'f', sizeof(front));
        memcpy(wanted.p, front, sizeof(front));
        assert_ok(to->ops->overwrite(to, (struct str){front, sizeof(front)}, &err), &err);
    }
    writer->rows = seed;
    assert_ok(spool_writer_finish(writer, &made, &err), &err);
    assert_int_equal(made.rows, seed);
    assert_int_equal(made.bytes, wanted.n);
    read_all(&made, &found);
    assert_int_equal(found.n, wanted.n);
    assert_memory_equal(found.p, wanted.p, wanted.n);
    assert_checksum(&made, buf_as_str(&wanted));
    made.file->ops->discard(made.file);
}

static void test_a_spooled_file_is_what_was_appended(UNUSED void **state)
{
    struct spool_writer writer = {0};
    struct spool *spool = spool_mem_open();
    struct err err;
    for (unsigned seed = 1; seed <= 100; seed++) {
        check_spooled(&writer, spool, seed);
        if (seed % 7 != 0)
            continue;
        assert_ok(spool_writer_begin(&writer, spool, CHECKSUM_HDFS, &err), &err);
        assert_ok(writer.output.ops->append(&writer.output, STR_LITERAL("x"), &err),
                  &err);
        spool_writer_drop(&writer);
        assert_int_equal(writer.output.bytes, 0);
    }
    spool_writer_release(&writer);
    spool->ops->close(spool);
}

TEST_MAIN(cmocka_unit_test(test_a_format_of_columns_takes_rows_and_batches),
          cmocka_unit_test(test_a_format_of_columns_may_give_a_file_up),
          cmocka_unit_test(test_a_spooled_file_is_what_was_appended))
