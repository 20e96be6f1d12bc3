// SPDX-License-Identifier: Apache-2.0
// Format csv as scripts name it.
#include "core/format.h"

#include <stdlib.h>

#include "base/log.h"
#include "csv/decoder.h"
#include "csv/duckdb.h"
#include "csv/file_stream.h"
#include "csv/file_topic.h"
#include "csv/file_writer.h"
#include "csv/row_format.h"
#include "csv/table.h"

static const struct option_def csv_options[] = {
    {"header", OPTION_BOOLEAN, "true", 0, 0, NULL, OPTION_READERS,
     "files begin with a line of column names"},
    {"trim", OPTION_BOOLEAN, "false", 0, 0, NULL, 0,
     "blanks and tabs at the ends of a text are not part of it"},
};

// Records.

static enum status open_decoder(const struct format_table *table,
                                const struct decoder_request *request,
                                struct decoder **ret, struct err *err)
{
    struct str key = request->key;
    const struct csv_decoder_options options = {
        .header = request->stream ? csv_file_stream_header(request->stream) : NULL,
        .trim = options_number(table->options, "trim"),
        .key = key.n ? schema_find(table->columns, key) : -1,
        .used = request->used,
    };
    return csv_decoder_open(table->columns, &options, ret, err);
}

struct csv_record_encoder {
    struct record_encoder record; // first member
    struct row_format *row_format;
};

static enum status encode(struct record_encoder *record, const struct value *row,
                          struct buf *out, struct err *err)
{
    struct row_format *row_format = ((struct csv_record_encoder *)record)->row_format;
    row_format->ops->fields(row_format, 0, row, row_format->schema->n, out);
    return buf_check(out, "record", err);
}

static void record_close(struct record_encoder *record)
{
    struct csv_record_encoder *csv = (struct csv_record_encoder *)record;
    csv->row_format->ops->close(csv->row_format);
    free(csv);
}

static const struct record_encoder_ops record_ops = {
    .encode = encode,
    .close = record_close,
};

static enum status open_record_encoder(const struct format_table *table,
                                       struct record_encoder **ret,
                                       UNUSED struct err *err)
{
    struct csv_record_encoder *csv = mem_zalloc(sizeof(*csv));
    csv->record.ops = &record_ops;
    csv->row_format = csv_row_format_open(table->columns);
    *ret = &csv->record;
    return ST_OK;
}

static enum status read_partly(struct decoder *decoder, const struct record *record,
                               struct arena *arena, struct partial_record *ret,
                               UNUSED struct err *err)
{
    csv_decoder_read_partly(decoder, record, arena, ret);
    return ST_OK;
}

static const struct format_records records = {
    .open_decoder = open_decoder,
    .open_encoder = open_record_encoder,
    .read_partly = read_partly,
};

static enum status open_file_stream(const struct format_table *table, struct topic *topic,
                                    size_t run_records, struct stream **ret,
                                    struct err *err)
{
    bool header = options_number(table->options, "header");
    TRY(csv_file_stream_open(topic, header ? table->columns : NULL, ret, err));
    csv_file_stream_limit(*ret, run_records);
    const struct csv_header *found = csv_file_stream_header(*ret);
    if (found != NULL && found->absent != NULL)
        log_warn("%s has no %s: NULL in every record", csv_file_topic_file(topic).path,
                 found->absent);
    return ST_OK;
}

static const struct format_file_stream file_stream = {
    .open_topic = csv_file_topic_open,
    .open = open_file_stream,
};

// Files.

static enum status check(UNUSED const struct format_table *table, UNUSED struct err *err)
{
    return ST_OK;
}

static enum status open_rows(const struct format_table *table,
                             const struct rows_request *request, struct storage *storage,
                             struct str path, struct rows **ret, struct err *err)
{
    const struct csv_table_options options = {
        .header = options_number(table->options, "header"),
        .skip_errors = request->skip_errors,
        .trim = options_number(table->options, "trim"),
        .may_be_empty = request->may_be_empty,
    };
    return csv_table_open(storage, path, table->columns, &options, ret, err);
}

static enum status open_row_format(const struct format_table *table,
                                   struct row_format **ret, UNUSED struct err *err)
{
    *ret = csv_row_format_open(table->columns);
    return ST_OK;
}

static enum status open_writer(const struct format_table *table,
                               UNUSED const char *plan_hash, struct file_writer **ret,
                               UNUSED struct err *err)
{
    *ret = csv_file_writer_open(table->columns, options_number(table->options, "header"));
    return ST_OK;
}

static const struct format_files files = {
    .extension = "csv",
    .check = check,
    .open_rows = open_rows,
    .stats = csv_table_stats,
    .open_row_format = open_row_format,
    .open_writer = open_writer,
    .duckdb_setup = "",
    .duckdb = csv_duckdb,
};

const struct format csv_format = {
    .options =
        {
            .name = "csv",
            .about = "Format csv, beside the connector's options",
            .defs = csv_options,
            .n = ARRAY_LEN(csv_options),
        },
    .title = "CSV",
    .lacks = 1U << TYPE_BYTES,
    .is_of_feeds = true,
    .is_of_spark = true,
    .records = &records,
    .files = &files,
    .file_stream = &file_stream,
};
