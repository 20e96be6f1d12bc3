// SPDX-License-Identifier: Apache-2.0
// How the stream's records meet the tables that its query joins, as queries for SQLite:
// to count what no row of a table was found for, where SQLite runs the whole query and so
// tells its rows alone.
//
// One for each SELECT that joins the stream with something. A table is looked up by its
// ON, and by equalities of WHERE over both sides; tables that are compared with one
// another alone are one, "trips+calendar", as for hash joins (native_from.c). Tables in
// subqueries of expressions are not looked at.
#ifndef SQL_PROBE_H
#define SQL_PROBE_H

#include "sql/ast.h"
#include "sql/plan.h"

// Columns of a probe: the record's index in the batch, then for each of its tables how
// many rows match, how many rows the join gives that WHERE leaves (a left join without a
// match gives one of NULLs), and the keys.
struct probe_table {
    struct str name;
    bool left;     // a record without a match gives a row all the same
    size_t column; // of the first number
    size_t n_keys;
};

struct probe {
    struct str sql;
    struct schema schema;
    const struct probe_table *tables; // asked in this order
    size_t n_tables;
};

// Sets plan->probes.
void probes_make(struct plan *plan, const struct query *query);

#endif
