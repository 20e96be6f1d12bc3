// SPDX-License-Identifier: Apache-2.0
// What src/avro and src/registry do, from the command line, for the end to end tests.
//
//   avro_tool resolve            lines of JSON on stdin, one answer a line:
//     {"writer": SCHEMA, "reader": SCHEMA or null, "columns": [[NAME, TYPE, NULLABLE]..],
//      "data": [HEX..]}
//     gives {"open": ERROR}, {"schema": ERROR}, or {"rows": [[VALUE..] or REASON, ..]};
//     BYTES are {"hex": HEX}
//   avro_tool write FILE         {"columns", "options": {codec, block, schema, name,
//     namespace}, "rows": [[VALUE..]..]} on stdin; writes a container file
//   avro_tool read FILE          its rows, one a line, all columns that it has
//   avro_tool codegen AVSC PREFIX HEADER SOURCE
//   avro_tool registry URLS id ID
//   avro_tool registry URLS publish POLICY SUBJECT AVSC
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "avro/decoder.h"
#include "avro/file_writer.h"
#include "avro/frame.h"
#include "avro/table.h"
#include "base/hash.h"
#include "codegen/codegen.h"
#include "core/option.h"
#include "memory/lookup_mem.h"
#include "memory/output_mem.h"
#include "registry/registry.h"
#include "status_name.h"
#include "storage/storage_url.h"

static void die(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static struct str text_of(const json_t *json, struct arena *arena)
{
    if (json == NULL || json_is_null(json))
        return (struct str){0};
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    struct str copy = arena_str(arena, str_of(text));
    free(text);
    return copy;
}

static struct schema columns_of(const json_t *json, struct arena *arena)
{
    size_t n = json_array_size(json);
    struct schema schema = {arena_array(arena, n, sizeof(struct column)), n};
    for (size_t i = 0; i < n; i++) {
        const json_t *column = json_array_get(json, i);
        const char *name = json_string_value(json_array_get(column, 0));
        const char *type = json_string_value(json_array_get(column, 1));
        schema.columns[i] = (struct column){
            .name = arena_str(arena, str_of(name)),
            .type = type_of_name(str_of(type)),
            .nullable = json_is_true(json_array_get(column, 2)),
        };
    }
    return schema;
}

static int digit_of(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void unhex(struct buf *ret, const char *hex)
{
    for (; hex[0] != '\0'; hex += 2)
        buf_char(ret, (char)(digit_of(hex[0]) << 4 | digit_of(hex[1])));
}

static json_t *json_of_value(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        break;
    case VALUE_TEXT:
        return json_stringn(v.p, v.n);
    case VALUE_INT:
        return json_integer(v.i);
    case VALUE_REAL:
        return json_real(v.r);
    case VALUE_BOOL:
        return json_boolean(v.i);
    case VALUE_BYTES: {
        char *hex = mem_alloc(2 * (size_t)v.n + 1);
        hex_encode((const uint8_t *)v.p, v.n, hex);
        json_t *json = json_pack("{s:s}", "hex", hex);
        free(hex);
        return json;
    }
    }
    return json_null();
}

static json_t *json_of_row(const struct batch *batch, size_t row)
{
    json_t *json = json_array();
    for (size_t i = 0; i < batch->n_columns; i++)
        json_array_append_new(json, json_of_value(batch_row(batch, row)[i]));
    return json;
}

static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(json);
}

static json_t *decode_one(struct decoder *decoder, struct batch *batch, struct str value,
                          struct err *err)
{
    struct record record = {.value = value};
    struct run run = {.records = &record, .n = 1};
    size_t next;
    batch_clear(batch);
    if (decoder->ops->decode(decoder, &run, 0, batch, &next, err) != ST_OK)
        return NULL;
    return batch->n_rows ? json_of_row(batch, 0)
                         : json_string(batch->rejects[0].reason.p);
}

static json_t *decode_all(struct decoder *decoder, const json_t *data, struct err *err)
{
    struct batch batch;
    batch_init(&batch, decoder->schema->n);
    json_t *rows = json_array();
    for (size_t i = 0; rows != NULL && i < json_array_size(data); i++) {
        struct buf value = {0};
        frame_put(1, &value);
        unhex(&value, json_string_value(json_array_get(data, i)));
        json_t *row = decode_one(decoder, &batch, buf_as_str(&value), err);
        buf_release(&value);
        if (row != NULL) {
            json_array_append_new(rows, row);
        } else {
            json_decref(rows);
            rows = NULL;
        }
    }
    batch_release(&batch);
    return rows != NULL ? json_pack("{s:o}", "rows", rows)
                        : json_pack("{s:s}", "schema", err->text);
}

static json_t *resolve_line(const json_t *line)
{
    struct arena arena = {0};
    struct schema_lookup *lookup = memory_lookup_open();
    struct schema columns = columns_of(json_object_get(line, "columns"), &arena);
    memory_lookup_add(lookup, 1, text_of(json_object_get(line, "writer"), &arena));
    struct avro_decoder_config config = {
        .columns = &columns,
        .reader_schema = text_of(json_object_get(line, "reader"), &arena),
        .lookup = lookup,
    };
    struct decoder *decoder;
    struct err err;
    json_t *answer;
    if (avro_decoder_open(&config, &decoder, &err) != ST_OK) {
        answer = json_pack("{s:s}", "open", err.text);
    } else {
        answer = decode_all(decoder, json_object_get(line, "data"), &err);
        decoder->ops->close(decoder);
    }
    lookup->ops->close(lookup);
    arena_release(&arena);
    return answer;
}

static int resolve(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        if (json == NULL)
            die("no JSON");
        print_json(resolve_line(json));
        json_decref(json);
    }
    free(line);
    return 0;
}

static struct value value_of(const json_t *json, enum type type, struct arena *arena)
{
    struct buf bytes = {0};
    struct value v = {.kind = VALUE_NULL};
    if (json_is_string(json))
        return value_text(
            (struct str){json_string_value(json), json_string_length(json)});
    if (json_is_boolean(json))
        return (struct value){.i = json_is_true(json), .kind = VALUE_BOOL};
    if (json_is_number(json) && type == TYPE_REAL)
        return (struct value){.r = json_number_value(json), .kind = VALUE_REAL};
    if (json_is_integer(json))
        return value_int(json_integer_value(json));
    if (json_is_object(json)) {
        unhex(&bytes, json_string_value(json_object_get(json, "hex")));
        v = value_text(arena_str(arena, buf_as_str(&bytes)));
        v.kind = VALUE_BYTES;
        buf_release(&bytes);
    }
    return v;
}

static enum status write_rows(struct file_writer *writer, const json_t *rows,
                              struct arena *arena, struct memory_output *to,
                              struct err *err)
{
    const struct schema *schema = writer->row_format->schema;
    struct batch batch;
    batch_init(&batch, schema->n);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct value *row = batch_add(&batch, 0);
        for (size_t c = 0; c < schema->n; c++)
            row[c] = value_of(json_array_get(json_array_get(rows, i), c),
                              schema->columns[c].type, arena);
    }
    memory_output_begin(to);
    enum status rc = writer->ops->begin(writer, &to->output, 0, err);
    if (rc == ST_OK)
        rc = writer->ops->batch(writer, &batch, err);
    batch_release(&batch);
    return rc == ST_OK ? writer->ops->finish(writer, (struct str){0}, err) : rc;
}

static struct str option_of(const json_t *options, const char *name)
{
    return str_of(json_string_value(json_object_get(options, name)));
}

static int write_file(const char *path)
{
    struct arena arena = {0};
    struct err err;
    json_t *job = json_loadf(stdin, 0, NULL);
    const json_t *given = json_object_get(job, "options");
    struct schema columns = columns_of(json_object_get(job, "columns"), &arena);
    struct avro_file_options options = {
        .schema = {.schema = text_of(json_object_get(given, "schema"), &arena),
                   .name = option_of(given, "name"),
                   .namespace = option_of(given, "namespace")},
        .block_bytes = (size_t)json_integer_value(json_object_get(given, "block")),
    };
    if (!avro_codec_of_name(option_of(given, "codec"), &options.codec))
        die("no such codec");
    struct file_writer *writer = NULL;
    struct memory_output out = {0};
    if (avro_file_writer_open(&columns, &options, &writer, &err) != ST_OK ||
        write_rows(writer, json_object_get(job, "rows"), &arena, &out, &err) != ST_OK)
        die(err.text);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(out.file.p, 1, out.file.n, file) != out.file.n ||
        fclose(file) != 0)
        die(path);
    writer->ops->close(writer);
    memory_output_release(&out);
    json_decref(job);
    arena_release(&arena);
    return 0;
}

static int read_file(char *path)
{
    struct storage *storage = NULL;
    struct storage_config config = {.timeout_ms = 0};
    struct rows *rows = NULL;
    struct batch batch;
    struct err err;
    char *copy = mem_strdup(path);
    char *directory = realpath(dirname(copy), NULL);
    struct avro_table_options options = {0};
    if (storage_open(str_of(directory), &config, &storage, &err) != ST_OK ||
        avro_table_open(storage, str_of(basename(path)), &options, &rows, &err) != ST_OK)
        die(err.text);
    batch_init(&batch, rows->schema->n);
    do {
        if (rows->ops->next(rows, &batch, &err) != ST_OK)
            die(err.text);
        for (size_t i = 0; i < batch.n_rows; i++)
            print_json(json_of_row(&batch, i));
    } while (batch.n_rows > 0);
    batch_release(&batch);
    rows->ops->close(rows);
    storage->ops->close(storage);
    free(directory);
    free(copy);
    return 0;
}

static void load(const char *path, struct buf *ret)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die(path);
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_append(ret, piece, n);
    fclose(file);
}

static void save(const char *path, const struct buf *bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes->p, 1, bytes->n, file) != bytes->n ||
        fclose(file) != 0)
        die(path);
}

static int codegen(char **argv)
{
    struct buf avsc = {0};
    struct buf header = {0};
    struct buf source = {0};
    struct err err;
    load(argv[0], &avsc);
    if (avro_codegen(buf_cstr(&avsc), argv[1], basename(argv[2]), &header, &source,
                     &err) != ST_OK)
        die(err.text);
    save(argv[2], &header);
    save(argv[3], &source);
    buf_release(&avsc);
    buf_release(&header);
    buf_release(&source);
    return 0;
}

static int print_status(enum status rc, const struct err *err)
{
    if (rc != ST_OK)
        printf("%s %s\n", status_name(rc), err->text);
    return 0;
}

static enum status ask_registry(struct registry *registry, char **argv, struct err *err)
{
    if (strcmp(argv[0], "id") == 0) {
        struct schema_lookup *lookup = registry_lookup(registry);
        struct schema_texts texts;
        const struct schema_key key = {.id = atoi(argv[1])};
        TRY(lookup->ops->get(lookup, &key, &texts, err));
        for (size_t i = 0; i < texts.n; i++)
            printf("%.*s\n", STR_ARGS(texts.items[i]));
        return ST_OK;
    }
    static const char *const policies[] = {"never", "if_compatible", "always"};
    struct buf avsc = {0};
    enum registry_policy policy = REGISTER_NEVER;
    while (strcmp(argv[1], policies[policy]) != 0)
        policy++;
    int32_t id;
    load(argv[3], &avsc);
    enum status rc =
        registry_id_for(registry, policy, str_of(argv[2]), buf_as_str(&avsc), &id, err);
    buf_release(&avsc);
    if (rc == ST_OK)
        printf("%d\n", id);
    return rc;
}

static int registry_command(char **argv)
{
    struct registry_config config = {.urls = str_of(argv[0]), .timeout_ms = 5000};
    struct registry *registry;
    struct err err;
    enum status rc = registry_open(&config, &registry, &err);
    if (rc != ST_OK)
        return print_status(rc, &err);
    rc = ask_registry(registry, argv + 1, &err);
    registry_close(registry);
    return print_status(rc, &err);
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "resolve") == 0)
        return resolve();
    if (strcmp(command, "write") == 0 && argc == 3)
        return write_file(argv[2]);
    if (strcmp(command, "read") == 0 && argc == 3)
        return read_file(argv[2]);
    if (strcmp(command, "codegen") == 0 && argc == 6)
        return codegen(argv + 2);
    if (strcmp(command, "registry") == 0 && argc >= 5)
        return registry_command(argv + 2);
    die("usage: see the top of avro_tool.c");
}
