// SPDX-License-Identifier: Apache-2.0
// Statements to plan: binds each in the script's order, checks what holds among them, and
// prints the queries. Inside src/sql.
#ifndef SQL_BUILD_H
#define SQL_BUILD_H

#include "sql/bind.h"

// Where a table or a materialized view is kept.
struct named_path {
    struct str name;
    size_t at;         // of the path in the script
    const void *place; // as script_checks has it
};

struct builder {
    struct report *report;
    const struct script *script;
    struct plan *plan;
    const struct statements *statements;
    struct catalog catalog;
    struct binder binder;
    struct str sink_name; // of the first INSERT; empty: none
    bool sink_is_made;    // some statement makes it
    bool sink_is_wrong;   // its CREATE TABLE has an error
    struct table *tables; // room for all statements
    size_t n_tables;
    struct named_path *paths; // room for all statements
    size_t n_paths;
    struct view *views; // malloc
    size_t n_views, views_capacity;
    const struct statement *insert;
    struct query *insert_query; // NULL: none, or wrong
};

// Errors go to the report; then the plan must not be used.
void build_plan(struct report *report, const struct script *script,
                const struct statements *statements, struct plan *plan);

// build_relation.c
void build_table(struct builder *builder, const struct statement *statement);
void build_view(struct builder *builder, const struct statement *statement);
// Adds a view over tables to the plan: prints its query.
struct view *build_add_view(struct builder *builder, struct str name, struct query *query,
                            const struct schema *schema);
// What the script's own words do not show wrong with a table; see struct script_checks.
void build_check_outside(struct builder *builder, size_t at, const struct table *table);
// Reports the columns that the format cannot hold.
void build_check_types(struct builder *builder, size_t at, const struct options *options,
                       const struct schema *schema);

// build_insert.c
void build_insert(struct builder *builder, const struct statement *statement);
// After all statements, when there was no error: prints the INSERT, makes its plans.
void build_insert_plan(struct builder *builder);

#endif
