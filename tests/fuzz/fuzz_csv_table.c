// SPDX-License-Identifier: Apache-2.0
// Any bytes as a table file: the rows and messages are the same whole and in small
// pieces.
#include <assert.h>

#include "fuzz_parts.h"

#include "bytes_storage.h"
#include "csv_fixture.h"

#include "csv/table.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 60000,
    .steps_a_byte = 3000,
    .bytes = 2 << 20,
    .bytes_a_byte = 3000,
    .held = 1 << 20,
    .held_a_byte = 1000,
};

static void append_rows(struct rows *rows, struct buf *text)
{
    struct batch batch;
    batch_init(&batch, rows->schema->n);
    struct arena arena = {0};
    struct err err;
    do {
        enum status rc = rows->ops->next(rows, &batch, &err);
        assert(rc == ST_OK);
        for (size_t i = 0; i < batch.n_rows; i++) {
            buf_str(text, row_text(&arena, batch_row(&batch, i), rows->schema->n));
            buf_char(text, '\n');
        }
    } while (batch.n_rows > 0);
    arena_release(&arena);
    batch_release(&batch);
}

static void append_stats(const struct rows_stats *stats, struct buf *text)
{
    buf_printf(text, "%zu %zu %zu %zu\n", stats->n_rows, stats->n_short, stats->n_tails,
               stats->n_skipped);
    for (size_t i = 0; i < stats->n_messages; i++)
        buf_printf(text, "%s\n", stats->messages[i]);
}

// All that can be seen of the table.
static void read_table(struct str bytes, bool header, size_t piece, struct buf *text)
{
    struct arena arena = {0};
    struct schema schema = schema_of(&arena, "a TEXT NOT NULL, b INT, c TEXT");
    struct bytes_storage storage = bytes_storage(bytes);
    struct csv_table_options options = {
        .header = header, .skip_errors = true, .piece_bytes = piece};
    struct rows *rows;
    struct err err = {0};
    enum status rc =
        csv_table_open(&storage.storage, BYTES_FILE, &schema, &options, &rows, &err);
    if (rc == ST_OK) {
        append_rows(rows, text);
        append_stats(csv_table_stats(rows), text);
        rows->ops->close(rows);
    } else {
        assert(rc == ST_DATA);
        buf_text(text, err.text);
    }
    arena_release(&arena);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    bool header = data[0] & 1;
    size_t piece = 1 + data[0] / 2;
    struct str bytes = {(const char *)data + 1, size - 1};
    struct buf whole = {0};
    struct buf pieces = {0};
    read_table(bytes, header, 1 << 16, &whole);
    read_table(bytes, header, piece, &pieces);
    assert(str_eq(buf_as_str(&whole), buf_as_str(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
}
