// SPDX-License-Identifier: Apache-2.0
#include "avro/schema_parse.h"

// Not yet known; at the end: endless.
#define ENDLESS UINT32_MAX

static uint32_t add(uint32_t a, uint32_t b)
{
    if (a == ENDLESS || b == ENDLESS)
        return ENDLESS;
    return a + b > INT32_MAX ? INT32_MAX : a + b;
}

static uint32_t measure_union(const struct avro_type *type)
{
    uint32_t least = ENDLESS;
    for (size_t i = 0; i < type->n; i++)
        if (type->branches[i]->min_bytes < least)
            least = type->branches[i]->min_bytes;
    return add(1, least);
}

static uint32_t measure_record(const struct avro_type *type)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < type->n; i++)
        sum = add(sum, type->fields[i].type->min_bytes);
    return sum;
}

static uint32_t measure(const struct avro_type *type)
{
    switch (type->kind) {
    case AVRO_NULL:
        return 0;
    case AVRO_FLOAT:
        return 4;
    case AVRO_DOUBLE:
        return 8;
    case AVRO_FIXED:
        return type->size;
    case AVRO_RECORD:
        return measure_record(type);
    case AVRO_UNION:
        return measure_union(type);
    default:
        return 1;
    }
}

enum status avro_measure(struct avro_schema *schema, struct err *err)
{
    for (size_t i = 0; i < schema->n_types; i++)
        schema->types[i]->min_bytes = ENDLESS;
    // Types mostly stand before those that they are made of: backwards, one round and one
    // to see that nothing changes do, but for recursive ones.
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = schema->n_types; i-- > 0;) {
            uint32_t least = measure(schema->types[i]);
            changed = changed || least != schema->types[i]->min_bytes;
            schema->types[i]->min_bytes = least;
        }
    }
    for (size_t i = 0; i < schema->n_types; i++) {
        const struct avro_type *type = schema->types[i];
        if (type->kind == AVRO_RECORD && type->min_bytes == ENDLESS)
            return err_set(err, ST_DATA,
                           "record '%.*s' holds itself: no datum of it ever ends; "
                           "a union with null would end it",
                           STR_ARGS(type->name));
    }
    return ST_OK;
}
