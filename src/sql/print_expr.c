// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "sql/functions.h"
#include "sql/print.h"

static void text(struct printer *printer, const char *s)
{
    buf_text(printer->out, s);
}

static void print_list(struct printer *printer, struct expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text(printer, i ? ", " : "");
        print_expr(printer, exprs[i]);
    }
}

static void print_call_of(struct printer *printer, const char *name,
                          const struct expr *expr)
{
    text(printer, name);
    text(printer, "(");
    print_list(printer, expr->args, expr->n_args);
    text(printer, ")");
}

// SQLite reads a decimal exactly when it is a whole number of 1024ths; for others its
// last bit may differ from strtod's.
static void print_real(struct printer *printer, double r)
{
    double scaled = r * 1024;
    bool exact = fabs(scaled) < 1e15 && scaled == floor(scaled);
    if (exact) {
        buf_printf(printer->out, "(%.10f)", r);
        return;
    }
    AUTO(buf_release) struct buf number = {0};
    value_format((struct value){.r = r, .kind = VALUE_REAL}, &number);
    text(printer, "to_real(");
    print_text(printer, buf_as_str(&number));
    text(printer, ")");
}

static void print_constant(struct printer *printer, const struct expr *expr)
{
    struct value v = expr->constant;
    switch (v.kind) {
    case VALUE_TEXT:
        print_text(printer, value_str(v));
        break;
    case VALUE_INT:
        text(printer, v.i < 0 ? "(" : "");
        buf_i64(printer->out, v.i);
        text(printer, v.i < 0 ? ")" : "");
        break;
    case VALUE_REAL:
        print_real(printer, v.r);
        break;
    case VALUE_BOOL:
        text(printer, v.i ? "1" : "0");
        break;
    default:
        text(printer, "NULL");
        break;
    }
}

static void print_infix(struct printer *printer, const struct expr *expr, const char *op)
{
    text(printer, "(");
    for (size_t i = 0; i < expr->n_args; i++) {
        text(printer, i ? op : "");
        print_expr(printer, expr->args[i]);
    }
    text(printer, ")");
}

static void print_postfix(struct printer *printer, const struct expr *expr,
                          const char *op)
{
    text(printer, "(");
    print_expr(printer, expr->args[0]);
    text(printer, op);
    text(printer, ")");
}

// The check that a number fits its type: SQLite would go on with another type.
static const char *check_of(enum type type)
{
    return type == TYPE_INT ? "int32" : type == TYPE_BIGINT ? "int64" : "finite";
}

static void print_arithmetic(struct printer *printer, const struct expr *expr,
                             const char *op)
{
    text(printer, check_of(expr->type));
    print_infix(printer, expr, op);
}

// SQLite's give NULL for a division by zero.
static void print_division(struct printer *printer, const struct expr *expr,
                           const char *name)
{
    text(printer, check_of(expr->type));
    text(printer, "(");
    print_call_of(printer, name, expr);
    text(printer, ")");
}

static void print_negative(struct printer *printer, const struct expr *expr)
{
    text(printer, check_of(expr->type));
    text(printer, "(- ");
    print_expr(printer, expr->args[0]);
    text(printer, ")");
}

static void print_as_text(struct printer *printer, const struct expr *expr)
{
    bool is_text = expr->type == TYPE_TEXT;
    text(printer, is_text                      ? ""
                  : expr->type == TYPE_BOOLEAN ? "boolean_to_text("
                                               : "to_text(");
    print_expr(printer, expr);
    text(printer, is_text ? "" : ")");
}

// a || b || c is one list: SQLite's parser has room for about 100 open parentheses.
static void print_chain(struct printer *printer, const struct expr *expr)
{
    const struct expr *left = expr->args[0];
    if (left->kind == EXPR_OP && left->op == OP_CONCAT)
        print_chain(printer, left);
    else
        print_as_text(printer, left);
    text(printer, " || ");
    print_as_text(printer, expr->args[1]);
}

static void print_concat(struct printer *printer, const struct expr *expr)
{
    text(printer, "(");
    print_chain(printer, expr);
    text(printer, ")");
}

static void print_like(struct printer *printer, const struct expr *expr)
{
    text(printer, "(");
    print_expr(printer, expr->args[0]);
    text(printer, " LIKE ");
    print_expr(printer, expr->args[1]);
    if (expr->constant.n > 0) {
        text(printer, " ESCAPE ");
        print_text(printer, value_str(expr->constant));
    }
    text(printer, ")");
}

static void print_between(struct printer *printer, const struct expr *expr)
{
    text(printer, "(");
    print_expr(printer, expr->args[0]);
    text(printer, " BETWEEN ");
    print_expr(printer, expr->args[1]);
    text(printer, " AND ");
    print_expr(printer, expr->args[2]);
    text(printer, ")");
}

static void print_not(struct printer *printer, const struct expr *expr)
{
    text(printer, "(NOT ");
    print_expr(printer, expr->args[0]);
    text(printer, ")");
}

// SQLite's coalesce and our greatest and least take two at least.
static void print_list_call(struct printer *printer, const struct expr *expr,
                            const char *name)
{
    if (expr->n_args == 1)
        print_expr(printer, expr->args[0]);
    else
        print_call_of(printer, name, expr);
}

static const struct {
    void (*print)(struct printer *printer, const struct expr *expr, const char *sql);
    const char *sql;
} by_op[] = {
    [OP_ADD] = {print_arithmetic, " + "},
    [OP_SUB] = {print_arithmetic, " - "},
    [OP_MUL] = {print_arithmetic, " * "},
    [OP_DIV] = {print_division, "divide"},
    [OP_MOD] = {print_division, "modulo"},
    [OP_EQ] = {print_infix, " = "},
    [OP_NE] = {print_infix, " <> "},
    [OP_LT] = {print_infix, " < "},
    [OP_LE] = {print_infix, " <= "},
    [OP_GT] = {print_infix, " > "},
    [OP_GE] = {print_infix, " >= "},
    [OP_DISTINCT] = {print_infix, " IS NOT "},
    [OP_NOT_DISTINCT] = {print_infix, " IS "},
    [OP_AND] = {print_infix, " AND "},
    [OP_OR] = {print_infix, " OR "},
    [OP_IS_NULL] = {print_postfix, " IS NULL"},
    [OP_IS_NOT_NULL] = {print_postfix, " IS NOT NULL"},
    [OP_IS_TRUE] = {print_postfix, " IS 1"},
    [OP_IS_NOT_TRUE] = {print_postfix, " IS NOT 1"},
    [OP_IS_FALSE] = {print_postfix, " IS 0"},
    [OP_IS_NOT_FALSE] = {print_postfix, " IS NOT 0"},
    [OP_COALESCE] = {print_list_call, "coalesce"},
    [OP_NULLIF] = {print_list_call, "nullif"},
    [OP_GREATEST] = {print_list_call, "greatest"},
    [OP_LEAST] = {print_list_call, "least"},
};

static void print_op(struct printer *printer, const struct expr *expr)
{
    switch (expr->op) {
    case OP_NEG:
        print_negative(printer, expr);
        break;
    case OP_CONCAT:
        print_concat(printer, expr);
        break;
    case OP_LIKE:
        print_like(printer, expr);
        break;
    case OP_BETWEEN:
        print_between(printer, expr);
        break;
    case OP_NOT:
        print_not(printer, expr);
        break;
    default:
        by_op[expr->op].print(printer, expr, by_op[expr->op].sql);
        break;
    }
}

static void print_case(struct printer *printer, const struct expr *expr)
{
    text(printer, "CASE");
    if (expr->subject != NULL) {
        text(printer, " ");
        print_expr(printer, expr->subject);
    }
    size_t i = 0;
    for (; i + 1 < expr->n_args; i += 2) {
        text(printer, " WHEN ");
        print_expr(printer, expr->args[i]);
        text(printer, " THEN ");
        print_expr(printer, expr->args[i + 1]);
    }
    if (i < expr->n_args) {
        text(printer, " ELSE ");
        print_expr(printer, expr->args[i]);
    }
    text(printer, " END");
}

static void print_cast(struct printer *printer, const struct expr *expr)
{
    static const char *const names[] = {
        [TYPE_INT] = "to_int",   [TYPE_BIGINT] = "to_bigint",   [TYPE_REAL] = "to_real",
        [TYPE_TEXT] = "to_text", [TYPE_BOOLEAN] = "to_boolean",
    };
    const struct expr *arg = expr->args[0];
    if (arg->type == expr->cast_to || arg->type == TYPE_UNKNOWN)
        print_expr(printer, arg);
    else if (expr->cast_to == TYPE_TEXT)
        print_as_text(printer, arg);
    else
        print_call_of(printer, names[expr->cast_to], expr);
}

static void print_over(struct printer *printer, const struct window *over)
{
    text(printer, " OVER (");
    if (over->n_partitions > 0)
        text(printer, "PARTITION BY ");
    print_list(printer, over->partitions, over->n_partitions);
    print_orders(printer, over->orders, over->n_orders);
    text(printer, ")");
}

static void print_call(struct printer *printer, const struct expr *expr)
{
    // abs(least INT) and a sum of REALs may leave their type.
    bool checked =
        strcmp(expr->function->name, "abs") == 0 ||
        (expr->type == TYPE_REAL && expr->function->kind == FUNCTION_AGGREGATE);
    if (checked) {
        text(printer, check_of(expr->type));
        text(printer, "(");
    }
    text(printer, expr->function->printed);
    text(printer, expr->distinct ? "(DISTINCT " : "(");
    text(printer, expr->star ? "*" : "");
    print_list(printer, expr->args, expr->n_args);
    text(printer, ")");
    if (expr->filter != NULL) {
        text(printer, " FILTER (WHERE ");
        print_expr(printer, expr->filter);
        text(printer, ")");
    }
    if (expr->over != NULL)
        print_over(printer, expr->over);
    text(printer, checked ? ")" : "");
}

static void print_in_list(struct printer *printer, const struct expr *expr)
{
    text(printer, "(");
    print_expr(printer, expr->args[0]);
    text(printer, " IN (");
    print_list(printer, expr->args + 1, expr->n_args - 1);
    text(printer, "))");
}

static bool one_row_at_most(const struct query *query)
{
    bool aggregate =
        query->set_op == SET_NONE && query->has_aggregates && query->n_groups == 0;
    return aggregate || (query->limit != NULL && query->limit->constant.i <= 1);
}

// SQLite would take the first of several rows: single() fails then.
static void print_scalar(struct printer *printer, const struct expr *expr)
{
    const struct query *query = expr->query;
    bool checked = !one_row_at_most(query);
    text(printer, "(");
    if (checked) {
        text(printer, "SELECT single(");
        print_name(printer, query->schema.columns[0].name);
        text(printer, ") FROM (");
    }
    print_query(printer, query);
    text(printer, checked ? "))" : ")");
}

static void print_in(struct printer *printer, const struct expr *expr)
{
    text(printer, "(");
    print_expr(printer, expr->args[0]);
    text(printer, " IN (");
    print_query(printer, expr->query);
    text(printer, "))");
}

static void print_exists(struct printer *printer, const struct expr *expr)
{
    text(printer, "(EXISTS (");
    print_query(printer, expr->query);
    text(printer, "))");
}

static void print_column_or_parameter(struct printer *printer, const struct expr *expr)
{
    struct printer_parameters *parameters = printer->parameters;
    size_t number =
        parameters == NULL ? 0 : parameters->number(parameters, expr->leaf, expr->column);
    if (number > 0)
        buf_printf(printer->out, "?%zu", number);
    else
        print_column(printer, expr->leaf, expr->column);
}

void print_expr(struct printer *printer, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        print_column_or_parameter(printer, expr);
        break;
    case EXPR_CONST:
        print_constant(printer, expr);
        break;
    case EXPR_OP:
        print_op(printer, expr);
        break;
    case EXPR_CASE:
        print_case(printer, expr);
        break;
    case EXPR_CAST:
        print_cast(printer, expr);
        break;
    case EXPR_CALL:
        print_call(printer, expr);
        break;
    case EXPR_IN_LIST:
        print_in_list(printer, expr);
        break;
    case EXPR_IN:
        print_in(printer, expr);
        break;
    case EXPR_EXISTS:
        print_exists(printer, expr);
        break;
    case EXPR_SCALAR:
        print_scalar(printer, expr);
        break;
    case EXPR_STAR:
        break; // binding has expanded it
    }
}
