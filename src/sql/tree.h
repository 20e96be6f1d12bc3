// SPDX-License-Identifier: Apache-2.0
// libpg_query's JSON to our tree. A node that has no place in ours is refused with its
// place and what to write instead. Inside src/sql only.
//
// Functions report what is wrong and return NULL or false; the caller goes on, so that
// one pass finds several errors.
#ifndef SQL_TREE_H
#define SQL_TREE_H

#include <jansson.h>

#include "sql/ast.h"
#include "sql/plan.h"
#include "sql/report.h"

struct tree {
    const struct script *script; // for variables
    struct report *report;
    size_t base; // where the text that was parsed begins in the script
    size_t at;   // the last place that a node told: for nodes that tell none
};

// A node {"Kind": {...}}: its kind and its body.
struct node {
    const char *kind; // "" when there is none
    const json_t *body;
};

struct node tree_node(const json_t *wrapped);
bool node_is(struct node node, const char *kind);
const json_t *tree_field(const json_t *body, const char *name); // or NULL
bool tree_flag(const json_t *body, const char *name);
const char *tree_word(const json_t *body, const char *name); // "" when absent
struct str tree_str(struct tree *tree, const json_t *body, const char *name); // a copy
// Text of a {"String": {"sval": ...}}.
struct str tree_string(struct tree *tree, const json_t *wrapped);
size_t tree_place(struct tree *tree, const json_t *body);
void *tree_array(struct tree *tree, size_t n, size_t size);
// A type's name to our type; TYPE_UNKNOWN after a report.
enum type tree_type(struct tree *tree, const json_t *type_name);
// Names of a list of String nodes.
struct str *tree_names(struct tree *tree, const json_t *list, size_t *ret_n);

struct expr *tree_expr(struct tree *tree, const json_t *wrapped);
struct expr **tree_exprs(struct tree *tree, const json_t *list, size_t *ret_n);
struct expr *tree_call(struct tree *tree, const json_t *body);
struct query *tree_query(struct tree *tree, const json_t *select_body);
struct cte *tree_ctes(struct tree *tree, const json_t *with, size_t *ret_n);
bool tree_statement(struct tree *tree, const json_t *wrapped, struct statement *ret);

#endif
