// SPDX-License-Identifier: Apache-2.0
// A script as a tree: what the parser said, in our words, and what binding adds to it.
//
// tree_*.c builds it from libpg_query's JSON, bind_*.c fills the fields under "bound",
// the others only read it. All of it lives in the plan's arena. `at` is a byte in the
// script.
#ifndef SQL_AST_H
#define SQL_AST_H

#include "core/schema.h"

struct query;
struct from;
struct function;
struct relation;

enum expr_kind {
    EXPR_COLUMN,  // qualifier.name
    EXPR_STAR,    // * or qualifier.*; only as an output
    EXPR_CONST,   // constant
    EXPR_OP,      // op over args
    EXPR_CASE,    // subject or NULL; args: when, then, ..., else
    EXPR_CAST,    // args[0] to cast_to
    EXPR_CALL,    // name(args)
    EXPR_IN_LIST, // args[0] in args[1..]
    EXPR_IN,      // args[0] in query
    EXPR_EXISTS,  // query
    EXPR_SCALAR,  // query
};

enum op {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_NEG,
    OP_CONCAT,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_DISTINCT,     // IS DISTINCT FROM
    OP_NOT_DISTINCT, // IS NOT DISTINCT FROM
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_LIKE,    // args: text, pattern, escape
    OP_BETWEEN, // args: value, low, high
    OP_IS_NULL,
    OP_IS_NOT_NULL,
    OP_IS_TRUE,
    OP_IS_NOT_TRUE,
    OP_IS_FALSE,
    OP_IS_NOT_FALSE,
    OP_COALESCE,
    OP_NULLIF,
    OP_GREATEST,
    OP_LEAST,
};

struct order {
    struct expr *expr;
    bool descending;
    bool nulls_first; // PostgreSQL's default is filled in: ASC last, DESC first
    size_t output;    // bound: number of the output that it names, from 1; 0: none
};

struct window {
    struct expr **partitions;
    size_t n_partitions;
    struct order *orders;
    size_t n_orders;
    size_t at;
};

struct expr {
    enum expr_kind kind;
    enum op op;
    size_t at;
    struct str qualifier, name;
    struct value constant;
    struct expr **args;
    size_t n_args;
    struct expr *subject; // CASE
    enum type cast_to;
    struct query *query;
    bool star;           // count(*)
    bool distinct;       // count(DISTINCT x)
    struct expr *filter; // FILTER (WHERE ...)
    struct window *over; // OVER (...)
    // bound:
    enum type type; // TYPE_UNKNOWN: a bare NULL, or an error was reported
    bool nullable;
    bool failed;             // an error was reported here or below
    const struct from *leaf; // EXPR_COLUMN: whose column, and which
    size_t column;
    const struct function *function;
};

enum join {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_RIGHT,
};

enum from_kind {
    FROM_NAME,  // a table, view or CTE
    FROM_QUERY, // (SELECT ...) AS alias
    FROM_JOIN,
};

// What `*` and plain names see of a FROM: a column, or the one that USING made of two.
struct visible {
    struct str name;
    struct expr *expr;
};

struct from {
    enum from_kind kind;
    size_t at;
    struct str name;  // FROM_NAME
    struct str alias; // or the name
    struct str *column_aliases;
    size_t n_column_aliases;
    struct query *query; // FROM_QUERY
    enum join join;
    struct from *left, *right;
    struct expr *on; // NULL: cross join
    struct str *using;
    size_t n_using;
    // bound:
    // FROM_NAME of the catalog, or the view that a FROM_QUERY was made
    const struct relation *relation;
    const struct cte *cte;     // FROM_NAME of a WITH
    struct schema schema;      // of a leaf, column aliases applied
    struct str label;          // of a leaf: its name in printed SQL
    const struct query *owner; // the SELECT in whose FROM it stands
    bool nulled;               // an outer join above may make its columns NULL
    bool reads_stream;
    bool failed; // its columns are not known, for an error reported elsewhere
    struct visible *visible;
    size_t n_visible;
};

struct cte {
    struct str name;
    size_t at;
    struct str *column_aliases;
    size_t n_column_aliases;
    struct query *query;
    // bound:
    struct schema schema;
    struct str label; // its name in printed SQL
    bool failed;      // an error was reported in it
    bool used;
    const struct relation *hoisted; // printed as this view of its own
};

struct output_item {
    struct expr *expr;
    struct str name; // p == NULL: none given; bound: always given
    size_t at;
    bool of_star; // bound: a * was expanded to it
};

enum set_op {
    SET_NONE, // a plain SELECT
    SET_UNION,
    SET_UNION_ALL,
    SET_EXCEPT,
    SET_INTERSECT,
};

struct query {
    size_t at;
    enum set_op set_op;
    struct query *left, *right; // of a set operation
    struct cte *ctes;
    size_t n_ctes;
    struct output_item *outputs; // of a plain SELECT; bound: stars are expanded
    size_t n_outputs;
    bool distinct;
    size_t distinct_at;
    struct from *from; // NULL: none
    struct expr *where;
    struct expr **groups;
    size_t n_groups;
    struct expr *having;
    struct order *orders;
    size_t n_orders;
    struct expr *limit, *offset; // integer constants
    // bound:
    struct schema schema;
    bool reads_stream; // in FROM, or in a subquery of an expression (which is not legal)
    bool has_aggregates;
    bool correlated; // uses columns of an outer query
    bool failed;
};

struct option_text {
    struct str name; // "kafka.acks" also for kafka.acks without quotes
    size_t at;       // of the name
    size_t value_at;
    struct str text;   // variables replaced
    bool from_set;     // some of it came from --set
    bool from_outside; // some of it came from --set-file or the environment
    bool failed;       // an error was reported
};

struct column_text {
    struct str name;
    size_t at;
    enum type type;
    bool nullable;
};

enum statement_kind {
    STATEMENT_SET,
    STATEMENT_TABLE,
    STATEMENT_VIEW,
    STATEMENT_INSERT,
};

struct statement {
    enum statement_kind kind;
    size_t at;
    struct str name; // of the table or view
    size_t name_at;
    struct option_text *options; // SET: exactly one
    size_t n_options;
    struct column_text *columns; // TABLE; VIEW: only names
    size_t n_columns;
    bool materialized;
    struct query *query; // VIEW, INSERT
};

#endif
