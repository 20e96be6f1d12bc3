// SPDX-License-Identifier: Apache-2.0
#include "csv/decoder.h"

#include <stdlib.h>

#include "csv/field.h"
#include "csv/plain_row.h"

struct csv_decoder {
    struct decoder decoder;
    size_t n_fields;                 // of a record
    const struct csv_header *header; // NULL: field i is column i
    bool trim;
    int key; // -1: none
    struct padded_texts padded;
    struct csv_field *fields; // one more than n_fields, to show the first too many
    bool keeps_raws;          // a record's bytes may be those of a row, see raw_of
    bool *skips;              // of a plain line: columns that need not be read
    size_t *numbers;          // columns that are not TEXT
    size_t n_numbers;
    bool has_plain; // most records are read by it
    struct csv_plain_row plain;
    struct buf reason;
};

static size_t field_of(const struct csv_decoder *csv, size_t column)
{
    return csv->header == NULL ? column : csv->header->columns[column];
}

// The column of field `index`, NULL when it is none of the schema's.
static const struct column *column_of(const struct csv_decoder *csv, size_t index)
{
    const struct schema *schema = csv->decoder.schema;
    for (size_t i = 0; i < schema->n; i++)
        if (field_of(csv, i) == index)
            return &schema->columns[i];
    return NULL;
}

static bool is_edge_space(struct csv_field field)
{
    return field.p[0] <= ' ' || field.p[field.n - 1] <= ' ';
}

static bool is_name(struct csv_field field, struct str name)
{
    if (field.n < name.n || (field.n > name.n && !is_edge_space(field)))
        return false; // what nearly every field comes to
    return str_eq(str_trim(csv_raw(field)), name);
}

static bool is_header(const struct csv_decoder *csv, const struct csv_line *line)
{
    const struct schema *schema = csv->decoder.schema;
    for (size_t i = 0; i < schema->n; i++) {
        size_t at = field_of(csv, i);
        if (at != CSV_NO_FIELD && !is_name(line->fields[at], schema->columns[i].name))
            return false;
    }
    return true;
}

static void explain_count(const struct csv_decoder *csv, const struct csv_line *line,
                          struct buf *reason)
{
    size_t n = csv->n_fields;
    if (csv_line_is_blank(line)) {
        buf_text(reason, "empty record");
        return;
    }
    buf_printf(reason, "%zu field%s for %zu column%s%s: ", line->n,
               line->n == 1 ? "" : "s", n, n == 1 ? "" : "s",
               csv->header ? " of the header" : "");
    if (line->n > n) {
        buf_text(reason, "the first too many is ");
        csv_show(csv_raw(line->fields[n]), reason);
        return;
    }
    const struct column *column = column_of(csv, line->n);
    if (column != NULL)
        buf_printf(reason, "%.*s is the first without one", STR_ARGS(column->name));
    else
        buf_printf(reason, "field %zu is the first that is missing", line->n + 1);
}

static void explain_line(const struct csv_decoder *csv, enum csv_scan scan,
                         const struct csv_line *line, struct str bytes,
                         struct buf *reason)
{
    const char *other = csv_no_text(bytes);
    if (other != NULL)
        buf_printf(reason, "the record is %s", other);
    else if (scan == CSV_UNCLOSED || scan == CSV_AFTER_QUOTE || scan == CSV_CR_CR_LF)
        csv_explain_scan(scan, line, column_of(csv, line->n), reason);
    else if (scan == CSV_STRAY_CR || line->size < bytes.n)
        buf_text(reason, "two lines in one record; a line break in a field is quoted");
    else
        explain_count(csv, line, reason);
}

static bool fill_column(struct csv_decoder *csv, size_t column, struct csv_field field,
                        bool plain, struct arena *arena, struct value *ret)
{
    const struct column *to = &csv->decoder.schema->columns[column];
    if (LIKELY(csv_value(to, field, plain, arena, ret)))
        return true;
    csv_explain(to, field, &csv->reason);
    return false;
}

// As the header says; see fill.
COLD static bool fill_by_name(struct csv_decoder *csv, const struct csv_line *line,
                              struct arena *arena, struct value *row)
{
    const struct schema *schema = csv->decoder.schema;
    for (size_t i = 0; i < schema->n; i++) {
        size_t at = field_of(csv, i);
        struct csv_field field = {.p = ""};
        if (at != CSV_NO_FIELD)
            field = csv->trim ? csv_trimmed(line->fields[at]) : line->fields[at];
        if (!fill_column(csv, i, field, line->plain, arena, &row[i]))
            return false;
    }
    return true;
}

// Fills the row; false with a reason when a field does not fit its column.
static bool fill(struct csv_decoder *csv, const struct csv_line *line,
                 struct arena *arena, struct value *row)
{
    if (UNLIKELY(csv->header != NULL || csv->trim))
        return fill_by_name(csv, line, arena, row);
    size_t n = csv->decoder.schema->n;
    for (size_t i = 0; i < n; i++) {
        if (csv->skips[i] && line->plain)
            continue;
        if (UNLIKELY(!fill_column(csv, i, line->fields[i], line->plain, arena, &row[i])))
            return false;
    }
    return true;
}

// Whether a line that has not the fields of a row is one all the same.
COLD static bool is_row(struct csv_decoder *csv, enum csv_scan scan,
                        const struct csv_line *line, struct str bytes)
{
    bool is = scan == CSV_LINE && line->size == bytes.n &&
              csv_line_has_empty_tail(line, csv->n_fields, bytes);
    csv->decoder.n_tails += is;
    return is;
}

// As value_format writes it; the field has been read as a number.
static bool is_canonical(struct csv_field field)
{
    if (field.n <= 1)
        return true; // of NULL, too
    size_t at = field.p[0] == '-';
    char last = field.p[field.n - 1];
    return field.p[at] >= '1' && field.p[at] <= '9' && last >= '0' && last <= '9';
}

// The record's fields, when an encoder would write the row with the very same bytes.
static struct str raw_of(const struct csv_decoder *csv, const struct csv_line *line)
{
    const struct csv_field *first = &line->fields[0];
    const struct csv_field *last = &line->fields[csv->n_fields - 1];
    bool is = line->plain && !line->has_quotes;
    for (size_t i = 0; i < csv->n_numbers && is; i++)
        is = is_canonical(line->fields[csv->numbers[i]]);
    return is ? (struct str){first->p, (size_t)(last->p + last->n - first->p)}
              : (struct str){0};
}

// True when the record gave a row or was ignored; else the reason is set.
static bool decode_line(struct csv_decoder *csv, struct str bytes, uint32_t record,
                        struct batch *batch)
{
    struct csv_line line = {.fields = csv->fields, .capacity = csv->n_fields + 1};
    enum csv_scan scan = csv_scan(bytes, true, &line);
    bool fits = scan == CSV_LINE && line.n == csv->n_fields && line.size == bytes.n;
    if (UNLIKELY(!fits && !is_row(csv, scan, &line, bytes))) {
        explain_line(csv, scan, &line, bytes, &csv->reason);
        return false;
    }
    if (UNLIKELY(is_header(csv, &line))) {
        batch->n_ignored++;
        return true;
    }
    struct value *row = batch_add(batch, record);
    if (UNLIKELY(!fill(csv, &line, &batch->arena, row))) {
        batch_drop_last(batch);
        return false;
    }
    if (csv->keeps_raws)
        batch->raws[batch->n_rows - 1] = raw_of(csv, &line);
    if (csv->key >= 0 && UNLIKELY(csv_is_padded(row[csv->key])))
        csv_note_padded(&csv->padded, row[csv->key]);
    return true;
}

static bool decode_record(struct csv_decoder *csv, struct str bytes, uint32_t record,
                          struct batch *batch)
{
    if (bytes.p == NULL) {
        batch->n_ignored++;
        return true;
    }
    size_t bom = csv_bom(bytes);
    bytes = (struct str){bytes.p + bom, bytes.n - bom};
    if (bytes.n <= CSV_RECORD_MAX)
        return decode_line(csv, bytes, record, batch);
    buf_printf(&csv->reason, "a record of %zu bytes; at most %d are read", bytes.n,
               CSV_RECORD_MAX);
    return false;
}

// A zero byte is in no CSV; Confluent's framing of Avro begins with one.
static void explain_avro(struct str bytes, struct buf *reason)
{
    if (bytes.n > 5 && bytes.p[0] == '\0')
        buf_text(reason, "; it begins as Avro with a schema id does: is the stream "
                         "format = 'avro'?");
}

// LF, CR LF or CR, which is no data.
static struct str without_line_end(struct str bytes)
{
    if (LIKELY(bytes.n == 0 || bytes.p[bytes.n - 1] >= ' '))
        return bytes;
    bytes.n -= bytes.p[bytes.n - 1] == '\n';
    bytes.n -= bytes.n > 0 && bytes.p[bytes.n - 1] == '\r';
    return bytes;
}

// Its first field is that of a header, or may be.
COLD static bool may_begin_header(const struct csv_decoder *csv, struct str bytes)
{
    struct str first = str_cut(&bytes, CSV_SEPARATOR);
    const struct csv_field field = {.p = first.p, .n = (uint32_t)first.n};
    return is_name(field, csv->decoder.schema->columns[0].name);
}

// Takes the plain records [from, to) that are surely no header line, up to one that is
// not, and returns its index. The batch has room.
static size_t take_plain(struct csv_decoder *csv, const struct run *run, size_t from,
                         size_t to, struct batch *batch)
{
    const size_t n_columns = batch->n_columns;
    const char first = csv->decoder.schema->columns[0].name.p[0];
    struct value *row = batch_spare(batch);
    uint32_t *records = batch->records + batch->n_rows;
    struct str *raws = batch->separator != 0 ? batch->raws + batch->n_rows : NULL;
    size_t i = from;
    for (; i < to; i++, row += n_columns) {
        struct str bytes = without_line_end(run->records[i].value);
        bool is_canonical;
        if (UNLIKELY(!csv_plain_row(&csv->plain, bytes, row, &is_canonical)))
            break;
        if (UNLIKELY(bytes.p[0] == first || bytes.p[0] <= ' ') &&
            may_begin_header(csv, bytes))
            break;
        if (csv->key >= 0 && UNLIKELY(csv_is_padded(row[csv->key])))
            csv_note_padded(&csv->padded, row[csv->key]);
        *records++ = (uint32_t)i;
        if (raws != NULL)
            *raws++ = is_canonical ? bytes : (struct str){0};
    }
    batch->n_rows += i - from;
    return i;
}

static void take_one(struct csv_decoder *csv, const struct run *run, size_t i,
                     struct batch *batch)
{
    if (decode_record(csv, run->records[i].value, (uint32_t)i, batch))
        return;
    explain_avro(run->records[i].value, &csv->reason);
    batch_reject(batch, (uint32_t)i, buf_as_str(&csv->reason));
    buf_clear(&csv->reason);
}

static enum status decode(struct decoder *decoder, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, UNUSED struct err *err)
{
    struct csv_decoder *csv = (struct csv_decoder *)decoder;
    size_t i = from;
    if (csv->keeps_raws && batch->separator == 0)
        batch_keep_raws(batch, CSV_SEPARATOR);
    while (i < run->n && (i == from || !batch_is_full(batch))) {
        size_t look = (i | (BATCH_LOOK - 1)) + 1;
        size_t to = look < run->n ? look : run->n;
        batch_reserve_rows(batch, to - i);
        while (i < to) {
            if (LIKELY(csv->has_plain))
                i = take_plain(csv, run, i, to, batch);
            if (UNLIKELY(i < to))
                take_one(csv, run, i++, batch);
        }
    }
    *ret_next = i;
    return ST_OK;
}

// For a person.

static struct str kept_reason(struct csv_decoder *csv, struct arena *arena)
{
    struct str reason =
        csv->reason.n > 0 ? arena_str(arena, buf_as_str(&csv->reason)) : (struct str){0};
    buf_clear(&csv->reason);
    return reason;
}

// The fields that a line has, as many as a row may want.
static void read_fields(struct csv_decoder *csv, const struct csv_line *line,
                        struct arena *arena, struct partial_record *ret)
{
    const struct schema *schema = csv->decoder.schema;
    for (size_t i = 0; i < schema->n; i++) {
        struct partial_column *column = &ret->columns[i];
        size_t at = field_of(csv, i);
        struct csv_field field = {.p = ""};
        if (at != CSV_NO_FIELD && at >= line->n)
            continue;
        if (at != CSV_NO_FIELD)
            field = csv->trim ? csv_trimmed(line->fields[at]) : line->fields[at];
        column->is_read =
            csv_value(&schema->columns[i], field, line->plain, arena, &column->value);
        if (column->is_read)
            continue;
        column->bytes = csv_raw(field);
        if (csv->reason.n == 0)
            csv_explain(&schema->columns[i], field, &csv->reason);
    }
}

// What follows the last field that was found, where there is more.
static struct str rest_of(const struct csv_line *line, struct str bytes)
{
    struct str rest = bytes;
    if (line->n > line->capacity)
        return (struct str){0};
    if (line->n > 0) {
        const struct csv_field *last = &line->fields[line->n - 1];
        rest.n = (size_t)(bytes.p + bytes.n - last->p) - last->n;
        rest.p = last->p + last->n;
        (void)str_cut(&rest, CSV_SEPARATOR);
    }
    return rest;
}

static void read_line(struct csv_decoder *csv, struct str bytes, struct arena *arena,
                      struct partial_record *ret)
{
    struct csv_line line = {.fields = csv->fields, .capacity = csv->n_fields + 1};
    enum csv_scan scan = csv_scan(bytes, true, &line);
    bool fits =
        scan == CSV_LINE && line.size == bytes.n &&
        (line.n == csv->n_fields || csv_line_has_empty_tail(&line, csv->n_fields, bytes));
    if (!fits)
        explain_line(csv, scan, &line, bytes, &csv->reason);
    line.plain = line.plain && scan == CSV_LINE;
    if (csv_no_text(bytes) != NULL) {
        ret->rest = bytes;
        return;
    }
    if (scan != CSV_LINE)
        ret->rest = rest_of(&line, bytes);
    read_fields(csv, &line, arena, ret);
}

void csv_decoder_read_partly(struct decoder *decoder, const struct record *record,
                             struct arena *arena, struct partial_record *ret)
{
    struct csv_decoder *csv = (struct csv_decoder *)decoder;
    struct str bytes = record->value;
    *ret = (struct partial_record){
        .columns = arena_array(arena, decoder->schema->n, sizeof(*ret->columns))};
    size_t bom = bytes.p != NULL ? csv_bom(bytes) : 0;
    if (bytes.p == NULL)
        buf_text(&csv->reason, "it has no value");
    else if (bytes.n - bom > CSV_RECORD_MAX)
        buf_printf(&csv->reason, "a record of %zu bytes; at most %d are read",
                   bytes.n - bom, CSV_RECORD_MAX);
    else
        read_line(csv, (struct str){bytes.p + bom, bytes.n - bom}, arena, ret);
    if (csv->reason.n > 0)
        explain_avro(bytes, &csv->reason);
    ret->error = kept_reason(csv, arena);
}

static void decoder_close(struct decoder *decoder)
{
    struct csv_decoder *csv = (struct csv_decoder *)decoder;
    if (csv == NULL)
        return;
    buf_release(&csv->reason);
    csv_plain_row_release(&csv->plain);
    free(csv->fields);
    free(csv->numbers);
    free(csv->skips);
    free(csv);
}

static const struct decoder_ops csv_decoder_ops = {
    .decode = decode,
    .close = decoder_close,
};

// REAL and BOOLEAN have more forms than are worth a look.
static void find_numbers(struct csv_decoder *csv)
{
    const struct schema *schema = csv->decoder.schema;
    csv->keeps_raws = csv->header == NULL && !csv->trim;
    csv->numbers = mem_array(schema->n, sizeof(size_t));
    for (size_t i = 0; i < schema->n; i++) {
        enum type type = schema->columns[i].type;
        if (type != TYPE_TEXT)
            csv->numbers[csv->n_numbers++] = i;
        if (type != TYPE_TEXT && type != TYPE_INT && type != TYPE_BIGINT)
            csv->keeps_raws = false;
    }
}

// Any plain field is a TEXT, so that it need not be looked at.
static void find_skips(struct csv_decoder *csv, const bool *used)
{
    const struct schema *schema = csv->decoder.schema;
    csv->skips = mem_array(schema->n, sizeof(bool));
    for (size_t i = 0; used != NULL && i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        csv->skips[i] = !used[i] && column->type == TYPE_TEXT && column->nullable;
    }
}

enum status csv_decoder_open(const struct schema *schema,
                             const struct csv_decoder_options *options,
                             struct decoder **ret, struct err *err)
{
    static const struct csv_decoder_options none = {.key = -1};
    if (options == NULL)
        options = &none;
    TRY(csv_check_schema(schema, err));
    struct csv_decoder *csv = mem_zalloc(sizeof(*csv));
    csv->decoder = (struct decoder){
        .ops = &csv_decoder_ops, .schema = schema, .padded = &csv->padded};
    csv->n_fields = options->header ? options->header->n_fields : schema->n;
    if (options->header != NULL && !csv_header_is_by_position(schema, options->header))
        csv->header = options->header;
    csv->trim = options->trim;
    csv->key = options->key;
    csv->fields = mem_array(csv->n_fields + 1, sizeof(*csv->fields));
    find_numbers(csv);
    find_skips(csv, options->used);
    csv->has_plain = csv_plain_row_init(&csv->plain, schema, csv->skips) &&
                     csv->header == NULL && !csv->trim;
    *ret = &csv->decoder;
    return ST_OK;
}
