// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/explain_cost.h"
#include "cli/explain_text.h"
#include "job/tables.h"
#include "sql/spark.h"

static json_t *text(struct str s)
{
    AUTO(buf_release) struct buf utf8 = {0};
    text_utf8(&utf8, s);
    return s.p ? json_string(buf_cstr(&utf8)) : json_null();
}

static json_t *columns(const struct schema *schema)
{
    json_t *array = json_array();
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        json_array_append_new(array, json_pack("{so ss sb}", "name", text(column->name),
                                               "type", type_name(column->type),
                                               "nullable", column->nullable));
    }
    return array;
}

static json_t *names(const struct str *items, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, text(items[i]));
    return array;
}

static json_t *tables_json(const struct plan *plan, const struct tables *tables)
{
    static const char *const kinds[] = {
        [TABLE_DIMENSION] = "table", [TABLE_STREAM] = "stream", [TABLE_SINK] = "result"};
    json_t *array = json_array();
    for (size_t i = 0; i < plan->n_tables; i++) {
        const struct table *table = &plan->tables[i];
        const struct connector *connector = connector_of(&table->options);
        json_t *item = json_pack("{so ss ss ss so so}", "name", text(table->name), "kind",
                                 kinds[table->kind], "connector", connector->options.name,
                                 "format", table->format.group->name, connector->place,
                                 text(options_text(&table->options, connector->place)),
                                 "columns", columns(&table->schema));
        if (tables != NULL && table->kind == TABLE_DIMENSION)
            json_object_set_new(item, "rows", json_integer(tables->n_rows[i]));
        json_array_append_new(array, item);
    }
    return array;
}

// What computes it, when the tables are loaded.
static json_t *build_json(const struct table_query *query, const char *query_why)
{
    const char *why;
    const char *build = explain_build(query, query_why, &why);
    return json_pack("{ss ss?}", "by", build, "why", why);
}

static json_t *views_json(const struct plan *plan)
{
    json_t *array = json_array();
    for (size_t i = 0; i < plan->n_views; i++) {
        const struct view *view = &plan->views[i];
        json_t *item = json_pack(
            "{so sb sb so so so so}", "name", text(view->name), "subquery", view->hidden,
            "materialized", view->materialized, "reads",
            names(view->reads, view->n_reads), "columns", columns(&view->schema), "sql",
            text(view->sql), "build", build_json(view->query, view->query_why));
        json_array_append_new(array, item);
    }
    return array;
}

static void add_builds(json_t *array, const struct native_branch *branch);

static void add_step_builds(json_t *array, const struct native_step *step)
{
    if (step->asked == NULL)
        add_builds(array, &step->table);
    else
        json_array_append_new(
            array, json_pack("{ss ss}", "by", "sqlite", "why", step->asked->why));
}

static void add_builds(json_t *array, const struct native_branch *branch)
{
    for (size_t i = 0; branch->steps != NULL && i < branch->steps->n; i++)
        add_step_builds(array, &branch->steps->items[i]);
    for (size_t i = 0; i < branch->n_joins; i++)
        json_array_append_new(
            array, build_json(branch->joins[i].query, branch->joins[i].query_why));
}

static json_t *builds_json(const struct plan *plan)
{
    json_t *array = json_array();
    bool native = tables_run_natively(plan);
    for (size_t i = 0; native && i < plan->native->n_branches; i++)
        add_builds(array, &plan->native->branches[i]);
    return array;
}

static json_t *insert_json(const struct plan *plan)
{
    const char *why;
    const char *executor = explain_executor(plan, &why);
    return json_pack("{so so so so ss ss so ss so}", "into", text(plan->sink->name),
                     "reads", names(plan->insert_reads, plan->n_insert_reads), "columns",
                     columns(&plan->output), "sql", text(plan->insert_sql), "executor",
                     executor, "why", why, "join_column", text(plan->join_column), "plan",
                     plan->hash, "builds", builds_json(plan));
}

static json_t *spark_json(const struct plan *plan)
{
    return json_pack("{so so}", "decode", text(plan->spark->decode), "query",
                     text(plan->spark->query));
}

static json_t *join_json(const struct dimension *dimension)
{
    const struct dimension_stats *stats = &dimension->stats;
    return json_pack(
        "{sI sI sI so sf sI sI}", "keys", (json_int_t)stats->n_keys, "rows",
        (json_int_t)stats->n_rows, "rows_at_worst", (json_int_t)stats->max_matches,
        "worst_key", text(str_of(dimension->max_key)), "rows_expected",
        dimension_fan_out(dimension), "memory_bytes", (json_int_t)stats->memory_bytes,
        "row_bytes", (json_int_t)stats->row_bytes);
}

static json_t *joins_json(const struct dimensions *dimensions)
{
    json_t *array = json_array();
    for (size_t i = 0; i < dimensions->n; i++) {
        json_t *join = join_json(dimensions->items[i]);
        json_object_set_new(join, "shared",
                            json_boolean(dimensions_is_shared(dimensions, i)));
        json_array_append_new(array, join);
    }
    return array;
}

// The split into the stream's side and the tables', as data.
static json_t *branches_json(const struct native_plan *native)
{
    json_t *array = json_array();
    for (size_t i = 0; i < native->n_branches; i++)
        json_array_append_new(array, json_loadb(native->branches[i].data.p,
                                                native->branches[i].data.n, 0, NULL));
    return array;
}

static json_t *part_json(const struct cost *cost)
{
    return json_pack("{sf sf}", "ns", cost->ns, "rows", cost->rows);
}

static json_t *branch_cost_json(const struct native_branch *branch,
                                const struct branch_cost *cost)
{
    json_t *steps = json_array(), *joins = json_array();
    for (size_t i = 0; i < native_n_steps(branch); i++)
        json_array_append_new(steps, part_json(&cost->steps[i]));
    for (size_t i = 0; i < branch->n_joins; i++)
        json_array_append_new(joins, part_json(&cost->joins[i]));
    return json_pack("{sf sf so so}", "ns", cost->all.ns, "rows", cost->all.rows, "steps",
                     steps, "joins", joins);
}

// About, of a record on one core.
static json_t *cost_json(const struct native_plan *native, const struct tables *tables)
{
    struct dimension *const *dimensions = tables->dimensions.items;
    struct cost all = cost_of_query(native, dimensions);
    json_t *branches = json_array();
    for (size_t i = 0; i < native->n_branches; i++) {
        const struct native_branch *branch = &native->branches[i];
        struct branch_cost cost;
        cost_of_branch(branch, dimensions, &cost);
        dimensions += native_n_dimensions(branch);
        json_array_append_new(branches, branch_cost_json(branch, &cost));
    }
    return json_pack("{sf sf so}", "ns", all.ns, "rows", all.rows, "branches", branches);
}

void explain_json(const struct pipeline *pipeline, const struct tables *tables)
{
    const struct plan *plan = pipeline->plan;
    json_t *root = json_pack("{so so}", "tables", tables_json(plan, tables), "views",
                             views_json(plan));
    if (plan->sink != NULL)
        json_object_set_new(root, "insert", insert_json(plan));
    if (plan->spark != NULL)
        json_object_set_new(root, "spark", spark_json(plan));
    if (tables != NULL && tables->dimensions.n > 0)
        json_object_set_new(root, "joins", joins_json(&tables->dimensions));
    if (tables != NULL && plan->sink != NULL && tables_run_natively(plan))
        json_object_set_new(root, "cost", cost_json(plan->native, tables));
    if (plan->native != NULL)
        json_object_set_new(root, "branches", branches_json(plan->native));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}
