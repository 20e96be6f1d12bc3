// SPDX-License-Identifier: Apache-2.0
// Gives every name its column, every expression its type and nullability. Inside src/sql.
//
// Binding writes into the tree. Errors are reported and mark what they touch `failed`, so
// that what follows from them is not reported again; binding always goes to the end.
#ifndef SQL_BIND_H
#define SQL_BIND_H

#include "sql/catalog.h"
#include "sql/functions.h"
#include "sql/report.h"
#include "sql/walk.h"

// The WITH queries that a place sees, from the nearest.
struct with {
    const struct with *outer;
    struct cte *ctes;
    size_t n; // of them visible
};

// What names mean at a place: the FROM of its SELECT, then those of the SELECTs around.
struct scope {
    struct scope *outer;
    struct query *query;
    const struct from *from; // NULL: no FROM, or not bound yet
    const char *clause;      // "WHERE", ... for messages
    bool aggregates_ok;
    bool windows_ok;
    // While the arguments of an aggregate are bound.
    bool in_aggregate;
    size_t n_own_columns;   // of this SELECT that were seen
    size_t n_outer_columns; // of SELECTs around it
};

struct binder {
    struct report *report;
    struct arena *arena;
    const struct catalog *catalog;
    size_t at;       // of the statement that is bound
    bool incomplete; // some statement could not be read: names may be missing
    struct scope *scope;
    const struct with *with;
    size_t n_ctes; // that were given a printed name
};

enum names {
    NAMES_NEEDED, // outputs are columns of a relation
    NAMES_FREE,   // a subquery of an expression
};

// A whole statement's query, without outer scopes.
void bind_query(struct binder *binder, struct query *query, enum names names);
// The schema that column aliases make of another; reports what is wrong with them. The
// outputs of `query` are renamed too, unless it is NULL.
struct schema bind_aliases(struct binder *binder, const struct schema *schema, size_t at,
                           const struct str *aliases, size_t n, struct query *query);
void bind_from(struct binder *binder, struct from *from, struct query *owner);
void bind_expr(struct binder *binder, struct expr *expr);
void bind_condition(struct binder *binder, struct expr *expr, const char *what);
void bind_call(struct binder *binder, struct expr *expr);
void bind_column(struct binder *binder, struct expr *expr);
void bind_orders(struct binder *binder, struct order *orders, size_t n);
// Checks that a grouped SELECT uses only what its groups determine.
void bind_grouping(struct binder *binder, struct query *query);

// Types (bind_types.c).
// The type that both can be, TYPE_UNKNOWN when there is none; a bare NULL can be any.
enum type type_common(enum type a, enum type b);
bool type_is_number(enum type type);
const char *type_said(const struct expr *expr); // its type, or "NULL"
// Makes *slot of that type, which it can be: wraps an integer to become REAL.
void bind_coerce(struct binder *binder, struct expr **slot, enum type type);
void bind_coerce_column(struct binder *binder, struct query *query, size_t column,
                        enum type type);
bool expr_equal(const struct expr *a, const struct expr *b);
struct expr *bind_new_expr(struct binder *binder, enum expr_kind kind, size_t at);

#endif
