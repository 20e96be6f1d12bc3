// SPDX-License-Identifier: Apache-2.0
#include "avro/file_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "avro/container.h"
#include "avro/plan.h"
#include "avro/wire.h"

enum {
    BLOCK_BYTES_DEFAULT = 256 << 10
};

struct avro_file_writer {
    struct file_writer writer; // first member
    struct avro_row_format *format;
    struct avro_plan *scan; // reads past one row
    struct avro_compressor compressor;
    size_t block_bytes;
    struct env *env;
    char *plan; // metadata; empty: there is none
    uint8_t sync[AVRO_SYNC_BYTES];
    size_t note_bytes; // of tramline.offsets in the open file's header; 0: it has none
    struct buf header; // of the file, or of a block
    struct buf block;  // rows not yet written
    size_t n_block;
    struct buf compressed;
};

static struct avro_file_writer *avro_of(struct file_writer *writer)
{
    return (struct avro_file_writer *)writer;
}

static void put_pair(struct buf *out, const char *key, struct str value)
{
    wire_put_bytes(out, str_of(key));
    wire_put_bytes(out, value);
}

// The note is padded with blanks, which JSON allows, to note_bytes.
static void put_note(const struct avro_file_writer *avro, struct str note,
                     struct buf *out)
{
    assert(note.n <= avro->note_bytes);
    wire_put_bytes(out, str_of("tramline.offsets"));
    wire_put_long(out, (int64_t)avro->note_bytes);
    buf_str(out, note);
    for (size_t n = note.n; n < avro->note_bytes; n++)
        buf_char(out, ' ');
}

static struct str make_header(struct avro_file_writer *avro, struct str note)
{
    struct buf *out = &avro->header;
    struct str plan = str_of(avro->plan);
    buf_clear(out);
    buf_append(out, AVRO_MAGIC, AVRO_MAGIC_BYTES);
    wire_put_long(out, 2 + (plan.n != 0) + (avro->note_bytes != 0));
    put_pair(out, "avro.schema", avro->format->json);
    put_pair(out, "avro.codec", str_of(avro_codec_name(avro->compressor.codec)));
    if (plan.n != 0)
        put_pair(out, "tramline.plan", plan);
    if (avro->note_bytes != 0)
        put_note(avro, note, out);
    wire_put_long(out, 0);
    buf_append(out, avro->sync, sizeof(avro->sync));
    return buf_as_str(out);
}

// A header with room for the note; as it is written over later, its length is one of a
// front.
static struct str make_roomy_header(struct avro_file_writer *avro, size_t note_bytes)
{
    avro->note_bytes = note_bytes;
    struct str header = make_header(avro, (struct str){0});
    while (note_bytes != 0 && header.n % FRONT_BYTES != 0) {
        avro->note_bytes += FRONT_BYTES - header.n % FRONT_BYTES;
        header = make_header(avro, (struct str){0});
    }
    return header;
}

static enum status begin(struct file_writer *writer, struct file_output *to,
                         size_t note_bytes, struct err *err)
{
    struct avro_file_writer *avro = avro_of(writer);
    writer->to = to;
    avro->env->ops->random(avro->env, avro->sync, sizeof(avro->sync));
    buf_clear(&avro->block);
    avro->n_block = 0;
    return to->ops->append(to, make_roomy_header(avro, note_bytes), err);
}

static enum status put_block(struct avro_file_writer *avro, struct str plain,
                             size_t n_rows, struct err *err)
{
    struct file_output *to = avro->writer.to;
    struct str packed = plain;
    if (avro->compressor.codec != AVRO_CODEC_NULL) {
        buf_clear(&avro->compressed);
        TRY(avro_compress(&avro->compressor, plain, &avro->compressed, err));
        packed = buf_as_str(&avro->compressed);
    }
    buf_clear(&avro->header);
    wire_put_long(&avro->header, (int64_t)n_rows);
    wire_put_long(&avro->header, (int64_t)packed.n);
    TRY(to->ops->append(to, buf_as_str(&avro->header), err));
    TRY(to->ops->append(to, packed, err));
    const struct str sync = {(const char *)avro->sync, sizeof(avro->sync)};
    return to->ops->append(to, sync, err);
}

static enum status write_block(struct avro_file_writer *avro, struct err *err)
{
    if (avro->n_block == 0)
        return ST_OK;
    assert(!avro->block.full); // more than a block is one row, which came in a buffer
    TRY(put_block(avro, buf_as_str(&avro->block), avro->n_block, err));
    buf_clear(&avro->block);
    avro->n_block = 0;
    return ST_OK;
}

// Moves rows off the front as long as they fit; one that is larger than a block has one
// of its own.
static enum status fill_block(struct avro_file_writer *avro, struct wire *wire,
                              size_t *n_rows, struct err *err)
{
    const uint8_t *from = wire->p;
    size_t room = avro->block_bytes - avro->block.n;
    struct value unused;
    while (*n_rows > 0) {
        struct avro_fault fault;
        struct wire row = *wire;
        if (!avro_plan_run(avro->scan, 0, &row, &unused, NULL, &fault))
            return err_set(err, ST_FAIL, "Avro rows: they are not whole");
        if ((size_t)(row.p - from) > room && avro->n_block != 0)
            break;
        wire->p = row.p;
        avro->n_block++;
        --*n_rows;
    }
    buf_append(&avro->block, from, (size_t)(wire->p - from));
    return ST_OK;
}

static enum status rows(struct file_writer *writer, struct str bytes, size_t n_rows,
                        struct err *err)
{
    struct avro_file_writer *avro = avro_of(writer);
    struct str refused = writer->row_format->refused;
    if (refused.n != 0)
        return err_set(err, ST_DATA, "%.*s", STR_ARGS(refused));
    if (avro->block.n + bytes.n > avro->block_bytes)
        TRY(write_block(avro, err));
    bool is_block = bytes.n > avro->block_bytes / 2 && bytes.n <= avro->block_bytes;
    if (avro->n_block == 0 && is_block) // as it is, not copied
        return put_block(avro, bytes, n_rows, err);
    if (bytes.n <= avro->block_bytes) {
        buf_str(&avro->block, bytes);
        avro->n_block += n_rows;
        return ST_OK;
    }
    // More than a block: only by reading them it is known where rows end.
    struct wire wire = wire_of(bytes);
    while (n_rows > 0) {
        TRY(fill_block(avro, &wire, &n_rows, err));
        if (n_rows > 0)
            TRY(write_block(avro, err));
    }
    return wire.p == wire.end ? ST_OK
                              : err_set(err, ST_FAIL, "Avro rows: more than were told");
}

static enum status finish(struct file_writer *writer, struct str note, struct err *err)
{
    struct avro_file_writer *avro = avro_of(writer);
    struct file_output *to = writer->to;
    TRY(write_block(avro, err));
    writer->to = NULL;
    if (avro->note_bytes == 0)
        return ST_OK;
    return to->ops->overwrite(to, make_header(avro, note), err);
}

static void abort_file(struct file_writer *writer)
{
    writer->to = NULL; // begin clears the rest
}

static void close_writer(struct file_writer *writer)
{
    struct avro_file_writer *avro = avro_of(writer);
    writer->row_format->ops->close(writer->row_format);
    free(avro->plan);
    avro_compressor_release(&avro->compressor);
    avro_plan_free(avro->scan);
    buf_release(&avro->header);
    buf_release(&avro->block);
    buf_release(&avro->compressed);
    free(avro);
}

static const struct file_writer_ops ops = {
    .begin = begin,
    .rows = rows,
    .batch = file_writer_rows_of_batch,
    .bytes = file_writer_appended,
    .finish = finish,
    .abort = abort_file,
    .close = close_writer,
};

static enum status open_scan(const struct avro_schema *schema, struct avro_plan **ret,
                             struct err *err)
{
    struct avro_reader *reader;
    struct schema no_columns = {0};
    TRY(avro_reader_open(&no_columns, (struct str){0}, &reader, err));
    enum status rc = avro_plan_open(schema, reader, ret, err);
    avro_reader_free(reader);
    return rc;
}

enum status avro_file_writer_open(const struct schema *columns,
                                  const struct avro_file_options *options,
                                  struct file_writer **ret, struct err *err)
{
    struct avro_row_format *format;
    TRY(avro_row_format_open(columns, &options->schema, &format, err));
    struct avro_file_writer *avro = mem_zalloc(sizeof(*avro));
    avro->writer = (struct file_writer){.ops = &ops, .row_format = &format->row_format};
    avro->format = format;
    avro->block_bytes = options->block_bytes ? options->block_bytes : BLOCK_BYTES_DEFAULT;
    avro->plan = mem_strndup(options->plan.p, options->plan.n);
    avro->env = options->env ? options->env : env_system();
    avro_compressor_init(&avro->compressor, options->codec);
    enum status rc = open_scan(format->schema, &avro->scan, err);
    if (rc != ST_OK) {
        close_writer(&avro->writer);
        return rc;
    }
    *ret = &avro->writer;
    return ST_OK;
}
