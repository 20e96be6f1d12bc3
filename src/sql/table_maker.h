// SPDX-License-Identifier: Apache-2.0
// A table_query in the making: what table_from.c finds in FROM and WHERE, and
// table_query.c orders and compiles. Inside src/sql.
#ifndef SQL_TABLE_MAKER_H
#define SQL_TABLE_MAKER_H

#include "sql/native_maker.h"

enum {
    SCANS_MAX = 32,
    WORK_MAX = 50000 // views of views may double with each
};

enum scan_kind {
    SCAN_TABLE,
    SCAN_SQL,   // a view or subquery that SQLite runs
    SCAN_QUERY, // a FROM of its own: joined first
};

// One source. Expressions name it by copies of its leaves, so that a view that is read
// twice has each its own.
struct scan {
    enum scan_kind kind;
    const struct from *from;
    const char *sql_why;
    bool left;
    struct exprs filter, match;     // of a left join's ON: over the scan, over the rest
    struct exprs keys, source_keys; // what is compared
    struct exprs columns;           // that are read
    size_t offset;                  // of those in the joined row, when it is placed
};

// What a leaf of a query is: a scan's, or a query that stands in its place.
struct binding {
    const struct from *leaf;
    struct from *copy; // NULL: the query
    const struct query *query;
    struct binding *inside; // of its FROM
    struct binding *next;
};

struct copied_leaf {
    const struct from *copy, *leaf;
    size_t scan;
};

struct table_maker {
    struct plan *plan;
    const char *why; // not NULL: SQLite runs it
    size_t work;     // expressions and FROMs that were looked at
    struct scan scans[SCANS_MAX];
    size_t n_scans;
    struct copied_leaf *copies;
    size_t n_copies, copies_capacity;
    struct exprs conditions; // of WHERE and inner joins; NULL: used
    struct exprs outputs;
};

// The first reason stays.
void table_refuse(struct table_maker *maker, const char *why);
// Takes a FROM, with all that stands in place of its leaves.
void table_take_from(struct table_maker *maker, const struct from *from,
                     struct binding **scope);
// Takes a query's FROM and WHERE, unless it is refused.
void table_take_query(struct table_maker *maker, const struct query *query,
                      struct binding **scope);
// The expression over scans, whose columns are noted.
struct expr *table_resolve(struct table_maker *maker, const struct binding *scope,
                           const struct expr *expr);
// Adds what must be true of each row.
void table_add_condition(struct table_maker *maker, const struct binding *scope,
                         const struct expr *expr);
// A bit for each scan that it reads.
uint32_t table_reads(const struct table_maker *maker, const struct expr *expr);
// Whether `expr` compares by an equality what reads some of `a` only with what reads `b`
// only; both are wanted.
bool table_is_link(const struct table_maker *maker, const struct expr *expr, uint32_t a,
                   uint32_t b, const struct expr **ret_a, const struct expr **ret_b);
// The original leaf and the scan of a copy.
const struct copied_leaf *table_copy_of(const struct table_maker *maker,
                                        const struct from *copy);
struct expr *table_column(struct plan *plan, const struct from *leaf, size_t column);

#endif
