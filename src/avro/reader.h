// SPDX-License-Identifier: Apache-2.0
// What is wanted of a datum: columns as a tree of field names, and the reader's schema if
// there is one. Read-only once made.
#ifndef AVRO_READER_H
#define AVRO_READER_H

#include "avro/schema.h"
#include "core/schema.h"

// One part of a column's name: of "a.b" the node a, which has the child b.
struct avro_node {
    struct str name;
    int column; // -1: only a part on the way
    struct avro_node *children;
    size_t n_children;
};

struct avro_reader {
    struct arena arena;
    struct schema columns;
    struct avro_node root;
    struct avro_schema *schema; // NULL: any that the columns' types read
};

// `schema_json` may be empty. ST_USAGE: it is not a schema, it is not of a record, or a
// column has no field in it or not of a type that the column's reads.
enum status avro_reader_open(const struct schema *columns, struct str schema_json,
                             struct avro_reader **ret, struct err *err);
void avro_reader_free(struct avro_reader *reader);

const struct avro_node *avro_node_find(const struct avro_node *node, struct str name);

// The first column at or below the node that is NOT NULL, or -1.
int avro_node_not_null(const struct avro_reader *reader, const struct avro_node *node);

// The column type that holds a field's type best; TYPE_UNKNOWN when none does.
enum type avro_natural_type(const struct avro_type *type);

#endif
