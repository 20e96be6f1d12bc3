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
