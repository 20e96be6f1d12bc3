// SPDX-License-Identifier: Apache-2.0
// The tables and views of a script that were bound so far. Inside src/sql only.
#ifndef SQL_CATALOG_H
#define SQL_CATALOG_H

#include "sql/ast.h"
#include "sql/parse.h"

struct relation {
    struct str name;
    size_t at; // of the CREATE's name
    struct schema schema;
    bool is_stream;
    bool is_sink;
    bool hidden;         // a view made from a subquery of the INSERT
    bool failed;         // an error was reported: its columns are not all known
    bool reads_stream;   // the stream, or a view over it
    struct query *query; // of a view; NULL: a table
};

struct catalog {
    struct relation **items; // in the order of the script
    size_t n, capacity;
    const struct statements *statements; // for names that come later
};

struct relation *catalog_find(const struct catalog *catalog, struct str name);
void catalog_add(struct catalog *catalog, struct relation *relation);
void catalog_release(struct catalog *catalog); // the relations belong to the arena

#endif
