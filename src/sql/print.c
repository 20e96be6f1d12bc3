// SPDX-License-Identifier: Apache-2.0
#include "sql/print.h"

#include "sql/catalog.h"

static void text(struct printer *printer, const char *s)
{
    buf_text(printer->out, s);
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

// SQLite takes names that differ only in case for one name, and keeps those that begin
// with "sqlite_" for itself. A mark stands before each capital, before itself, and, with
// a dot, before those; so different names are printed differently.
void print_name(struct printer *printer, struct str name)
{
    buf_text(printer->out, str_starts_with(name, "sqlite_") ? "\"^." : "\"");
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (is_capital(c) || c == '^')
            buf_char(printer->out, '^');
        if (c == '"')
            buf_char(printer->out, '"');
        buf_char(printer->out, is_capital(c) ? (char)(c - 'A' + 'a') : c);
    }
    buf_char(printer->out, '"');
}

void print_text(struct printer *printer, struct str s)
{
    buf_char(printer->out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_char(printer->out, '\'');
        buf_char(printer->out, s.p[i]);
    }
    buf_char(printer->out, '\'');
}

static const struct relation *relation_of(const struct from *leaf)
{
    return leaf->cte != NULL ? leaf->cte->hoisted : leaf->relation;
}

const struct query *print_in_place(const struct from *leaf)
{
    const struct relation *relation = relation_of(leaf);
    if (relation != NULL)
        return relation->reads_stream ? relation->query : NULL;
    if (leaf->cte != NULL)
        return leaf->cte->query->reads_stream ? leaf->cte->query : NULL;
    return leaf->query;
}

void print_column(struct printer *printer, const struct from *leaf, size_t column)
{
    const struct relation *relation = relation_of(leaf);
    const struct schema *schema = relation    ? &relation->schema
                                  : leaf->cte ? &leaf->cte->schema
                                              : &leaf->schema;
    print_name(printer, leaf->label);
    text(printer, ".");
    print_name(printer, schema->columns[column].name);
}

static void print_leaf(struct printer *printer, const struct from *leaf)
{
    const struct query *query = print_in_place(leaf);
    const struct relation *relation = relation_of(leaf);
    if (query != NULL) {
        text(printer, "(");
        print_query(printer, query);
        text(printer, ")");
    } else {
        print_name(printer, relation ? relation->name : leaf->cte->label);
    }
    text(printer, " AS ");
    print_name(printer, leaf->label);
}

static void print_joined(struct printer *printer, const struct from *from)
{
    bool nested = from->kind == FROM_JOIN;
    text(printer, nested ? "(" : "");
    print_from(printer, from);
    text(printer, nested ? ")" : "");
}

// RIGHT JOIN is printed as LEFT JOIN with its sides exchanged.
void print_from(struct printer *printer, const struct from *from)
{
    if (from->kind != FROM_JOIN) {
        print_leaf(printer, from);
        return;
    }
    bool swapped = from->join == JOIN_RIGHT;
    bool inner = from->join == JOIN_INNER;
    print_from(printer, swapped ? from->right : from->left);
    text(printer, inner ? " JOIN " : " LEFT JOIN ");
    print_joined(printer, swapped ? from->left : from->right);
    text(printer, " ON ");
    if (from->on != NULL)
        print_expr(printer, from->on);
    else
        text(printer, "1");
}

static const struct from *stream_leaf(const struct from *from)
{
    while (from->kind == FROM_JOIN)
        from = from->left->reads_stream ? from->left : from->right;
    return from;
}

static void print_row_column(struct printer *printer, const struct query *query)
{
    if (!printer->traced || !query->reads_stream)
        return;
    text(printer, ", ");
    print_name(printer, stream_leaf(query->from)->label);
    text(printer, ".\"" STREAM_ROW_COLUMN "\" AS \"" STREAM_ROW_COLUMN "\"");
}

static void print_outputs(struct printer *printer, const struct query *query)
{
    for (size_t i = 0; i < query->n_outputs; i++) {
        text(printer, i ? ", " : "");
        print_expr(printer, query->outputs[i].expr);
        text(printer, " AS ");
        print_name(printer, query->outputs[i].name);
    }
    print_row_column(printer, query);
}

static void print_select(struct printer *printer, const struct query *query)
{
    text(printer, query->distinct ? "SELECT DISTINCT " : "SELECT ");
    print_outputs(printer, query);
    if (query->from != NULL) {
        text(printer, " FROM ");
        print_from(printer, query->from);
    }
    if (query->where != NULL) {
        text(printer, " WHERE ");
        print_expr(printer, query->where);
    }
    for (size_t i = 0; i < query->n_groups; i++) {
        text(printer, i ? ", " : " GROUP BY ");
        print_expr(printer, query->groups[i]);
    }
    if (query->having != NULL) {
        text(printer, " HAVING ");
        print_expr(printer, query->having);
    }
}

// SQLite's compounds take plain SELECTs only, and are read from left to right.
static void print_operand(struct printer *printer, const struct query *query,
                          bool chained)
{
    bool plain = query->n_orders == 0 && query->limit == NULL && query->offset == NULL &&
                 query->n_ctes == 0 && (query->set_op == SET_NONE || chained);
    text(printer, plain ? "" : "SELECT * FROM (");
    print_query(printer, query);
    text(printer, plain ? "" : ")");
}

static void print_set(struct printer *printer, const struct query *query)
{
    static const char *const names[] = {
        [SET_UNION] = " UNION ",
        [SET_UNION_ALL] = " UNION ALL ",
        [SET_EXCEPT] = " EXCEPT ",
        [SET_INTERSECT] = " INTERSECT ",
    };
    bool chained = query->set_op == SET_UNION_ALL && query->left->set_op == SET_UNION_ALL;
    print_operand(printer, query->left, chained);
    text(printer, names[query->set_op]);
    print_operand(printer, query->right, false);
}

void print_orders(struct printer *printer, const struct order *orders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct order *order = &orders[i];
        text(printer, i ? ", " : " ORDER BY ");
        if (order->output > 0)
            buf_i64(printer->out, (int64_t)order->output);
        else
            print_expr(printer, order->expr);
        text(printer, order->descending ? " DESC" : " ASC");
        text(printer, order->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
}

static void print_limit(struct printer *printer, const struct query *query)
{
    if (query->limit == NULL && query->offset == NULL)
        return;
    text(printer, " LIMIT ");
    buf_i64(printer->out, query->limit ? query->limit->constant.i : -1);
    if (query->offset != NULL) {
        text(printer, " OFFSET ");
        buf_i64(printer->out, query->offset->constant.i);
    }
}

static void print_ctes(struct printer *printer, const struct query *query)
{
    bool first = true;
    for (size_t i = 0; i < query->n_ctes; i++) {
        const struct cte *cte = &query->ctes[i];
        if (cte->hoisted != NULL || cte->query->reads_stream)
            continue;
        text(printer, first ? "WITH " : ", ");
        print_name(printer, cte->label);
        text(printer, " AS (");
        print_query(printer, cte->query);
        text(printer, ")");
        first = false;
    }
    text(printer, first ? "" : " ");
}

void print_query(struct printer *printer, const struct query *query)
{
    print_ctes(printer, query);
    if (query->set_op == SET_NONE)
        print_select(printer, query);
    else
        print_set(printer, query);
    print_orders(printer, query->orders, query->n_orders);
    print_limit(printer, query);
}
