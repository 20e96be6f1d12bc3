// SPDX-License-Identifier: Apache-2.0
// An Avro schema, parsed: a graph of types (Avro 1.11, "Schema Declaration").
//
// Parsing checks names, references, unions and enums; unknown logical types are left out,
// as the specification wants. A field's default is kept in Avro's binary form; one that
// does not fit its type is noted and matters only where it would be used. Types may refer
// to themselves; one that could only have endless datums is refused. Read-only once
// parsed: any thread may read it.
#ifndef AVRO_SCHEMA_H
#define AVRO_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
};

enum avro_logical {
    LOGICAL_NONE,
    LOGICAL_DECIMAL, // bytes or fixed
    LOGICAL_UUID,    // string
    LOGICAL_DATE,    // int
    LOGICAL_TIME_MILLIS,
    LOGICAL_TIME_MICROS,
    LOGICAL_TIMESTAMP_MILLIS,
    LOGICAL_TIMESTAMP_MICROS,
    LOGICAL_LOCAL_TIMESTAMP_MILLIS,
    LOGICAL_LOCAL_TIMESTAMP_MICROS,
    LOGICAL_DURATION, // fixed of 12 bytes
};

enum {
    AVRO_DEPTH_MAX = 100,             // types within types
    AVRO_TYPES_MAX = 10000,           // of one schema
    AVRO_MEMBERS_MAX = 20000,         // fields, symbols or branches of one type
    AVRO_ALIASES_MAX = 1000,          // of one type or field
    AVRO_NAME_MAX = 1000,             // bytes of a name, a namespace and a symbol
    AVRO_TEXT_MAX = 4 << 20,          // bytes of a schema's JSON, with all it refers to
    AVRO_VALUES_MAX = 400000,         // JSON values in a text
    AVRO_PARSED_MAX = 64 << 20,       // bytes of a schema when parsed
    AVRO_DEFAULTS_MAX = 4 << 20,      // bytes of all defaults, as data
    AVRO_DEFAULT_VALUES_MAX = 400000, // values in all defaults
    AVRO_FIXED_MAX = 64 << 20,        // bytes
    AVRO_DURATION_BYTES = 12,
};

struct avro_type;

// A field or symbol, in the order of names.
struct avro_named {
    struct str name;
    size_t index;
};

struct avro_field {
    struct str name;
    struct str doc;
    const struct str *aliases;
    size_t n_aliases;
    const struct avro_type *type;
    bool has_default;
    struct str default_bytes; // a datum of the type (of a union: of its first branch)
    struct str default_error; // why the default is none; then default_bytes is empty
};

struct avro_type {
    enum avro_kind kind;
    enum avro_logical logical;
    uint32_t precision, scale; // LOGICAL_DECIMAL
    uint32_t size;             // AVRO_FIXED, bytes
    uint32_t min_bytes;        // the fewest that a datum takes, at most INT32_MAX
    uint32_t index;            // of the type within its schema
    struct str name;           // record, enum, fixed: full name
    struct str doc;
    const struct str *aliases; // full names
    size_t n_aliases;
    size_t n; // of the array below
    union {
        struct avro_field *fields;         // AVRO_RECORD
        const struct avro_type **branches; // AVRO_UNION
        const struct str *symbols;         // AVRO_ENUM
        const struct avro_type *items;     // AVRO_ARRAY; AVRO_MAP: its values. n is 0
    };
    const struct avro_named *by_name; // AVRO_RECORD, AVRO_ENUM: n of them
    int default_symbol;               // AVRO_ENUM: index, -1 when there is none
};

struct avro_schema {
    struct arena arena;
    const struct avro_type *root;
    struct avro_type **types; // all of them, each before those it is made of
    size_t n_types;
    size_t capacity;
};

// Texts as JSON, each after those whose names it uses; the last one's type is the root.
// ST_DATA with the place in the schema. avro_schema_free(*ret) when done.
enum status avro_schema_parse(const struct str *texts, size_t n, struct avro_schema **ret,
                              struct err *err);
void avro_schema_free(struct avro_schema *schema);
// ST_DATA when a field's default does not fit its type: names record, field and reason.
enum status avro_schema_check_defaults(const struct avro_schema *schema, struct err *err);

// "long", "int (date)", "record 'gtfs.stop'", "union of null and string".
void avro_type_describe(const struct avro_type *type, struct buf *buf);
const char *avro_kind_name(enum avro_kind kind);
const char *avro_logical_name(enum avro_logical logical);
bool avro_kind_is_named(enum avro_kind kind);
// The name without its namespace.
struct str avro_base_name(struct str full_name);
bool avro_is_name(struct str name); // [A-Za-z_][A-Za-z0-9_]*

const struct avro_field *avro_field_find(const struct avro_type *record, struct str name);
// For "did you mean": the name of the nearest field, or NULL.
const char *avro_field_nearest(const struct avro_type *record, struct str name);
// Index of the symbol, or -1.
int avro_symbol_find(const struct avro_type *enumeration, struct str symbol);
// For a union of null and one other type: that type, and null's index. Else NULL.
const struct avro_type *avro_nullable(const struct avro_type *type, size_t *ret_null);

#endif
