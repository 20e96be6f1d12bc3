// SPDX-License-Identifier: Apache-2.0
#include "avro/schema.h"

#include <stdlib.h>

static const char *const kind_names[] = {
    [AVRO_NULL] = "null",   [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",
    [AVRO_LONG] = "long",   [AVRO_FLOAT] = "float",     [AVRO_DOUBLE] = "double",
    [AVRO_BYTES] = "bytes", [AVRO_STRING] = "string",   [AVRO_RECORD] = "record",
    [AVRO_ENUM] = "enum",   [AVRO_ARRAY] = "array",     [AVRO_MAP] = "map",
    [AVRO_UNION] = "union", [AVRO_FIXED] = "fixed",
};

static const char *const logical_names[] = {
    [LOGICAL_NONE] = "",
    [LOGICAL_DECIMAL] = "decimal",
    [LOGICAL_UUID] = "uuid",
    [LOGICAL_DATE] = "date",
    [LOGICAL_TIME_MILLIS] = "time-millis",
    [LOGICAL_TIME_MICROS] = "time-micros",
    [LOGICAL_TIMESTAMP_MILLIS] = "timestamp-millis",
    [LOGICAL_TIMESTAMP_MICROS] = "timestamp-micros",
    [LOGICAL_LOCAL_TIMESTAMP_MILLIS] = "local-timestamp-millis",
    [LOGICAL_LOCAL_TIMESTAMP_MICROS] = "local-timestamp-micros",
    [LOGICAL_DURATION] = "duration",
};

const char *avro_kind_name(enum avro_kind kind)
{
    return kind_names[kind];
}

const char *avro_logical_name(enum avro_logical logical)
{
    return logical_names[logical];
}

bool avro_kind_is_named(enum avro_kind kind)
{
    return kind == AVRO_RECORD || kind == AVRO_ENUM || kind == AVRO_FIXED;
}

struct str avro_base_name(struct str full_name)
{
    for (size_t i = full_name.n; i > 0; i--)
        if (full_name.p[i - 1] == '.')
            return (struct str){full_name.p + i, full_name.n - i};
    return full_name;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool avro_is_name(struct str name)
{
    if (name.n == 0 || !is_letter(name.p[0]))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!is_letter(name.p[i]) && !(name.p[i] >= '0' && name.p[i] <= '9'))
            return false;
    return true;
}

static void describe_union(const struct avro_type *type, struct buf *buf)
{
    buf_text(buf, "union of ");
    for (size_t i = 0; i < type->n && !buf->full; i++) {
        if (i > 0)
            buf_text(buf, i + 1 == type->n ? " and " : ", ");
        avro_type_describe(type->branches[i], buf);
    }
}

void avro_type_describe(const struct avro_type *type, struct buf *buf)
{
    if (type->kind == AVRO_UNION) {
        describe_union(type, buf);
        return;
    }
    buf_text(buf, kind_names[type->kind]);
    if (avro_kind_is_named(type->kind))
        buf_printf(buf, " '%.*s'", STR_ARGS(type->name));
    if (type->kind == AVRO_ARRAY || type->kind == AVRO_MAP) {
        buf_text(buf, " of ");
        avro_type_describe(type->items, buf);
    }
    if (type->logical == LOGICAL_DECIMAL)
        buf_printf(buf, " (decimal %u, %u)", type->precision, type->scale);
    else if (type->logical != LOGICAL_NONE)
        buf_printf(buf, " (%s)", logical_names[type->logical]);
}

// The member's index, or -1.
static int find_member(const struct avro_type *type, struct str name)
{
    size_t from = 0;
    size_t to = type->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(name, type->by_name[middle].name);
        if (order == 0)
            return (int)type->by_name[middle].index;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return -1;
}

const struct avro_field *avro_field_find(const struct avro_type *record, struct str name)
{
    int index = find_member(record, name);
    return index < 0 ? NULL : &record->fields[index];
}

const char *avro_field_nearest(const struct avro_type *record, struct str name)
{
    AUTO(mem_auto_free) const char **names = mem_array(record->n, sizeof(*names));
    for (size_t i = 0; i < record->n; i++)
        names[i] = record->fields[i].name.p;
    return str_nearest(name, names, record->n);
}

int avro_symbol_find(const struct avro_type *enumeration, struct str symbol)
{
    return find_member(enumeration, symbol);
}

const struct avro_type *avro_nullable(const struct avro_type *type, size_t *ret_null)
{
    if (type->kind != AVRO_UNION || type->n != 2)
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        if (type->branches[i]->kind == AVRO_NULL) {
            *ret_null = i;
            return type->branches[1 - i];
        }
    }
    return NULL;
}

static enum status check_record_defaults(const struct avro_type *record, struct err *err)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct avro_field *field = &record->fields[i];
        if (field->default_error.n != 0)
            return err_set(err, ST_DATA, "record '%.*s': field '%.*s': default: %.*s",
                           STR_ARGS(record->name), STR_ARGS(field->name),
                           STR_ARGS(field->default_error));
    }
    return ST_OK;
}

enum status avro_schema_check_defaults(const struct avro_schema *schema, struct err *err)
{
    for (size_t i = 0; i < schema->n_types; i++)
        if (schema->types[i]->kind == AVRO_RECORD)
            TRY(check_record_defaults(schema->types[i], err));
    return ST_OK;
}

void avro_schema_free(struct avro_schema *schema)
{
    if (schema == NULL)
        return;
    free(schema->types);
    arena_release(&schema->arena);
    free(schema);
}
