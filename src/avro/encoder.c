// SPDX-License-Identifier: Apache-2.0
#include "avro/encoder.h"

#include <assert.h>
#include <stdlib.h>

#include "avro/compress.h"
#include "avro/container.h"
#include "avro/plan.h"
#include "avro/writer.h"

enum {
    BLOCK_BYTES_DEFAULT = 256 << 10
};

struct pair {
    char *key;
    struct str value;
    char *owned; // the value's bytes
};

struct avro_encoder {
    struct encoder encoder; // first member
    struct avro_writer *writer;
    struct avro_plan *scan; // reads past one row
    struct avro_compressor compressor;
    size_t block_bytes;
    struct env *env;
    struct pair *pairs;
    size_t n_pairs, pairs_capacity;
    uint8_t sync[AVRO_SYNC_BYTES];
    size_t note_bytes; // of tramline.offsets in the next header; 0: it has none
    bool is_open;      // between begin and end
    struct buf block;  // rows not yet written
    size_t n_block;
    struct buf compressed;
    struct buf why; // behind encoder.refused
};

static struct avro_encoder *avro_of(struct encoder *encoder)
{
    return (struct avro_encoder *)encoder;
}

static void refuse(struct avro_encoder *avro, size_t column, struct value v)
{
    if (avro->encoder.refused.n != 0)
        return; // the first reason stays
    buf_clear(&avro->why);
    avro_cell_why(avro->writer, column, v, &avro->why);
    avro->encoder.refused = buf_as_str(&avro->why);
}

static void fields(struct encoder *encoder, size_t first, const struct value *values,
                   size_t n, struct buf *row)
{
    struct avro_encoder *avro = avro_of(encoder);
    const struct avro_cell *cells = avro->writer->cells + first;
    for (size_t i = 0; i < n; i++)
        if (UNLIKELY(!avro_cell_put(&cells[i], values[i], row)))
            refuse(avro, first + i, values[i]);
}

static void end_row(UNUSED struct encoder *encoder, UNUSED struct buf *row)
{
}

static void put_pair(struct buf *out, struct str key, struct str value)
{
    wire_put_bytes(out, key);
    wire_put_bytes(out, value);
}

// The note is padded with blanks, which JSON allows, to note_bytes.
static void put_note(const struct avro_encoder *avro, struct str note, struct buf *out)
{
    assert(note.n <= avro->note_bytes);
    wire_put_bytes(out, str_of("tramline.offsets"));
    wire_put_long(out, (int64_t)avro->note_bytes);
    buf_str(out, note);
    for (size_t n = note.n; n < avro->note_bytes; n++)
        buf_char(out, ' ');
}

static void put_header(const struct avro_encoder *avro, struct str note, struct buf *out)
{
    size_t n_pairs = avro->n_pairs + 2 + (avro->note_bytes != 0);
    buf_append(out, AVRO_MAGIC, AVRO_MAGIC_BYTES);
    wire_put_long(out, (int64_t)n_pairs);
    put_pair(out, str_of("avro.schema"), avro->writer->json);
    put_pair(out, str_of("avro.codec"), str_of(avro_codec_name(avro->compressor.codec)));
    for (size_t i = 0; i < avro->n_pairs; i++)
        put_pair(out, str_of(avro->pairs[i].key), avro->pairs[i].value);
    if (avro->note_bytes != 0)
        put_note(avro, note, out);
    wire_put_long(out, 0);
    buf_append(out, avro->sync, sizeof(avro->sync));
}

// Widens the note until the header's length is one of a front.
static void fit_note(struct avro_encoder *avro)
{
    struct buf header = {0};
    size_t missing = 0;
    do {
        avro->note_bytes += missing;
        buf_clear(&header);
        put_header(avro, (struct str){0}, &header);
        missing = (FRONT_BYTES - header.n % FRONT_BYTES) % FRONT_BYTES;
    } while (missing != 0);
    buf_release(&header);
}

static void note(struct encoder *encoder, struct str text, struct buf *front)
{
    struct avro_encoder *avro = avro_of(encoder);
    if (avro->is_open)
        put_header(avro, text, front);
    else
        avro->note_bytes = text.n;
}

static enum status begin(struct encoder *encoder, struct buf *out, struct err *err)
{
    struct avro_encoder *avro = avro_of(encoder);
    avro->env->ops->random(avro->env, avro->sync, sizeof(avro->sync));
    buf_clear(&avro->block);
    avro->n_block = 0;
    if (avro->note_bytes != 0)
        fit_note(avro);
    put_header(avro, (struct str){0}, out);
    avro->is_open = true;
    return buf_check(out, "Avro header", err);
}

static enum status put_block(struct avro_encoder *avro, struct str plain, size_t n_rows,
                             struct buf *out, struct err *err)
{
    struct str packed = plain;
    if (avro->compressor.codec != AVRO_CODEC_NULL) {
        buf_clear(&avro->compressed);
        TRY(avro_compress(&avro->compressor, plain, &avro->compressed, err));
        packed = buf_as_str(&avro->compressed);
    }
    wire_put_long(out, (int64_t)n_rows);
    wire_put_bytes(out, packed);
    buf_append(out, avro->sync, sizeof(avro->sync));
    return buf_check(out, "Avro block", err);
}

static enum status write_block(struct avro_encoder *avro, struct buf *out,
                               struct err *err)
{
    if (avro->n_block == 0)
        return ST_OK;
    TRY(buf_check(&avro->block, "Avro block", err));
    TRY(put_block(avro, buf_as_str(&avro->block), avro->n_block, out, err));
    buf_clear(&avro->block);
    avro->n_block = 0;
    return ST_OK;
}

// Moves rows off the front as long as they fit; one that is larger than a block has one
// of its own.
static enum status fill_block(struct avro_encoder *avro, struct wire *wire,
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

static enum status rows(struct encoder *encoder, struct str bytes, size_t n_rows,
                        struct buf *out, struct err *err)
{
    struct avro_encoder *avro = avro_of(encoder);
    if (encoder->refused.n != 0)
        return err_set(err, ST_DATA, "%.*s", STR_ARGS(encoder->refused));
    if (avro->block.n + bytes.n > avro->block_bytes)
        TRY(write_block(avro, out, err));
    bool is_block = bytes.n > avro->block_bytes / 2 && bytes.n <= avro->block_bytes;
    if (avro->n_block == 0 && is_block) // as it is, not copied
        return put_block(avro, bytes, n_rows, out, err);
    if (bytes.n <= avro->block_bytes) {
        buf_str(&avro->block, bytes);
        avro->n_block += n_rows;
        return buf_check(&avro->block, "Avro block", err);
    }
    // More than a block: only by reading them it is known where rows end.
    struct wire wire = wire_of(bytes);
    while (n_rows > 0) {
        TRY(fill_block(avro, &wire, &n_rows, err));
        if (n_rows > 0)
            TRY(write_block(avro, out, err));
    }
    return wire.p == wire.end ? ST_OK
                              : err_set(err, ST_FAIL, "Avro rows: more than were told");
}

static enum status end(struct encoder *encoder, struct buf *out, struct err *err)
{
    struct avro_encoder *avro = avro_of(encoder);
    avro->is_open = false;
    avro->note_bytes = 0;
    return write_block(avro, out, err);
}

static void encoder_close(struct encoder *encoder)
{
    struct avro_encoder *avro = avro_of(encoder);
    for (size_t i = 0; i < avro->n_pairs; i++) {
        free(avro->pairs[i].key);
        free(avro->pairs[i].owned);
    }
    free(avro->pairs);
    avro_compressor_release(&avro->compressor);
    avro_plan_free(avro->scan);
    avro_writer_free(avro->writer);
    buf_release(&avro->block);
    buf_release(&avro->compressed);
    buf_release(&avro->why);
    free(avro);
}

static const struct encoder_ops avro_encoder_ops = {
    .fields = fields,
    .end_row = end_row,
    .begin = begin,
    .rows = rows,
    .end = end,
    .note = note,
    .close = encoder_close,
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

static void set_metadata(struct avro_encoder *avro, struct str key, struct str value)
{
    size_t i = 0;
    while (i < avro->n_pairs && !str_is(key, avro->pairs[i].key))
        i++;
    if (i == avro->n_pairs) {
        MEM_GROW(avro->pairs, avro->n_pairs, avro->pairs_capacity);
        avro->pairs[avro->n_pairs++] = (struct pair){.key = mem_strndup(key.p, key.n)};
    }
    free(avro->pairs[i].owned);
    avro->pairs[i].owned = mem_strndup(value.p, value.n);
    avro->pairs[i].value = (struct str){avro->pairs[i].owned, value.n};
}

enum status avro_encoder_open(const struct schema *columns,
                              const struct avro_encoder_options *options,
                              struct encoder **ret, struct err *err)
{
    struct avro_encoder *avro = mem_zalloc(sizeof(*avro));
    avro->encoder = (struct encoder){.ops = &avro_encoder_ops, .extension = "avro"};
    avro->block_bytes = options->block_bytes ? options->block_bytes : BLOCK_BYTES_DEFAULT;
    avro->env = options->env ? options->env : env_system();
    avro_compressor_init(&avro->compressor, options->codec);
    enum status rc = avro_writer_open(columns, &options->schema, &avro->writer, err);
    if (rc == ST_OK)
        rc = open_scan(avro->writer->schema, &avro->scan, err);
    if (rc != ST_OK) {
        encoder_close(&avro->encoder);
        return rc;
    }
    avro->encoder.schema = &avro->writer->columns;
    for (size_t i = 0; i < options->n_metadata; i++)
        set_metadata(avro, options->metadata[i].key, options->metadata[i].value);
    *ret = &avro->encoder;
    return ST_OK;
}
