// SPDX-License-Identifier: Apache-2.0
// A branch of hash joins in the making: what native_from.c finds in a query's FROM and
// WHERE, and native.c makes a plan of. Inside src/sql.
//
// What computes something of both stream and a join's tables needs their values, not
// their encoded bytes: the join becomes a step (plan.h), its columns then count as the
// stream's. That is found out on the way; the branch is then taken once more.
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
    struct exprs where;         // what only SQL can compute of the tables
    struct key keys[KEYS_MAX];
    size_t n_keys;
    struct exprs values; // what outputs need beside the keys
    struct exprs reads;  // columns that its SQL gives
};

// A join, or a subquery, that is run row by row before the joins.
struct step_maker {
    enum step_kind kind;
    struct join_maker join;
    struct exprs residual; // conditions over rows so far and the tables, beside the keys
    struct exprs filter;   // of the rows it made
    struct exprs values;   // columns of the tables that something reads
    size_t *places;        // of them in the wide row
    size_t places_capacity;
    // A leaf whose columns the step itself computes: the flag, or SQLite's answer and why
    // there is none.
    struct from *flag;
    size_t flag_place;                // in the wide row
    const struct native_asked *asked; // STEP_SQLITE; then there are keys, and no tables
};

struct replaced {
    const struct expr *subquery;
    struct expr *by;
};

// A leaf that is the stream through a view or a subquery, and the SELECT it stands for.
struct in_place {
    const struct from *leaf;
    const struct query *query;
};

struct native_maker {
    struct plan *plan;
    const char *why;           // not NULL: there are no hash joins
    bool again;                // there may be some with what is in `stepped`
    const struct query *query; // the branch's SELECT
    const struct from *stream;
    struct in_place *in_place;
    size_t n_in_place, in_place_capacity;
    struct join_maker joins[JOINS_MAX];
    size_t n_joins;
    struct from *new_tables; // about to be joined: the join after the last
    bool new_is_left;
    // Leaves whose joins are steps.
    const struct from **stepped;
    size_t n_stepped, stepped_capacity;
    struct step_maker *steps[STEPS_MAX];
    size_t n_steps;
    size_t n_wide; // columns of the stream and of all steps
    struct replaced *replaced;
    size_t n_replaced, replaced_capacity;
    size_t n_subqueries;
    bool is_condition; // of the IN that is resolved: NULL is as good as false
    size_t n_arms;     // CASE and COALESCE around what is resolved
    struct exprs stream_filter, stream_values;
    struct exprs first_filter; // with steps: what of it comes before them
    struct exprs outputs;      // over stream and tables
};

enum {
    READS_STREAM = 1,
    READS_JOIN = 2 // the first join's tables; those of others follow
};

static inline int reads_join(size_t join)
{
    return READS_JOIN << join;
}

static inline bool native_is_one_bit(int bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

// native_side.c
// There are no hash joins; the first reason stays.
void native_refuse(struct native_maker *maker, const char *why);
// The same, but where those joins can become steps that is to be tried.
void native_step_instead(struct native_maker *maker, int reads);
void exprs_add(struct exprs *exprs, const struct expr *expr);
// The place of an expression in a list, which it is added to.
size_t exprs_place(struct exprs *exprs, const struct expr *expr);
// READS_ of all that it reads.
int native_reads(const struct native_maker *maker, const struct expr *expr);
bool native_has_leaf(const struct from *from, const struct from *leaf);
// The same over stream and tables: without views over the stream, without subqueries.
struct expr *native_resolve(struct native_maker *maker, const struct expr *expr);
// Adds what must all be true for it to be.
void native_split_and(struct exprs *conditions, const struct expr *expr);
struct expr *native_all_of(struct native_maker *maker, const struct exprs *conditions);
bool native_is_equality(const struct expr *expr);
// Those that must all be true for it to be, over stream and tables.
void native_take_conditions(struct native_maker *maker, const struct expr *expr,
                            struct exprs *ret);

// native_join.c: joins tables by conditions.
void native_take_join(struct native_maker *maker, struct from *tables, bool left,
                      const struct expr *on);

// The constant 1.
struct expr *expr_one(struct plan *plan);
// How many SELECTs of the stream a query puts together by UNION ALL.
size_t native_count_branches(const struct query *query);
// Takes one of them: sets what the maker has but for values and reads.
void native_take_branch(struct native_maker *maker, const struct query *query,
                        size_t branch);

// native_subquery.c: what stands for a subquery; steps or tables come for it.
struct expr *native_take_subquery(struct native_maker *maker, const struct expr *expr);

// native_asked.c: the same for one that SQLite answers, and why it does.
struct expr *native_ask(struct native_maker *maker, const struct expr *expr,
                        const char *why);

// native_expr.c: expressions that stand for others.
struct expr *native_expr(struct native_maker *maker, enum expr_kind kind, enum type type,
                         size_t n_args);
struct expr *native_constant(struct native_maker *maker, enum type type,
                             struct value value);
struct expr *native_boolean(struct native_maker *maker, bool is_true);
struct expr *native_column(struct native_maker *maker, const struct from *leaf,
                           size_t column);
struct expr *native_op(struct native_maker *maker, enum op op, struct expr *a,
                       struct expr *b);
struct expr *native_failure(struct native_maker *maker, enum type type,
                            struct expr *text);
struct expr *native_copy_of(const struct expr *expr); // to stand in a new one

// native_steps.c
struct step_maker *native_add_step(struct native_maker *maker, enum step_kind kind,
                                   struct from *tables);
// A condition that the rows that it joins are to fulfil.
void native_step_condition(struct native_maker *maker, struct step_maker *step,
                           const struct expr *condition);
// The place in the wide row; for the compiler. What reads columns of a step's tables
// before it is done is `step`'s, or NULL.
struct wide {
    struct native_maker *maker;
    struct step_maker *step;
};
uint32_t native_wide_place(void *wide, const struct from *leaf, size_t column);
// The steps' programs; then, when all that reads columns of theirs is compiled, the rest.
void native_compile_steps(struct native_maker *maker, struct native_steps *steps);
void native_finish_steps(struct native_maker *maker, struct native_steps *steps);
void native_release_steps(struct native_maker *maker);

// native_data.c: the branch as JSON, when all of it is made.
struct str native_branch_data(const struct native_maker *maker,
                              const struct native_branch *branch);

// native.c
void native_make_join(struct native_maker *maker, struct join_maker *join,
                      bool stream_has_program, struct native_join *ret);
size_t native_tables_place(struct join_maker *join, const struct expr *expr);
struct column native_column_of(const struct expr *expr);
void native_need_key(struct native_maker *maker, struct join_maker *join);
void native_release_join(struct join_maker *join);

#endif
