// SPDX-License-Identifier: Apache-2.0
#include "sql/lex.h"
#include "sql/tree.h"
#include "sql/variables.h"

static bool refuse(struct tree *tree, size_t at, const char *what, const char *instead)
{
    report_error(tree->report, at, "%s is not supported", what);
    report_hint(tree->report, "%s", instead);
    return false;
}

static struct token token_at(const struct tree *tree, size_t at)
{
    return lex_next(tree->report->text, at);
}

// The value of `name = value`: where it stands.
static size_t value_place(const struct tree *tree, size_t name_at)
{
    struct str text = tree->report->text;
    struct token token = lex_next(text, name_at);
    while (token.kind != TOKEN_END && text.p[token.start] != '=')
        token = lex_next(text, token.end);
    return lex_next(text, token.end).start;
}

static void take_text(struct tree *tree, struct str text, struct option_text *ret)
{
    struct expansion expansion;
    ret->failed =
        !variables_expand(tree->script, tree->report, ret->value_at, text, &expansion);
    if (ret->failed)
        return;
    ret->text = expansion.text;
    ret->from_set = expansion.from_set;
    ret->from_outside = expansion.from_outside;
}

// A number as it stands in the script, with its sign.
static void take_tokens(struct tree *tree, struct option_text *ret)
{
    struct str text = tree->report->text;
    struct token token = token_at(tree, ret->value_at);
    size_t start = token.start;
    if (token.kind == TOKEN_SIGN)
        token = lex_next(text, token.end);
    struct str s = {text.p + start, token.end - start};
    ret->text = arena_str(tree->report->arena, s);
}

static bool option_value(struct tree *tree, const json_t *arg, struct option_text *ret)
{
    struct node node = tree_node(arg);
    const json_t *names = tree_field(node.body, "names"); // of a word: a TypeName
    if (node_is(node, "String"))
        take_text(tree, tree_str(tree, node.body, "sval"), ret);
    else if (json_array_size(names) == 1)
        ret->text = tree_string(tree, json_array_get(names, 0));
    else if (node_is(node, "Integer") || node_is(node, "Float") || names != NULL)
        take_tokens(tree, ret);
    else {
        report_error(tree->report, ret->at, "option '%.*s' has no value",
                     STR_ARGS(ret->name));
        report_hint(tree->report, "write %.*s = 'value'", STR_ARGS(ret->name));
        ret->failed = true;
    }
    return !ret->failed;
}

static struct option_text *with_options(struct tree *tree, const json_t *list,
                                        size_t *ret_n)
{
    *ret_n = json_array_size(list);
    struct option_text *options = tree_array(tree, *ret_n, sizeof(*options));
    for (size_t i = 0; i < *ret_n; i++) {
        const json_t *body = tree_node(json_array_get(list, i)).body;
        struct option_text *option = &options[i];
        const char *space = tree_word(body, "defnamespace");
        option->at = tree_place(tree, body);
        option->name =
            str_of(arena_printf(tree->report->arena, "%s%s%s", space, *space ? "." : "",
                                tree_word(body, "defname")));
        option->value_at = value_place(tree, option->at);
        (void)option_value(tree, tree_field(body, "arg"), option);
    }
    return options;
}

// SET tells no places: the name is the second token.
static bool set_statement(struct tree *tree, const json_t *body, struct statement *ret)
{
    struct str text = tree->report->text;
    ret->kind = STATEMENT_SET;
    ret->name_at = lex_next(text, token_at(tree, ret->at).end).start;
    if (strcmp(tree_word(body, "kind"), "VAR_SET_VALUE") != 0 ||
        tree_flag(body, "is_local") || json_array_size(tree_field(body, "args")) != 1)
        return refuse(tree, ret->at, "this form of SET", "write SET name = 'value'");
    ret->name = tree_str(tree, body, "name");
    ret->n_options = 1;
    ret->options = tree_array(tree, 1, sizeof(*ret->options));
    struct option_text *option = ret->options;
    struct node value = tree_node(json_array_get(tree_field(body, "args"), 0));
    option->name = ret->name;
    option->at = ret->name_at;
    option->value_at = node_is(value, "A_Const") ? tree_place(tree, value.body) : ret->at;
    const json_t *sval = tree_field(value.body, "sval");
    if (sval != NULL)
        take_text(tree, tree_str(tree, sval, "sval"), option);
    else if (node_is(value, "A_Const"))
        take_tokens(tree, option);
    else
        return refuse(tree, ret->at, "this value of SET", "write SET name = 'value'");
    return true;
}

static bool relation_name(struct tree *tree, const json_t *body, struct statement *ret)
{
    ret->name_at = tree_place(tree, body);
    ret->name = tree_str(tree, body, "relname");
    if (tree_field(body, "schemaname") != NULL)
        return refuse(tree, ret->name_at, "a name of two parts",
                      "write the table's name alone");
    if (strcmp(tree_word(body, "relpersistence"), "p") != 0)
        return refuse(tree, ret->name_at, "TEMPORARY or UNLOGGED", "leave it out");
    return true;
}

static bool column_constraint(struct tree *tree, const json_t *body,
                              struct column_text *column)
{
    const char *type = tree_word(body, "contype");
    size_t at = tree_place(tree, body);
    column->nullable &= strcmp(type, "CONSTR_NOTNULL") != 0;
    if (strcmp(type, "CONSTR_NOTNULL") == 0 || strcmp(type, "CONSTR_NULL") == 0)
        return true;
    struct str word = token_text(tree->report->text, token_at(tree, at));
    report_error(tree->report, at, "a column takes NOT NULL only, not %.*s",
                 STR_ARGS(word));
    report_hint(tree->report, "leave it out: tables are read as they were staged");
    return false;
}

static bool column(struct tree *tree, struct node node, struct column_text *ret)
{
    ret->at = tree_place(tree, node.body);
    if (!node_is(node, "ColumnDef"))
        return refuse(tree, ret->at, "a constraint or LIKE among the columns",
                      "write columns only: name TYPE [NOT NULL]");
    ret->name = tree_str(tree, node.body, "colname");
    ret->nullable = true;
    ret->type = tree_type(tree, tree_field(node.body, "typeName"));
    bool good = ret->type != TYPE_UNKNOWN;
    const json_t *constraints = tree_field(node.body, "constraints");
    for (size_t i = 0; i < json_array_size(constraints); i++)
        good &=
            column_constraint(tree, tree_node(json_array_get(constraints, i)).body, ret);
    if (tree_field(node.body, "collClause") != NULL)
        good = refuse(tree, ret->at, "COLLATE", "text compares as bytes");
    return good;
}

static bool table_statement(struct tree *tree, const json_t *body, struct statement *ret)
{
    ret->kind = STATEMENT_TABLE;
    bool good = relation_name(tree, tree_field(body, "relation"), ret);
    const json_t *elements = tree_field(body, "tableElts");
    ret->n_columns = json_array_size(elements);
    ret->columns = tree_array(tree, ret->n_columns, sizeof(*ret->columns));
    for (size_t i = 0; i < ret->n_columns; i++)
        good &= column(tree, tree_node(json_array_get(elements, i)), &ret->columns[i]);
    ret->options = with_options(tree, tree_field(body, "options"), &ret->n_options);
    static const char *const others[] = {"inhRelations", "partspec",       "partbound",
                                         "ofTypename",   "tablespacename", "accessMethod",
                                         "if_not_exists"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (tree_field(body, others[i]) != NULL)
            good = refuse(tree, ret->name_at, "this form of CREATE TABLE",
                          "write CREATE TABLE name (columns) WITH (options)");
    return good;
}

static void column_names(struct tree *tree, const json_t *list, struct statement *ret)
{
    size_t n;
    struct str *names = tree_names(tree, list, &n);
    ret->n_columns = n;
    ret->columns = tree_array(tree, n, sizeof(*ret->columns));
    for (size_t i = 0; i < n; i++)
        ret->columns[i] = (struct column_text){.name = names[i], .at = ret->name_at};
}

static bool statement_query(struct tree *tree, const json_t *wrapped,
                            struct statement *ret)
{
    struct node node = tree_node(wrapped);
    if (!node_is(node, "SelectStmt"))
        return refuse(tree, ret->at, "this query", "write SELECT ...");
    ret->query = tree_query(tree, node.body);
    return ret->query != NULL;
}

static bool view_statement(struct tree *tree, const json_t *body, struct statement *ret)
{
    ret->kind = STATEMENT_VIEW;
    bool good = relation_name(tree, tree_field(body, "view"), ret);
    column_names(tree, tree_field(body, "aliases"), ret);
    if (tree_flag(body, "replace"))
        good = refuse(tree, ret->at, "OR REPLACE", "a script makes each view once");
    if (tree_field(body, "options") != NULL)
        good = refuse(tree, ret->name_at, "WITH on a plain view",
                      "write CREATE MATERIALIZED VIEW to keep it as files");
    if (strcmp(tree_word(body, "withCheckOption"), "NO_CHECK_OPTION") != 0)
        good = refuse(tree, ret->name_at, "WITH CHECK OPTION", "leave it out");
    return statement_query(tree, tree_field(body, "query"), ret) && good;
}

static bool materialized_statement(struct tree *tree, const json_t *body,
                                   struct statement *ret)
{
    ret->kind = STATEMENT_VIEW;
    ret->materialized = true;
    const json_t *into = tree_field(body, "into");
    bool good = relation_name(tree, tree_field(into, "rel"), ret);
    if (strcmp(tree_word(body, "objtype"), "OBJECT_MATVIEW") != 0)
        return refuse(tree, ret->name_at, "CREATE TABLE ... AS",
                      "write CREATE MATERIALIZED VIEW name WITH (options) AS SELECT ...");
    column_names(tree, tree_field(into, "colNames"), ret);
    ret->options = with_options(tree, tree_field(into, "options"), &ret->n_options);
    if (tree_flag(into, "skipData") || tree_flag(body, "if_not_exists") ||
        tree_field(into, "accessMethod") != NULL ||
        tree_field(into, "tableSpaceName") != NULL)
        good = refuse(tree, ret->name_at, "this form of CREATE MATERIALIZED VIEW",
                      "write CREATE MATERIALIZED VIEW name WITH (options) AS SELECT ...");
    return statement_query(tree, tree_field(body, "query"), ret) && good;
}

// WITH before INSERT is WITH before its SELECT.
static bool move_ctes(struct tree *tree, const json_t *with, struct statement *ret)
{
    size_t n;
    struct cte *ctes = tree_ctes(tree, with, &n);
    if (ctes == NULL || ret->query == NULL)
        return false;
    if (ret->query->n_ctes > 0)
        return refuse(tree, ctes[0].at, "WITH both before INSERT and before SELECT",
                      "write all of it before SELECT");
    ret->query->ctes = ctes;
    ret->query->n_ctes = n;
    return true;
}

static bool insert_statement(struct tree *tree, const json_t *body, struct statement *ret)
{
    ret->kind = STATEMENT_INSERT;
    bool good = relation_name(tree, tree_field(body, "relation"), ret);
    if (tree_field(body, "cols") != NULL)
        good = refuse(tree, ret->name_at, "a list of columns after INSERT INTO",
                      "leave it out: the outputs of SELECT are taken in order");
    if (tree_field(body, "onConflictClause") != NULL ||
        tree_field(body, "returningList") != NULL ||
        strcmp(tree_word(body, "override"), "OVERRIDING_NOT_SET") != 0)
        good = refuse(tree, ret->name_at, "ON CONFLICT, RETURNING or OVERRIDING",
                      "write INSERT INTO name SELECT ...");
    if (tree_field(body, "selectStmt") == NULL)
        return refuse(tree, ret->name_at, "DEFAULT VALUES",
                      "write INSERT INTO name SELECT ...");
    good &= statement_query(tree, tree_field(body, "selectStmt"), ret);
    const json_t *with = tree_field(body, "withClause");
    return (with == NULL || move_ctes(tree, with, ret)) && good;
}

bool tree_statement(struct tree *tree, const json_t *wrapped, struct statement *ret)
{
    static const struct {
        const char *kind;
        bool (*translate)(struct tree *, const json_t *, struct statement *);
    } statements[] = {
        {"VariableSetStmt", set_statement}, {"CreateStmt", table_statement},
        {"ViewStmt", view_statement},       {"CreateTableAsStmt", materialized_statement},
        {"InsertStmt", insert_statement},
    };
    struct node node = tree_node(wrapped);
    tree->at = ret->at;
    for (size_t i = 0; i < ARRAY_LEN(statements); i++)
        if (node_is(node, statements[i].kind))
            return statements[i].translate(tree, node.body, ret);
    report_error(tree->report, ret->at, "a script has no such statement");
    report_hint(tree->report, "the statements are SET, CREATE TABLE, CREATE VIEW, CREATE "
                              "MATERIALIZED VIEW and INSERT INTO ... SELECT");
    return false;
}
