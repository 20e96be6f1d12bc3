// SPDX-License-Identifier: Apache-2.0
#include "avro/reader.h"

#include <stdlib.h>

#include "avro/plan.h"

const struct avro_node *avro_node_find(const struct avro_node *node, struct str name)
{
    for (size_t i = 0; i < node->n_children; i++)
        if (str_eq(node->children[i].name, name))
            return &node->children[i];
    return NULL;
}

int avro_node_not_null(const struct avro_reader *reader, const struct avro_node *node)
{
    if (node->column >= 0 && !reader->columns.columns[node->column].nullable)
        return node->column;
    for (size_t i = 0; i < node->n_children; i++) {
        int column = avro_node_not_null(reader, &node->children[i]);
        if (column >= 0)
            return column;
    }
    return -1;
}

static struct avro_node *child_of(struct arena *arena, struct avro_node *node,
                                  struct str name)
{
    for (size_t i = 0; i < node->n_children; i++)
        if (str_eq(node->children[i].name, name))
            return &node->children[i];
    struct avro_node *children =
        arena_array(arena, node->n_children + 1, sizeof(*children));
    if (node->n_children)
        memcpy(children, node->children, node->n_children * sizeof(*children));
    node->children = children;
    struct avro_node *child = &children[node->n_children++];
    *child = (struct avro_node){.name = name, .column = -1};
    return child;
}

static void add_column(struct avro_reader *reader, size_t column)
{
    struct avro_node *node = &reader->root;
    struct str rest = reader->columns.columns[column].name;
    while (rest.p != NULL)
        node = child_of(&reader->arena, node, str_cut(&rest, '.'));
    node->column = (int)column;
}

static bool has_path(const struct avro_type *type, struct str path)
{
    if (type->kind == AVRO_UNION) {
        for (size_t i = 0; i < type->n; i++)
            if (has_path(type->branches[i], path))
                return true;
        return false;
    }
    if (path.p == NULL)
        return true;
    if (type->kind != AVRO_RECORD)
        return false;
    const struct avro_field *field = avro_field_find(type, str_cut(&path, '.'));
    return field != NULL && has_path(field->type, path);
}

static enum status check_paths(const struct avro_reader *reader, struct err *err)
{
    const struct avro_type *root = reader->schema->root;
    for (size_t i = 0; i < reader->columns.n; i++) {
        struct str name = reader->columns.columns[i].name;
        if (has_path(root, name))
            continue;
        const char *nearest = avro_field_nearest(root, name);
        return err_set(
            err, ST_DATA, "column '%.*s' is not a field of record '%.*s'%s%s%s",
            STR_ARGS(name), STR_ARGS(root->name), nearest ? "; did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
    }
    return ST_OK;
}

// Reads the schema as itself: what goes wrong then is between schema and columns.
static enum status check_columns(const struct avro_reader *reader, struct err *err)
{
    struct avro_plan *plan;
    TRY(avro_plan_open(reader->schema, reader, &plan, err));
    avro_plan_free(plan);
    return ST_OK;
}

static enum status parse_schema(struct avro_reader *reader, struct str json,
                                struct err *err)
{
    if (json.n == 0)
        return ST_OK;
    TRY(avro_schema_parse(&json, 1, &reader->schema, err));
    TRY(avro_schema_check_defaults(reader->schema, err));
    if (reader->schema->root->kind != AVRO_RECORD)
        return err_set(err, ST_DATA, "Avro schema: a table needs a record, this is %s",
                       avro_kind_name(reader->schema->root->kind));
    TRY(check_paths(reader, err));
    return check_columns(reader, err);
}

enum status avro_reader_open(const struct schema *columns, struct str schema_json,
                             struct avro_reader **ret, struct err *err)
{
    struct avro_reader *reader = mem_zalloc(sizeof(*reader));
    reader->root.column = -1;
    reader->columns = schema_copy(&reader->arena, columns);
    for (size_t i = 0; i < columns->n; i++)
        add_column(reader, i);
    if (parse_schema(reader, schema_json, err) != ST_OK) {
        avro_reader_free(reader);
        if (err != NULL)
            err->status = ST_USAGE;
        return ST_USAGE;
    }
    *ret = reader;
    return ST_OK;
}

void avro_reader_free(struct avro_reader *reader)
{
    if (reader == NULL)
        return;
    avro_schema_free(reader->schema);
    arena_release(&reader->arena);
    free(reader);
}

enum type avro_natural_type(const struct avro_type *type)
{
    static const enum type types[] = {
        [AVRO_BOOLEAN] = TYPE_BOOLEAN, [AVRO_INT] = TYPE_INT,
        [AVRO_LONG] = TYPE_BIGINT,     [AVRO_FLOAT] = TYPE_REAL,
        [AVRO_DOUBLE] = TYPE_REAL,     [AVRO_BYTES] = TYPE_BYTES,
        [AVRO_STRING] = TYPE_TEXT,     [AVRO_ENUM] = TYPE_TEXT,
        [AVRO_FIXED] = TYPE_BYTES,
    };
    if (type->logical != LOGICAL_NONE)
        return TYPE_TEXT;
    return type->kind < ARRAY_LEN(types) ? types[type->kind] : TYPE_UNKNOWN;
}
