// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "avro/schema_parse.h"

enum {
    PRECISION_MAX = 1000000
};

// The kind that each logical type stands on; decimal stands on two.
static const enum avro_kind base_kinds[] = {
    [LOGICAL_DECIMAL] = AVRO_BYTES,
    [LOGICAL_UUID] = AVRO_STRING,
    [LOGICAL_DATE] = AVRO_INT,
    [LOGICAL_TIME_MILLIS] = AVRO_INT,
    [LOGICAL_TIME_MICROS] = AVRO_LONG,
    [LOGICAL_TIMESTAMP_MILLIS] = AVRO_LONG,
    [LOGICAL_TIMESTAMP_MICROS] = AVRO_LONG,
    [LOGICAL_LOCAL_TIMESTAMP_MILLIS] = AVRO_LONG,
    [LOGICAL_LOCAL_TIMESTAMP_MICROS] = AVRO_LONG,
    [LOGICAL_DURATION] = AVRO_FIXED,
};

static bool is_base(enum avro_logical logical, const struct avro_type *type)
{
    if (logical == LOGICAL_DECIMAL && type->kind == AVRO_FIXED)
        return true;
    if (logical == LOGICAL_DURATION && type->size != AVRO_DURATION_BYTES)
        return false;
    return base_kinds[logical] == type->kind;
}

// The most digits that a two's complement number of so many bytes always holds.
static double digits_of(uint32_t bytes)
{
    return bytes == 0 ? 0 : floor(log10(2) * (8.0 * bytes - 1));
}

static void parse_decimal(const json_t *json, struct avro_type *type)
{
    json_int_t precision = json_integer_value(json_object_get(json, "precision"));
    const json_t *given = json_object_get(json, "scale");
    json_int_t scale = json_integer_value(given);
    bool good = precision > 0 && precision <= PRECISION_MAX && scale >= 0 &&
                scale <= precision && (given == NULL || json_is_integer(given));
    if (type->kind == AVRO_FIXED)
        good = good && (double)precision <= digits_of(type->size);
    if (!good)
        return;
    type->logical = LOGICAL_DECIMAL;
    type->precision = (uint32_t)precision;
    type->scale = (uint32_t)scale;
}

void avro_logical_parse(const json_t *json, struct avro_type *type)
{
    const char *name = json_string_value(json_object_get(json, "logicalType"));
    if (name == NULL)
        return;
    for (enum avro_logical i = LOGICAL_DECIMAL; i <= LOGICAL_DURATION; i++) {
        if (strcmp(name, avro_logical_name(i)) != 0 || !is_base(i, type))
            continue;
        if (i == LOGICAL_DECIMAL)
            parse_decimal(json, type);
        else
            type->logical = i;
    }
}
