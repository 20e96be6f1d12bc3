// SPDX-License-Identifier: Apache-2.0
#include "avro/schema_parse.h"

#include <stdlib.h>

#define NO_UNION UINT32_MAX

enum {
    NAME_SHOWN = 40 // bytes of a name that is too long
};

// A field whose default waits until all types are known.
struct pending {
    struct avro_field *field;
    const json_t *value;
};

struct parser {
    struct avro_schema *schema;
    struct avro_type_names names;
    struct avro_default_budget defaults;
    uint32_t *union_of; // by a type's index: the last union that it was a branch of
    size_t union_capacity;
    struct pending *pending;
    size_t n_pending;
    size_t pending_capacity;
    int depth;
};

static enum status parse_type(struct parser *parser, const json_t *json, struct str space,
                              const struct avro_type **ret, struct err *err);

static const char *const primitive_names[] = {"null",  "boolean", "int",   "long",
                                              "float", "double",  "bytes", "string"};

static bool is_primitive(struct str name, enum avro_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(primitive_names); i++) {
        if (str_is(name, primitive_names[i])) {
            *ret = (enum avro_kind)i; // AVRO_NULL is the first
            return true;
        }
    }
    return false;
}

static enum status add_type(struct parser *parser, enum avro_kind kind,
                            struct avro_type **ret, struct err *err)
{
    struct avro_schema *schema = parser->schema;
    if (schema->n_types == AVRO_TYPES_MAX)
        return err_set(err, ST_DATA, "more than %d types", AVRO_TYPES_MAX);
    MEM_GROW(parser->union_of, schema->n_types, parser->union_capacity);
    parser->union_of[schema->n_types] = NO_UNION;
    struct avro_type *type = arena_zalloc(&schema->arena, sizeof(*type));
    type->kind = kind;
    type->index = (uint32_t)schema->n_types;
    type->default_symbol = -1;
    MEM_GROW(schema->types, schema->n_types, schema->capacity);
    schema->types[schema->n_types++] = type;
    *ret = type;
    return ST_OK;
}

static bool has_dot(struct str name)
{
    return name.n != 0 && memchr(name.p, '.', name.n) != NULL;
}

// The full name that `name` means within namespace `space`.
static struct str full_name_of(struct parser *parser, struct str name, struct str space)
{
    struct arena *arena = &parser->schema->arena;
    if (has_dot(name) || space.n == 0)
        return arena_str(arena, name);
    return str_of(arena_printf(arena, "%.*s.%.*s", STR_ARGS(space), STR_ARGS(name)));
}

static enum status check_length(struct str name, struct err *err)
{
    if (name.n <= AVRO_NAME_MAX)
        return ST_OK;
    return err_set(err, ST_DATA, "'%.*s...': a name has at most %d bytes, this has %zu",
                   (int)str_utf8_valid((struct str){name.p, NAME_SHOWN}), name.p,
                   AVRO_NAME_MAX, name.n);
}

static struct str namespace_of(struct str full_name)
{
    struct str base = avro_base_name(full_name);
    return base.n == full_name.n ? (struct str){0}
                                 : (struct str){full_name.p, full_name.n - base.n - 1};
}

static bool is_full_name(struct str name)
{
    struct str rest = name;
    do {
        if (!avro_is_name(str_cut(&rest, '.')))
            return false;
    } while (rest.p != NULL);
    return true;
}

static enum status wants(const char *what, const char *key, const char *shape,
                         struct err *err)
{
    return err_set(err, ST_DATA, "%s: \"%s\" must be %s", what, key, shape);
}

static enum status need_name(const json_t *json, const char *what, struct str *ret,
                             struct err *err)
{
    const json_t *name = json_object_get(json, "name");
    if (!json_is_string(name))
        return wants(what, "name", "given, as a string", err);
    *ret = json_as_str(name);
    return ST_OK;
}

// `space` is the enclosing namespace, and becomes the type's own.
static enum status set_name(struct parser *parser, const json_t *json,
                            struct avro_type *type, struct str *space, struct err *err)
{
    const char *what = avro_kind_name(type->kind);
    struct str name;
    TRY(need_name(json, what, &name, err));
    const json_t *given = json_object_get(json, "namespace");
    if (given != NULL && !json_is_string(given) && !json_is_null(given))
        return wants(what, "namespace", "a string", err);
    if (json_is_string(given))
        *space = json_as_str(given);
    TRY(check_length(name, err));
    TRY(check_length(*space, err));
    enum avro_kind primitive;
    struct str full_name = full_name_of(parser, name, *space);
    TRY(check_length(full_name, err));
    if (!is_full_name(full_name) || is_primitive(name, &primitive))
        return err_set(err, ST_DATA, "'%.*s' cannot be the name of a type",
                       STR_ARGS(full_name));
    if (avro_type_names_find(&parser->names, full_name) != NULL)
        return err_set(err, ST_DATA, "'%.*s' is defined twice", STR_ARGS(full_name));
    type->name = full_name;
    avro_type_names_add(&parser->names, type);
    *space = namespace_of(full_name);
    return ST_OK;
}

static enum status strings_of(struct parser *parser, const json_t *json, const char *what,
                              const char *key, size_t most, const struct str **ret,
                              size_t *ret_n, struct err *err)
{
    const json_t *array = json_object_get(json, key);
    *ret = NULL;
    *ret_n = 0;
    if (array == NULL)
        return ST_OK;
    if (!json_is_array(array) || json_array_size(array) > most)
        return err_set(err, ST_DATA, "%s: \"%s\" must be an array of at most %zu strings",
                       what, key, most);
    size_t n = json_array_size(array);
    struct str *items = arena_array(&parser->schema->arena, n, sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item))
            return wants(what, key, "an array of strings", err);
        TRY(check_length(json_as_str(item), err));
        items[i] = arena_str(&parser->schema->arena, json_as_str(item));
    }
    *ret = items;
    *ret_n = n;
    return ST_OK;
}

static enum status set_aliases(struct parser *parser, const json_t *json,
                               struct avro_type *type, struct str space, struct err *err)
{
    const struct str *given;
    TRY(strings_of(parser, json, avro_kind_name(type->kind), "aliases", AVRO_ALIASES_MAX,
                   &given, &type->n_aliases, err));
    struct str *aliases =
        arena_array(&parser->schema->arena, type->n_aliases, sizeof(*aliases));
    for (size_t i = 0; i < type->n_aliases; i++)
        aliases[i] = full_name_of(parser, given[i], space);
    type->aliases = aliases;
    return ST_OK;
}

static struct str doc_of(struct parser *parser, const json_t *json)
{
    const json_t *doc = json_object_get(json, "doc");
    return json_is_string(doc) ? arena_str(&parser->schema->arena, json_as_str(doc))
                               : (struct str){0};
}

static enum status sort_symbols(struct parser *parser, struct avro_type *type,
                                struct err *err)
{
    for (size_t i = 0; i < type->n; i++)
        if (!avro_is_name(type->symbols[i]))
            return err_set(err, ST_DATA, "enum '%.*s': '%.*s' cannot be a symbol",
                           STR_ARGS(type->name), STR_ARGS(type->symbols[i]));
    struct str twice;
    type->by_name =
        avro_sort_names(&parser->schema->arena, type->symbols, type->n, &twice);
    if (twice.n != 0)
        return err_set(err, ST_DATA, "enum '%.*s': symbol '%.*s' stands there twice",
                       STR_ARGS(type->name), STR_ARGS(twice));
    return ST_OK;
}

static enum status parse_enum(struct parser *parser, const json_t *json, struct str space,
                              struct avro_type **ret, struct err *err)
{
    struct avro_type *type;
    TRY(add_type(parser, AVRO_ENUM, &type, err));
    TRY(set_name(parser, json, type, &space, err));
    TRY(set_aliases(parser, json, type, space, err));
    type->doc = doc_of(parser, json);
    if (!json_is_array(json_object_get(json, "symbols")))
        return wants("enum", "symbols", "given, as an array of strings", err);
    TRY(strings_of(parser, json, "enum", "symbols", AVRO_MEMBERS_MAX, &type->symbols,
                   &type->n, err));
    TRY(sort_symbols(parser, type, err));
    const json_t *fallback = json_object_get(json, "default");
    if (json_is_string(fallback)) {
        type->default_symbol = avro_symbol_find(type, json_as_str(fallback));
        if (type->default_symbol < 0)
            return err_set(err, ST_DATA,
                           "enum '%.*s': default '%s' is none of its symbols",
                           STR_ARGS(type->name), json_string_value(fallback));
    }
    *ret = type;
    return ST_OK;
}

static enum status parse_fixed(struct parser *parser, const json_t *json,
                               struct str space, struct avro_type **ret, struct err *err)
{
    struct avro_type *type;
    TRY(add_type(parser, AVRO_FIXED, &type, err));
    TRY(set_name(parser, json, type, &space, err));
    TRY(set_aliases(parser, json, type, space, err));
    type->doc = doc_of(parser, json);
    const json_t *size = json_object_get(json, "size");
    json_int_t n = json_is_integer(size) ? json_integer_value(size) : -1;
    if (n < 0 || n > AVRO_FIXED_MAX)
        return wants("fixed", "size", "a number of bytes from 0 to 67108864", err);
    type->size = (uint32_t)n;
    avro_logical_parse(json, type);
    *ret = type;
    return ST_OK;
}

static enum status parse_items(struct parser *parser, const json_t *json,
                               enum avro_kind kind, struct str space,
                               struct avro_type **ret, struct err *err)
{
    const char *key = kind == AVRO_ARRAY ? "items" : "values";
    struct avro_type *type;
    TRY(add_type(parser, kind, &type, err));
    const json_t *items = json_object_get(json, key);
    if (items == NULL)
        return wants(avro_kind_name(kind), key, "given", err);
    TRY(parse_type(parser, items, space, &type->items, err));
    *ret = type;
    return ST_OK;
}

static enum status parse_field_body(struct parser *parser, const json_t *json,
                                    struct str space, struct avro_field *field,
                                    struct err *err)
{
    const json_t *type = json_object_get(json, "type");
    if (type == NULL)
        return err_set(err, ST_DATA, "\"type\" must be given");
    field->doc = doc_of(parser, json);
    TRY(strings_of(parser, json, "field", "aliases", AVRO_ALIASES_MAX, &field->aliases,
                   &field->n_aliases, err));
    TRY(parse_type(parser, type, space, &field->type, err));
    const json_t *value = json_object_get(json, "default");
    if (value == NULL)
        return ST_OK;
    field->has_default = true;
    MEM_GROW(parser->pending, parser->n_pending, parser->pending_capacity);
    parser->pending[parser->n_pending++] = (struct pending){field, value};
    return ST_OK;
}

static enum status parse_field(struct parser *parser, const json_t *json,
                               struct str space, struct avro_field *field,
                               struct err *err)
{
    struct str name;
    if (!json_is_object(json))
        return err_set(err, ST_DATA, "a field must be an object");
    TRY(need_name(json, "field", &name, err));
    TRY(check_length(name, err));
    if (!avro_is_name(name))
        return err_set(err, ST_DATA, "'%.*s' cannot be the name of a field",
                       STR_ARGS(name));
    field->name = arena_str(&parser->schema->arena, name);
    enum status rc = parse_field_body(parser, json, space, field, err);
    if (rc != ST_OK)
        return err_context(err, rc, "field '%.*s'", STR_ARGS(name));
    return ST_OK;
}

static enum status sort_fields(struct parser *parser, struct avro_type *type,
                               struct err *err)
{
    AUTO(mem_auto_free) struct str *names = mem_array(type->n, sizeof(*names));
    for (size_t i = 0; i < type->n; i++)
        names[i] = type->fields[i].name;
    struct str twice;
    type->by_name = avro_sort_names(&parser->schema->arena, names, type->n, &twice);
    if (twice.n != 0)
        return err_set(err, ST_DATA, "field '%.*s' stands there twice", STR_ARGS(twice));
    return ST_OK;
}

static enum status parse_fields(struct parser *parser, const json_t *json,
                                struct str space, struct avro_type *type, struct err *err)
{
    const json_t *fields = json_object_get(json, "fields");
    size_t n = json_array_size(fields);
    if (!json_is_array(fields) || n > AVRO_MEMBERS_MAX)
        return err_set(err, ST_DATA, "\"fields\" must be an array of at most %d",
                       AVRO_MEMBERS_MAX);
    type->fields = arena_array(&parser->schema->arena, n, sizeof(*type->fields));
    // Counted up as they come: a field's type may refer to the record being made.
    for (type->n = 0; type->n < n; type->n++)
        TRY(parse_field(parser, json_array_get(fields, type->n), space,
                        &type->fields[type->n], err));
    return sort_fields(parser, type, err);
}

static enum status parse_record(struct parser *parser, const json_t *json,
                                struct str space, struct avro_type **ret, struct err *err)
{
    struct avro_type *type;
    TRY(add_type(parser, AVRO_RECORD, &type, err));
    TRY(set_name(parser, json, type, &space, err));
    TRY(set_aliases(parser, json, type, space, err));
    type->doc = doc_of(parser, json);
    enum status rc = parse_fields(parser, json, space, type, err);
    if (rc != ST_OK)
        return err_context(err, rc, "record '%.*s'", STR_ARGS(type->name));
    *ret = type;
    return ST_OK;
}

// Of named types one of each name, of others one of each kind.
static enum status add_branch(struct parser *parser, struct avro_type *type,
                              const struct avro_type *branch, unsigned *kinds,
                              struct err *err)
{
    bool is_named = avro_kind_is_named(branch->kind);
    unsigned kind = is_named ? 0 : 1U << branch->kind;
    if (branch->kind == AVRO_UNION)
        return err_set(err, ST_DATA, "a union stands directly in a union");
    if ((*kinds & kind) || (is_named && parser->union_of[branch->index] == type->index))
        return err_set(err, ST_DATA, "a union has two branches of type %s",
                       avro_kind_name(branch->kind));
    *kinds |= kind;
    parser->union_of[branch->index] = type->index;
    type->branches[type->n++] = branch;
    return ST_OK;
}

static enum status parse_union(struct parser *parser, const json_t *json,
                               struct str space, struct avro_type **ret, struct err *err)
{
    struct avro_type *type;
    TRY(add_type(parser, AVRO_UNION, &type, err));
    size_t n = json_array_size(json);
    if (n == 0 || n > AVRO_TYPES_MAX)
        return err_set(err, ST_DATA, "a union needs at least one branch");
    type->branches = arena_array(&parser->schema->arena, n, sizeof(*type->branches));
    unsigned kinds = 0;
    for (size_t i = 0; i < n; i++) {
        const struct avro_type *branch;
        TRY(parse_type(parser, json_array_get(json, i), space, &branch, err));
        TRY(add_branch(parser, type, branch, &kinds, err));
    }
    *ret = type;
    return ST_OK;
}

static enum status unknown_type(const struct parser *parser, struct str name,
                                struct err *err)
{
    const char *nearest = str_nearest(name, primitive_names, ARRAY_LEN(primitive_names));
    for (size_t i = 0; nearest == NULL && i < parser->schema->n_types; i++) {
        struct str known = parser->schema->types[i]->name;
        if (known.n && str_eq(avro_base_name(known), avro_base_name(name)))
            nearest = known.p;
    }
    if (nearest != NULL)
        return err_set(err, ST_DATA, "type '%.*s' is not known; did you mean '%s'?",
                       STR_ARGS(name), nearest);
    return err_set(err, ST_DATA, "type '%.*s' is not known; it must be defined before",
                   STR_ARGS(name));
}

static enum status type_of_text(struct parser *parser, struct str name, struct str space,
                                struct avro_type **ret, struct err *err)
{
    enum avro_kind kind;
    if (is_primitive(name, &kind))
        return add_type(parser, kind, ret, err);
    TRY(check_length(name, err));
    *ret = avro_type_names_find(&parser->names, full_name_of(parser, name, space));
    return *ret != NULL ? ST_OK : unknown_type(parser, name, err);
}

static enum status parse_object(struct parser *parser, const json_t *json,
                                struct str space, const struct avro_type **ret,
                                struct err *err)
{
    const json_t *inner = json_object_get(json, "type");
    if (!json_is_string(inner)) // {"type": {...}}: as the inner one
        return inner != NULL ? parse_type(parser, inner, space, ret, err)
                             : err_set(err, ST_DATA, "a type needs \"type\"");
    struct str name = json_as_str(inner);
    struct avro_type *type = NULL;
    if (str_is(name, "record") || str_is(name, "error"))
        TRY(parse_record(parser, json, space, &type, err));
    else if (str_is(name, "enum"))
        TRY(parse_enum(parser, json, space, &type, err));
    else if (str_is(name, "fixed"))
        TRY(parse_fixed(parser, json, space, &type, err));
    else if (str_is(name, "array"))
        TRY(parse_items(parser, json, AVRO_ARRAY, space, &type, err));
    else if (str_is(name, "map"))
        TRY(parse_items(parser, json, AVRO_MAP, space, &type, err));
    else {
        TRY(type_of_text(parser, name, space, &type, err));
        if (type->kind <= AVRO_STRING)
            avro_logical_parse(json, type);
    }
    *ret = type;
    return ST_OK;
}

static enum status parse_any(struct parser *parser, const json_t *json, struct str space,
                             const struct avro_type **ret, struct err *err)
{
    struct avro_type *type = NULL;
    if (json_is_object(json))
        return parse_object(parser, json, space, ret, err);
    if (json_is_array(json))
        TRY(parse_union(parser, json, space, &type, err));
    else if (json_is_string(json))
        TRY(type_of_text(parser, json_as_str(json), space, &type, err));
    else
        return err_set(err, ST_DATA, "a type must be a string, an array or an object");
    *ret = type;
    return ST_OK;
}

static enum status parse_type(struct parser *parser, const json_t *json, struct str space,
                              const struct avro_type **ret, struct err *err)
{
    if (parser->depth == AVRO_DEPTH_MAX)
        return err_set(err, ST_DATA, "types stand in each other more than %d deep",
                       AVRO_DEPTH_MAX);
    if (parser->schema->arena.n_bytes > AVRO_PARSED_MAX)
        return err_set(err, ST_DATA, "it takes more than %d bytes of memory",
                       AVRO_PARSED_MAX);
    parser->depth++;
    enum status rc = parse_any(parser, json, space, ret, err);
    parser->depth--;
    return rc;
}

static void set_default(struct parser *parser, const struct pending *pending)
{
    struct arena *arena = &parser->schema->arena;
    struct buf datum = {0};
    struct buf reason = BUF_INIT(ERR_TEXT_MAX);
    if (avro_default_encode(pending->field->type, pending->value, &parser->defaults,
                            &datum, &reason))
        pending->field->default_bytes = arena_str(arena, buf_as_str(&datum));
    else
        pending->field->default_error = arena_str(arena, buf_as_str(&reason));
    buf_release(&datum);
    buf_release(&reason);
}

static enum status too_large(struct err *err)
{
    if (err != NULL)
        err->status = ST_DATA;
    return ST_DATA;
}

static enum status parse_text(struct parser *parser, struct str text, struct err *err)
{
    if (json_check(text, AVRO_VALUES_MAX, err) != ST_OK)
        return too_large(err);
    json_error_t error;
    json_t *json = json_loadb(text.p ? text.p : "", text.n,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        return err_set(err, ST_DATA, "no JSON: line %d, column %d: %s", error.line,
                       error.column, error.text);
    parser->n_pending = 0;
    enum status rc =
        parse_type(parser, json, (struct str){0}, &parser->schema->root, err);
    for (size_t i = 0; rc == ST_OK && i < parser->n_pending; i++)
        set_default(parser, &parser->pending[i]);
    json_decref(json);
    return rc;
}

static enum status check_texts(const struct str *texts, size_t n, struct err *err)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < n && n_bytes <= AVRO_TEXT_MAX; i++)
        n_bytes += texts[i].n;
    if (n_bytes <= AVRO_TEXT_MAX)
        return ST_OK;
    return err_set(err, ST_DATA, "the text is longer than %d bytes", AVRO_TEXT_MAX);
}

enum status avro_schema_parse(const struct str *texts, size_t n, struct avro_schema **ret,
                              struct err *err)
{
    struct parser parser = {
        .schema = mem_zalloc(sizeof(struct avro_schema)),
        .defaults = {AVRO_DEFAULTS_MAX, AVRO_DEFAULT_VALUES_MAX},
    };
    enum status rc = check_texts(texts, n, err);
    for (size_t i = 0; rc == ST_OK && i < n; i++)
        rc = parse_text(&parser, texts[i], err);
    if (rc == ST_OK)
        rc = avro_measure(parser.schema, err);
    free(parser.pending);
    free(parser.union_of);
    avro_type_names_release(&parser.names);
    if (rc == ST_OK) {
        *ret = parser.schema;
        return ST_OK;
    }
    avro_schema_free(parser.schema);
    return err_context(err, rc, "Avro schema");
}
