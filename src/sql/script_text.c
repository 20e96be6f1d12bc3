// SPDX-License-Identifier: Apache-2.0
#include "sql/script_text.h"

#include "base/text.h"
#include "sql/lex.h"

enum {
    DEPTH_MAX = 200 // of parentheses; deeper ones break no lines
};

struct layout {
    const struct script *script;
    struct str text;
    struct buf *out;
    bool is_query[DEPTH_MAX]; // for each open parenthesis: a query stands in it
    size_t depth;
    struct token before; // END: a statement or a line begins
    bool is_sign_of;     // it is the sign of the number behind it
};

static const char *const words[] = {
    "all",     "and",    "as",    "asc",       "between", "by",        "case",
    "create",  "cross",  "desc",  "distinct",  "else",    "end",       "escape",
    "except",  "exists", "false", "filter",    "first",   "from",      "full",
    "group",   "having", "in",    "inner",     "insert",  "intersect", "into",
    "is",      "join",   "last",  "left",      "like",    "limit",     "materialized",
    "natural", "not",    "null",  "nulls",     "offset",  "on",        "or",
    "order",   "outer",  "over",  "partition", "right",   "select",    "then",
    "true",    "union",  "using", "values",    "view",    "when",      "where",
    "window",  "with",
};
static const char *const clauses[] = {
    "select", "from",  "where",  "group",     "having", "order",   "limit",
    "offset", "union", "except", "intersect", "window", "values",  "join",
    "left",   "right", "full",   "inner",     "cross",  "natural",
};
static const char *const values[] = {"end", "false", "null", "true"};
static const char *const joined_by[] = {"left",  "right",   "full", "inner",
                                        "cross", "natural", "outer"};

static bool is_one_of(struct str word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_of(list[i])))
            return true;
    return false;
}

static struct str text_of(const struct layout *layout, struct token token)
{
    return token_text(layout->text, token);
}

static bool is_sign(const struct layout *layout, struct token token, const char *signs)
{
    return token.kind == TOKEN_SIGN && strchr(signs, layout->text.p[token.start]) != NULL;
}

// "left(" and "right(" are calls.
static bool is_call(const struct layout *layout, struct token token)
{
    return is_sign(layout, lex_next(layout->text, token.end), "(") &&
           is_one_of(text_of(layout, token), joined_by, ARRAY_LEN(joined_by));
}

static bool is_word(const struct layout *layout, struct token token)
{
    return token.kind == TOKEN_NAME && !is_call(layout, token) &&
           is_one_of(text_of(layout, token), words, ARRAY_LEN(words));
}

// Literals.

// The value of the variable if it may be shown; p == NULL: it may not.
static struct str shown_value(const struct script *script, struct str name)
{
    for (size_t i = 0; i < script->n_variables; i++)
        if (script->variables[i].from_set && str_eq(script->variables[i].name, name))
            return script->variables[i].value;
    return (struct str){0};
}

static void put_doubled(struct buf *out, struct str text, char quote)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == quote)
            buf_char(out, quote);
        buf_char(out, text.p[i]);
    }
}

// A literal's inside, in which quotes stand as they are written.
static void put_expanded(const struct layout *layout, struct str inside)
{
    while (inside.n > 0) {
        const char *at = memmem(inside.p, inside.n, "${", 2);
        const char *end = at ? memchr(at, '}', inside.n - (size_t)(at - inside.p)) : NULL;
        bool is_plain = at != NULL && at > inside.p && at[-1] == '$'; // "$${"
        if (end == NULL) {
            buf_str(layout->out, inside);
            return;
        }
        struct str name = {at + 2, (size_t)(end - at) - 2};
        struct str value = is_plain ? (struct str){0} : shown_value(layout->script, name);
        buf_append(layout->out, inside.p, (size_t)(at - inside.p));
        if (value.p != NULL)
            put_doubled(layout->out, value, '\'');
        else
            buf_append(layout->out, at, (size_t)(end + 1 - at));
        size_t taken = (size_t)(end + 1 - inside.p);
        inside = (struct str){inside.p + taken, inside.n - taken};
    }
}

static void put_literal(const struct layout *layout, struct str literal)
{
    if (literal.p[0] == '\'') {
        buf_char(layout->out, '\'');
        put_expanded(layout, (struct str){literal.p + 1, literal.n - 2});
        buf_char(layout->out, '\'');
    } else {
        buf_str(layout->out, literal); // E'...' and $tag$...$tag$ as they are written
    }
}

// Words and signs.

static void put_name(struct buf *out, struct str name, bool is_upper)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (is_upper && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (!is_upper && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        buf_char(out, c);
    }
}

static bool touches(const struct layout *layout, struct token token)
{
    static const char operators[] = "<>=!|*/%+-";
    struct token before = layout->before;
    if (before.kind == TOKEN_END || layout->is_sign_of)
        return true;
    if (is_sign(layout, token, ",).;]:[") || is_sign(layout, before, "(.[:"))
        return true;
    if (is_sign(layout, token, "("))
        return before.kind == TOKEN_QUOTED ||
               (before.kind == TOKEN_NAME && !is_word(layout, before));
    // An operator of two characters; none ends in + or -.
    return before.end == token.start && is_sign(layout, before, operators) &&
           is_sign(layout, token, "<>=!|*/%");
}

// Whether a + or - belongs to what is behind it.
static bool is_unary(const struct layout *layout, struct token token)
{
    struct token before = layout->before;
    if (!is_sign(layout, token, "+-"))
        return false;
    if (before.kind == TOKEN_SIGN)
        return !is_sign(layout, before, ")]");
    bool is_value = is_one_of(text_of(layout, before), values, ARRAY_LEN(values));
    return before.kind == TOKEN_END || (is_word(layout, before) && !is_value);
}

static bool is_inside_query(const struct layout *layout)
{
    return layout->depth == 0 ||
           (layout->depth <= DEPTH_MAX && layout->is_query[layout->depth - 1]);
}

static bool begins_clause(const struct layout *layout, struct token token)
{
    struct token before = layout->before;
    struct str word = text_of(layout, token), last = text_of(layout, before);
    if (token.kind != TOKEN_NAME || !is_inside_query(layout) ||
        !is_one_of(word, clauses, ARRAY_LEN(clauses)))
        return false;
    bool is_name = is_sign(layout, before, ".") || str_eq_nocase(last, STR_LITERAL("as"));
    bool is_within =
        (before.kind == TOKEN_NAME && is_one_of(last, joined_by, ARRAY_LEN(joined_by))) ||
        str_eq_nocase(last, STR_LITERAL("distinct")); // IS DISTINCT FROM
    return !is_call(layout, token) && !is_name && !is_within;
}

static void new_line(struct layout *layout, size_t indent)
{
    if (layout->before.kind == TOKEN_END)
        return;
    buf_char(layout->out, '\n');
    for (size_t i = 0; i < 2 * layout->depth + indent; i++)
        buf_char(layout->out, ' ');
    layout->before = (struct token){0};
    layout->is_sign_of = false;
}

static void open_parenthesis(struct layout *layout, struct token token)
{
    static const char *const beginnings[] = {"select", "with", "values"};
    struct token next = lex_next(layout->text, token.end);
    if (layout->depth < DEPTH_MAX)
        layout->is_query[layout->depth] =
            next.kind == TOKEN_NAME &&
            is_one_of(text_of(layout, next), beginnings, ARRAY_LEN(beginnings));
    layout->depth++;
}

static void put_token(struct layout *layout, struct token token)
{
    struct str text = text_of(layout, token);
    if (is_sign(layout, token, ")") && layout->depth > 0)
        layout->depth--;
    if (begins_clause(layout, token))
        new_line(layout, 0);
    else if (!touches(layout, token))
        buf_char(layout->out, ' ');
    layout->is_sign_of = is_unary(layout, token);
    if (token.kind == TOKEN_STRING)
        put_literal(layout, text);
    else if (token.kind == TOKEN_NAME)
        put_name(layout->out, text, is_word(layout, token));
    else
        buf_str(layout->out, text);
    layout->before = token;
    if (is_sign(layout, token, "("))
        open_parenthesis(layout, token);
    if (is_sign(layout, token, ",") && is_inside_query(layout))
        new_line(layout, 2);
}

// The statement's words from byte `from` on.
static void put_statement(struct layout *layout, size_t from)
{
    struct token token = lex_next(layout->text, from);
    layout->before = (struct token){0};
    layout->depth = 0;
    while (token.kind != TOKEN_END && layout->text.p[token.start] != ';') {
        put_token(layout, token);
        token = lex_next(layout->text, token.end);
    }
    buf_text(layout->out, ";\n");
}

// Tables, from the plan: their columns may be a schema file's.

static void put_identifier(struct buf *out, struct str name)
{
    bool is_plain = name.n > 0 && (name.p[0] < '0' || name.p[0] > '9');
    for (size_t i = 0; i < name.n; i++)
        is_plain &= (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' ||
                    (name.p[i] >= '0' && name.p[i] <= '9');
    if (is_plain)
        buf_str(out, name);
    else
        text_quoted(out, name, '"');
}

static void put_table(struct buf *out, const struct table *table)
{
    buf_text(out, "CREATE TABLE ");
    put_identifier(out, table->name);
    buf_text(out, " (");
    // A result's columns are the query's.
    size_t n = table->kind == TABLE_SINK ? 0 : table->schema.n;
    for (size_t i = 0; i < n; i++) {
        const struct column *column = &table->schema.columns[i];
        buf_text(out, i ? ",\n  " : "\n  ");
        put_identifier(out, column->name);
        buf_printf(out, " %s%s", type_name(column->type),
                   column->nullable ? "" : " NOT NULL");
    }
    buf_text(out, n ? "\n);\n" : ");\n");
}

// Past the view's name, its columns and its options: its query.
static size_t find_query(struct str text, size_t from)
{
    struct token token = lex_next(text, from);
    size_t depth = 0;
    while (token.kind != TOKEN_END) {
        char c = text.p[token.start];
        if (token.kind == TOKEN_SIGN && c == '(')
            depth++;
        if (token.kind == TOKEN_SIGN && c == ')' && depth > 0)
            depth--;
        if (depth == 0 && token.kind == TOKEN_NAME &&
            str_eq_nocase(token_text(text, token), STR_LITERAL("as")))
            return token.end;
        token = lex_next(text, token.end);
    }
    return token.start;
}

static void put_view(struct layout *layout, const struct statement *statement)
{
    struct buf *out = layout->out;
    buf_printf(out, "CREATE %sVIEW ", statement->materialized ? "MATERIALIZED " : "");
    put_identifier(out, statement->name);
    for (size_t i = 0; i < statement->n_columns; i++) {
        buf_text(out, i ? ", " : " (");
        put_identifier(out, statement->columns[i].name);
    }
    buf_text(out, statement->n_columns ? ") AS\n" : " AS\n");
    put_statement(layout, find_query(layout->text, statement->at));
}

struct str script_text(const struct script *script, struct str text,
                       const struct statements *statements, struct plan *plan)
{
    AUTO(buf_release) struct buf out = {0};
    struct layout layout = {.script = script, .text = text, .out = &out};
    for (size_t i = 0; i < statements->n; i++) {
        const struct statement *statement = &statements->items[i];
        switch (statement->kind) {
        case STATEMENT_SET:
            break;
        case STATEMENT_TABLE:
            put_table(&out, plan_table(plan, statement->name));
            break;
        case STATEMENT_VIEW:
            put_view(&layout, statement);
            break;
        case STATEMENT_INSERT:
            put_statement(&layout, statement->at);
            break;
        }
    }
    return arena_str(&plan->arena, buf_as_str(&out));
}
