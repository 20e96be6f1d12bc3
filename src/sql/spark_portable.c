// SPDX-License-Identifier: Apache-2.0
// What of the query over the stream Spark SQL has no twin for.
#include "sql/spark_portable.h"

#include "core/format.h"
#include "sql/functions.h"
#include "sql/print.h"
#include "sql/spark_table.h"
#include "sql/walk.h"

#define OF_TABLES                                                          \
    "over columns of tables alone write it in a view, which this program " \
    "computes; else run the script by another engine"

static void refuse(struct report *report, size_t at, const char *what, const char *why)
{
    report_error(report, at, "%s is not portable to Spark SQL: %s", what, why);
}

static void check_call(struct report *report, const struct expr *expr)
{
    const struct spark_function *function = spark_function_of(expr);
    const char *why = function->refuses != NULL ? function->refuses(expr) : NULL;
    if (why == NULL)
        return;
    refuse(report, expr->at, expr->function->name, why);
    report_hint(report, OF_TABLES);
}

static void check_concat(struct report *report, const struct expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++)
        if (expr->args[i]->type == TYPE_REAL) {
            refuse(report, expr->args[i]->at, "a REAL as text",
                   spark_refuses_cast(TYPE_REAL, TYPE_TEXT));
            report_hint(report, OF_TABLES);
        }
}

static void check_op(struct report *report, const struct expr *expr)
{
    const struct spark_op *op = spark_op_of(expr->op);
    struct str pattern;
    if (op->why != NULL) {
        refuse(report, expr->at, arena_printf(report->arena, "'%s'", op->name), op->why);
        report_hint(report, OF_TABLES);
    } else if (expr->op == OP_LIKE && !spark_constant_text(expr->args[1], &pattern)) {
        refuse(report, expr->args[1]->at, "LIKE", "its pattern is not a constant");
        report_hint(report,
                    "write the pattern as a constant, or use starts_with or strpos");
    } else if (expr->op == OP_CONCAT) {
        check_concat(report, expr);
    }
}

static void check_cast(struct report *report, const struct expr *expr)
{
    const char *why = spark_refuses_cast(expr->args[0]->type, expr->cast_to);
    if (why == NULL)
        return;
    refuse(report, expr->at,
           arena_printf(report->arena, "CAST of %s to %s", type_name(expr->args[0]->type),
                        type_name(expr->cast_to)),
           why);
    report_hint(report, OF_TABLES);
}

static void check_subquery(struct report *report, const struct expr *expr)
{
    refuse(report, expr->at, "a subquery in an expression",
           "only joins, WHERE and UNION ALL are printed for it");
    report_hint(report, "write it as a view over tables, and join the view");
}

static void check_expr(struct expr *expr, void *arg)
{
    struct report *report = arg;
    switch (expr->kind) {
    case EXPR_OP:
        check_op(report, expr);
        break;
    case EXPR_CAST:
        check_cast(report, expr);
        break;
    case EXPR_CALL:
        check_call(report, expr);
        break;
    case EXPR_IN:
    case EXPR_EXISTS:
    case EXPR_SCALAR:
        check_subquery(report, expr);
        return;
    case EXPR_COLUMN:
    case EXPR_CONST:
    case EXPR_CASE:
    case EXPR_IN_LIST:
    case EXPR_STAR:
        break;
    }
    expr_each(expr, check_expr, report);
}

static void check_query(struct report *report, struct query *query);

// Of tables alone: all its columns are given to Spark.
static void check_relation(struct report *report, const struct from *leaf)
{
    for (size_t i = 0; i < leaf->schema.n; i++) {
        const struct column *column = &leaf->schema.columns[i];
        if (column->type != TYPE_BYTES)
            continue;
        refuse(
            report, leaf->at,
            arena_printf(report->arena, "column '%.*s', BYTES,", STR_ARGS(column->name)),
            "rows of tables are given to it as JSON");
        report_hint(report, "select the other columns in a view over tables, and join "
                            "the view; else run the script by another engine");
    }
}

static void check_leaf(struct from *leaf, void *arg)
{
    const struct query *query = print_in_place(leaf);
    if (query != NULL)
        check_query(arg, (struct query *)(uintptr_t)query);
    else if (!leaf->reads_stream)
        check_relation(arg, leaf);
}

static void check_query(struct report *report, struct query *query)
{
    if (query->set_op != SET_NONE) {
        check_query(report, query->left);
        check_query(report, query->right);
        return;
    }
    query_each_expr(query, check_expr, report);
    from_each_leaf(query->from, check_leaf, report);
}

// Where records come from and rows go to.

static bool has_header(const struct table *stream)
{
    return connector_of(&stream->options) != connector_of_topics() &&
           options_number(&stream->format, "header");
}

static void check_ends(struct report *report, const struct plan *plan, size_t at)
{
    const struct table *stream = plan->stream, *sink = plan->sink;
    const struct format *format = format_of(&stream->format);
    if (!format->is_of_spark) {
        refuse(report, at, arena_printf(report->arena, "a stream in %s", format->title),
               "its records are not decoded there");
        report_hint(report, "run the script by another engine");
    } else if (has_header(stream)) {
        refuse(report, at, "a stream from a file with a header",
               "that line says which field is which column, and is read after the query "
               "is printed");
        report_hint(report,
                    "write header = 'false' where the fields are the columns of %.*s in "
                    "their order; else run the script by another engine",
                    STR_ARGS(stream->name));
    }
    format = format_of(&sink->format);
    if (!format->is_of_spark) {
        refuse(report, at, arena_printf(report->arena, "a result in %s", format->title),
               "its files are not written there");
        report_hint(report, "run the script by another engine");
    }
}

static size_t output_place(const struct query *query, size_t i)
{
    while (query->set_op != SET_NONE)
        query = query->left;
    return query->outputs[i].at;
}

static void check_outputs(struct report *report, const struct query *query)
{
    for (size_t i = 0; i < query->schema.n; i++) {
        const struct column *column = &query->schema.columns[i];
        if (column->type != TYPE_REAL)
            continue;
        refuse(report, output_place(query, i),
               arena_printf(report->arena, "column '%.*s' of the result, a REAL,",
                            STR_ARGS(column->name)),
               spark_refuses_cast(TYPE_REAL, TYPE_TEXT));
        report_hint(report, "leave it out, or keep it as the TEXT that it comes as");
    }
}

void spark_check_portable(struct report *report, const struct plan *plan,
                          struct query *query, size_t at)
{
    check_ends(report, plan, at);
    check_outputs(report, query);
    check_query(report, query);
}
