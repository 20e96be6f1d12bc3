// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

int schema_find(const struct schema *schema, struct str name)
{
    for (size_t i = 0; i < schema->n; i++)
        if (str_eq(schema->columns[i].name, name))
            return (int)i;
    return -1;
}

struct schema schema_copy(struct arena *arena, const struct schema *schema)
{
    struct schema copy = {arena_array(arena, schema->n, sizeof(struct column)),
                          schema->n};
    for (size_t i = 0; i < schema->n; i++) {
        copy.columns[i] = schema->columns[i];
        copy.columns[i].name = arena_str(arena, schema->columns[i].name);
    }
    return copy;
}

void schema_format(const struct schema *schema, struct buf *buf)
{
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        buf_printf(buf, "%s%.*s %s%s", i ? ", " : "", STR_ARGS(column->name),
                   type_name(column->type), column->nullable ? "" : " NOT NULL");
    }
}

static const char not_null[] = " NOT NULL";

static bool ends_column(struct str text)
{
    static const char *const ends[] = {" TEXT",  " INT",     " BIGINT", " REAL",
                                       " BYTES", " BOOLEAN", not_null};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends_with(text, ends[i]))
            return true;
    return false;
}

// Where the type begins: behind the last blank before "NOT NULL".
static size_t type_place(struct str column)
{
    size_t n = column.n;
    if (str_ends_with(column, not_null))
        n -= strlen(not_null);
    while (n > 0 && column.p[n - 1] != ' ')
        n--;
    return n;
}

bool schema_cut(struct str *text, struct str *ret_name, struct str *ret_type)
{
    size_t n = 0;
    while (n < text->n) {
        if (n + 1 < text->n && text->p[n] == ',' && text->p[n + 1] == ' ' &&
            ends_column((struct str){text->p, n}))
            break;
        n++;
    }
    if (n == 0)
        return false;
    size_t type = type_place((struct str){text->p, n});
    *ret_name = (struct str){text->p, type ? type - 1 : 0};
    *ret_type = (struct str){text->p + type, n - type};
    size_t used = n + 2 < text->n ? n + 2 : text->n;
    *text = (struct str){text->p + used, text->n - used};
    return true;
}

static size_t count_columns(struct str text)
{
    struct str name, type;
    size_t n = 0;
    while (schema_cut(&text, &name, &type))
        n++;
    return n;
}

bool schema_parse(struct str text, struct arena *arena, struct schema *ret)
{
    struct schema schema = {
        .columns = arena_array(arena, count_columns(text), sizeof(struct column))};
    struct str name, type;
    while (schema_cut(&text, &name, &type)) {
        struct column *column = &schema.columns[schema.n++];
        column->nullable = !str_ends_with(type, not_null);
        if (!column->nullable)
            type.n -= strlen(not_null);
        column->name = arena_str(arena, name);
        column->type = type_of_name(type);
        if (column->type == TYPE_UNKNOWN)
            return false;
    }
    *ret = schema;
    return schema.n > 0;
}
