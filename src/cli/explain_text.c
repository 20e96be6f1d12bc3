// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_text.h"

#include <stdio.h>

#include "base/text.h"
#include "cli/explain_cost.h"
#include "cli/term.h"
#include "sql/spark.h"

enum {
    DEPTH_MAX = 16, // of the tree; below that only names would not fit a screen
    INDENT = 3
};

// One line of the tree.
struct node {
    struct str name;
    const struct table *table; // or a view
    const struct view *view;
    const struct str *reads; // below it
    size_t n_reads;
};

struct tree {
    const struct plan *plan;
    const struct tables *tables;
    size_t width;         // of the first column
    bool last[DEPTH_MAX]; // the branch at that depth has ended
    void (*visit)(struct tree *tree, const struct node *node, size_t depth);
};

static const char *native_shape(const struct native_plan *native)
{
    const struct native_branch *first = &native->branches[0];
    if (native_asks(native))
        return "hash joins and steps, but for subqueries that sqlite answers";
    if (native->n_branches > 1)
        return "hash joins, by each branch of UNION ALL";
    if (first->steps != NULL)
        return first->n_joins > 0 ? "steps row by row, then hash joins"
                                  : "steps row by row";
    if (first->n_joins > 1)
        return "one hash join for each table";
    if (first->n_joins == 0)
        return "one pass over the stream, no join";
    return first->joins[0].left ? "one left hash join" : "one hash join";
}

const char *explain_executor(const struct plan *plan, const char **ret_why)
{
    bool native = plan->native && !options_is(&plan->settings, "executor", "sqlite");
    if (native)
        *ret_why = native_shape(plan->native);
    else
        *ret_why = plan->native ? "SET executor = 'sqlite'" : plan->native_why.p;
    return native ? "native" : "sqlite";
}

static const char *why_sqlite(const struct table_query *query);

static const char *source_why(const struct table_source *source)
{
    return source->query != NULL ? why_sqlite(source->query) : source->sql_why;
}

// Why SQLite gives rows of one of its sources; NULL: it does not.
static const char *why_sqlite(const struct table_query *query)
{
    const char *why = source_why(&query->source);
    for (size_t i = 0; i < query->n_joins && why == NULL; i++)
        why = source_why(&query->joins[i].source);
    return why;
}

const char *explain_build(const struct table_query *query, const char *query_why,
                          const char **ret_why)
{
    *ret_why = query != NULL ? why_sqlite(query) : query_why;
    if (query == NULL)
        return "sqlite";
    return *ret_why != NULL ? "native and sqlite" : "native";
}

static struct node node_of(const struct plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->n_views; i++) {
        const struct view *view = &plan->views[i];
        if (str_eq(view->name, name))
            return (struct node){name, NULL, view, view->reads, view->n_reads};
    }
    return (struct node){.name = name, .table = plan_table(plan, name)};
}

static void walk(struct tree *tree, const struct node *node, size_t depth)
{
    tree->visit(tree, node, depth);
    for (size_t i = 0; i < node->n_reads && depth + 1 < DEPTH_MAX; i++) {
        struct node child = node_of(tree->plan, node->reads[i]);
        tree->last[depth + 1] = i + 1 == node->n_reads;
        walk(tree, &child, depth + 1);
    }
}

static struct str shown_name(const struct node *node)
{
    return node->view != NULL ? view_shown_name(node->view) : node->name;
}

static void measure(struct tree *tree, const struct node *node, size_t depth)
{
    size_t width = depth * INDENT + str_display_width(shown_name(node));
    if (width > tree->width)
        tree->width = width;
}

static const char *kind_of(const struct node *node)
{
    if (node->view != NULL)
        return view_kind(node->view);
    return node->table->kind == TABLE_DIMENSION ? "table"
           : node->table->kind == TABLE_STREAM  ? "stream"
                                                : "result";
}

static const char *place_of(const struct node *node)
{
    if (node->view != NULL)
        return node->view->materialized ? options_text(&node->view->options, "path").p
                                        : "";
    const struct options *options = &node->table->options;
    return options_text(options, connector_of(options)->place).p;
}

static const char *format_name(const struct node *node)
{
    const struct options *format =
        node->table ? &node->table->format : &node->view->format;
    return format->group ? format->group->name : "";
}

// Numbers stand below each other, and so does what is behind the word.
static void print_rows(int64_t n)
{
    printf("%10s %-4s  ", text_count(n), n == 1 ? "row" : "rows");
}

static void print_node(struct tree *tree, const struct node *node, size_t depth)
{
    for (size_t i = 1; i < depth; i++)
        printf("%s", tree->last[i] ? "   " : "│  ");
    if (depth > 0)
        printf("%s", tree->last[depth] ? "└─ " : "├─ ");
    struct str name = shown_name(node);
    size_t pad = tree->width - depth * INDENT - str_display_width(name);
    printf("%.*s%*s  %-17s  %-4s  ", STR_ARGS(name), (int)pad, "", kind_of(node),
           format_name(node));
    const struct table *table = node->table;
    if (table != NULL && table->kind == TABLE_DIMENSION && tree->tables != NULL)
        print_rows(tree->tables->n_rows[table - tree->plan->tables]);
    const struct connector *connector = table ? connector_of(&table->options) : NULL;
    bool is_topic = connector != NULL && connector->admin != NULL;
    printf("%s%s%s\n", is_topic ? connector->place : "", is_topic ? " " : "",
           place_of(node));
}

static void walk_all(struct tree *tree)
{
    const struct plan *plan = tree->plan;
    if (plan->sink != NULL) {
        struct node root = {plan->sink->name, plan->sink, NULL, plan->insert_reads,
                            plan->n_insert_reads};
        walk(tree, &root, 0);
        return;
    }
    for (size_t i = 0; i < plan->n_views; i++) {
        struct node root = node_of(plan, plan->views[i].name);
        walk(tree, &root, 0);
    }
}

static void print_tree(const struct plan *plan, const struct tables *tables)
{
    struct tree tree = {.plan = plan, .tables = tables, .visit = measure};
    walk_all(&tree);
    tree.visit = print_node;
    walk_all(&tree);
}

static void print_columns(const struct schema *schema)
{
    size_t width = 0;
    for (size_t i = 0; i < schema->n; i++) {
        size_t n = str_display_width(schema->columns[i].name);
        width = n > width ? n : width;
    }
    printf("\ncolumns of the result\n");
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        size_t pad = width - str_display_width(column->name);
        printf("  %.*s%*s  %s%s\n", STR_ARGS(column->name), (int)pad, "",
               type_name(column->type), column->nullable ? "" : " NOT NULL");
    }
}

static void print_join(const struct dimension *dimension)
{
    const struct dimension_stats *stats = &dimension->stats;
    printf("  %-8s  %s, %s; ", "join",
           text_counted((int64_t)stats->n_keys, "key", "keys"),
           text_counted((int64_t)stats->n_rows, "row", "rows"));
    if (stats->max_matches <= 1)
        printf("keys are unique\n");
    else
        printf("keys are not unique\n  %-8s  %.1f rows a record expected, %s at worst "
               "(key %s)\n",
               "fan-out", dimension_fan_out(dimension),
               text_count((int64_t)stats->max_matches), dimension->max_key);
    printf("  %-8s  %s, %.0f bytes a row; a row of the result has %.0f from it\n",
           "memory", text_bytes((int64_t)stats->memory_bytes),
           stats->n_rows ? (double)stats->memory_bytes / (double)stats->n_rows : 0.0,
           stats->n_rows ? (double)stats->row_bytes / (double)stats->n_rows : 0.0);
}

static void print_build(const char *what, struct str name,
                        const struct table_query *query, const char *query_why)
{
    const char *why;
    const char *build = explain_build(query, query_why, &why);
    printf("  %-8s  %.*s%s%s%s%s\n", what, STR_ARGS(name), name.n ? ": " : "", build,
           why ? ": " : "", why ? why : "");
}

static void print_branch(const struct native_branch *branch)
{
    for (size_t i = 0; branch->steps != NULL && i < branch->steps->n; i++)
        print_branch(&branch->steps->items[i].table);
    for (size_t i = 0; i < branch->n_joins; i++)
        print_build("tables", (struct str){0}, branch->joins[i].query,
                    branch->joins[i].query_why);
}

// What computes the queries over tables alone.
static void print_builds(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            print_build("view", plan->views[i].name, plan->views[i].query,
                        plan->views[i].query_why);
    bool native = plan->native && !options_is(&plan->settings, "executor", "sqlite");
    for (size_t i = 0; native && i < plan->native->n_branches; i++)
        print_branch(&plan->native->branches[i]);
}

static void print_step(const struct native_step *step, size_t i)
{
    static const char *const kinds[] = {[STEP_INNER] = "a row for each match",
                                        [STEP_LEFT] =
                                            "a row for each match, or one of NULLs",
                                        [STEP_EXISTS] = "whether there is a match",
                                        [STEP_SINGLE] = "the only match"};
    if (step->asked != NULL) {
        printf("  %-8s  %zu, row by row: sqlite answers: %s\n", "step", i,
               step->asked->why);
        return;
    }
    printf("  %-8s  %zu, row by row: %s%s\n", "step", i, kinds[step->kind],
           step->matches != NULL ? ", each asked by a condition" : "");
}

// What a step or a join looks up; `at` is its dimension.
static void print_use(const struct tables *tables, size_t at)
{
    if (dimensions_is_shared(&tables->dimensions, at))
        printf("  %-8s  the same as one above\n", "join");
    else
        print_join(tables->dimensions.items[at]);
}

// "1 row", "2.5 rows".
static void print_cost_rows(const struct cost *cost)
{
    char count[32];
    snprintf(count, sizeof(count), "%.2g", cost->rows);
    printf("%s %s\n", count, strcmp(count, "1") == 0 ? "row" : "rows");
}

static void print_cost(const struct cost *cost)
{
    AUTO(buf_release) struct buf text = {0};
    cost_describe(cost->ns, &text);
    printf("  %-8s  about %s a record, ", "cost", buf_cstr(&text));
    print_cost_rows(cost);
}

// How a branch runs. Without the tables only what the plan says.
static void print_branch_use(const struct native_branch *branch,
                             const struct tables *tables, size_t at)
{
    struct branch_cost cost = {0};
    if (tables != NULL)
        cost_of_branch(branch, tables->dimensions.items + at, &cost);
    for (size_t i = 0; i < native_n_steps(branch); i++) {
        const struct native_step *step = &branch->steps->items[i];
        print_step(step, i);
        if (tables != NULL && step->asked == NULL)
            print_use(tables, at++);
        if (tables != NULL)
            print_cost(&cost.steps[i]);
    }
    for (size_t i = 0; tables != NULL && i < branch->n_joins; i++) {
        print_use(tables, at++);
        print_cost(&cost.joins[i]);
    }
}

static void print_branches(const struct native_plan *native, const struct tables *tables)
{
    size_t at = 0;
    for (size_t b = 0; b < native->n_branches; b++) {
        const struct native_branch *branch = &native->branches[b];
        if (native->n_branches > 1)
            printf("  %-8s  %zu of %zu\n", "branch", b + 1, native->n_branches);
        print_branch_use(branch, tables, at);
        at += native_n_dimensions(branch);
    }
}

// Of all; without the tables it is not known.
static void print_whole_cost(const struct plan *plan, const struct tables *tables)
{
    AUTO(buf_release) struct buf text = {0};
    if (tables == NULL)
        return;
    if (!tables_run_natively(plan)) {
        printf("  %-8s  about 5 us a record and 4 us a row on one core\n", "in all");
        return;
    }
    struct cost cost = cost_of_query(plan->native, tables->dimensions.items);
    cost_describe(cost.ns, &text);
    printf("  %-8s  about %s a record on one core, ", "in all", buf_cstr(&text));
    print_cost_rows(&cost);
}

void explain_text(const struct pipeline *pipeline, const struct tables *tables)
{
    const struct plan *plan = pipeline->plan;
    print_tree(plan, tables);
    if (plan->sink == NULL)
        return;
    print_columns(&plan->output);
    const char *why;
    const char *executor = explain_executor(plan, &why);
    printf("\nhow it runs\n  %-8s  %s: %s\n", "executor", executor, why);
    print_builds(plan);
    if (strcmp(executor, "native") == 0)
        print_branches(plan->native, tables);
    print_whole_cost(plan, tables);
    printf("  %-8s  %s\n", "plan", plan->hash);
}

void explain_sql(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_views; i++)
        printf("\nview %.*s\n  %.*s\n", STR_ARGS(plan->views[i].name),
               STR_ARGS(plan->views[i].sql));
    if (plan->sink != NULL)
        printf("\ninsert into %.*s\n  %.*s\n", STR_ARGS(plan->sink->name),
               STR_ARGS(plan->insert_sql));
}

void explain_spark(const struct plan *plan)
{
    printf("\nspark: records of %.*s\n  %.*s\n", STR_ARGS(plan->stream->name),
           STR_ARGS(plan->spark->decode));
    printf("\nspark: rows of %.*s\n  %.*s\n", STR_ARGS(plan->sink->name),
           STR_ARGS(plan->spark->query));
}
