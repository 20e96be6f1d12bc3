// SPDX-License-Identifier: Apache-2.0
#include "avro/reader.h"
#include "avro/table.h"

enum {
    NESTED_MAX = 32,      // records within records
    FIELDS_MAX = 1000000, // looked at, those of records that stand at several places too
};

struct lister {
    struct arena *arena;
    struct schema *columns;
    struct buf path;
    const struct avro_type *within[NESTED_MAX]; // records around
    size_t depth;
    size_t n_fields; // looked at
};

static enum status list_fields(struct lister *l, const struct avro_type *record,
                               bool nullable, struct err *err);

static bool is_within(const struct lister *l, const struct avro_type *record)
{
    for (size_t i = 0; i < l->depth; i++)
        if (l->within[i] == record)
            return true;
    return l->depth == NESTED_MAX;
}

static enum status add_column(struct lister *l, enum type type, bool nullable,
                              struct err *err)
{
    struct schema *columns = l->columns;
    if (columns->n == SCHEMA_COLUMNS_MAX)
        return err_set(err, ST_DATA, "Avro schema: more than %d columns",
                       SCHEMA_COLUMNS_MAX);
    columns->columns[columns->n++] = (struct column){
        .name = arena_str(l->arena, buf_as_str(&l->path)),
        .type = type,
        .nullable = nullable,
    };
    return ST_OK;
}

static enum status list_field(struct lister *l, const struct avro_field *field,
                              bool nullable, struct err *err)
{
    size_t null_branch;
    if (l->n_fields++ == FIELDS_MAX)
        return err_set(err, ST_DATA, "Avro schema: more than %d fields within fields",
                       FIELDS_MAX);
    const struct avro_type *type = avro_nullable(field->type, &null_branch);
    nullable = nullable || type != NULL;
    if (type == NULL)
        type = field->type;
    size_t length = l->path.n;
    if (length != 0)
        buf_char(&l->path, '.');
    buf_str(&l->path, field->name);
    enum type column = avro_natural_type(type);
    enum status rc = ST_OK;
    if (type->kind == AVRO_RECORD && !is_within(l, type))
        rc = list_fields(l, type, nullable, err);
    else if (column != TYPE_UNKNOWN)
        rc = add_column(l, column, nullable, err);
    l->path.n = length;
    return rc;
}

static enum status list_fields(struct lister *l, const struct avro_type *record,
                               bool nullable, struct err *err)
{
    l->within[l->depth++] = record;
    enum status rc = ST_OK;
    for (size_t i = 0; rc == ST_OK && i < record->n; i++)
        rc = list_field(l, &record->fields[i], nullable, err);
    l->depth--;
    return rc;
}

enum status avro_columns_of(struct str schema_json, struct arena *arena,
                            struct schema *ret, struct err *err)
{
    struct avro_schema *schema;
    TRY(avro_schema_parse(&schema_json, 1, &schema, err));
    struct schema columns = {
        arena_array(arena, SCHEMA_COLUMNS_MAX, sizeof(struct column)), 0};
    struct lister lister = {.arena = arena, .columns = &columns};
    enum status rc = ST_OK;
    if (schema->root->kind == AVRO_RECORD)
        rc = list_fields(&lister, schema->root, false, err);
    else
        rc = err_set(err, ST_DATA, "Avro schema: a table needs a record, this is %s",
                     avro_kind_name(schema->root->kind));
    buf_release(&lister.path);
    avro_schema_free(schema);
    if (rc == ST_OK)
        *ret = columns;
    return rc;
}
