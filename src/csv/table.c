// SPDX-License-Identifier: Apache-2.0
#include "csv/table.h"

#include <assert.h>
#include <stdlib.h>

#include "csv/field.h"
#include "csv/header.h"
#include "csv/plain_row.h"

enum {
    PIECE_BYTES = 4 << 20,
    BATCH_ROWS = 4096
};

struct csv_table {
    struct rows rows;
    struct storage_reader reader; // unless it has another one
    struct csv_window window;
    struct csv_header header;
    struct csv_field *fields; // one more than the header, to show the first too many
    char *path;
    char *name; // for messages
    const char *skipping;
    size_t line; // physical line that the next record begins on, from 1
    bool has_header;
    bool skip_errors;
    bool trim;
    bool may_be_empty;
    bool is_passing;    // the rest of a bad physical line
    bool blank_is_null; // one nullable column: see csv/row_format.h
    bool has_plain;     // most records are read by it
    struct csv_plain_row plain;
    struct padded_texts *padded; // of each column of the schema
    struct rows_stats stats;
    struct arena messages;
};

// A row that is none: the error, or a message among the stats.
static enum status bad_row(struct csv_table *table, struct buf *reason, struct err *err)
{
    struct rows_stats *stats = &table->stats;
    if (!table->skip_errors) {
        enum status rc =
            err_set(err, ST_DATA, "%s:%zu: %s; %s leaves such rows out", table->name,
                    table->line, buf_cstr(reason), table->skipping);
        buf_clear(reason);
        return rc;
    }
    stats->n_skipped++;
    if (stats->n_messages < ROWS_MESSAGES)
        stats->messages[stats->n_messages++] = arena_printf(
            &table->messages, "%s:%zu: %s", table->name, table->line, buf_cstr(reason));
    buf_clear(reason);
    return ST_OK;
}

// The column of field `index`, NULL when it is none of the schema's.
static const struct column *column_of(const struct csv_table *table, size_t index)
{
    const struct schema *schema = table->rows.schema;
    for (size_t i = 0; i < schema->n; i++)
        if (table->header.columns[i] == index)
            return &schema->columns[i];
    return NULL;
}

static void explain_too_many(const struct csv_table *table, const struct csv_line *line,
                             struct buf *reason)
{
    size_t n = table->header.n_fields;
    buf_printf(reason, "%zu fields for %zu column%s of the %s: the first too many is ",
               line->n, n, n == 1 ? "" : "s", table->has_header ? "header" : "table");
    csv_show(csv_raw(line->fields[n]), reason);
}

static bool fill_row(struct csv_table *table, const struct csv_line *line,
                     struct batch *batch, struct buf *reason)
{
    static const struct csv_field none = {.p = ""};
    const struct schema *schema = table->rows.schema;
    struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
    for (size_t i = 0; i < schema->n; i++) {
        size_t at = table->header.columns[i];
        struct csv_field field = at < line->n ? line->fields[at] : none;
        if (UNLIKELY(table->trim))
            field = csv_trimmed(field);
        if (csv_value(&schema->columns[i], field, line->plain, &batch->arena, &row[i])) {
            if (UNLIKELY(csv_is_padded(row[i])))
                csv_note_padded(&table->padded[i], row[i]);
            continue;
        }
        csv_explain(&schema->columns[i], field, reason);
        batch_drop_last(batch);
        return false;
    }
    return true;
}

static enum status add_row(struct csv_table *table, const struct csv_line *line,
                           struct batch *batch, struct err *err)
{
    AUTO(buf_release) struct buf reason = {0};
    size_t n_fields = table->header.n_fields;
    if (csv_line_is_blank(line) && !(table->blank_is_null && line->fields[0].n == 0))
        return ST_OK;
    bool has_tail =
        line->n > n_fields &&
        csv_line_has_empty_tail(line, n_fields, csv_window_rest(&table->window));
    if (line->n > n_fields && !has_tail) {
        explain_too_many(table, line, &reason);
        return bad_row(table, &reason, err);
    }
    if (!fill_row(table, line, batch, &reason))
        return bad_row(table, &reason, err);
    table->stats.n_rows++;
    table->stats.n_short += line->n < n_fields;
    table->stats.n_tails += has_tail;
    return ST_OK;
}

static enum status bad_line(struct csv_table *table, enum csv_scan scan,
                            const struct csv_line *line, struct err *err)
{
    AUTO(buf_release) struct buf reason = {0};
    csv_explain_scan(scan, line, column_of(table, line->n), &reason);
    TRY(bad_row(table, &reason, err));
    table->line++;
    table->is_passing = true;
    return ST_OK;
}

static void note_padded(struct csv_table *table, const struct value *row)
{
    for (size_t i = 0; i < table->rows.schema->n; i++)
        if (UNLIKELY(csv_is_padded(row[i])))
            csv_note_padded(&table->padded[i], row[i]);
}

// Takes plain records, up to one that is not, or does not end in the window.
static void take_plain(struct csv_table *table, struct batch *batch)
{
    struct csv_window *window = &table->window;
    while (batch->n_rows < BATCH_ROWS) {
        struct str rest = csv_window_rest(window), bytes = rest;
        bool is_canonical;
        const char *end = rest.n > 0 ? memchr(rest.p, '\n', rest.n) : NULL;
        if (end == NULL)
            return;
        bytes.n = (size_t)(end - rest.p);
        bytes.n -= bytes.n > 0 && bytes.p[bytes.n - 1] == '\r';
        batch_reserve(batch);
        struct value *row = batch_spare(batch);
        if (!csv_plain_row(&table->plain, bytes, row, &is_canonical))
            return;
        note_padded(table, row);
        batch_keep(batch, (uint32_t)batch->n_rows, (struct str){0});
        table->stats.n_rows++;
        table->line++;
        csv_window_pass(window, (size_t)(end - rest.p) + 1);
    }
}

// Takes records, or passes the rest of a bad line; *ret_more when the window must be
// filled first.
static enum status take(struct csv_table *table, struct batch *batch, bool *ret_more,
                        struct err *err)
{
    struct csv_line line = {.fields = table->fields,
                            .capacity = table->header.n_fields + 1};
    if (UNLIKELY(table->is_passing)) {
        table->is_passing = !csv_window_pass_line(&table->window);
        *ret_more = table->is_passing;
        return ST_OK;
    }
    if (table->has_plain)
        take_plain(table, batch);
    *ret_more = false;
    if (batch->n_rows == BATCH_ROWS || csv_window_is_over(&table->window))
        return ST_OK;
    enum csv_scan scan = csv_window_scan(&table->window, &line);
    *ret_more = scan == CSV_MORE;
    if (scan == CSV_MORE)
        return ST_OK;
    if (UNLIKELY(scan != CSV_LINE))
        return bad_line(table, scan, &line, err);
    TRY(add_row(table, &line, batch, err));
    table->line += line.n_breaks;
    csv_window_pass(&table->window, line.size);
    return ST_OK;
}

static enum status next(struct rows *rows, struct batch *batch, struct err *err)
{
    struct csv_table *table = (struct csv_table *)rows;
    assert(batch->n_columns == rows->schema->n);
    batch_clear(batch);
    while (batch->n_rows < BATCH_ROWS && !csv_window_is_over(&table->window)) {
        bool more;
        TRY(take(table, batch, &more, err));
        if (!more)
            continue;
        if (batch->n_rows > 0)
            break; // its values borrow the window
        TRY(csv_window_fill(&table->window, err));
    }
    return ST_OK;
}

static void table_close(struct rows *rows)
{
    struct csv_table *table = (struct csv_table *)rows;
    if (table == NULL)
        return;
    csv_window_release(&table->window);
    csv_header_release(&table->header);
    csv_plain_row_release(&table->plain);
    storage_reader_release(&table->reader);
    arena_release(&table->messages);
    free(table->fields);
    free(table->padded);
    free(table->path);
    free(table->name);
    free(table);
}

static const struct rows_ops csv_table_ops = {
    .next = next,
    .close = table_close,
};

// A line of white space is no record: of one column it would be.
static void find_plain(struct csv_table *table)
{
    const struct schema *schema = table->rows.schema;
    bool *skips = mem_array(schema->n, sizeof(*skips));
    table->has_plain = csv_plain_row_init(&table->plain, schema, skips) &&
                       schema->n > 1 && !table->trim &&
                       csv_header_is_by_position(schema, &table->header);
    free(skips);
}

static enum status read_header(struct csv_table *table, struct err *err)
{
    const struct schema *schema = table->rows.schema;
    TRY(csv_window_begin(&table->window, err));
    enum status rc = ST_OK;
    if (table->has_header)
        rc = csv_header_read(&table->window, schema, &table->header, err);
    struct rows_stats *stats = &table->stats;
    stats->is_empty =
        rc == ST_DATA && table->may_be_empty && csv_window_is_over(&table->window);
    if (!stats->is_empty)
        TRY(rc);
    if (!table->has_header || stats->is_empty)
        csv_header_by_position(schema, &table->header);
    stats->absent = table->header.absent;
    table->line = 1 + table->header.n_lines;
    table->fields = mem_array(table->header.n_fields + 1, sizeof(*table->fields));
    table->blank_is_null = table->header.n_fields == 1 && schema->columns[0].nullable;
    find_plain(table);
    return ST_OK;
}

static struct csv_table *make(const char *name, const struct schema *schema,
                              const struct csv_table_options *options)
{
    struct csv_table *table = mem_zalloc(sizeof(*table));
    table->rows = (struct rows){.ops = &csv_table_ops, .schema = schema};
    table->name = mem_strdup(name);
    table->padded = mem_zalloc((schema->n + 1) * sizeof(*table->padded));
    table->stats.padded = table->padded;
    table->has_header = options->header;
    table->skip_errors = options->skip_errors;
    table->skipping = options->skipping ? options->skipping : "on_error = 'skip'";
    table->trim = options->trim;
    table->may_be_empty = options->may_be_empty;
    return table;
}

static enum status begin(struct csv_table *table, struct reader *reader, size_t piece,
                         struct rows **ret, struct err *err)
{
    csv_window_init(&table->window, reader, 0, piece);
    enum status rc = read_header(table, err);
    if (rc == ST_DATA && !table->window.has_failed)
        rc = err_context(err, rc, "%s", table->name);
    if (rc == ST_OK)
        *ret = &table->rows;
    else
        table_close(&table->rows);
    return rc;
}

static size_t piece_of(const struct csv_table_options *options)
{
    return options->piece_bytes ? options->piece_bytes : PIECE_BYTES;
}

enum status csv_table_open(struct storage *storage, struct str path,
                           const struct schema *schema,
                           const struct csv_table_options *options, struct rows **ret,
                           struct err *err)
{
    TRY(csv_check_schema(schema, err));
    AUTO(mem_auto_free)
    char *name = mem_printf("%s/%.*s", storage->url, STR_ARGS(path));
    struct csv_table *table = make(name, schema, options);
    table->path = mem_strndup(path.p, path.n);
    storage_reader_init(&table->reader, storage, str_of(table->path), piece_of(options));
    return begin(table, &table->reader.reader, piece_of(options), ret, err);
}

enum status csv_table_read(struct reader *reader, const char *name,
                           const struct schema *schema,
                           const struct csv_table_options *options, struct rows **ret,
                           struct err *err)
{
    TRY(csv_check_schema(schema, err));
    return begin(make(name, schema, options), reader, piece_of(options), ret, err);
}

const struct rows_stats *csv_table_stats(const struct rows *rows)
{
    return &((const struct csv_table *)rows)->stats;
}
