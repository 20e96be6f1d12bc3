// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

#include "base/text.h"

// Binds a SELECT or set operation whose scopes and WITH are those of the binder.
static void bind_body(struct binder *binder, struct query *query, enum names names);

static void bind_cte(struct binder *binder, struct cte *cte)
{
    bind_query(binder, cte->query, NAMES_NEEDED);
    cte->failed = cte->query->failed;
    cte->schema = bind_aliases(binder, &cte->query->schema, cte->at, cte->column_aliases,
                               cte->failed ? 0 : cte->n_column_aliases, cte->query);
    cte->label = str_of(arena_printf(binder->arena, "with_%zu_%.*s", ++binder->n_ctes,
                                     STR_ARGS(cte->name)));
}

static void check_cte_names(struct binder *binder, const struct query *query)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(query->ctes[i].name, query->ctes[j].name)) {
                report_error(binder->report, query->ctes[i].at,
                             "two queries of this WITH are named '%.*s'",
                             STR_ARGS(query->ctes[i].name));
                report_hint(binder->report, "give one another name");
            }
}

static void check_types(struct binder *binder, struct query *query)
{
    for (size_t i = 0; i < query->schema.n && !query->failed; i++) {
        if (query->schema.columns[i].type != TYPE_UNKNOWN)
            continue;
        const struct query *first = query;
        while (first->set_op != SET_NONE)
            first = first->left;
        report_error(binder->report, first->outputs[i].at,
                     "the type of column '%.*s' cannot be told",
                     STR_ARGS(query->schema.columns[i].name));
        report_hint(binder->report, "write CAST(NULL AS TEXT), or another type");
    }
}

void bind_query(struct binder *binder, struct query *query, enum names names)
{
    bind_body(binder, query, names);
    check_types(binder, query);
}

// Outputs.

static size_t n_star_columns(const struct from *from, const struct expr *star)
{
    if (from == NULL)
        return 0;
    if (star->qualifier.p == NULL)
        return from->n_visible;
    if (from->kind == FROM_JOIN)
        return n_star_columns(from->left, star) + n_star_columns(from->right, star);
    return str_eq(from->alias, star->qualifier) ? from->n_visible : 0;
}

static size_t expand_star(struct binder *binder, const struct from *from,
                          const struct output_item *star, struct output_item *ret)
{
    struct str qualifier = star->expr->qualifier;
    if (from == NULL)
        return 0;
    if (qualifier.p != NULL && from->kind == FROM_JOIN) {
        size_t n = expand_star(binder, from->left, star, ret);
        return n + expand_star(binder, from->right, star, ret + n);
    }
    if (qualifier.p != NULL && !str_eq(from->alias, qualifier))
        return 0;
    for (size_t i = 0; i < from->n_visible; i++) {
        struct expr *expr = arena_alloc(binder->arena, sizeof(*expr));
        *expr = *from->visible[i].expr;
        expr->at = star->at;
        ret[i] = (struct output_item){expr, from->visible[i].name, star->at, true};
    }
    return from->n_visible;
}

static bool has_leaf(const struct from *from, struct str alias)
{
    if (from == NULL)
        return false;
    if (from->kind == FROM_JOIN)
        return has_leaf(from->left, alias) || has_leaf(from->right, alias);
    return str_eq(from->alias, alias);
}

static void check_star(struct binder *binder, struct query *query,
                       const struct output_item *item)
{
    struct str qualifier = item->expr->qualifier;
    if (query->from != NULL && query->from->failed)
        query->failed = true;
    if (query->from == NULL) {
        report_error(binder->report, item->at, "* without FROM");
        report_hint(binder->report, "write the columns, or FROM a table");
        query->failed = true;
    } else if (qualifier.p != NULL && !has_leaf(query->from, qualifier)) {
        report_error(binder->report, item->at, "this SELECT has no table '%.*s'",
                     STR_ARGS(qualifier));
        report_hint(binder->report, "write the name that FROM gives it");
        query->failed = true;
    }
}

static void expand_stars(struct binder *binder, struct query *query)
{
    size_t n = 0;
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct expr *expr = query->outputs[i].expr;
        n += expr->kind == EXPR_STAR ? n_star_columns(query->from, expr) : 1;
    }
    struct output_item *items = arena_array(binder->arena, n ? n : 1, sizeof(*items));
    n = 0;
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct output_item *item = &query->outputs[i];
        if (item->expr->kind != EXPR_STAR) {
            items[n++] = *item;
            continue;
        }
        check_star(binder, query, item);
        n += expand_star(binder, query->from, item, items + n);
    }
    query->outputs = items;
    query->n_outputs = n;
}

static void name_output(struct binder *binder, struct query *query, size_t i,
                        enum names names)
{
    struct output_item *item = &query->outputs[i];
    if (item->name.p == NULL && item->expr->kind == EXPR_COLUMN)
        item->name = item->expr->name;
    if (item->name.p == NULL) {
        item->name = str_of(arena_printf(binder->arena, "column_%zu", i + 1));
        if (names == NAMES_FREE)
            return;
        report_error(binder->report, item->at, "this column has no name");
        report_hint(binder->report, "write ... AS name");
        query->failed = true;
    }
    for (size_t j = 0; j < i && names == NAMES_NEEDED; j++) {
        if (!str_eq(query->outputs[j].name, item->name))
            continue;
        report_error(binder->report, item->at, "two columns are named '%.*s'",
                     STR_ARGS(item->name));
        report_hint(binder->report, item->of_star
                                        ? "write the columns instead of *, with AS other"
                                        : "give one another name: ... AS other");
        return;
    }
}

static void bind_outputs(struct binder *binder, struct query *query, enum names names)
{
    expand_stars(binder, query);
    if (query->n_outputs > SCHEMA_COLUMNS_MAX) {
        report_error(binder->report, query->at, "%zu columns, the most is %d",
                     query->n_outputs, SCHEMA_COLUMNS_MAX);
        report_hint(binder->report, "select the columns that are needed");
        query->failed = true;
        return;
    }
    binder->scope->clause = "SELECT";
    binder->scope->aggregates_ok = binder->scope->windows_ok = true;
    for (size_t i = 0; i < query->n_outputs; i++) {
        struct expr *expr = query->outputs[i].expr;
        if (expr->kind != EXPR_COLUMN || expr->leaf == NULL)
            bind_expr(binder, expr);
        name_output(binder, query, i, names);
    }
    binder->scope->aggregates_ok = binder->scope->windows_ok = false;
}

static void set_schema(struct binder *binder, struct query *query)
{
    query->schema.n = query->n_outputs;
    query->schema.columns =
        arena_array(binder->arena, query->n_outputs + 1, sizeof(*query->schema.columns));
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct output_item *item = &query->outputs[i];
        query->schema.columns[i] =
            (struct column){item->name, item->expr->type, item->expr->nullable};
        query->failed |= item->expr->failed;
    }
}

// GROUP BY and ORDER BY may name an output.

static size_t output_named(const struct query *query, struct str name)
{
    for (size_t i = 0; i < query->n_outputs; i++)
        if (str_eq(query->outputs[i].name, name))
            return i + 1;
    return 0;
}

static bool is_visible(const struct query *query, struct str name)
{
    for (size_t i = 0; query->from != NULL && i < query->from->n_visible; i++)
        if (str_eq(query->from->visible[i].name, name))
            return true;
    return false;
}

// The output that a constant counts to; 0 after a report.
static size_t output_counted(struct binder *binder, const struct query *query,
                             const struct expr *expr, const char *clause)
{
    bool is_int = expr->type == TYPE_INT;
    if (is_int && expr->constant.i >= 1 && (size_t)expr->constant.i <= query->schema.n)
        return (size_t)expr->constant.i;
    if (is_int)
        report_error(binder->report, expr->at, "%s %lld: the SELECT has %zu column%s",
                     clause, (long long)expr->constant.i, query->schema.n,
                     query->schema.n == 1 ? "" : "s");
    else
        report_error(binder->report, expr->at, "%s a constant", clause);
    report_hint(binder->report, "write a column");
    return 0;
}

static bool is_bare_name(const struct expr *expr)
{
    return expr->kind == EXPR_COLUMN && expr->qualifier.p == NULL && expr->leaf == NULL;
}

// As in PostgreSQL, a column of FROM goes before an output of that name.
static void bind_groups(struct binder *binder, struct query *query)
{
    binder->scope->clause = "GROUP BY";
    for (size_t i = 0; i < query->n_groups; i++) {
        struct expr *expr = query->groups[i];
        size_t output = 0;
        if (expr->kind == EXPR_CONST)
            output = output_counted(binder, query, expr, "GROUP BY");
        else if (is_bare_name(expr) && !is_visible(query, expr->name))
            output = output_named(query, expr->name);
        if (output > 0)
            query->groups[i] = query->outputs[output - 1].expr;
        else if (expr->kind != EXPR_CONST)
            bind_expr(binder, expr);
        query->failed |= expr->kind == EXPR_CONST && output == 0;
        if (output > 0 && query->groups[i]->kind == EXPR_CONST) {
            report_error(binder->report, expr->at, "GROUP BY a constant");
            report_hint(binder->report, "write a column");
        }
    }
}

static void must_be_output(struct binder *binder, struct query *query,
                           struct order *order, const char *why)
{
    for (size_t i = 0; i < query->n_outputs && order->output == 0; i++)
        if (query->set_op == SET_NONE && expr_equal(query->outputs[i].expr, order->expr))
            order->output = i + 1;
    if (order->output > 0 || order->expr->failed)
        return;
    report_error(binder->report, order->expr->at,
                 "ORDER BY after %s takes an output column", why);
    report_hint(binder->report, "write the name or the number of one");
}

// SQLite takes an aggregate in ORDER BY only where the outputs are aggregated too.
static void order_of_one_row(struct binder *binder, struct query *query,
                             const struct expr *expr)
{
    report_error(binder->report, expr->at, "ORDER BY an aggregate without groups");
    report_hint(binder->report, "write GROUP BY before it, or leave it out");
    query->failed = true;
}

// As in PostgreSQL, an output of that name goes before a column of FROM.
static void bind_order_by(struct binder *binder, struct query *query)
{
    binder->scope->clause = "ORDER BY";
    binder->scope->aggregates_ok = binder->scope->windows_ok = true;
    bool is_set = query->set_op != SET_NONE;
    for (size_t i = 0; i < query->n_orders; i++) {
        struct order *order = &query->orders[i];
        if (order->expr->kind == EXPR_CONST) {
            order->output = output_counted(binder, query, order->expr, "ORDER BY");
            continue;
        }
        if (is_bare_name(order->expr))
            order->output =
                is_set ? (size_t)(schema_find(&query->schema, order->expr->name) + 1)
                       : output_named(query, order->expr->name);
        bool grouped = query->n_groups > 0 || query->has_aggregates;
        if (order->output == 0 && !is_set)
            bind_expr(binder, order->expr);
        if (!grouped && query->has_aggregates && !order->expr->failed)
            order_of_one_row(binder, query, order->expr);
        if ((is_set || query->distinct) && !query->failed)
            must_be_output(binder, query, order, is_set ? "a set operation" : "DISTINCT");
    }
    binder->scope->aggregates_ok = binder->scope->windows_ok = false;
}

void bind_orders(struct binder *binder, struct order *orders, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bind_expr(binder, orders[i].expr);
}

static void bind_having(struct binder *binder, struct query *query)
{
    if (query->having == NULL)
        return;
    // SQLite takes no HAVING whose aggregates are its own alone.
    bool grouped = query->n_groups > 0 || query->has_aggregates;
    binder->scope->clause = "HAVING";
    binder->scope->aggregates_ok = true;
    bind_condition(binder, query->having, "HAVING");
    binder->scope->aggregates_ok = false;
    if (grouped || query->having->failed)
        return;
    report_error(binder->report, query->having->at, "HAVING without groups");
    report_hint(binder->report, "write WHERE, or GROUP BY before it");
}

static void bind_select(struct binder *binder, struct query *query, enum names names)
{
    struct scope *scope = binder->scope;
    if (query->from != NULL) {
        bind_from(binder, query->from, query);
        query->reads_stream |= query->from->reads_stream;
    }
    scope->from = query->from;
    scope->clause = "WHERE";
    if (query->where != NULL)
        bind_condition(binder, query->where, "WHERE");
    bind_outputs(binder, query, names);
    set_schema(binder, query);
    bind_groups(binder, query);
    bind_having(binder, query);
    bind_order_by(binder, query);
    bind_grouping(binder, query);
}

// Set operations.

// Whether rows that become equal would become one: two BIGINTs may be one REAL.
static bool drops_rows(const struct query *query)
{
    if (query->set_op == SET_UNION_ALL)
        return drops_rows(query->left) || drops_rows(query->right);
    return query->set_op != SET_NONE || query->distinct;
}

static bool keeps_rows(struct binder *binder, const struct query *side, size_t i,
                       enum type type)
{
    const struct column *column = &side->schema.columns[i];
    if (column->type != TYPE_BIGINT || type != TYPE_REAL || !drops_rows(side))
        return true;
    report_error(binder->report, side->at,
                 "column %zu ('%.*s') is BIGINT here, and REAL in the whole", i + 1,
                 STR_ARGS(column->name));
    report_hint(binder->report, "write CAST(... AS REAL) here");
    return false;
}

static void unify_column(struct binder *binder, struct query *query, size_t i)
{
    struct column *a = &query->left->schema.columns[i];
    const struct column *b = &query->right->schema.columns[i];
    enum type type = type_common(a->type, b->type);
    bool told = a->type != TYPE_UNKNOWN || b->type != TYPE_UNKNOWN;
    if (type == TYPE_UNKNOWN && told) {
        report_error(binder->report, query->right->at,
                     "column %zu ('%.*s') is %s above and %s here", i + 1,
                     STR_ARGS(a->name), type_name(a->type), type_name(b->type));
        report_hint(binder->report, "write CAST(... AS %s) here", type_name(a->type));
        query->failed = true;
        return;
    }
    if (!keeps_rows(binder, query->left, i, type) ||
        !keeps_rows(binder, query->right, i, type)) {
        query->failed = true;
        return;
    }
    query->schema.columns[i] = (struct column){a->name, type, a->nullable || b->nullable};
    if (query->set_op == SET_EXCEPT)
        query->schema.columns[i].nullable = a->nullable;
    if (query->set_op == SET_INTERSECT)
        query->schema.columns[i].nullable = a->nullable && b->nullable;
    bind_coerce_column(binder, query->left, i, type);
    bind_coerce_column(binder, query->right, i, type);
}

static void bind_set(struct binder *binder, struct query *query, enum names names)
{
    bind_body(binder, query->left, names);
    bind_body(binder, query->right, NAMES_FREE);
    query->reads_stream |= query->left->reads_stream || query->right->reads_stream;
    query->failed = query->left->failed || query->right->failed;
    query->schema = schema_copy(binder->arena, &query->left->schema);
    if (query->failed)
        return;
    if (query->left->schema.n != query->right->schema.n) {
        report_error(binder->report, query->right->at, "%s above and %zu here",
                     text_counted((int64_t)query->left->schema.n, "column", "columns"),
                     query->right->schema.n);
        report_hint(binder->report, "select as many columns in each branch");
        query->failed = true;
        return;
    }
    for (size_t i = 0; i < query->schema.n; i++)
        unify_column(binder, query, i);
    bind_order_by(binder, query);
}

static void bind_body(struct binder *binder, struct query *query, enum names names)
{
    struct scope scope = {.outer = binder->scope, .query = query};
    struct with with = {.outer = binder->with, .ctes = query->ctes};
    binder->scope = &scope;
    binder->with = &with;
    check_cte_names(binder, query);
    for (size_t i = 0; i < query->n_ctes; i++) {
        bind_cte(binder, &query->ctes[i]);
        with.n++;
    }
    if (query->set_op == SET_NONE)
        bind_select(binder, query, names);
    else
        bind_set(binder, query, names);
    binder->with = with.outer;
    binder->scope = scope.outer;
}
