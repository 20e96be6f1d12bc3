// SPDX-License-Identifier: Apache-2.0
#include "sql/tree.h"

#include "sql/lex.h"

struct node tree_node(const json_t *wrapped)
{
    void *iter = json_object_iter((json_t *)(uintptr_t)wrapped);
    if (iter == NULL)
        return (struct node){"", NULL};
    return (struct node){json_object_iter_key(iter), json_object_iter_value(iter)};
}

bool node_is(struct node node, const char *kind)
{
    return strcmp(node.kind, kind) == 0;
}

const json_t *tree_field(const json_t *body, const char *name)
{
    return json_object_get(body, name);
}

bool tree_flag(const json_t *body, const char *name)
{
    return json_is_true(json_object_get(body, name));
}

const char *tree_word(const json_t *body, const char *name)
{
    const char *word = json_string_value(json_object_get(body, name));
    return word ? word : "";
}

struct str tree_str(struct tree *tree, const json_t *body, const char *name)
{
    return str_of(arena_cstr(tree->report->arena, str_of(tree_word(body, name))));
}

struct str tree_string(struct tree *tree, const json_t *wrapped)
{
    return tree_str(tree, tree_node(wrapped).body, "sval");
}

// Absent is 0, which no node below a statement has, or unknown; so is -1.
size_t tree_place(struct tree *tree, const json_t *body)
{
    const json_t *location = tree_field(body, "location");
    if (!json_is_integer(location) || json_integer_value(location) < 0)
        return tree->at;
    size_t at = tree->base + (size_t)json_integer_value(location);
    tree->at = at < tree->report->text.n ? at : tree->report->text.n;
    return tree->at;
}

void *tree_array(struct tree *tree, size_t n, size_t size)
{
    return arena_array(tree->report->arena, n ? n : 1, size);
}

struct str *tree_names(struct tree *tree, const json_t *list, size_t *ret_n)
{
    *ret_n = json_array_size(list);
    struct str *names = tree_array(tree, *ret_n, sizeof(*names));
    for (size_t i = 0; i < *ret_n; i++)
        names[i] = tree_string(tree, json_array_get(list, i));
    return names;
}

// PostgreSQL's own names for types that its grammar spells.
static const struct {
    const char *pg, *ours, *instead;
} pg_types[] = {
    {"int4", "INT", NULL},
    {"int8", "BIGINT", NULL},
    {"float8", "REAL", NULL},
    {"float4", "REAL", NULL},
    {"bool", "BOOLEAN", NULL},
    {"varchar", "TEXT", NULL},
    {"int2", NULL, "write INT"},
    {"numeric", NULL, "write REAL, or TEXT to keep every digit"},
    {"bpchar", NULL, "write TEXT"},
    {"date", NULL, "write TEXT; a GTFS date is YYYYMMDD"},
    {"time", NULL, "write TEXT; gtfs_seconds(...) reads a GTFS time"},
    {"timestamp", NULL, "write TEXT, or BIGINT for milliseconds"},
    {"timestamptz", NULL, "write TEXT, or BIGINT for milliseconds"},
    {"bytea", NULL, "write BYTES"},
    {"interval", NULL, "write INT for seconds"},
};

static enum type unknown_type(struct tree *tree, size_t at, struct str name)
{
    static const char *const known[] = {"TEXT",    "INT",   "BIGINT", "REAL",
                                        "BOOLEAN", "BYTES", "STRING", "VARCHAR",
                                        "INTEGER", "LONG",  "DOUBLE"};
    report_error(tree->report, at, "unknown type '%.*s'", STR_ARGS(name));
    char upper[64] = "";
    for (size_t i = 0; i < name.n && i + 1 < sizeof(upper); i++)
        upper[i] =
            (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
    const char *near = str_nearest(str_of(upper), known, ARRAY_LEN(known));
    if (near != NULL)
        report_hint(tree->report, "did you mean %s?", near);
    else
        report_hint(tree->report,
                    "the types are TEXT, INT, BIGINT, REAL, BOOLEAN, BYTES");
    return TYPE_UNKNOWN;
}

static enum type type_of(struct tree *tree, size_t at, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(pg_types); i++) {
        if (!str_is(name, pg_types[i].pg))
            continue;
        if (pg_types[i].ours != NULL)
            return type_of_name(str_of(pg_types[i].ours));
        report_error(
            tree->report, at, "there is no type '%.*s' here",
            STR_ARGS(token_text(tree->report->text, lex_next(tree->report->text, at))));
        report_hint(tree->report, "%s", pg_types[i].instead);
        return TYPE_UNKNOWN;
    }
    enum type type = type_of_name(name);
    return type != TYPE_UNKNOWN ? type : unknown_type(tree, at, name);
}

enum type tree_type(struct tree *tree, const json_t *body)
{
    size_t at = tree_place(tree, body);
    const json_t *names = tree_field(body, "names");
    struct str name =
        tree_string(tree, json_array_get(names, json_array_size(names) - 1));
    if (tree_field(body, "arrayBounds") != NULL || tree_flag(body, "setof")) {
        report_error(tree->report, at, "array and set types are not supported");
        report_hint(tree->report, "write one of TEXT, INT, BIGINT, REAL, BOOLEAN, BYTES");
        return TYPE_UNKNOWN;
    }
    if (json_array_size(names) > 1 &&
        !str_is(tree_string(tree, json_array_get(names, 0)), "pg_catalog")) {
        report_error(tree->report, at, "a type's name of two parts is not supported");
        report_hint(tree->report, "write one of TEXT, INT, BIGINT, REAL, BOOLEAN, BYTES");
        return TYPE_UNKNOWN;
    }
    enum type type = type_of(tree, at, name);
    // FLOAT(24) and BIT come with modifiers of the parser's own making.
    if (type != TYPE_UNKNOWN && tree_field(body, "typmods") != NULL) {
        report_error(
            tree->report, at, "type %.*s has no length here",
            STR_ARGS(token_text(tree->report->text, lex_next(tree->report->text, at))));
        report_hint(tree->report, "write %s", type_name(type));
        return TYPE_UNKNOWN;
    }
    return type;
}
