// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

#include "base/mem.h"

#include <stdlib.h>

static void rename_outputs(struct query *query, const struct schema *schema)
{
    for (size_t i = 0; i < query->schema.n && i < schema->n; i++)
        query->schema.columns[i].name = schema->columns[i].name;
    for (size_t i = 0; i < query->n_outputs && i < schema->n; i++)
        query->outputs[i].name = schema->columns[i].name;
    if (query->set_op != SET_NONE)
        rename_outputs(query->left, schema);
}

struct schema bind_aliases(struct binder *binder, const struct schema *schema, size_t at,
                           const struct str *aliases, size_t n, struct query *query)
{
    struct schema ret = schema_copy(binder->arena, schema);
    if (n > schema->n) {
        report_error(binder->report, at, "%zu names for %zu column%s", n, schema->n,
                     schema->n == 1 ? "" : "s");
        report_hint(binder->report, "give each column one name, or none");
        n = schema->n;
    }
    for (size_t i = 0; i < n; i++)
        ret.columns[i].name = aliases[i];
    for (size_t i = 0; n > 0 && i < ret.n; i++) {
        if ((size_t)schema_find(&ret, ret.columns[i].name) == i)
            continue;
        report_error(binder->report, at, "two columns are named '%.*s'",
                     STR_ARGS(ret.columns[i].name));
        report_hint(binder->report, "give each column a name of its own");
    }
    if (query != NULL)
        rename_outputs(query, &ret);
    return ret;
}

static struct cte *find_cte(const struct binder *binder, struct str name)
{
    for (const struct with *with = binder->with; with != NULL; with = with->outer)
        for (size_t i = with->n; i > 0; i--)
            if (str_eq(with->ctes[i - 1].name, name))
                return &with->ctes[i - 1];
    return NULL;
}

static const struct statement *declared_below(const struct binder *binder,
                                              struct str name)
{
    const struct statements *statements = binder->catalog->statements;
    for (size_t i = 0; i < statements->n; i++) {
        const struct statement *s = &statements->items[i];
        bool makes = s->kind == STATEMENT_TABLE || s->kind == STATEMENT_VIEW;
        if (makes && s->at >= binder->at && str_eq(s->name, name))
            return s;
    }
    return NULL;
}

static void unknown_relation(struct binder *binder, const struct from *from)
{
    const struct statement *below = declared_below(binder, from->name);
    if (below != NULL && below->at == binder->at) {
        report_error(binder->report, from->at, "view '%.*s' reads itself",
                     STR_ARGS(from->name));
        report_hint(binder->report, "name a table or a view that stands above it");
        return;
    }
    if (below != NULL) {
        report_error(binder->report, from->at, "'%.*s' is made below, on line %zu",
                     STR_ARGS(from->name), report_line(binder->report, below->at));
        report_hint(binder->report, "move it above this statement");
        return;
    }
    if (binder->incomplete)
        return; // it may be what could not be read
    report_error(binder->report, from->at, "unknown table '%.*s'", STR_ARGS(from->name));
    const struct catalog *catalog = binder->catalog;
    const char **names = mem_array(catalog->n + 1, sizeof(*names));
    for (size_t i = 0; i < catalog->n; i++)
        names[i] = catalog->items[i]->name.p;
    const char *near = str_nearest(from->name, names, catalog->n);
    free(names);
    if (near != NULL)
        report_hint(binder->report, "did you mean '%s'?", near);
    else
        report_hint(binder->report, "make it with CREATE TABLE or CREATE VIEW above");
}

static bool bind_cte_use(struct binder *binder, struct from *from)
{
    struct cte *cte = find_cte(binder, from->name);
    if (cte == NULL)
        return false;
    from->cte = cte;
    cte->used = true;
    from->failed = cte->failed;
    from->reads_stream = cte->query->reads_stream;
    from->schema = cte->schema;
    return true;
}

static void bind_name(struct binder *binder, struct from *from)
{
    if (bind_cte_use(binder, from))
        return;
    const struct relation *relation = catalog_find(binder->catalog, from->name);
    from->failed = relation == NULL || relation->failed;
    if (relation == NULL) {
        unknown_relation(binder, from);
        return;
    }
    from->relation = relation;
    from->reads_stream = relation->reads_stream;
    from->schema = relation->schema;
    if (!relation->is_sink)
        return;
    report_error(binder->report, from->at,
                 "'%.*s' is what INSERT writes: it cannot be read", STR_ARGS(from->name));
    report_hint(binder->report, "read the tables that it is made from");
}

static void bind_subquery(struct binder *binder, struct from *from)
{
    bind_query(binder, from->query, NAMES_NEEDED);
    from->failed = from->query->failed;
    from->reads_stream = from->query->reads_stream;
    from->schema = from->query->schema;
}

static bool label_taken(const struct from *from, struct str label)
{
    if (from == NULL)
        return false;
    if (from->kind == FROM_JOIN)
        return label_taken(from->left, label) || label_taken(from->right, label);
    return str_eq(from->label, label);
}

// Printed names differ from those of this SELECT and of the SELECTs around, so that a
// column of theirs can be named from here.
static struct str unique_label(struct binder *binder, const struct from *from)
{
    struct str label = from->alias;
    for (int n = 2;; n++) {
        bool taken = false;
        for (struct scope *s = binder->scope; s != NULL && !taken; s = s->outer)
            taken = label_taken(s->query->from, label);
        if (!taken)
            return label;
        label = str_of(arena_printf(binder->arena, "%.*s_%d", STR_ARGS(from->alias), n));
    }
}

static void show_column(struct binder *binder, struct from *leaf, size_t column)
{
    struct expr *expr = bind_new_expr(binder, EXPR_COLUMN, leaf->at);
    expr->qualifier = leaf->alias;
    expr->name = leaf->schema.columns[column].name;
    expr->leaf = leaf;
    expr->column = column;
    expr->type = leaf->schema.columns[column].type;
    expr->nullable = leaf->schema.columns[column].nullable;
    leaf->visible[column] = (struct visible){expr->name, expr};
}

static void bind_leaf(struct binder *binder, struct from *from)
{
    if (from->kind == FROM_NAME)
        bind_name(binder, from);
    else
        bind_subquery(binder, from);
    from->schema = bind_aliases(binder, &from->schema, from->at, from->column_aliases,
                                from->failed ? 0 : from->n_column_aliases, from->query);
    from->label = unique_label(binder, from);
    from->n_visible = from->schema.n;
    from->visible =
        arena_array(binder->arena, from->n_visible + 1, sizeof(*from->visible));
    for (size_t i = 0; i < from->n_visible; i++)
        show_column(binder, from, i);
}

static const struct from *leaf_named(const struct from *from, struct str alias)
{
    if (from->kind != FROM_JOIN)
        return str_eq(from->alias, alias) ? from : NULL;
    const struct from *leaf = leaf_named(from->left, alias);
    return leaf != NULL ? leaf : leaf_named(from->right, alias);
}

static void check_alias(struct binder *binder, const struct from *left,
                        const struct from *right)
{
    if (right->kind == FROM_JOIN) {
        check_alias(binder, left, right->left);
        check_alias(binder, left, right->right);
        return;
    }
    if (leaf_named(left, right->alias) == NULL)
        return;
    report_error(binder->report, right->at, "two tables of this SELECT are named '%.*s'",
                 STR_ARGS(right->alias));
    report_hint(binder->report, "give one another name: %.*s AS other",
                STR_ARGS(right->kind == FROM_NAME ? right->name : STR_LITERAL("(...)")));
}

static void set_nulled(struct from *from)
{
    from->nulled = true;
    for (size_t i = 0; i < from->n_visible; i++)
        from->visible[i].expr->nullable = true;
    if (from->kind == FROM_JOIN) {
        set_nulled(from->left);
        set_nulled(from->right);
    }
}

static struct expr *using_side(struct binder *binder, const struct from *join,
                               const struct from *side, struct str name)
{
    struct expr *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < side->n_visible; i++) {
        if (str_eq(side->visible[i].name, name)) {
            found = side->visible[i].expr;
            n++;
        }
    }
    if (n == 1 || join->left->failed || join->right->failed)
        return found;
    if (n == 0)
        report_error(binder->report, join->at,
                     "USING (%.*s): there is no such column on %s", STR_ARGS(name),
                     side == join->left ? "the left" : "the right");
    else
        report_error(binder->report, join->at,
                     "USING (%.*s): %s has several such columns", STR_ARGS(name),
                     side == join->left ? "the left" : "the right");
    report_hint(binder->report, "write ON a.%.*s = b.%.*s", STR_ARGS(name),
                STR_ARGS(name));
    return NULL;
}

static struct expr *new_op(struct binder *binder, enum op op, size_t at, struct expr *a,
                           struct expr *b)
{
    struct expr *expr = bind_new_expr(binder, EXPR_OP, at);
    expr->op = op;
    expr->n_args = 2;
    expr->args = arena_array(binder->arena, 2, sizeof(*expr->args));
    expr->args[0] = a;
    expr->args[1] = b;
    return expr;
}

static void add_condition(struct binder *binder, struct from *join, struct expr *equality)
{
    join->on = join->on == NULL ? equality
                                : new_op(binder, OP_AND, join->at, join->on, equality);
}

static bool is_using(const struct from *join, struct str name)
{
    for (size_t i = 0; i < join->n_using; i++)
        if (str_eq(join->using[i], name))
            return true;
    return false;
}

static void show_rest(struct from *join, const struct from *side)
{
    for (size_t i = 0; i < side->n_visible; i++)
        if (!is_using(join, side->visible[i].name))
            join->visible[join->n_visible++] = side->visible[i];
}

static void show_columns(struct binder *binder, struct from *join)
{
    const struct from *left = join->left, *right = join->right;
    size_t most = left->n_visible + right->n_visible + join->n_using;
    join->visible = arena_array(binder->arena, most + 1, sizeof(*join->visible));
    for (size_t i = 0; i < join->n_using; i++) {
        struct expr *a = using_side(binder, join, left, join->using[i]);
        struct expr *b = using_side(binder, join, right, join->using[i]);
        if (a == NULL || b == NULL)
            continue;
        add_condition(binder, join, new_op(binder, OP_EQ, join->at, a, b));
        join->visible[join->n_visible++] =
            (struct visible){join->using[i], join->join == JOIN_RIGHT ? b : a};
    }
    show_rest(join, left);
    show_rest(join, right);
}

static void bind_on(struct binder *binder, struct from *join)
{
    if (join->on == NULL)
        return;
    const struct from *outer = binder->scope->from;
    binder->scope->from = join;
    binder->scope->clause = "ON";
    bind_condition(binder, join->on, "ON");
    binder->scope->from = outer;
}

void bind_from(struct binder *binder, struct from *from, struct query *owner)
{
    from->owner = owner;
    if (from->kind != FROM_JOIN) {
        bind_leaf(binder, from);
        return;
    }
    bind_from(binder, from->left, owner);
    bind_from(binder, from->right, owner);
    check_alias(binder, from->left, from->right);
    from->failed = from->left->failed || from->right->failed;
    from->reads_stream = from->left->reads_stream || from->right->reads_stream;
    show_columns(binder, from);
    bind_on(binder, from);
    if (from->join == JOIN_LEFT)
        set_nulled(from->right);
    if (from->join == JOIN_RIGHT)
        set_nulled(from->left);
}
