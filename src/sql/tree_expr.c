// SPDX-License-Identifier: Apache-2.0
#include "sql/lex.h"
#include "sql/tree.h"
#include "sql/variables.h"

static struct expr *new_expr(struct tree *tree, enum expr_kind kind, size_t at)
{
    struct expr *expr = tree_array(tree, 1, sizeof(*expr));
    expr->kind = kind;
    expr->at = at;
    return expr;
}

static struct expr *new_op(struct tree *tree, enum op op, size_t at, size_t n_args)
{
    struct expr *expr = new_expr(tree, EXPR_OP, at);
    expr->op = op;
    expr->args = tree_array(tree, n_args, sizeof(*expr->args));
    expr->n_args = n_args;
    return expr;
}

static bool all_there(const struct expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++)
        if (expr->args[i] == NULL)
            return false;
    return true;
}

static struct expr *if_whole(struct expr *expr)
{
    return all_there(expr) ? expr : NULL;
}

static struct expr *negated(struct tree *tree, struct expr *expr)
{
    if (expr == NULL)
        return NULL;
    struct expr *not = new_op(tree, OP_NOT, expr->at, 1);
    not->args[0] = expr;
    return not;
}

static struct expr *refuse(struct tree *tree, size_t at, const char *what,
                           const char *instead)
{
    report_error(tree->report, at, "%s is not supported", what);
    report_hint(tree->report, "%s", instead);
    return NULL;
}

static struct expr *column_ref(struct tree *tree, const json_t *body)
{
    size_t at = tree_place(tree, body);
    const json_t *fields = tree_field(body, "fields");
    size_t n = json_array_size(fields);
    if (n > 2)
        return refuse(tree, at, "a name of three parts", "write table.column");
    struct node last = tree_node(json_array_get(fields, n - 1));
    struct expr *expr =
        new_expr(tree, node_is(last, "A_Star") ? EXPR_STAR : EXPR_COLUMN, at);
    if (n == 2)
        expr->qualifier = tree_string(tree, json_array_get(fields, 0));
    if (expr->kind == EXPR_COLUMN)
        expr->name = tree_str(tree, last.body, "sval");
    return expr;
}

// The parser's JSON drops integers below zero; their digits stand in the text.
static int64_t integer_from_text(struct tree *tree, size_t at)
{
    struct str text = tree->report->text;
    struct token token = lex_next(text, at);
    while (token.kind != TOKEN_NUMBER && token.kind != TOKEN_END)
        token = lex_next(text, token.end);
    int64_t i = 0;
    if (!str_to_i64(token_text(text, token), &i))
        return 0;
    return -i;
}

static struct expr *number_out_of_range(struct tree *tree, size_t at, struct str text)
{
    report_error(tree->report, at, "number %.*s is out of range", STR_ARGS(text));
    report_hint(tree->report, "whole numbers have 64 bits, others are finite doubles");
    return NULL;
}

// A number too long for 32 bits, or with a fraction or an exponent.
static struct expr *long_number(struct tree *tree, struct expr *expr, struct str text)
{
    expr->type = TYPE_INT; // -2147483648
    if (value_parse(TYPE_INT, text, &expr->constant))
        return expr;
    expr->type = TYPE_BIGINT;
    if (value_parse(TYPE_BIGINT, text, &expr->constant))
        return expr;
    bool whole = memchr(text.p, '.', text.n) == NULL &&
                 memchr(text.p, 'e', text.n) == NULL &&
                 memchr(text.p, 'E', text.n) == NULL;
    expr->type = TYPE_REAL;
    // PostgreSQL also takes 1. and .5, which JSON does not spell.
    bool minus = str_starts_with(text, "-");
    struct str digits = {text.p + minus, text.n - minus};
    size_t n = digits.n;
    const char *dot = memchr(digits.p, '.', n);
    size_t at_dot = dot ? (size_t)(dot - digits.p) : n;
    bool bare = dot && (at_dot + 1 == n || digits.p[at_dot + 1] == 'e' ||
                        digits.p[at_dot + 1] == 'E');
    char *json = arena_printf(tree->report->arena, "%s%s%.*s%s%.*s", minus ? "-" : "",
                              at_dot == 0 ? "0" : "", (int)(dot ? at_dot + 1 : n),
                              digits.p, bare ? "0" : "", (int)(dot ? n - at_dot - 1 : 0),
                              dot ? dot + 1 : "");
    if (whole || !value_parse(TYPE_REAL, str_of(json), &expr->constant))
        return number_out_of_range(tree, expr->at, text);
    return expr;
}

static struct expr *text_constant(struct tree *tree, struct expr *expr, struct str text)
{
    struct expansion expansion;
    if (!variables_expand(tree->script, tree->report, expr->at, text, &expansion))
        return NULL;
    expr->type = TYPE_TEXT;
    expr->constant = value_text(expansion.text);
    return expr;
}

static struct expr *constant(struct tree *tree, const json_t *body)
{
    struct expr *expr = new_expr(tree, EXPR_CONST, tree_place(tree, body));
    const json_t *field;
    if (tree_flag(body, "isnull")) {
        expr->nullable = true;
        return expr;
    }
    if ((field = tree_field(body, "ival")) != NULL) {
        const json_t *ival = tree_field(field, "ival");
        expr->type = TYPE_INT;
        expr->constant = value_int(ival ? json_integer_value(ival)
                                        : integer_from_text(tree, expr->at));
        return expr;
    }
    if ((field = tree_field(body, "fval")) != NULL)
        return long_number(tree, expr, tree_str(tree, field, "fval"));
    if ((field = tree_field(body, "boolval")) != NULL) {
        expr->type = TYPE_BOOLEAN;
        expr->constant =
            (struct value){.i = tree_flag(field, "boolval"), .kind = VALUE_BOOL};
        return expr;
    }
    if ((field = tree_field(body, "sval")) != NULL)
        return text_constant(tree, expr, tree_str(tree, field, "sval"));
    return refuse(tree, expr->at, "a bit string", "write a number, or text in '...'");
}

static const struct {
    const char *name;
    enum op op;
} operators[] = {
    {"+", OP_ADD}, {"-", OP_SUB}, {"*", OP_MUL}, {"/", OP_DIV},
    {"%", OP_MOD}, {"=", OP_EQ},  {"<>", OP_NE}, {"<", OP_LT},
    {"<=", OP_LE}, {">", OP_GT},  {">=", OP_GE}, {"||", OP_CONCAT},
};

static struct expr *operator_expr(struct tree *tree, const json_t *body, size_t at,
                                  const char *name)
{
    const json_t *left = tree_field(body, "lexpr"), *right = tree_field(body, "rexpr");
    if (left == NULL && strcmp(name, "+") == 0)
        return tree_expr(tree, right);
    if (left == NULL && strcmp(name, "-") == 0) {
        struct expr *expr = new_op(tree, OP_NEG, at, 1);
        expr->args[0] = tree_expr(tree, right);
        return if_whole(expr);
    }
    for (size_t i = 0; left != NULL && i < ARRAY_LEN(operators); i++) {
        if (strcmp(operators[i].name, name) != 0)
            continue;
        struct expr *expr = new_op(tree, operators[i].op, at, 2);
        expr->args[0] = tree_expr(tree, left);
        expr->args[1] = tree_expr(tree, right);
        return if_whole(expr);
    }
    report_error(tree->report, at, "operator '%s' is not supported", name);
    report_hint(tree->report, "the operators are + - * / %% || = <> < <= > >=");
    return NULL;
}

static struct expr *binary(struct tree *tree, const json_t *body, enum op op, size_t at)
{
    struct expr *expr = new_op(tree, op, at, 2);
    expr->args[0] = tree_expr(tree, tree_field(body, "lexpr"));
    expr->args[1] = tree_expr(tree, tree_field(body, "rexpr"));
    return if_whole(expr);
}

static struct expr *in_list(struct tree *tree, const json_t *body, size_t at)
{
    const json_t *items = tree_field(tree_node(tree_field(body, "rexpr")).body, "items");
    struct expr *expr = new_expr(tree, EXPR_IN_LIST, at);
    expr->n_args = json_array_size(items) + 1;
    expr->args = tree_array(tree, expr->n_args, sizeof(*expr->args));
    expr->args[0] = tree_expr(tree, tree_field(body, "lexpr"));
    for (size_t i = 1; i < expr->n_args; i++)
        expr->args[i] = tree_expr(tree, json_array_get(items, i - 1));
    return if_whole(expr);
}

static struct expr *between(struct tree *tree, const json_t *body, size_t at)
{
    const json_t *bounds = tree_field(tree_node(tree_field(body, "rexpr")).body, "items");
    struct expr *expr = new_op(tree, OP_BETWEEN, at, 3);
    expr->args[0] = tree_expr(tree, tree_field(body, "lexpr"));
    expr->args[1] = tree_expr(tree, json_array_get(bounds, 0));
    expr->args[2] = tree_expr(tree, json_array_get(bounds, 1));
    return if_whole(expr);
}

// The escape must be known to print it: one character, or none ('').
static bool like_escape(struct tree *tree, const struct expr *escape)
{
    struct str s = {0};
    bool good = escape != NULL && escape->kind == EXPR_CONST && escape->type == TYPE_TEXT;
    if (good) {
        s = value_str(escape->constant);
        size_t n_characters = 0;
        for (size_t i = 0; i < s.n; i++)
            n_characters += (s.p[i] & 0xC0) != 0x80;
        good = n_characters <= 1;
    }
    if (!good && escape != NULL) {
        report_error(tree->report, escape->at,
                     "ESCAPE takes one character, as a literal");
        report_hint(tree->report, "write ESCAPE '!'");
    }
    return good;
}

static struct expr *like(struct tree *tree, const json_t *body, size_t at)
{
    const json_t *pattern = tree_field(body, "rexpr");
    struct expr *expr = new_op(tree, OP_LIKE, at, 2);
    expr->constant = value_text(STR_LITERAL("\\"));
    expr->args[0] = tree_expr(tree, tree_field(body, "lexpr"));
    struct node call = tree_node(pattern);
    const json_t *names = tree_field(call.body, "funcname");
    if (node_is(call, "FuncCall") && json_array_size(names) == 2 &&
        str_is(tree_string(tree, json_array_get(names, 1)), "like_escape")) {
        const json_t *args = tree_field(call.body, "args");
        struct expr *escape = tree_expr(tree, json_array_get(args, 1));
        if (!like_escape(tree, escape))
            return NULL;
        expr->constant = escape->constant;
        pattern = json_array_get(args, 0);
    }
    expr->args[1] = tree_expr(tree, pattern);
    return if_whole(expr);
}

static struct expr *a_expr(struct tree *tree, const json_t *body)
{
    size_t at = tree_place(tree, body);
    const char *kind = tree_word(body, "kind");
    const char *name =
        tree_word(tree_node(json_array_get(tree_field(body, "name"), 0)).body, "sval");
    if (json_array_size(tree_field(body, "name")) > 1)
        return refuse(tree, at, "OPERATOR(...)", "write the operator itself");
    if (strcmp(kind, "AEXPR_OP") == 0)
        return operator_expr(tree, body, at, name);
    if (strcmp(kind, "AEXPR_DISTINCT") == 0)
        return binary(tree, body, OP_DISTINCT, at);
    if (strcmp(kind, "AEXPR_NOT_DISTINCT") == 0)
        return binary(tree, body, OP_NOT_DISTINCT, at);
    if (strcmp(kind, "AEXPR_NULLIF") == 0)
        return binary(tree, body, OP_NULLIF, at);
    if (strcmp(kind, "AEXPR_IN") == 0 && strcmp(name, "=") == 0)
        return in_list(tree, body, at);
    if (strcmp(kind, "AEXPR_IN") == 0)
        return negated(tree, in_list(tree, body, at));
    if (strcmp(kind, "AEXPR_LIKE") == 0 && strcmp(name, "~~") == 0)
        return like(tree, body, at);
    if (strcmp(kind, "AEXPR_LIKE") == 0)
        return negated(tree, like(tree, body, at));
    if (strcmp(kind, "AEXPR_BETWEEN") == 0)
        return between(tree, body, at);
    if (strcmp(kind, "AEXPR_NOT_BETWEEN") == 0)
        return negated(tree, between(tree, body, at));
    if (strcmp(kind, "AEXPR_ILIKE") == 0)
        return refuse(tree, at, "ILIKE", "write lower(x) LIKE 'pattern'");
    if (strcmp(kind, "AEXPR_SIMILAR") == 0)
        return refuse(tree, at, "SIMILAR TO", "write LIKE");
    if (strncmp(kind, "AEXPR_OP_A", 10) == 0)
        return refuse(tree, at, "ANY or ALL of an array", "write IN (a, b, ...)");
    return refuse(tree, at, "BETWEEN SYMMETRIC", "write BETWEEN low AND high");
}

static struct expr *bool_expr(struct tree *tree, const json_t *body)
{
    size_t at = tree_place(tree, body);
    const char *name = tree_word(body, "boolop");
    enum op op = strcmp(name, "AND_EXPR") == 0  ? OP_AND
                 : strcmp(name, "OR_EXPR") == 0 ? OP_OR
                                                : OP_NOT;
    struct expr *expr = new_op(tree, op, at, 0);
    expr->args = tree_exprs(tree, tree_field(body, "args"), &expr->n_args);
    return if_whole(expr);
}

static struct expr *unary(struct tree *tree, const json_t *body, enum op op)
{
    struct expr *expr = new_op(tree, op, tree_place(tree, body), 1);
    expr->args[0] = tree_expr(tree, tree_field(body, "arg"));
    return if_whole(expr);
}

static struct expr *null_test(struct tree *tree, const json_t *body)
{
    bool is = strcmp(tree_word(body, "nulltesttype"), "IS_NULL") == 0;
    return unary(tree, body, is ? OP_IS_NULL : OP_IS_NOT_NULL);
}

static struct expr *boolean_test(struct tree *tree, const json_t *body)
{
    static const struct {
        const char *name;
        enum op op;
    } tests[] = {
        {"IS_TRUE", OP_IS_TRUE},    {"IS_NOT_TRUE", OP_IS_NOT_TRUE},
        {"IS_FALSE", OP_IS_FALSE},  {"IS_NOT_FALSE", OP_IS_NOT_FALSE},
        {"IS_UNKNOWN", OP_IS_NULL}, {"IS_NOT_UNKNOWN", OP_IS_NOT_NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(tests); i++)
        if (strcmp(tests[i].name, tree_word(body, "booltesttype")) == 0)
            return unary(tree, body, tests[i].op);
    return refuse(tree, tree_place(tree, body), "this expression",
                  "tramline help sql lists what a query may hold");
}

static struct expr *sub_link(struct tree *tree, const json_t *body)
{
    const char *type = tree_word(body, "subLinkType");
    size_t at = tree_place(tree, body);
    bool exists = strcmp(type, "EXISTS_SUBLINK") == 0;
    bool in = strcmp(type, "ANY_SUBLINK") == 0;
    if (in && tree_field(body, "operName") != NULL)
        return refuse(tree, at, "ANY of a subquery", "write IN (SELECT ...)");
    if (!exists && !in && strcmp(type, "EXPR_SUBLINK") != 0)
        return refuse(tree, at, "ALL or ARRAY of a subquery",
                      "write EXISTS (SELECT ... WHERE ...)");
    struct expr *expr = new_expr(tree,
                                 exists ? EXPR_EXISTS
                                 : in   ? EXPR_IN
                                        : EXPR_SCALAR,
                                 at);
    if (in) {
        expr->n_args = 1;
        expr->args = tree_array(tree, 1, sizeof(*expr->args));
        expr->args[0] = tree_expr(tree, tree_field(body, "testexpr"));
    }
    expr->query = tree_query(tree, tree_node(tree_field(body, "subselect")).body);
    return expr->query != NULL ? if_whole(expr) : NULL;
}

static struct expr *case_expr(struct tree *tree, const json_t *body)
{
    struct expr *expr = new_expr(tree, EXPR_CASE, tree_place(tree, body));
    const json_t *whens = tree_field(body, "args"), *subject = tree_field(body, "arg");
    const json_t *otherwise = tree_field(body, "defresult");
    size_t n = json_array_size(whens);
    expr->n_args = 2 * n + (otherwise != NULL);
    expr->args = tree_array(tree, expr->n_args, sizeof(*expr->args));
    for (size_t i = 0; i < n; i++) {
        struct node when = tree_node(json_array_get(whens, i));
        expr->args[2 * i] = tree_expr(tree, tree_field(when.body, "expr"));
        expr->args[2 * i + 1] = tree_expr(tree, tree_field(when.body, "result"));
    }
    if (otherwise != NULL)
        expr->args[2 * n] = tree_expr(tree, otherwise);
    if (subject != NULL) {
        expr->subject = tree_expr(tree, subject);
        if (expr->subject == NULL)
            return NULL;
    }
    return if_whole(expr);
}

static struct expr *list_op(struct tree *tree, const json_t *body, enum op op)
{
    struct expr *expr = new_op(tree, op, tree_place(tree, body), 0);
    expr->args = tree_exprs(tree, tree_field(body, "args"), &expr->n_args);
    return if_whole(expr);
}

static struct expr *coalesce(struct tree *tree, const json_t *body)
{
    return list_op(tree, body, OP_COALESCE);
}

static struct expr *min_max(struct tree *tree, const json_t *body)
{
    bool greatest = strcmp(tree_word(body, "op"), "IS_GREATEST") == 0;
    return list_op(tree, body, greatest ? OP_GREATEST : OP_LEAST);
}

static struct expr *type_cast(struct tree *tree, const json_t *body)
{
    struct expr *expr = new_expr(tree, EXPR_CAST, tree_place(tree, body));
    expr->n_args = 1;
    expr->args = tree_array(tree, 1, sizeof(*expr->args));
    expr->args[0] = tree_expr(tree, tree_field(body, "arg"));
    expr->cast_to = tree_type(tree, tree_field(body, "typeName"));
    return expr->cast_to == TYPE_UNKNOWN ? NULL : if_whole(expr);
}

static const struct {
    const char *kind;
    struct expr *(*translate)(struct tree *tree, const json_t *body);
} translations[] = {
    {"ColumnRef", column_ref}, {"A_Const", constant},   {"A_Expr", a_expr},
    {"BoolExpr", bool_expr},   {"NullTest", null_test}, {"BooleanTest", boolean_test},
    {"SubLink", sub_link},     {"CaseExpr", case_expr}, {"CoalesceExpr", coalesce},
    {"MinMaxExpr", min_max},   {"TypeCast", type_cast}, {"FuncCall", tree_call},
};

// What the refused nodes are in SQL.
static const struct {
    const char *kind, *what, *instead;
} refused[] = {
    {"SQLValueFunction", "CURRENT_TIMESTAMP or the like",
     "write now(), the batch's time as text"},
    {"RowExpr", "a row of several values", "compare the values one by one"},
    {"A_ArrayExpr", "an array", "write IN (a, b, ...)"},
    {"A_Indirection", "a field or an element of a value", "write table.column"},
    {"ParamRef", "a parameter such as $1", "write '${NAME}' and give --set NAME=..."},
    {"CollateClause", "COLLATE", "text compares as bytes"},
    {"GroupingFunc", "GROUPING", "write UNION ALL of GROUP BYs"},
    {"SetToDefault", "DEFAULT", "write a value"},
    {"NamedArgExpr", "a named argument", "write the value alone"},
};

struct expr *tree_expr(struct tree *tree, const json_t *wrapped)
{
    struct node node = tree_node(wrapped);
    for (size_t i = 0; i < ARRAY_LEN(translations); i++)
        if (node_is(node, translations[i].kind))
            return translations[i].translate(tree, node.body);
    size_t at = tree_place(tree, node.body);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (node_is(node, refused[i].kind))
            return refuse(tree, at, refused[i].what, refused[i].instead);
    return refuse(tree, at, "this expression",
                  "tramline help sql lists what a query may hold");
}

struct expr **tree_exprs(struct tree *tree, const json_t *list, size_t *ret_n)
{
    *ret_n = json_array_size(list);
    struct expr **exprs = tree_array(tree, *ret_n, sizeof(struct expr *));
    for (size_t i = 0; i < *ret_n; i++)
        exprs[i] = tree_expr(tree, json_array_get(list, i));
    return exprs;
}
