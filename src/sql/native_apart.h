// SPDX-License-Identifier: Apache-2.0
// A subquery taken apart: what it says of its tables alone, what it compares with the
// query around it. Inside src/sql.
#ifndef SQL_NATIVE_APART_H
#define SQL_NATIVE_APART_H

#include "sql/native_maker.h"

struct subquery {
    struct native_maker *maker;
    const struct query *query;
    struct from *tables;
    struct exprs inner; // conditions over its tables alone, that do not fail
    struct exprs both;  // others
    struct key keys[KEYS_MAX];
    size_t n_keys;
    int reads;       // READS_ of what it uses from outside
    bool is_whole;   // it uses nothing, and is read as it stands
    const char *why; // not NULL: only SQLite can answer it
};

// Only SQLite can answer it; the first reason stays.
void subquery_refuse(struct subquery *subquery, const char *why);
bool subquery_is_refused(const struct subquery *subquery); // or all of the query is
// What may fail stays out of what CASE and COALESCE do not compute: refuses it there.
void subquery_check_arms(struct subquery *subquery, const struct expr *outer);
// Reads it as it stands if it can, else takes it apart.
void subquery_take(struct subquery *subquery, bool aggregates);
void subquery_release(struct subquery *subquery);
void subquery_add_key(struct subquery *subquery, const struct expr *outer,
                      const struct expr *inner);
// A leaf that is the query.
struct from *subquery_leaf(struct native_maker *maker, struct query *query,
                           const struct schema *schema);

// What an expression with all its subqueries reads of the query around.
struct outer {
    bool is_used;
    bool reads_now; // the batch's time, which is the stream's
    int reads;      // READS_ of it
};
struct outer native_outer(struct native_maker *maker, const struct expr *expr);
// Whether the leaf stands outside of all subqueries.
bool native_is_outside(const struct native_maker *maker, const struct from *leaf);
// Whether it, or a subquery in it, can fail for some row.
bool native_can_fail(struct native_maker *maker, const struct expr *expr);

#endif
