// SPDX-License-Identifier: Apache-2.0
// Parts of the schema parser that stand in files of their own. For src/avro/schema*.c.
#ifndef AVRO_SCHEMA_PARSE_H
#define AVRO_SCHEMA_PARSE_H

#include "avro/schema.h"
#include "core/json.h"

// What the defaults of one schema may still take.
struct avro_default_budget {
    size_t n_bytes;
    size_t n_values;
};

// Writes a default's JSON as a datum of the type; false with `reason` set when it does
// not fit, or the budget is spent.
bool avro_default_encode(const struct avro_type *type, const json_t *value,
                         struct avro_default_budget *budget, struct buf *datum,
                         struct buf *reason);

// Sets logical, precision and scale of a type from its JSON object; leaves the type as it
// is when the logical type is unknown or does not fit.
void avro_logical_parse(const json_t *json, struct avro_type *type);

// Sets min_bytes of all types. ST_DATA: a record has only endless datums.
enum status avro_measure(struct avro_schema *schema, struct err *err);

// Names in the order of bytes, for avro_field_find and avro_symbol_find; *ret_twice is
// one that stands there twice, or empty.
const struct avro_named *avro_sort_names(struct arena *arena, const struct str *names,
                                         size_t n, struct str *ret_twice);

// The named types of a schema, by full name. Zero is an empty one.
struct avro_type_names {
    struct avro_type **slots;
    size_t n, n_slots;
};

void avro_type_names_release(struct avro_type_names *names);
void avro_type_names_add(struct avro_type_names *names, struct avro_type *type);
struct avro_type *avro_type_names_find(const struct avro_type_names *names,
                                       struct str full_name); // NULL: there is none

#endif
