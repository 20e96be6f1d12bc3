// SPDX-License-Identifier: Apache-2.0
// Format avro as scripts name it.
#include "core/format.h"

#include <stdlib.h>

#include "avro/decoder.h"
#include "avro/file_writer.h"
#include "avro/frame.h"
#include "avro/reader.h"
#include "avro/record_encoder.h"
#include "avro/row_format.h"
#include "avro/schema.h"
#include "avro/table.h"
#include "base/text.h"
#include "base/text_file.h"

static const struct option_def avro_options[] = {
    {"codec", OPTION_CHOICE, "deflate", 0, 0, "null|deflate|snappy|zstandard", 0,
     "compression of container files"},
    {"block.bytes", OPTION_BYTES, "256kB", 1 * OPTION_KIB, 16 * OPTION_MIB, NULL, 0,
     "size of a container file's block before compression"},
    {"schema", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_BESIDE,
     "file with the Avro schema, its path from the script's directory; default: made "
     "from "
     "the columns"},
    {"schema.name", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "name of the record; default: the table's name"},
    {"schema.namespace", OPTION_TEXT, NULL, 0, 0, NULL, 0, "namespace of the record"},
    {"registry", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REGISTRY,
     "Schema Registry: http://host:port/path; several by commas"},
    {"registry.user", OPTION_TEXT, NULL, 0, 0, NULL, 0, "user name for the registry"},
    {"registry.password", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_SECRET,
     "password for the registry"},
    {"registry.token", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_SECRET,
     "bearer token for the registry"},
    {"registry.ca_file", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "certificates to trust for the registry, as PEM"},
    {"registry.timeout", OPTION_DURATION, "10s", 100, 600 * OPTION_SEC, NULL, 0,
     "longest wait for one answer of the registry"},
    {"registry.retry", OPTION_DURATION, "15min", 0, OPTION_DAY, NULL, 0,
     "run: how long a partition waits for a schema before the job stops"},
    {"registry.unknown", OPTION_DURATION, "10s", 0, OPTION_DAY, NULL, 0,
     "run: how long a schema id that the registry does not know is waited for before its "
     "records are dead letters"},
    {"subject", OPTION_TEXT, "topic", 0, 0, NULL, 0,
     "subject of the schema: topic, record, topic-record, or a name in full"},
    {"register", OPTION_CHOICE, "if_compatible", 0, 0, "never|if_compatible|always", 0,
     "whether init and produce register the schema"},
};

static enum status check_option(const char *option, struct str value, struct err *err)
{
    return strcmp(option, "registry.ca_file") == 0 ? option_check_file(value, err)
                                                   : ST_OK;
}

static const char *schema_path(const struct options *options)
{
    return options_text(options, "schema").p;
}

// The schema that the option names; empty when it names none.
static enum status read_schema(const struct options *options, struct buf *ret,
                               struct err *err)
{
    const char *path = schema_path(options);
    return path != NULL ? text_file_read(path, ret, err) : ST_OK;
}

static enum status of_schema_file(enum status rc, const struct options *options,
                                  struct err *err)
{
    const char *path = schema_path(options);
    return rc != ST_OK && path != NULL ? err_context(err, rc, "%s", path) : rc;
}

static struct avro_schema_options schema_options(const struct format_table *table,
                                                 const struct buf *imposed)
{
    struct str name = options_text(table->options, "schema.name");
    return (struct avro_schema_options){
        .schema = buf_as_str(imposed),
        .name = name.p ? name : table->name,
        .namespace = options_text(table->options, "schema.namespace"),
    };
}

static enum status columns(const struct options *options, struct arena *arena,
                           struct schema *ret, struct err *err)
{
    AUTO(buf_release) struct buf schema = {0};
    if (schema_path(options) == NULL)
        return ST_OK;
    TRY(read_schema(options, &schema, err));
    enum status rc = avro_columns_of(buf_as_str(&schema), arena, ret, err);
    return of_schema_file(rc, options, err);
}

// Records.

static enum status open_decoder(const struct format_table *table,
                                const struct decoder_request *request,
                                struct decoder **ret, struct err *err)
{
    AUTO(buf_release) struct buf schema = {0};
    TRY(read_schema(table->options, &schema, err));
    const struct avro_decoder_config config = {
        .columns = table->columns,
        .reader_schema = buf_as_str(&schema),
        .lookup = request->lookup,
        .reject_unreadable = true,
    };
    enum status rc = avro_decoder_open(&config, ret, err);
    return of_schema_file(rc, table->options, err);
}

static enum status open_record_encoder(const struct format_table *table,
                                       struct record_encoder **ret, struct err *err)
{
    AUTO(buf_release) struct buf imposed = {0};
    TRY(read_schema(table->options, &imposed, err));
    const struct avro_schema_options options = schema_options(table, &imposed);
    return avro_record_encoder_open(table->columns, &options, ret, err);
}

static const struct format_records records = {
    .open_decoder = open_decoder,
    .open_encoder = open_record_encoder,
    .read_partly = avro_decoder_read_partly,
};

// Schemas.

static enum status record_name(const struct format_table *table, struct buf *ret,
                               struct err *err)
{
    AUTO(buf_release) struct buf imposed = {0};
    TRY(read_schema(table->options, &imposed, err));
    if (imposed.n == 0) {
        const struct avro_schema_options options = schema_options(table, &imposed);
        buf_printf(ret, "%.*s%s%.*s", STR_ARGS(options.namespace),
                   options.namespace.n ? "." : "", STR_ARGS(options.name));
        return ST_OK;
    }
    const struct str text = buf_as_str(&imposed);
    struct avro_schema *schema;
    TRY(avro_schema_parse(&text, 1, &schema, err));
    buf_str(ret, schema->root->name);
    avro_schema_free(schema);
    return ST_OK;
}

static bool key_of(const struct record *record, struct schema_key *ret)
{
    struct str datum;
    *ret = (struct schema_key){0};
    return record->value_schema.p != NULL ? frame_parse_header(record->value_schema, ret)
                                          : frame_parse(record->value, &ret->id, &datum);
}

static const struct format_schemas schemas = {
    .record_name = record_name,
    .check = avro_decoder_check,
    .key_of = key_of,
};

// Files.

static enum status check_table(const struct format_table *table, struct err *err)
{
    AUTO(buf_release) struct buf schema = {0};
    struct avro_reader *reader;
    if (schema_path(table->options) == NULL)
        return ST_OK;
    TRY(read_schema(table->options, &schema, err));
    enum status rc = avro_reader_open(table->columns, buf_as_str(&schema), &reader, err);
    TRY(of_schema_file(rc, table->options, err));
    avro_reader_free(reader);
    return ST_OK;
}

static enum status open_rows(const struct format_table *table,
                             const struct rows_request *request, struct storage *storage,
                             struct str path, struct rows **ret, struct err *err)
{
    AUTO(buf_release) struct buf schema = {0};
    TRY(read_schema(table->options, &schema, err));
    const struct avro_table_options options = {
        .columns = table->columns,
        .reader_schema = buf_as_str(&schema),
        .skip_errors = request->skip_errors,
    };
    return avro_table_open(storage, path, &options, ret, err);
}

static enum status open_row_format(const struct format_table *table,
                                   struct row_format **ret, struct err *err)
{
    AUTO(buf_release) struct buf imposed = {0};
    TRY(read_schema(table->options, &imposed, err));
    const struct avro_schema_options options = schema_options(table, &imposed);
    struct avro_row_format *format;
    TRY(avro_row_format_open(table->columns, &options, &format, err));
    *ret = &format->row_format;
    return ST_OK;
}

static enum status open_writer(const struct format_table *table, const char *plan_hash,
                               struct file_writer **ret, struct err *err)
{
    AUTO(buf_release) struct buf imposed = {0};
    TRY(read_schema(table->options, &imposed, err));
    struct avro_file_options options = {
        .schema = schema_options(table, &imposed),
        .block_bytes = (size_t)options_number(table->options, "block.bytes"),
        .plan = str_of(plan_hash),
    };
    avro_codec_of_name(options_text(table->options, "codec"), &options.codec);
    return avro_file_writer_open(table->columns, &options, ret, err);
}

static void duckdb(UNUSED const struct format_table *table, struct str files,
                   struct buf *ret)
{
    buf_text(ret, "read_avro(");
    text_quoted(ret, files, '\'');
    buf_char(ret, ')');
}

static const struct format_files files = {
    .extension = "avro",
    .check = check_table,
    .open_rows = open_rows,
    .stats = avro_table_stats,
    .open_row_format = open_row_format,
    .open_writer = open_writer,
    .duckdb_setup = "INSTALL avro FROM community;\nLOAD avro;\n",
    .duckdb = duckdb,
};

const struct format avro_format = {
    .options =
        {
            .name = "avro",
            .about = "Format avro, beside the connector's options",
            .defs = avro_options,
            .n = ARRAY_LEN(avro_options),
            .check = check_option,
        },
    .title = "Avro",
    .records = &records,
    .schemas = &schemas,
    .files = &files,
    .columns = columns,
};
