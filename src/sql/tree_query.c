// SPDX-License-Identifier: Apache-2.0
#include "sql/lex.h"
#include "sql/tree.h"

static bool refuse(struct tree *tree, size_t at, const char *what, const char *instead)
{
    report_error(tree->report, at, "%s is not supported", what);
    if (instead != NULL)
        report_hint(tree->report, "%s", instead);
    return false;
}

// FRAMEOPTION_DEFAULTS of PostgreSQL's parsenodes.h: RANGE UNBOUNDED PRECEDING to CURRENT
// ROW.
enum {
    FRAME_NON_DEFAULT = 0x00001,
};

static struct order *tree_orders(struct tree *tree, const json_t *list, size_t *ret_n)
{
    *ret_n = json_array_size(list);
    struct order *orders = tree_array(tree, *ret_n, sizeof(*orders));
    bool good = true;
    for (size_t i = 0; i < *ret_n; i++) {
        struct node node = tree_node(json_array_get(list, i));
        struct order *order = &orders[i];
        order->expr = tree_expr(tree, tree_field(node.body, "node"));
        const char *nulls = tree_word(node.body, "sortby_nulls");
        order->descending =
            strcmp(tree_word(node.body, "sortby_dir"), "SORTBY_DESC") == 0;
        order->nulls_first = strcmp(nulls, "SORTBY_NULLS_DEFAULT") == 0
                                 ? order->descending
                                 : strcmp(nulls, "SORTBY_NULLS_FIRST") == 0;
        good &= order->expr != NULL;
        if (strcmp(tree_word(node.body, "sortby_dir"), "SORTBY_USING") == 0)
            good = refuse(tree, tree->at, "ORDER BY ... USING", "write ASC or DESC");
    }
    return good ? orders : NULL;
}

static struct window *window(struct tree *tree, const json_t *body)
{
    struct window *over = tree_array(tree, 1, sizeof(*over));
    over->at = tree_place(tree, body);
    if (tree_field(body, "name") != NULL || tree_field(body, "refname") != NULL) {
        refuse(tree, over->at, "a named window",
               "write OVER (PARTITION BY ... ORDER BY ...)");
        return NULL;
    }
    if (json_integer_value(tree_field(body, "frameOptions")) & FRAME_NON_DEFAULT) {
        refuse(tree, over->at, "a window's frame",
               "leave ROWS, RANGE or GROUPS out: the frame ends at the current row");
        return NULL;
    }
    over->partitions =
        tree_exprs(tree, tree_field(body, "partitionClause"), &over->n_partitions);
    over->orders = tree_orders(tree, tree_field(body, "orderClause"), &over->n_orders);
    for (size_t i = 0; i < over->n_partitions; i++)
        if (over->partitions[i] == NULL)
            return NULL;
    return over->n_orders > 0 && over->orders == NULL ? NULL : over;
}

static bool plain_call(struct tree *tree, const json_t *body, size_t at)
{
    if (tree_flag(body, "func_variadic"))
        return refuse(tree, at, "VARIADIC", "write the values one by one");
    if (tree_flag(body, "agg_within_group"))
        return refuse(tree, at, "WITHIN GROUP",
                      "number the rows with row_number() and take one");
    if (tree_field(body, "agg_order") != NULL)
        return refuse(tree, at, "ORDER BY inside a call",
                      "leave it out: the order changes none of the aggregates");
    const json_t *names = tree_field(body, "funcname");
    if (json_array_size(names) > 1 &&
        !str_is(tree_string(tree, json_array_get(names, 0)), "pg_catalog"))
        return refuse(tree, at, "a function's name of two parts",
                      "write the function's name alone");
    return true;
}

struct expr *tree_call(struct tree *tree, const json_t *body)
{
    struct expr *expr = tree_array(tree, 1, sizeof(*expr));
    expr->kind = EXPR_CALL;
    expr->at = tree_place(tree, body);
    const json_t *names = tree_field(body, "funcname");
    expr->name = tree_string(tree, json_array_get(names, json_array_size(names) - 1));
    expr->star = tree_flag(body, "agg_star");
    expr->distinct = tree_flag(body, "agg_distinct");
    bool good = plain_call(tree, body, expr->at);
    expr->args = tree_exprs(tree, tree_field(body, "args"), &expr->n_args);
    for (size_t i = 0; i < expr->n_args; i++)
        good &= expr->args[i] != NULL;
    const json_t *filter = tree_field(body, "agg_filter");
    if (filter != NULL)
        good &= (expr->filter = tree_expr(tree, filter)) != NULL;
    const json_t *over = tree_field(body, "over");
    if (over != NULL)
        good &= (expr->over = window(tree, over)) != NULL;
    return good ? expr : NULL;
}

static bool outputs(struct tree *tree, const json_t *list, struct query *query)
{
    query->n_outputs = json_array_size(list);
    query->outputs = tree_array(tree, query->n_outputs, sizeof(*query->outputs));
    bool good = true;
    for (size_t i = 0; i < query->n_outputs; i++) {
        const json_t *body = tree_node(json_array_get(list, i)).body;
        struct output_item *item = &query->outputs[i];
        item->at = tree_place(tree, body);
        if (tree_field(body, "name") != NULL)
            item->name = tree_str(tree, body, "name");
        item->expr = tree_expr(tree, tree_field(body, "val"));
        good &= item->expr != NULL;
    }
    if (query->n_outputs == 0) {
        report_error(tree->report, query->at, "SELECT without a column");
        report_hint(tree->report, "write what to select, or *");
        good = false;
    }
    return good;
}

static struct from *from_item(struct tree *tree, const json_t *wrapped);

static void alias(struct tree *tree, const json_t *body, struct from *from)
{
    const json_t *alias = tree_field(body, "alias");
    if (alias == NULL)
        return;
    from->alias = tree_str(tree, alias, "aliasname");
    from->column_aliases =
        tree_names(tree, tree_field(alias, "colnames"), &from->n_column_aliases);
}

static struct from *range_var(struct tree *tree, const json_t *body, struct from *from)
{
    from->kind = FROM_NAME;
    from->at = tree_place(tree, body);
    from->name = from->alias = tree_str(tree, body, "relname");
    if (tree_field(body, "schemaname") != NULL) {
        refuse(tree, from->at, "a table's name of two parts",
               "write the table's name alone");
        return NULL;
    }
    alias(tree, body, from);
    return from;
}

// The innermost one that is open at `at`.
static size_t open_parenthesis(struct tree *tree, size_t at)
{
    struct str text = tree->report->text;
    size_t *open = tree_array(tree, at - tree->base + 1, sizeof(*open));
    size_t n = 0;
    open[0] = at;
    for (struct token token = lex_next(text, tree->base); token.start < at;
         token = lex_next(text, token.end)) {
        if (text.p[token.start] == '(')
            open[++n] = token.start;
        else if (text.p[token.start] == ')')
            n--;
    }
    return open[n];
}

static struct from *range_subselect(struct tree *tree, const json_t *body,
                                    struct from *from)
{
    struct node select = tree_node(tree_field(body, "subquery"));
    from->kind = FROM_QUERY;
    from->query = tree_query(tree, select.body);
    if (from->query == NULL)
        return NULL;
    from->at = from->query->at;
    if (tree_flag(body, "lateral")) {
        refuse(tree, from->at, "LATERAL", "write a join with ON");
        return NULL;
    }
    alias(tree, body, from);
    if (from->alias.p == NULL) { // PostgreSQL 16's parser lets it through
        report_error(tree->report, open_parenthesis(tree, from->at),
                     "subquery in FROM must have an alias");
        report_hint(tree->report, "write (SELECT ...) AS name");
        return NULL;
    }
    return from;
}

static enum join join_type(const char *name)
{
    return strcmp(name, "JOIN_LEFT") == 0    ? JOIN_LEFT
           : strcmp(name, "JOIN_RIGHT") == 0 ? JOIN_RIGHT
                                             : JOIN_INNER;
}

static bool plain_join(struct tree *tree, const json_t *body, size_t at)
{
    if (tree_flag(body, "isNatural"))
        return refuse(
            tree, at, "NATURAL JOIN",
            "write JOIN ... USING (column): a new column would change the join");
    // SQLite 3.40 gives wrong rows for some.
    if (strcmp(tree_word(body, "jointype"), "JOIN_FULL") == 0)
        return refuse(tree, at, "FULL JOIN",
                      "write a LEFT JOIN b UNION ALL b's rows WHERE NOT EXISTS one of a");
    if (tree_field(body, "alias") != NULL)
        return refuse(tree, at, "a name for a whole join", "name its tables instead");
    if (tree_field(body, "join_using_alias") != NULL)
        return refuse(tree, at, "USING (...) AS name", "name the tables instead");
    return true;
}

static struct from *join(struct tree *tree, const json_t *body, struct from *from)
{
    from->kind = FROM_JOIN;
    from->join = join_type(tree_word(body, "jointype"));
    from->left = from_item(tree, tree_field(body, "larg"));
    from->right = from_item(tree, tree_field(body, "rarg"));
    from->at = from->right ? from->right->at : tree->at;
    bool good = plain_join(tree, body, from->at);
    from->using = tree_names(tree, tree_field(body, "usingClause"), &from->n_using);
    const json_t *on = tree_field(body, "quals");
    if (on != NULL)
        good &= (from->on = tree_expr(tree, on)) != NULL;
    return good && from->left != NULL && from->right != NULL ? from : NULL;
}

// A function in FROM has no place of its own, but its call has.
static size_t other_item_place(struct tree *tree, struct node node)
{
    struct node list = tree_node(json_array_get(tree_field(node.body, "functions"), 0));
    struct node call = tree_node(json_array_get(tree_field(list.body, "items"), 0));
    return tree_place(tree, call.body != NULL ? call.body : node.body);
}

static struct from *from_item(struct tree *tree, const json_t *wrapped)
{
    struct node node = tree_node(wrapped);
    struct from *from = tree_array(tree, 1, sizeof(*from));
    if (node_is(node, "RangeVar"))
        return range_var(tree, node.body, from);
    if (node_is(node, "RangeSubselect"))
        return range_subselect(tree, node.body, from);
    if (node_is(node, "JoinExpr"))
        return join(tree, node.body, from);
    refuse(tree, other_item_place(tree, node),
           node_is(node, "RangeFunction") ? "a function in FROM" : "this item of FROM",
           "write a table, a view or (SELECT ...) AS name");
    return NULL;
}

// FROM a, b is a cross join.
static bool from_clause(struct tree *tree, const json_t *list, struct query *query)
{
    bool good = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct from *item = from_item(tree, json_array_get(list, i));
        good &= item != NULL;
        if (item == NULL || query->from == NULL) {
            query->from = item ? item : query->from;
            continue;
        }
        struct from *cross = tree_array(tree, 1, sizeof(*cross));
        *cross = (struct from){
            .kind = FROM_JOIN, .at = item->at, .left = query->from, .right = item};
        query->from = cross;
    }
    return good;
}

// LIMIT and OFFSET: a whole number, or ALL, which is no limit.
static bool row_count(struct tree *tree, const json_t *wrapped, const char *what,
                      struct expr **ret)
{
    if (wrapped == NULL)
        return true;
    struct expr *expr = tree_expr(tree, wrapped);
    if (expr == NULL)
        return false;
    bool constant = expr->kind == EXPR_CONST;
    if (constant && expr->constant.kind == VALUE_NULL)
        return true;
    if (constant && expr->constant.kind == VALUE_INT && expr->constant.i >= 0) {
        *ret = expr;
        return true;
    }
    report_error(tree->report, expr->at, "%s takes a whole number", what);
    report_hint(tree->report, "write %s 10", what);
    return false;
}

static bool select_tail(struct tree *tree, const json_t *body, struct query *query)
{
    bool good = row_count(tree, tree_field(body, "limitCount"), "LIMIT", &query->limit);
    good &= row_count(tree, tree_field(body, "limitOffset"), "OFFSET", &query->offset);
    query->orders = tree_orders(tree, tree_field(body, "sortClause"), &query->n_orders);
    good &= query->orders != NULL;
    if (strcmp(tree_word(body, "limitOption"), "LIMIT_OPTION_WITH_TIES") == 0)
        good = refuse(tree, query->at, "WITH TIES", "write LIMIT n");
    if (tree_field(body, "lockingClause") != NULL)
        good = refuse(tree, query->at, "FOR UPDATE or FOR SHARE", "leave it out");
    return good;
}

static enum set_op set_op_of(const json_t *body)
{
    const char *op = tree_word(body, "op");
    if (strcmp(op, "SETOP_UNION") == 0)
        return tree_flag(body, "all") ? SET_UNION_ALL : SET_UNION;
    if (strcmp(op, "SETOP_EXCEPT") == 0)
        return SET_EXCEPT;
    return strcmp(op, "SETOP_INTERSECT") == 0 ? SET_INTERSECT : SET_NONE;
}

static bool set_operation(struct tree *tree, const json_t *body, struct query *query)
{
    query->left = tree_query(tree, tree_field(body, "larg"));
    query->right = tree_query(tree, tree_field(body, "rarg"));
    if (query->left != NULL)
        query->at = query->left->at;
    if (tree_flag(body, "all") && query->set_op != SET_UNION_ALL)
        return refuse(tree, query->right ? query->right->at : query->at,
                      "EXCEPT ALL or INTERSECT ALL", "leave ALL out");
    return query->left != NULL && query->right != NULL;
}

static bool groups(struct tree *tree, const json_t *list, struct query *query)
{
    query->groups = tree_array(tree, json_array_size(list), sizeof(*query->groups));
    query->n_groups = json_array_size(list);
    bool good = true;
    for (size_t i = 0; i < query->n_groups; i++) {
        struct node node = tree_node(json_array_get(list, i));
        if (node_is(node, "GroupingSet"))
            good =
                refuse(tree, tree_place(tree, node.body), "GROUPING SETS, ROLLUP or CUBE",
                       "write UNION ALL of GROUP BYs");
        else
            good &= (query->groups[i] = tree_expr(tree, json_array_get(list, i))) != NULL;
    }
    return good;
}

// The parser does not say where DISTINCT stands: before the first output.
static size_t word_before(const struct tree *tree, size_t at, const char *word)
{
    struct str text = tree->report->text;
    size_t found = at;
    struct token token = lex_next(text, tree->base);
    while (token.kind != TOKEN_END && token.start < at) {
        if (str_eq_nocase(token_text(text, token), str_of(word)))
            found = token.start;
        token = lex_next(text, token.end);
    }
    return found;
}

static bool distinct(struct tree *tree, const json_t *list, struct query *query)
{
    query->distinct = list != NULL;
    if (query->distinct)
        query->distinct_at = word_before(tree, query->at, "distinct");
    if (json_object_size(json_array_get(list, 0)) > 0)
        return refuse(tree, query->at, "DISTINCT ON",
                      "number the rows with row_number() and keep the first");
    return true;
}

static bool plain_select(struct tree *tree, const json_t *body, struct query *query)
{
    if (tree_field(body, "valuesLists") != NULL)
        return refuse(tree, query->at, "VALUES", "write SELECT ... UNION ALL SELECT ...");
    if (tree_field(body, "intoClause") != NULL)
        return refuse(tree, query->at, "SELECT INTO", "write CREATE VIEW ... AS SELECT");
    if (tree_field(body, "windowClause") != NULL)
        return refuse(tree, query->at, "WINDOW", "write OVER (...) in full");
    bool good = from_clause(tree, tree_field(body, "fromClause"), query);
    good &= outputs(tree, tree_field(body, "targetList"), query);
    good &= distinct(tree, tree_field(body, "distinctClause"), query);
    const json_t *where = tree_field(body, "whereClause");
    const json_t *having = tree_field(body, "havingClause");
    if (where != NULL)
        good &= (query->where = tree_expr(tree, where)) != NULL;
    good &= groups(tree, tree_field(body, "groupClause"), query);
    if (having != NULL)
        good &= (query->having = tree_expr(tree, having)) != NULL;
    return good;
}

struct cte *tree_ctes(struct tree *tree, const json_t *with, size_t *ret_n)
{
    const json_t *list = tree_field(with, "ctes");
    *ret_n = json_array_size(list);
    struct cte *ctes = tree_array(tree, *ret_n, sizeof(*ctes));
    bool good = true;
    if (tree_flag(with, "recursive"))
        good = refuse(tree, tree_place(tree, with), "WITH RECURSIVE",
                      "write each level as a view of its own");
    for (size_t i = 0; i < *ret_n; i++) {
        const json_t *body = tree_node(json_array_get(list, i)).body;
        ctes[i].name = tree_str(tree, body, "ctename");
        ctes[i].at = tree_place(tree, body);
        ctes[i].column_aliases = tree_names(tree, tree_field(body, "aliascolnames"),
                                            &ctes[i].n_column_aliases);
        struct node select = tree_node(tree_field(body, "ctequery"));
        if (node_is(select, "SelectStmt"))
            good &= (ctes[i].query = tree_query(tree, select.body)) != NULL;
        else
            good = refuse(tree, ctes[i].at, "a change of data in WITH", "write a SELECT");
    }
    return good ? ctes : NULL;
}

// A SELECT has no place of its own: it gets that of its first output.
static size_t select_place(struct tree *tree, const json_t *body)
{
    const json_t *first = json_array_get(tree_field(body, "targetList"), 0);
    return first ? tree_place(tree, tree_node(first).body) : tree->at;
}

struct query *tree_query(struct tree *tree, const json_t *body)
{
    struct query *query = tree_array(tree, 1, sizeof(*query));
    query->at = select_place(tree, body);
    query->distinct_at = query->at;
    query->set_op = set_op_of(body);
    const json_t *with = tree_field(body, "withClause");
    bool good = true;
    if (with != NULL)
        good &= (query->ctes = tree_ctes(tree, with, &query->n_ctes)) != NULL;
    good &= query->set_op == SET_NONE ? plain_select(tree, body, query)
                                      : set_operation(tree, body, query);
    good &= select_tail(tree, body, query);
    return good ? query : NULL;
}
