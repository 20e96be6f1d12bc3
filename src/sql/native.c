// SPDX-License-Identifier: Apache-2.0
#include "sql/native.h"

#include "sql/catalog.h"
#include "sql/print.h"

struct join_parts {
    const struct from *stream, *dimension; // leaves; dimension may be NULL
    bool left;
    const struct expr *on;
};

// Returns the reason why not, or NULL.
static const char *find_parts(const struct query *query, struct join_parts *ret)
{
    const struct from *from = query->from;
    *ret = (struct join_parts){0};
    if (query->set_op != SET_NONE)
        return "The query is a UNION ALL.";
    if (query->where != NULL)
        return "The query has a WHERE.";
    if (from->kind != FROM_JOIN) {
        ret->stream = from;
    } else {
        bool on_left = from->left->reads_stream;
        ret->stream = on_left ? from->left : from->right;
        ret->dimension = on_left ? from->right : from->left;
        ret->left = from->join != JOIN_INNER;
        ret->on = from->on;
        if (from->left->kind == FROM_JOIN || from->right->kind == FROM_JOIN)
            return "More than one table is joined to the stream; a view can join them "
                   "first.";
        if (from->on == NULL)
            return "The join has no condition.";
    }
    if (ret->stream->relation == NULL || !ret->stream->relation->is_stream)
        return "The stream is read through a view or a subquery.";
    return NULL;
}

struct keys {
    const struct from *stream, *dimension;
    const struct expr *stream_sides[64], *dimension_sides[64];
    size_t n;
};

static const char *add_key(struct keys *keys, const struct expr *expr)
{
    const struct expr *a = expr->args[0], *b = expr->args[1];
    if (a->kind != EXPR_COLUMN || b->kind != EXPR_COLUMN)
        return "The join compares an expression, not plain columns.";
    if (a->leaf == keys->dimension) {
        const struct expr *swap = a;
        a = b;
        b = swap;
    }
    if (a->leaf != keys->stream || b->leaf != keys->dimension)
        return "The join compares two columns of one side.";
    for (size_t i = 0; i < keys->n; i++)
        if (keys->dimension_sides[i]->column == b->column)
            return "The join compares one column twice.";
    if (keys->n == ARRAY_LEN(keys->stream_sides))
        return "The join compares too many columns.";
    keys->stream_sides[keys->n] = a;
    keys->dimension_sides[keys->n++] = b;
    return NULL;
}

static const char *add_keys(struct keys *keys, const struct expr *on)
{
    if (on->kind == EXPR_OP && on->op == OP_EQ)
        return add_key(keys, on);
    if (on->kind != EXPR_OP || on->op != OP_AND)
        return "The join's condition is more than equality of columns.";
    const char *why = NULL;
    for (size_t i = 0; i < on->n_args && why == NULL; i++)
        why = add_keys(keys, on->args[i]);
    return why;
}

static const char *check_outputs(const struct query *query)
{
    for (size_t i = 0; i < query->n_outputs; i++)
        if (query->outputs[i].expr->kind != EXPR_COLUMN)
            return "An output is an expression, not a plain column.";
    return NULL;
}

static size_t dimension_column(struct schema *schema, const size_t *columns,
                               const struct from *leaf, size_t column,
                               size_t *ret_columns)
{
    for (size_t i = 0; i < schema->n; i++)
        if (columns[i] == column)
            return i;
    ret_columns[schema->n] = column;
    schema->columns[schema->n] = leaf->schema.columns[column];
    return schema->n++;
}

static struct str dimension_sql(struct arena *arena, const struct from *leaf,
                                const size_t *columns, size_t n, size_t n_keys)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "SELECT ");
    for (size_t i = 0; i < n; i++) {
        buf_text(&sql, i ? ", " : "");
        print_column(&printer, leaf, columns[i]);
        buf_text(&sql, " AS ");
        print_name(&printer, leaf->schema.columns[columns[i]].name);
    }
    buf_text(&sql, " FROM ");
    print_leaf(&printer, leaf);
    const char *word = " WHERE ";
    for (size_t i = 0; i < n_keys; i++) {
        if (!leaf->schema.columns[columns[i]].nullable)
            continue;
        buf_text(&sql, word);
        print_column(&printer, leaf, columns[i]);
        buf_text(&sql, " IS NOT NULL");
        word = " AND ";
    }
    return arena_str(arena, buf_as_str(&sql));
}

static void make_join(struct plan *plan, struct native_plan *native,
                      const struct keys *keys, const struct query *query)
{
    struct arena *arena = &plan->arena;
    size_t most = keys->n + query->n_outputs;
    struct schema *schema = &native->dimension_schema;
    schema->columns = arena_array(arena, most + 1, sizeof(*schema->columns));
    size_t *columns = arena_array(arena, most + 1, sizeof(*columns));
    size_t *stream_keys = arena_array(arena, keys->n, sizeof(*stream_keys));
    for (size_t i = 0; i < keys->n; i++) {
        size_t column = keys->dimension_sides[i]->column;
        stream_keys[i] = keys->stream_sides[i]->column;
        (void)dimension_column(schema, columns, keys->dimension, column, columns);
        schema->columns[i].nullable = false; // NULL equals nothing: left out
    }
    struct output *outputs = arena_array(arena, query->n_outputs, sizeof(*outputs));
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct expr *expr = query->outputs[i].expr;
        outputs[i] = (struct output){SIDE_STREAM, expr->column};
        if (expr->leaf == keys->dimension)
            outputs[i] = (struct output){
                SIDE_DIMENSION, dimension_column(schema, columns, keys->dimension,
                                                 expr->column, columns)};
    }
    native->n_keys = keys->n;
    native->stream_keys = stream_keys;
    native->outputs = outputs;
    native->n_outputs = query->n_outputs;
    if (native->has_join)
        native->dimension_sql =
            dimension_sql(arena, keys->dimension, columns, schema->n, keys->n);
}

void native_plan_make(struct plan *plan, const struct query *query)
{
    struct join_parts parts;
    struct keys keys = {0};
    const char *why = find_parts(query, &parts);
    keys.stream = parts.stream;
    keys.dimension = parts.dimension;
    if (why == NULL && parts.dimension != NULL)
        why = add_keys(&keys, parts.on);
    if (why == NULL)
        why = check_outputs(query);
    if (why != NULL) {
        plan->native_why = str_of(why);
        return;
    }
    struct native_plan *native = arena_zalloc(&plan->arena, sizeof(*native));
    native->has_join = parts.dimension != NULL;
    native->left = parts.left;
    make_join(plan, native, &keys, query);
    plan->native = native;
}
