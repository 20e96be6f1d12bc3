// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

static void unknown_function(struct binder *binder, const struct expr *expr)
{
    report_error(binder->report, expr->at, "unknown function '%.*s'",
                 STR_ARGS(expr->name));
    bool is_name;
    const char *instead = function_instead(expr->name, &is_name);
    if (instead != NULL)
        report_hint(binder->report, is_name ? "did you mean %s?" : "%s", instead);
    else
        report_hint(binder->report, "tramline help sql lists the functions");
}

static bool fails(struct binder *binder, struct expr *expr, const char *hint)
{
    expr->failed = true;
    report_hint(binder->report, "%s", hint);
    return false;
}

static bool check_form(struct binder *binder, struct expr *expr)
{
    const struct function *function = expr->function;
    struct report *report = binder->report;
    bool counts = str_is(expr->name, "count");
    size_t least = (size_t)function->min_args + (counts ? 1 : 0);
    if (expr->star ? !counts
                   : expr->n_args < least || expr->n_args > function->max_args) {
        report_error(report, expr->at, "these are not the arguments of %s",
                     function->name);
        expr->failed = true;
        report_hint(report, "write %s", function->signature);
        return false;
    }
    if (function->kind == FUNCTION_SCALAR &&
        (expr->distinct || expr->filter != NULL || expr->over != NULL)) {
        report_error(report, expr->at, "%s takes no DISTINCT, FILTER or OVER",
                     function->name);
        return fails(binder, expr, "leave it out");
    }
    if (function->kind == FUNCTION_WINDOW &&
        (expr->distinct || expr->filter != NULL || expr->over == NULL)) {
        report_error(report, expr->at, "%s needs OVER (...), and no DISTINCT or FILTER",
                     function->name);
        return fails(binder, expr, "write OVER (PARTITION BY ... ORDER BY ...)");
    }
    if (expr->over != NULL && expr->distinct) {
        report_error(report, expr->at, "DISTINCT with OVER is not supported");
        return fails(binder, expr, "take the distinct rows in a subquery");
    }
    return true;
}

static bool accepts(enum parameter parameter, enum type type)
{
    switch (parameter) {
    case PARAMETER_TEXT:
        return type == TYPE_TEXT;
    case PARAMETER_INT:
        return type == TYPE_INT;
    case PARAMETER_NUMBER:
    case PARAMETER_REAL:
        return type_is_number(type);
    case PARAMETER_BOOLEAN:
        return type == TYPE_BOOLEAN;
    case PARAMETER_ORDERED:
        return type_is_number(type) || type == TYPE_TEXT;
    case PARAMETER_ANY:
        return true;
    }
    return false;
}

static enum type type_of_parameter(enum parameter parameter, enum type given)
{
    switch (parameter) {
    case PARAMETER_TEXT:
        return TYPE_TEXT;
    case PARAMETER_INT:
        return TYPE_INT;
    case PARAMETER_REAL:
        return TYPE_REAL;
    case PARAMETER_BOOLEAN:
        return TYPE_BOOLEAN;
    default:
        return given;
    }
}

static void bind_arguments(struct binder *binder, struct expr *expr)
{
    const struct function *function = expr->function;
    for (size_t i = 0; i < expr->n_args && !expr->failed; i++) {
        enum parameter parameter = function->parameters[i];
        struct expr *arg = expr->args[i];
        if (arg->type != TYPE_UNKNOWN && !accepts(parameter, arg->type)) {
            report_error(binder->report, arg->at, "%s does not take %s here",
                         function->name, type_said(arg));
            (void)fails(binder, expr,
                        arena_printf(binder->arena, "it is %s", function->signature));
            return;
        }
        bind_coerce(binder, &expr->args[i], type_of_parameter(parameter, arg->type));
    }
}

// SQLite's lag has dropped the rows that a negative one would find.
static void check_offset(struct binder *binder, struct expr *expr)
{
    if (expr->failed || expr->function->kind != FUNCTION_WINDOW || expr->n_args < 2)
        return;
    const struct expr *offset = expr->args[1];
    if (offset->kind == EXPR_CONST && offset->constant.kind == VALUE_INT &&
        offset->constant.i >= 0)
        return;
    report_error(binder->report, offset->at, "%s takes a number of rows here, as 0, 1, 2",
                 expr->function->name);
    (void)fails(binder, expr, "lag looks back, lead looks ahead");
}

static enum type result_type(const struct expr *expr)
{
    enum type first = expr->n_args > 0 ? expr->args[0]->type : TYPE_UNKNOWN;
    switch (expr->function->result) {
    case RESULT_TEXT:
        return TYPE_TEXT;
    case RESULT_INT:
        return TYPE_INT;
    case RESULT_BIGINT:
        return TYPE_BIGINT;
    case RESULT_REAL:
        return TYPE_REAL;
    case RESULT_BOOLEAN:
        return TYPE_BOOLEAN;
    case RESULT_FIRST:
        return first;
    case RESULT_SUM:
        return first == TYPE_REAL ? TYPE_REAL : TYPE_BIGINT;
    }
    return TYPE_UNKNOWN;
}

static bool result_nullable(const struct binder *binder, const struct expr *expr)
{
    if (expr->function->nulls == NULL_NEVER)
        return false;
    if (expr->function->nulls == NULL_EVER || expr->filter != NULL)
        return true;
    for (size_t i = 0; i < expr->n_args; i++)
        if (expr->args[i]->nullable)
            return true;
    // Over no rows an aggregate is NULL; a group has a row, and so has a window.
    bool over_all = expr->function->kind == FUNCTION_AGGREGATE && expr->over == NULL &&
                    binder->scope->query->n_groups == 0;
    return over_all;
}

static bool may_stand_here(struct binder *binder, struct expr *expr)
{
    struct scope *scope = binder->scope;
    const char *name = expr->function->name;
    if (scope->in_aggregate) {
        report_error(binder->report, expr->at, "%s inside an aggregate or a window",
                     name);
        return fails(binder, expr, "compute the inner one in a subquery");
    }
    if (expr->over != NULL && !scope->windows_ok) {
        report_error(binder->report, expr->at, "%s OVER (...) cannot stand in %s", name,
                     scope->clause);
        return fails(binder, expr, "compute it in a subquery, then filter");
    }
    if (expr->over == NULL && !scope->aggregates_ok) {
        report_error(binder->report, expr->at, "%s cannot stand in %s", name,
                     scope->clause);
        return fails(binder, expr,
                     strcmp(scope->clause, "WHERE") == 0
                         ? "write HAVING after GROUP BY, or compute it in a subquery"
                         : "compute it in a subquery");
    }
    return true;
}

// In standard SQL an aggregate of outer columns alone belongs to the outer SELECT.
static void check_level(struct binder *binder, struct expr *expr, size_t n_own,
                        size_t n_outer)
{
    struct scope *scope = binder->scope;
    if (scope->n_own_columns > n_own || scope->n_outer_columns == n_outer)
        return;
    report_error(binder->report, expr->at,
                 "%s of an outer query's columns inside a subquery is not supported",
                 expr->function->name);
    (void)fails(binder, expr, "aggregate columns of the subquery's own tables");
}

static void bind_parts(struct binder *binder, struct expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++) {
        bind_expr(binder, expr->args[i]);
        expr->failed |= expr->args[i]->failed;
    }
    if (expr->filter != NULL) {
        bind_condition(binder, expr->filter, "FILTER");
        expr->failed |= expr->filter->failed;
    }
    if (expr->over == NULL)
        return;
    for (size_t i = 0; i < expr->over->n_partitions; i++)
        bind_expr(binder, expr->over->partitions[i]);
    bind_orders(binder, expr->over->orders, expr->over->n_orders);
}

static void bind_aggregate(struct binder *binder, struct expr *expr)
{
    struct scope *scope = binder->scope;
    bool allowed = may_stand_here(binder, expr);
    size_t n_own = scope->n_own_columns, n_outer = scope->n_outer_columns;
    bool was_in = scope->in_aggregate;
    // A window may stand over aggregates: sum(count(*)) OVER ().
    scope->in_aggregate = expr->over == NULL;
    bool windows_ok = scope->windows_ok;
    scope->windows_ok = false;
    bind_parts(binder, expr);
    scope->in_aggregate = was_in;
    scope->windows_ok = windows_ok;
    if (!allowed)
        return;
    if (expr->over == NULL) {
        scope->query->has_aggregates = true;
        check_level(binder, expr, n_own, n_outer);
    }
}

void bind_call(struct binder *binder, struct expr *expr)
{
    expr->function = function_find(expr->name);
    if (expr->function == NULL) {
        unknown_function(binder, expr);
        bind_parts(binder, expr);
        expr->failed = true;
        return;
    }
    if (expr->function->kind == FUNCTION_SCALAR)
        bind_parts(binder, expr);
    else
        bind_aggregate(binder, expr);
    if (!check_form(binder, expr) || expr->failed)
        return;
    bind_arguments(binder, expr);
    check_offset(binder, expr);
    expr->type = result_type(expr);
    expr->nullable = result_nullable(binder, expr);
}
