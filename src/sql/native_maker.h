// SPDX-License-Identifier: Apache-2.0
// A branch of hash joins in the making: what native_from.c finds in a query's FROM and
// WHERE, and native.c makes a plan of. Inside src/sql.
#ifndef SQL_NATIVE_MAKER_H
#define SQL_NATIVE_MAKER_H

#include "sql/ast.h"
#include "sql/plan.h"

enum {
    KEYS_MAX = 64,
    BRANCHES_MAX = 64
};

struct exprs {
    const struct expr **items;
    size_t n, capacity;
};

struct key {
    const struct expr *stream, *tables;
};

struct join_maker {
    struct from *tables;
    bool left;
    struct exprs stream_match;  // ON of a left join: what the stream must be
    struct exprs match, filter; // conditions of its ON, and of WHERE
    struct key keys[KEYS_MAX];
    size_t n_keys;
    struct exprs values; // what outputs need beside the keys
    struct exprs reads;  // columns that its SQL gives
};

// A leaf that is the stream through a view or a subquery, and the SELECT it stands for.
struct in_place {
    const struct from *leaf;
    const struct query *query;
};

struct native_maker {
    struct plan *plan;
    const char *why;           // not NULL: there are no hash joins
    const struct query *query; // the branch's SELECT
    const struct from *stream;
    struct in_place *in_place;
    size_t n_in_place, in_place_capacity;
    struct join_maker joins[JOINS_MAX];
    size_t n_joins;
    struct exprs stream_filter, stream_values;
    struct exprs outputs; // over stream and tables
};

enum {
    READS_STREAM = 1,
    READS_JOIN = 2 // the first join's tables; those of others follow
};

static inline int reads_join(size_t join)
{
    return READS_JOIN << join;
}

// There are no hash joins; the first reason stays.
void native_refuse(struct native_maker *maker, const char *why);
void exprs_add(struct exprs *exprs, const struct expr *expr);
// READS_ of all that it reads.
int native_reads(const struct native_maker *maker, const struct expr *expr);
// How many SELECTs of the stream a query puts together by UNION ALL.
size_t native_count_branches(const struct query *query);
// Takes one of them: sets what the maker has but for values and reads.
void native_take_branch(struct native_maker *maker, const struct query *query,
                        size_t branch);

#endif
