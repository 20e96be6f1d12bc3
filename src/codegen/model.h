// SPDX-License-Identifier: Apache-2.0
// The C types that a schema becomes, with their names; what codegen prints. For
// src/codegen.
#ifndef CODEGEN_MODEL_H
#define CODEGEN_MODEL_H

#include "avro/schema.h"

enum c_shape {
    SHAPE_PLAIN, // a number, text or bytes
    SHAPE_NULL,  // nothing
    SHAPE_ENUM,
    SHAPE_FIXED,
    SHAPE_RECORD,
    SHAPE_ARRAY,
    SHAPE_MAP,
    SHAPE_OPTIONAL, // union of null and one type
    SHAPE_UNION,
};

struct c_member {
    const char *name;               // of the struct's member; NULL: of an item
    const char *place;              // "x->name", "x->as.name", "x->items[i]"
    const char *constant;           // SHAPE_UNION: of the kind
    const struct c_type *type;      //
    bool by_pointer;                // a record that is part of itself
    const struct avro_field *field; // SHAPE_RECORD
};

struct c_type {
    const struct avro_type *avro;
    enum c_shape shape;
    const char *word;         // for the names of types made of it: "string", "stop_time"
    const char *tag;          // without struct or enum; of plain ones the word
    const char *c;            // as it stands in a declaration: "struct gtfs_stop_time"
    struct c_member *members; // record, union: all; optional, array, map: the one
    size_t n_members;
    const char **symbols; // SHAPE_ENUM: constants
    size_t null_branch;   // SHAPE_OPTIONAL
    bool recursive;       // SHAPE_RECORD
    bool owns;            // has memory to free
    bool printed;         // its definition stands
    int in_progress;      // for walks
    uint64_t size;        // bytes in C, about; 0: not yet known
};

// Names that are taken. Borrows them.
struct name_set {
    const char **slots;
    size_t n, n_slots;
};
void name_set_release(struct name_set *set);

struct c_model {
    struct arena arena;
    struct c_type **types; // in the order they were met; no two of one tag
    size_t n_types, capacity;
    const struct c_type **of_avro; // by the avro type's index
    struct name_set tags;          // of structs and enums
    struct name_set identifiers;   // of all else outside of structs
    const char *prefix;
    const struct c_type *root;
};

enum status c_model_open(const struct avro_schema *schema, const char *prefix,
                         struct c_model **ret, struct err *err);
void c_model_free(struct c_model *model);

// Names for C and C++: a word of the languages, or a macro of the library, gets a _
// behind it, what belongs to the compiler (_X) an x before it, what is taken a number.
// Each is noted as taken.
const char *c_member_name(struct arena *arena, struct str name, struct name_set *taken);
// A tag such that it and the names of its functions are free; notes them all.
const char *c_tag(struct c_model *model, const char *name);
// A constant or function, or anything else outside of structs.
const char *c_identifier(struct c_model *model, const char *name);
// All words of a text.
void c_take_words(struct c_model *model, const char *text);

#endif
