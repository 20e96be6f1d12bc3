// SPDX-License-Identifier: Apache-2.0
// Prints a bound query as SQL for SQLite: fully parenthesised, every name quoted and in a
// spelling of its own, so that it means what the tree means. The one place that knows
// SQLite's dialect.
//
// Integer arithmetic is checked by int32() and int64(), REALs by finite(); division and
// casts are functions: see sqlite_functions.c. Views over the stream are
// printed in place; views over tables by name.
#ifndef SQL_PRINT_H
#define SQL_PRINT_H

#include "base/buf.h"
#include "sql/ast.h"

// The stream's hidden column with the row's index in the batch, and its name in output.
// print_name gives no other column this name.
#define STREAM_ROW_COLUMN "^.row"

// Columns that are parameters, ?1, ?2, ...
struct printer_parameters {
    // Its number; 0: it is none.
    size_t (*number)(struct printer_parameters *parameters, const struct from *leaf,
                     size_t column);
};

struct printer {
    struct buf *out;
    bool traced; // the stream's row index is one more column of queries that read it
    struct printer_parameters *parameters; // NULL: there are none
};

void print_query(struct printer *printer, const struct query *query);
void print_expr(struct printer *printer, const struct expr *expr);
void print_name(struct printer *printer, struct str name); // as SQLite has it
void print_text(struct printer *printer, struct str text); // a string literal
void print_orders(struct printer *printer, const struct order *orders, size_t n);
// A plain column of a FROM's leaf, as "leaf"."column".
void print_column(struct printer *printer, const struct from *leaf, size_t column);
// The query that stands in place of a FROM's leaf: a subquery, or a view or WITH query
// that reads the stream. NULL: the leaf is printed by name.
const struct query *print_in_place(const struct from *leaf);
// A FROM: its items, each what it is and its name, and how they are joined.
void print_from(struct printer *printer, const struct from *from);

#endif
