// SPDX-License-Identifier: Apache-2.0
#include "avro/row_format.h"

#include <jansson.h>
#include <stdlib.h>

#include "avro/wire.h"

static const char *const avro_names[] = {
    [TYPE_TEXT] = "string", [TYPE_INT] = "int",         [TYPE_BIGINT] = "long",
    [TYPE_REAL] = "double", [TYPE_BOOLEAN] = "boolean", [TYPE_BYTES] = "bytes",
};

static json_t *json_of_column(const struct column *column, size_t id)
{
    const char *type = avro_names[column->type];
    json_t *field = json_pack("{s:s%}", "name", column->name.p, column->name.n);
    if (column->nullable) {
        json_object_set_new(field, "type", json_pack("[s,s]", "null", type));
        json_object_set_new(field, "default", json_null());
    } else {
        json_object_set_new(field, "type", json_string(type));
    }
    json_object_set_new(field, "field-id", json_integer((json_int_t)id));
    return field;
}

static enum status check_names(const struct schema *columns,
                               const struct avro_schema_options *options, struct err *err)
{
    struct str rest = options->namespace;
    while (rest.n != 0)
        if (!avro_is_name(str_cut(&rest, '.')))
            return err_set(err, ST_USAGE,
                           "schema.namespace '%.*s' is not an Avro namespace",
                           STR_ARGS(options->namespace));
    if (!avro_is_name(options->name))
        return err_set(err, ST_USAGE,
                       "'%.*s' cannot be the name of an Avro record: letters, digits and "
                       "_ only; give one with schema.name",
                       STR_ARGS(options->name));
    for (size_t i = 0; i < columns->n; i++)
        if (!avro_is_name(columns->columns[i].name))
            return err_set(err, ST_USAGE,
                           "column '%.*s' cannot be an Avro field: letters, digits and _ "
                           "only; name it otherwise with AS",
                           STR_ARGS(columns->columns[i].name));
    return ST_OK;
}

static json_t *make_schema(const struct schema *columns,
                           const struct avro_schema_options *options)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < columns->n; i++)
        json_array_append_new(fields, json_of_column(&columns->columns[i], i + 1));
    json_t *root = json_pack("{s:s,s:s%}", "type", "record", "name", options->name.p,
                             options->name.n);
    if (options->namespace.n)
        json_object_set_new(root, "namespace",
                            json_stringn(options->namespace.p, options->namespace.n));
    json_object_set_new(root, "fields", fields);
    return root;
}

// The schema's text in one line, imposed or made.
static enum status set_json(struct avro_row_format *format,
                            const struct avro_schema_options *options, struct err *err)
{
    json_t *root;
    json_error_t error;
    if (options->schema.n == 0) {
        TRY(check_names(&format->columns, options, err));
        root = make_schema(&format->columns, options);
    } else {
        root = json_loadb(options->schema.p, options->schema.n, JSON_DECODE_ANY, &error);
    }
    if (root == NULL)
        return err_set(err, ST_USAGE, "Avro schema: no JSON: line %d, column %d: %s",
                       error.line, error.column, error.text);
    char *text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY);
    format->json = arena_str(&format->arena, str_of(text));
    free(text);
    json_decref(root);
    return ST_OK;
}

static bool text_cell(const struct avro_type *type, enum avro_cell_code *ret)
{
    switch (type->logical) {
    case LOGICAL_NONE:
        break;
    case LOGICAL_UUID:
        *ret = CELL_UUID;
        return true;
    case LOGICAL_DECIMAL:
        *ret = CELL_DECIMAL;
        return true;
    case LOGICAL_DURATION:
        *ret = CELL_DURATION;
        return true;
    default:
        *ret = CELL_NUMBER;
        return true;
    }
    *ret = type->kind == AVRO_ENUM ? CELL_ENUM : CELL_BYTES;
    return type->kind == AVRO_ENUM || type->kind == AVRO_STRING ||
           type->kind == AVRO_BYTES;
}

static bool integer_cell(enum type column, const struct avro_type *type,
                         enum avro_cell_code *ret)
{
    *ret = type->kind == AVRO_INT      ? CELL_INT
           : type->kind == AVRO_DOUBLE ? CELL_REAL
                                       : CELL_LONG;
    if (column == TYPE_BIGINT)
        return type->kind == AVRO_LONG;
    return type->kind == AVRO_INT || type->kind == AVRO_LONG || type->kind == AVRO_DOUBLE;
}

static bool cell_of(enum type column, const struct avro_type *type,
                    enum avro_cell_code *ret)
{
    switch (column) {
    case TYPE_TEXT:
        return text_cell(type, ret);
    case TYPE_INT:
    case TYPE_BIGINT:
        return integer_cell(column, type, ret);
    case TYPE_REAL:
        *ret = type->kind == AVRO_FLOAT ? CELL_FLOAT : CELL_REAL;
        return type->kind == AVRO_FLOAT || type->kind == AVRO_DOUBLE;
    case TYPE_BOOLEAN:
        *ret = CELL_BOOLEAN;
        return type->kind == AVRO_BOOLEAN;
    case TYPE_BYTES:
        *ret = type->kind == AVRO_FIXED ? CELL_FIXED : CELL_BYTES;
        return type->kind == AVRO_FIXED || type->kind == AVRO_BYTES;
    case TYPE_UNKNOWN:
        break;
    }
    return false;
}

// The first branch that takes the column's values, and null's.
static bool bind_union(const struct column *column, const struct avro_type *type,
                       struct avro_cell *cell)
{
    cell->in_union = true;
    bool found = false;
    for (size_t i = 0; i < type->n; i++) {
        if (type->branches[i]->kind == AVRO_NULL) {
            cell->nullable = true;
            cell->n_null_prefix =
                (uint8_t)wire_format_long((int64_t)i, (char *)cell->null_prefix);
        } else if (!found && cell_of(column->type, type->branches[i], &cell->code)) {
            found = true;
            cell->type = type->branches[i];
            cell->n_value_prefix =
                (uint8_t)wire_format_long((int64_t)i, (char *)cell->value_prefix);
        }
    }
    return found;
}

static enum status no_cell(const struct column *column, const struct avro_type *type,
                           struct err *err)
{
    struct buf has = {0};
    avro_type_describe(type, &has);
    enum status rc =
        err_set(err, ST_USAGE,
                "Avro schema: field '%.*s' is %s, which a column of %s cannot be written "
                "as; CAST it in the SELECT, or change the schema",
                STR_ARGS(column->name), buf_cstr(&has), type_name(column->type));
    buf_release(&has);
    return rc;
}

static enum status bind(const struct column *column, const struct avro_field *field,
                        struct avro_cell *cell, struct err *err)
{
    cell->type = field->type;
    bool good = field->type->kind == AVRO_UNION
                    ? bind_union(column, field->type, cell)
                    : cell_of(column->type, field->type, &cell->code);
    if (!good)
        return no_cell(column, field->type, err);
    if (column->nullable && !cell->nullable)
        return err_set(err, ST_USAGE,
                       "Avro schema: field '%.*s' takes no null, but the column may be "
                       "NULL; use COALESCE in the SELECT, or a union with null",
                       STR_ARGS(column->name));
    return ST_OK;
}

// Fields and columns must be the same ones in the same order: rows are put together from
// pieces that were written before.
static enum status check_order(const struct schema *columns, const struct avro_type *root,
                               struct err *err)
{
    for (size_t i = 0; i < columns->n && i < root->n; i++) {
        struct str column = columns->columns[i].name;
        struct str field = root->fields[i].name;
        if (!str_eq(column, field))
            return err_set(err, ST_USAGE,
                           "Avro schema: field %zu is '%.*s', column %zu is '%.*s': "
                           "select the columns in the order of the schema's fields",
                           i + 1, STR_ARGS(field), i + 1, STR_ARGS(column));
    }
    if (columns->n == root->n)
        return ST_OK;
    bool more_columns = columns->n > root->n;
    struct str odd =
        more_columns ? columns->columns[root->n].name : root->fields[columns->n].name;
    return err_set(
        err, ST_USAGE,
        "Avro schema: there is no %s for %s '%.*s'; add it, or leave the other "
        "out",
        more_columns ? "field" : "column", more_columns ? "column" : "field",
        STR_ARGS(odd));
}

static enum status bind_all(struct avro_row_format *format, struct err *err)
{
    const struct avro_type *root = format->schema->root;
    if (root->kind != AVRO_RECORD)
        return err_set(err, ST_USAGE, "Avro schema: rows are a record, this is %s",
                       avro_kind_name(root->kind));
    TRY(check_order(&format->columns, root, err));
    format->cells =
        arena_array(&format->arena, format->columns.n, sizeof(*format->cells));
    for (size_t i = 0; i < format->columns.n; i++)
        TRY(bind(&format->columns.columns[i], &root->fields[i], &format->cells[i], err));
    return ST_OK;
}

static void refuse(struct avro_row_format *format, size_t column, struct value v)
{
    if (format->row_format.refused.n != 0)
        return; // the first reason stays
    buf_clear(&format->why);
    avro_cell_why(format, column, v, &format->why);
    format->row_format.refused = buf_as_str(&format->why);
}

static void fields(struct row_format *row_format, size_t first,
                   const struct value *values, size_t n, struct buf *row)
{
    struct avro_row_format *format = (struct avro_row_format *)row_format;
    const struct avro_cell *cells = format->cells + first;
    for (size_t i = 0; i < n; i++)
        if (UNLIKELY(!avro_cell_put(&cells[i], values[i], row)))
            refuse(format, first + i, values[i]);
}

static void end_row(UNUSED struct row_format *row_format, UNUSED struct buf *row)
{
}

static void close_row_format(struct row_format *row_format)
{
    struct avro_row_format *format = (struct avro_row_format *)row_format;
    avro_schema_free(format->schema);
    arena_release(&format->arena);
    buf_release(&format->why);
    free(format);
}

static const struct row_format_ops ops = {
    .fields = fields,
    .end_row = end_row,
    .close = close_row_format,
};

enum status avro_row_format_open(const struct schema *columns,
                                 const struct avro_schema_options *options,
                                 struct avro_row_format **ret, struct err *err)
{
    struct avro_row_format *format = mem_zalloc(sizeof(*format));
    format->columns = schema_copy(&format->arena, columns);
    format->row_format = (struct row_format){.ops = &ops, .schema = &format->columns};
    enum status rc = set_json(format, options, err);
    if (rc == ST_OK)
        rc = avro_schema_parse(&format->json, 1, &format->schema, err);
    if (rc == ST_OK)
        rc = bind_all(format, err);
    if (rc == ST_OK) {
        *ret = format;
        return ST_OK;
    }
    close_row_format(&format->row_format);
    if (err != NULL)
        err->status = ST_USAGE;
    return ST_USAGE;
}
