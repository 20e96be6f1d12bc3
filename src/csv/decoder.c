// SPDX-License-Identifier: Apache-2.0
#include "csv/decoder.h"

#include <stdlib.h>

#include "csv/field.h"

struct csv_decoder {
    struct decoder decoder;
    struct csv_field *fields; // one more than columns, to show the first too many
    struct buf reason;
};

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

static bool is_header(const struct schema *schema, const struct csv_line *line)
{
    for (size_t i = 0; i < schema->n; i++)
        if (!is_name(line->fields[i], schema->columns[i].name))
            return false;
    return true;
}

static void explain_count(const struct schema *schema, const struct csv_line *line,
                          struct buf *reason)
{
    if (csv_line_is_blank(line)) {
        buf_text(reason, "empty record");
        return;
    }
    buf_printf(reason, "%zu field%s for %zu column%s: ", line->n, line->n == 1 ? "" : "s",
               schema->n, schema->n == 1 ? "" : "s");
    if (line->n < schema->n) {
        buf_printf(reason, "%.*s is the first without one",
                   STR_ARGS(schema->columns[line->n].name));
        return;
    }
    buf_text(reason, "the first too many is ");
    csv_show(csv_raw(line->fields[schema->n]), reason);
}

static void explain_line(const struct schema *schema, enum csv_scan scan,
                         const struct csv_line *line, struct str bytes,
                         struct buf *reason)
{
    bool is_second_line = scan == CSV_STRAY_CR || line->size < bytes.n;
    if (csv_is_utf16(bytes))
        buf_text(reason, "the record is " CSV_UTF16_TEXT);
    else if (scan == CSV_UNCLOSED || scan == CSV_AFTER_QUOTE)
        csv_explain_scan(scan, line,
                         line->n < schema->n ? &schema->columns[line->n] : NULL, reason);
    else if (is_second_line)
        buf_text(reason, "two lines in one record; a line break in a field is quoted");
    else
        explain_count(schema, line, reason);
}

// Fills the row; false with a reason when a field does not fit its column.
static bool fill(struct csv_decoder *csv, const struct csv_line *line,
                 struct arena *arena, struct value *row)
{
    const struct schema *schema = csv->decoder.schema;
    for (size_t i = 0; i < schema->n; i++) {
        if (LIKELY(csv_value(&schema->columns[i], line->fields[i], line->plain, arena,
                             &row[i])))
            continue;
        csv_explain(&schema->columns[i], line->fields[i], &csv->reason);
        return false;
    }
    return true;
}

// True when the record gave a row or was ignored; else the reason is set.
static bool decode_line(struct csv_decoder *csv, struct str bytes, uint32_t record,
                        struct batch *batch)
{
    const struct schema *schema = csv->decoder.schema;
    struct csv_line line = {.fields = csv->fields, .capacity = schema->n + 1};
    enum csv_scan scan = csv_scan(bytes, true, &line);
    if (UNLIKELY(scan != CSV_LINE || line.n != schema->n || line.size != bytes.n)) {
        explain_line(schema, scan, &line, bytes, &csv->reason);
        return false;
    }
    if (UNLIKELY(is_header(schema, &line))) {
        batch->n_ignored++;
        return true;
    }
    if (LIKELY(fill(csv, &line, &batch->arena, batch_add(batch, record))))
        return true;
    batch_drop_last(batch);
    return false;
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

static enum status decode(struct decoder *decoder, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, UNUSED struct err *err)
{
    struct csv_decoder *csv = (struct csv_decoder *)decoder;
    for (size_t i = from; i < run->n; i++) {
        if (LIKELY(decode_record(csv, run->records[i].value, (uint32_t)i, batch)))
            continue;
        explain_avro(run->records[i].value, &csv->reason);
        batch_reject(batch, (uint32_t)i, buf_as_str(&csv->reason));
        buf_clear(&csv->reason);
    }
    *ret_next = run->n;
    return ST_OK;
}

static void decoder_close(struct decoder *decoder)
{
    struct csv_decoder *csv = (struct csv_decoder *)decoder;
    if (csv == NULL)
        return;
    buf_release(&csv->reason);
    free(csv->fields);
    free(csv);
}

static const struct decoder_ops csv_decoder_ops = {
    .decode = decode,
    .close = decoder_close,
};

enum status csv_decoder_open(const struct schema *schema, struct decoder **ret,
                             struct err *err)
{
    TRY(csv_check_schema(schema, err));
    struct csv_decoder *csv = mem_zalloc(sizeof(*csv));
    csv->decoder = (struct decoder){&csv_decoder_ops, schema};
    csv->fields = mem_array(schema->n + 1, sizeof(*csv->fields));
    *ret = &csv->decoder;
    return ST_OK;
}
