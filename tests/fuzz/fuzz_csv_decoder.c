// SPDX-License-Identifier: Apache-2.0
// Any bytes as a stream record: one row, one reject or ignored; a row that is encoded
// reads back the same.
#include <assert.h>

#include "fuzz_parts.h"

#include "csv_fixture.h"

#include "csv/decoder.h"
#include "csv/row_format.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 5000,
    .steps_a_byte = 300,
    .bytes = 1 << 20,
    .bytes_a_byte = 200,
    .held = 500000,
    .held_a_byte = 100,
};

static void decode(struct decoder *decoder, struct str value, struct batch *batch)
{
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    struct err err;
    size_t next;
    enum status rc = decoder->ops->decode(decoder, &run, 0, batch, &next, &err);
    assert(rc == ST_OK && next == 1);
    assert(batch->n_rows + batch->n_rejects + batch->n_ignored == 1);
    if (batch->n_rejects) {
        struct str reason = batch->rejects[0].reason;
        assert(reason.n > 0 && str_utf8_valid(reason) == reason.n);
    }
}

static void check_reads_back(struct decoder *decoder, const struct batch *batch)
{
    const struct schema *schema = decoder->schema;
    const struct value *row = batch_row(batch, 0);
    struct row_format *row_format = csv_row_format_open(schema);
    struct buf bytes = {0};
    struct batch again;
    batch_init(&again, schema->n);
    row_format->ops->fields(row_format, 0, row, schema->n, &bytes);
    row_format->ops->end_row(row_format, &bytes);
    decode(decoder, buf_as_str(&bytes), &again);
    assert(again.n_rows == 1);
    for (size_t i = 0; i < schema->n; i++)
        assert(value_eq(row[i], batch_row(&again, 0)[i]));
    batch_release(&again);
    buf_release(&bytes);
    row_format->ops->close(row_format);
}

static void check(const char *columns, struct str value)
{
    struct arena arena = {0};
    struct schema schema = schema_of(&arena, columns);
    struct decoder *decoder;
    struct err err;
    enum status rc = csv_decoder_open(&schema, NULL, &decoder, &err);
    assert(rc == ST_OK);
    struct batch batch;
    batch_init(&batch, schema.n);
    decode(decoder, value, &batch);
    if (batch.n_rows)
        check_reads_back(decoder, &batch);
    batch_release(&batch);
    decoder->ops->close(decoder);
    arena_release(&arena);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); // exactly as long: a read past the end is seen
    char *bytes = realloc(copy, size ? size : 1);
    memcpy(bytes, data, size);
    struct str value = {bytes, size};
    check("a TEXT NOT NULL, b INT, c TEXT", value);
    check("a REAL, b BOOLEAN", value);
    check("a TEXT", value);
    free(bytes);
}
