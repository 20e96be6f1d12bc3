// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

#include <stdlib.h>

#include "base/mem.h"

struct lookup_result {
    const struct expr *found;
    size_t n;
    const struct expr *other; // a second one
    bool unsure;              // columns of a table are not known: stay silent
};

static void look_in(const struct from *from, struct str name, struct lookup_result *ret)
{
    ret->unsure |= from->failed;
    for (size_t i = 0; i < from->n_visible; i++) {
        if (!str_eq(from->visible[i].name, name))
            continue;
        if (ret->n++ == 0)
            ret->found = from->visible[i].expr;
        else
            ret->other = from->visible[i].expr;
    }
}

static const struct from *leaf_named(const struct from *from, struct str alias)
{
    if (from == NULL)
        return NULL;
    if (from->kind != FROM_JOIN)
        return str_eq(from->alias, alias) ? from : NULL;
    const struct from *leaf = leaf_named(from->left, alias);
    return leaf != NULL ? leaf : leaf_named(from->right, alias);
}

static void take(struct expr *expr, const struct expr *found)
{
    size_t at = expr->at;
    *expr = *found;
    expr->at = at;
    expr->failed |= expr->type == TYPE_UNKNOWN; // of a query that has an error
}

// Notes that columns of outer SELECTs are used on the way from the innermost scope.
static void note_depth(struct binder *binder, const struct scope *owner)
{
    struct scope *s = binder->scope;
    for (; s != owner; s = s->outer) {
        s->query->correlated = true;
        s->n_outer_columns++;
    }
    s->n_own_columns++;
}

static size_t count_names(const struct from *from)
{
    return from == NULL ? 0 : from->n_visible;
}

static void suggest_column(struct binder *binder, const struct from *from,
                           struct str name)
{
    const char **names = mem_array(count_names(from) + 1, sizeof(*names));
    for (size_t i = 0; i < count_names(from); i++)
        names[i] = from->visible[i].name.p;
    const char *near = str_nearest(name, names, count_names(from));
    free(names);
    if (near != NULL)
        report_hint(binder->report, "did you mean '%s'?", near);
    else if (count_names(from) > 0 && count_names(from) <= 12) {
        AUTO(buf_release) struct buf list = {0};
        for (size_t i = 0; i < count_names(from); i++)
            buf_printf(&list, "%s%.*s", i ? ", " : "", STR_ARGS(from->visible[i].name));
        report_hint(binder->report, "there are %s", buf_cstr(&list));
    }
}

static void ambiguous(struct binder *binder, struct expr *expr,
                      const struct lookup_result *result)
{
    expr->failed = true;
    if (str_eq(result->found->qualifier, result->other->qualifier))
        return; // that two tables have one name is reported
    report_error(binder->report, expr->at, "column '%.*s' may be of '%.*s' or of '%.*s'",
                 STR_ARGS(expr->name), STR_ARGS(result->found->qualifier),
                 STR_ARGS(result->other->qualifier));
    report_hint(binder->report, "write %.*s.%.*s", STR_ARGS(result->found->qualifier),
                STR_ARGS(expr->name));
}

// Returns whether this scope settled the name.
static bool resolve_in(struct binder *binder, struct scope *scope, struct expr *expr,
                       bool *unsure)
{
    struct lookup_result result = {0};
    const struct from *from = scope->from;
    if (from != NULL && expr->qualifier.p != NULL)
        from = leaf_named(from, expr->qualifier);
    if (from == NULL)
        return false;
    look_in(from, expr->name, &result);
    *unsure |= result.unsure;
    if (result.n == 1) {
        note_depth(binder, scope);
        take(expr, result.found);
        return true;
    }
    if (result.n > 1) {
        ambiguous(binder, expr, &result);
        return true;
    }
    if (expr->qualifier.p == NULL)
        return false;
    expr->failed = true;
    if (!result.unsure) {
        report_error(binder->report, expr->at, "'%.*s' has no column '%.*s'",
                     STR_ARGS(expr->qualifier), STR_ARGS(expr->name));
        suggest_column(binder, from, expr->name);
    }
    return true;
}

static void suggest_table(struct binder *binder, const struct from *from, struct str name)
{
    const char *names[64];
    size_t n = 0;
    const struct from *stack[64];
    size_t depth = 0;
    stack[depth++] = from;
    while (depth > 0) {
        const struct from *top = stack[--depth];
        if (top->kind == FROM_JOIN && depth + 2 <= ARRAY_LEN(stack)) {
            stack[depth++] = top->right;
            stack[depth++] = top->left;
        } else if (top->kind != FROM_JOIN && n < ARRAY_LEN(names)) {
            names[n++] = top->alias.p;
        }
    }
    const char *near = str_nearest(name, names, n);
    if (near != NULL)
        report_hint(binder->report, "did you mean '%s'?", near);
    else
        report_hint(binder->report, "write the name that FROM gives the table");
}

void bind_column(struct binder *binder, struct expr *expr)
{
    bool unsure = false;
    if (expr->leaf != NULL)
        return;
    for (struct scope *s = binder->scope; s != NULL; s = s->outer)
        if (resolve_in(binder, s, expr, &unsure))
            return;
    expr->failed = true;
    const struct from *from = binder->scope->from;
    if (unsure)
        return;
    if (expr->qualifier.p == NULL) {
        report_error(binder->report, expr->at, "unknown column '%.*s'",
                     STR_ARGS(expr->name));
        suggest_column(binder, from, expr->name);
        return;
    }
    report_error(binder->report, expr->at, "this SELECT has no table '%.*s'",
                 STR_ARGS(expr->qualifier));
    if (from != NULL)
        suggest_table(binder, from, expr->qualifier);
}
