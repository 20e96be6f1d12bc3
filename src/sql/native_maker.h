// SPDX-License-Identifier: Apache-2.0
// A hash join in the making: what native_from.c finds in a query's FROM and WHERE, and
// native.c makes a plan of. Inside src/sql.
#ifndef SQL_NATIVE_MAKER_H
#define SQL_NATIVE_MAKER_H

#include "sql/ast.h"
#include "sql/plan.h"

enum {
    KEYS_MAX = 64
};

struct exprs {
    const struct expr **items;
    size_t n, capacity;
};

struct key {
    const struct expr *stream, *tables;
};

struct native_maker {
    struct plan *plan;
    const struct query *query;
    const char *why; // not NULL: there is no hash join
    const struct from *stream;
    struct from *tables; // NULL: no join
    bool left;
    struct exprs stream_filter, stream_match, tables_filter, tables_match;
    struct key keys[KEYS_MAX];
    size_t n_keys;
    struct exprs stream_values, tables_values; // what outputs need; keys stand apart
    struct exprs reads;                        // columns that dimension_sql gives
};

enum {
    READS_STREAM = 1,
    READS_TABLES = 2
};

// There is no hash join; the first reason stays.
void native_refuse(struct native_maker *maker, const char *why);
void exprs_add(struct exprs *exprs, const struct expr *expr);
// READS_ of both, one or none.
int native_reads(const struct native_maker *maker, const struct expr *expr);
// Sets what the maker has but for what outputs need.
void native_take_from(struct native_maker *maker);

#endif
