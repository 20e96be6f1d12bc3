// SPDX-License-Identifier: Apache-2.0
#include "avro/codegen_model.h"

#include <stdlib.h>

enum {
    TYPES_MAX = 2000,
    WORD_MAX = 60, // bytes of a name made of others; longer ones are named by number
    BRANCHES_MAX = 200
};

struct builder {
    struct c_model *model;
    const struct avro_schema *schema;
    int depth;
};

static enum status build(struct builder *b, const struct avro_type *avro,
                         const struct c_type **ret, struct err *err);

// A type without a definition of its own.
struct plain {
    enum avro_kind kind;
    enum avro_logical logical;
    const char *word, *c;
};

static const struct plain plains[] = {
    {AVRO_BOOLEAN, LOGICAL_NONE, "boolean", "bool"},
    {AVRO_INT, LOGICAL_NONE, "int", "int32_t"},
    {AVRO_LONG, LOGICAL_NONE, "long", "int64_t"},
    {AVRO_FLOAT, LOGICAL_NONE, "float", "float"},
    {AVRO_DOUBLE, LOGICAL_NONE, "double", "double"},
    {AVRO_STRING, LOGICAL_NONE, "string", "struct avro_str"},
    {AVRO_BYTES, LOGICAL_NONE, "bytes", "struct avro_str"},
    {AVRO_STRING, LOGICAL_UUID, "string", "struct avro_str"},
    {AVRO_BYTES, LOGICAL_DECIMAL, "bytes", "struct avro_str"},
    {AVRO_INT, LOGICAL_DATE, "date", "int32_t"},
    {AVRO_INT, LOGICAL_TIME_MILLIS, "time_millis", "int32_t"},
    {AVRO_LONG, LOGICAL_TIME_MICROS, "time_micros", "int64_t"},
    {AVRO_LONG, LOGICAL_TIMESTAMP_MILLIS, "timestamp_millis", "int64_t"},
    {AVRO_LONG, LOGICAL_TIMESTAMP_MICROS, "timestamp_micros", "int64_t"},
    {AVRO_LONG, LOGICAL_LOCAL_TIMESTAMP_MILLIS, "local_timestamp_millis", "int64_t"},
    {AVRO_LONG, LOGICAL_LOCAL_TIMESTAMP_MICROS, "local_timestamp_micros", "int64_t"},
};

static struct c_type *find_plain(const struct c_model *model, const char *word)
{
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_PLAIN &&
            strcmp(model->types[i]->word, word) == 0)
            return model->types[i];
    return NULL;
}

static struct c_type *add(struct builder *b, const struct avro_type *avro,
                          enum c_shape shape)
{
    struct c_model *model = b->model;
    struct c_type *type = arena_zalloc(&model->arena, sizeof(*type));
    *type = (struct c_type){.avro = avro, .shape = shape};
    MEM_GROW(model->types, model->n_types, model->capacity);
    model->types[model->n_types++] = type;
    return type;
}

static const struct c_type *build_plain(struct builder *b, const struct avro_type *avro)
{
    for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
        if (plains[i].kind != avro->kind || plains[i].logical != avro->logical)
            continue;
        struct c_type *type = find_plain(b->model, plains[i].word);
        if (type == NULL) {
            type = add(b, avro, SHAPE_PLAIN);
            type->word = type->tag = plains[i].word;
            type->c = plains[i].c;
        }
        return type;
    }
    struct c_type *nothing = add(b, avro, SHAPE_NULL);
    nothing->word = "null";
    return nothing;
}

// Whether another named type has the same name in another namespace.
static bool is_ambiguous(const struct builder *b, const struct avro_type *avro)
{
    struct str base = avro_base_name(avro->name);
    for (size_t i = 0; i < b->schema->n_types; i++) {
        const struct avro_type *other = b->schema->types[i];
        if (other != avro && avro_kind_is_named(other->kind) &&
            str_eq(avro_base_name(other->name), base))
            return true;
    }
    return false;
}

// "gtfs.stop_time" is stop_time, or gtfs_stop_time when there are two stop_times.
static const char *word_of(struct builder *b, const struct avro_type *avro)
{
    if (!is_ambiguous(b, avro))
        return arena_cstr(&b->model->arena, avro_base_name(avro->name));
    char *word = arena_cstr(&b->model->arena, avro->name);
    for (char *p = word; *p != '\0'; p++)
        if (*p == '.')
            *p = '_';
    return word;
}

static void set_tag(struct builder *b, struct c_type *type, const char *word)
{
    struct arena *arena = &b->model->arena;
    type->key = word;
    type->tag = c_tag(b->model, arena_printf(arena, "%s%s", b->model->prefix, word));
    type->word = type->tag + strlen(b->model->prefix);
    const char *keyword = type->shape == SHAPE_ENUM ? "enum" : "struct";
    type->c = arena_printf(arena, "%s %s", keyword, type->tag);
}

static const struct c_type *build_enum(struct builder *b, const struct avro_type *avro)
{
    struct arena *arena = &b->model->arena;
    struct c_type *type = add(b, avro, SHAPE_ENUM);
    set_tag(b, type, word_of(b, avro));
    type->symbols = arena_array(arena, avro->n, sizeof(*type->symbols));
    for (size_t i = 0; i < avro->n; i++)
        type->symbols[i] =
            c_identifier(b->model, arena_printf(arena, "%s_%.*s", type->tag,
                                                STR_ARGS(avro->symbols[i])));
    return type;
}

static const struct c_type *build_fixed(struct builder *b, const struct avro_type *avro)
{
    struct c_type *type = add(b, avro, SHAPE_FIXED);
    set_tag(b, type, word_of(b, avro));
    return type;
}

static enum status build_record(struct builder *b, const struct avro_type *avro,
                                const struct c_type **ret, struct err *err)
{
    struct arena *arena = &b->model->arena;
    struct c_type *type = add(b, avro, SHAPE_RECORD);
    set_tag(b, type, word_of(b, avro));
    b->model->of_avro[avro->index] = type; // before its fields, which may refer to it
    type->members = arena_array(arena, avro->n, sizeof(*type->members));
    AUTO(mem_auto_free) const char **taken = mem_array(avro->n, sizeof(*taken));
    size_t n_taken = 0;
    for (size_t i = 0; i < avro->n; i++) {
        struct c_member *member = &type->members[i];
        member->field = &avro->fields[i];
        member->name = c_member_name(arena, member->field->name, taken, &n_taken);
        TRY(build(b, member->field->type, &member->type, err));
        type->n_members++;
    }
    *ret = type;
    return ST_OK;
}

// A type named by what it is made of: the one that there is, or a new one.
static struct c_type *composed(struct builder *b, const struct avro_type *avro,
                               enum c_shape shape, const char *word, bool *ret_new)
{
    struct c_model *model = b->model;
    if (strlen(word) > WORD_MAX)
        word =
            arena_printf(&model->arena, "%s_%u", avro_kind_name(avro->kind), avro->index);
    struct c_type *type = NULL;
    for (size_t i = 0; type == NULL && i < model->n_types; i++)
        if (model->types[i]->shape == shape && strcmp(model->types[i]->key, word) == 0)
            type = model->types[i];
    *ret_new = type == NULL;
    if (type == NULL) {
        type = add(b, avro, shape);
        set_tag(b, type, word);
    }
    return type;
}

static void set_one_member(struct builder *b, struct c_type *type, const char *name,
                           const struct c_type *item)
{
    type->members = arena_array(&b->model->arena, 1, sizeof(*type->members));
    type->members[0] = (struct c_member){.name = name, .type = item};
    type->n_members = 1;
}

static enum status build_items(struct builder *b, const struct avro_type *avro,
                               const struct c_type **ret, struct err *err)
{
    const struct c_type *item;
    TRY(build(b, avro->items, &item, err));
    bool is_array = avro->kind == AVRO_ARRAY;
    bool fresh;
    const char *word = arena_printf(&b->model->arena, "%s_of_%s",
                                    avro_kind_name(avro->kind), item->word);
    struct c_type *type =
        composed(b, avro, is_array ? SHAPE_ARRAY : SHAPE_MAP, word, &fresh);
    if (fresh)
        set_one_member(b, type, is_array ? "items" : "value", item);
    *ret = type;
    return ST_OK;
}

static enum status build_optional(struct builder *b, const struct avro_type *avro,
                                  const struct avro_type *value, size_t null_branch,
                                  const struct c_type **ret, struct err *err)
{
    const struct c_type *item;
    TRY(build(b, value, &item, err));
    bool fresh;
    // The order of the branches is part of what is encoded.
    const char *word = arena_printf(&b->model->arena, "%s_%s",
                                    null_branch ? "nullable" : "optional", item->word);
    struct c_type *type = composed(b, avro, SHAPE_OPTIONAL, word, &fresh);
    type->null_branch = null_branch;
    if (fresh)
        set_one_member(b, type, "value", item);
    *ret = type;
    return ST_OK;
}

static void set_branches(struct builder *b, struct c_type *type,
                         const struct c_type **branches, size_t n)
{
    struct arena *arena = &b->model->arena;
    const char *taken[BRANCHES_MAX];
    size_t n_taken = 0;
    type->members = arena_array(arena, n, sizeof(*type->members));
    type->n_members = n;
    for (size_t i = 0; i < n; i++) {
        const char *word = branches[i]->word;
        type->members[i] = (struct c_member){
            .name = c_member_name(arena, str_of(word), taken, &n_taken),
            .type = branches[i],
            .constant =
                c_identifier(b->model, arena_printf(arena, "%s_%s", type->tag, word)),
        };
    }
}

static enum status build_union(struct builder *b, const struct avro_type *avro,
                               const struct c_type **ret, struct err *err)
{
    size_t null_branch;
    const struct avro_type *value = avro_nullable(avro, &null_branch);
    if (value != NULL)
        return build_optional(b, avro, value, null_branch, ret, err);
    if (avro->n > BRANCHES_MAX)
        return err_set(err, ST_LIMIT, "codegen: a union of more than %d types",
                       BRANCHES_MAX);
    const struct c_type *branches[BRANCHES_MAX];
    struct buf word = {0};
    enum status rc = ST_OK;
    for (size_t i = 0; rc == ST_OK && i < avro->n; i++) {
        rc = build(b, avro->branches[i], &branches[i], err);
        if (rc == ST_OK)
            buf_printf(&word, "%s%s", i ? "_or_" : "", branches[i]->word);
    }
    if (rc == ST_OK) {
        bool fresh;
        const char *name = arena_cstr(&b->model->arena, buf_as_str(&word));
        struct c_type *type = composed(b, avro, SHAPE_UNION, name, &fresh);
        if (fresh)
            set_branches(b, type, branches, avro->n);
        *ret = type;
    }
    buf_release(&word);
    return rc;
}

static enum status build_kind(struct builder *b, const struct avro_type *avro,
                              const struct c_type **ret, struct err *err)
{
    switch (avro->kind) {
    case AVRO_RECORD:
        return build_record(b, avro, ret, err);
    case AVRO_ENUM:
        *ret = build_enum(b, avro);
        return ST_OK;
    case AVRO_FIXED:
        *ret = build_fixed(b, avro);
        return ST_OK;
    case AVRO_ARRAY:
    case AVRO_MAP:
        return build_items(b, avro, ret, err);
    case AVRO_UNION:
        return build_union(b, avro, ret, err);
    default:
        *ret = build_plain(b, avro);
        return ST_OK;
    }
}

static enum status build(struct builder *b, const struct avro_type *avro,
                         const struct c_type **ret, struct err *err)
{
    *ret = b->model->of_avro[avro->index];
    if (*ret != NULL)
        return ST_OK;
    if (b->depth == AVRO_DEPTH_MAX)
        return err_set(err, ST_LIMIT,
                       "codegen: types stand in each other more than %d deep",
                       AVRO_DEPTH_MAX);
    b->depth++;
    enum status rc = build_kind(b, avro, ret, err);
    b->depth--;
    if (rc == ST_OK)
        b->model->of_avro[avro->index] = *ret;
    return rc;
}

// Whether `goal` is found at or below the type's members; each type is looked at once a
// walk.
static bool reaches(struct c_type *type, const struct c_type *goal, int walk)
{
    for (size_t i = 0; i < type->n_members; i++) {
        struct c_type *next = (struct c_type *)type->members[i].type;
        if (next == goal)
            return true;
        if (next->in_progress == walk)
            continue;
        next->in_progress = walk;
        if (reaches(next, goal, walk))
            return true;
    }
    return false;
}

static void mark_recursive(struct c_model *model)
{
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_RECORD)
            model->types[i]->recursive =
                reaches(model->types[i], model->types[i], (int)i + 1);
}

// A record that is part of itself stands in unions by pointer.
static void mark_pointers(struct c_model *model)
{
    for (size_t i = 0; i < model->n_types; i++) {
        struct c_type *type = model->types[i];
        bool is_union = type->shape == SHAPE_OPTIONAL || type->shape == SHAPE_UNION;
        for (size_t m = 0; is_union && m < type->n_members; m++)
            type->members[m].by_pointer = type->members[m].type->recursive;
    }
}

// Until nothing changes: who is made of something that has memory has memory.
static void mark_owners(struct c_model *model)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < model->n_types; i++) {
            struct c_type *type = model->types[i];
            bool owns = type->shape == SHAPE_ARRAY || type->shape == SHAPE_MAP;
            for (size_t m = 0; m < type->n_members; m++)
                owns = owns || type->members[m].by_pointer || type->members[m].type->owns;
            changed = changed || owns != type->owns;
            type->owns = owns;
        }
    }
}

// What every header made has.
static const char *const common_names[] = {
    "avro_str",      "avro_buffer",    "avro_result",         "avro_result_text",
    "avro_str_of",   "AVRO_OK",        "AVRO_CUT_OFF",        "AVRO_WRONG",
    "AVRO_TOO_DEEP", "AVRO_NO_MEMORY", "avro_buffer_release",
};

enum status c_model_open(const struct avro_schema *schema, const char *prefix,
                         struct c_model **ret, struct err *err)
{
    if (schema->n_types > TYPES_MAX)
        return err_set(err, ST_LIMIT, "codegen: the schema has more than %d types",
                       TYPES_MAX);
    struct c_model *model = mem_zalloc(sizeof(*model));
    model->prefix = arena_cstr(&model->arena, str_of(prefix));
    model->of_avro = mem_array(schema->n_types, sizeof(struct c_type *));
    for (size_t i = 0; i < ARRAY_LEN(common_names); i++)
        c_identifier(model, common_names[i]);
    struct builder builder = {.model = model, .schema = schema};
    enum status rc = build(&builder, schema->root, &model->root, err);
    if (rc != ST_OK) {
        c_model_free(model);
        return rc;
    }
    mark_recursive(model);
    mark_pointers(model);
    mark_owners(model);
    *ret = model;
    return ST_OK;
}

void c_model_free(struct c_model *model)
{
    if (model == NULL)
        return;
    free(model->types);
    free(model->of_avro);
    free(model->taken);
    arena_release(&model->arena);
    free(model);
}
