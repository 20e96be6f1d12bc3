// SPDX-License-Identifier: Apache-2.0
// Parts of the schema parser that stand in files of their own. For src/avro/schema*.c.
#ifndef AVRO_SCHEMA_PARSE_H
#define AVRO_SCHEMA_PARSE_H

#include <jansson.h>

#include "avro/schema.h"

// Writes a default's JSON as a datum of the type; false with `reason` set when it does
// not fit.
bool avro_default_encode(const struct avro_type *type, const json_t *value,
                         struct buf *datum, struct buf *reason);

// Sets logical, precision and scale of a type from its JSON object; leaves the type as it
// is when the logical type is unknown or does not fit.
void avro_logical_parse(const json_t *json, struct avro_type *type);

// Sets min_bytes of all types. ST_DATA: a record has only endless datums.
enum status avro_measure(struct avro_schema *schema, struct err *err);

static inline struct str json_as_str(const json_t *json)
{
    return (struct str){json_string_value(json), json_string_length(json)};
}

#endif
