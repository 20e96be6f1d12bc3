// SPDX-License-Identifier: Apache-2.0
#include "codegen/model.h"

#include <stdlib.h>

#include "base/hash.h"
#include "codegen/runtime.h"

enum {
    WORD_MAX = 60,        // bytes of a name made of others; longer ones are cut
    WORD_KEPT = 48,       // of those, before eight digits that tell them apart
    STRUCT_MAX = 1 << 20, // bytes: what a stack holds
    SLOT_BYTES = 8        // members are aligned to it at most
};

struct builder {
    struct c_model *model;
    const struct avro_schema *schema;
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
    {AVRO_BYTES, LOGICAL_DECIMAL, "decimal", "struct avro_str"},
    {AVRO_INT, LOGICAL_DATE, "date", "int32_t"},
    {AVRO_INT, LOGICAL_TIME_MILLIS, "time_millis", "int32_t"},
    {AVRO_LONG, LOGICAL_TIME_MICROS, "time_micros", "int64_t"},
    {AVRO_LONG, LOGICAL_TIMESTAMP_MILLIS, "timestamp_millis", "int64_t"},
    {AVRO_LONG, LOGICAL_TIMESTAMP_MICROS, "timestamp_micros", "int64_t"},
    {AVRO_LONG, LOGICAL_LOCAL_TIMESTAMP_MILLIS, "local_timestamp_millis", "int64_t"},
    {AVRO_LONG, LOGICAL_LOCAL_TIMESTAMP_MICROS, "local_timestamp_micros", "int64_t"},
};

// Whether a type that the schema names so would read as a plain one.
static bool is_plain_word(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(plains); i++)
        if (strcmp(plains[i].word, word) == 0)
            return true;
    return strcmp(word, "null") == 0 || strncmp(word, "decimal_", 8) == 0;
}

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
        const char *word = plains[i].word;
        if (avro->logical == LOGICAL_DECIMAL) // each has a text of its own
            word = arena_printf(&b->model->arena, "decimal_%u_%u", avro->precision,
                                avro->scale);
        struct c_type *type = find_plain(b->model, word);
        if (type == NULL) {
            type = add(b, avro, SHAPE_PLAIN);
            type->word = type->tag = word;
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
    char *word = arena_cstr(&b->model->arena, avro_base_name(avro->name));
    if (!is_ambiguous(b, avro) && !is_plain_word(word))
        return word;
    word = arena_cstr(&b->model->arena, avro->name);
    for (char *p = word; *p != '\0'; p++)
        if (*p == '.')
            *p = '_';
    return is_plain_word(word) ? arena_printf(&b->model->arena, "%s_", word) : word;
}

static void set_tag(struct builder *b, struct c_type *type, const char *word)
{
    struct arena *arena = &b->model->arena;
    type->tag = c_tag(b->model, arena_printf(arena, "%s%s", b->model->prefix, word));
    type->word = type->tag + strlen(b->model->prefix);
    const char *keyword = type->shape == SHAPE_ENUM ? "enum" : "struct";
    type->c = arena_printf(arena, "%s %s", keyword, type->tag);
}

static enum status build_enum(struct builder *b, const struct avro_type *avro,
                              const struct c_type **ret, struct err *err)
{
    if (avro->n == 0)
        return err_set(err, ST_DATA,
                       "codegen: enum '%.*s' has no symbols: there is no datum of it",
                       STR_ARGS(avro->name));
    struct arena *arena = &b->model->arena;
    struct c_type *type = add(b, avro, SHAPE_ENUM);
    set_tag(b, type, word_of(b, avro));
    type->symbols = arena_array(arena, avro->n, sizeof(*type->symbols));
    for (size_t i = 0; i < avro->n; i++)
        type->symbols[i] =
            c_identifier(b->model, arena_printf(arena, "%s_%.*s", type->tag,
                                                STR_ARGS(avro->symbols[i])));
    *ret = type;
    return ST_OK;
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
    struct name_set taken = {0};
    enum status rc = ST_OK;
    for (size_t i = 0; rc == ST_OK && i < avro->n; i++) {
        struct c_member *member = &type->members[i];
        member->field = &avro->fields[i];
        member->name = c_member_name(arena, member->field->name, &taken);
        member->place = arena_printf(arena, "x->%s", member->name);
        rc = build(b, member->field->type, &member->type, err);
        type->n_members += rc == ST_OK;
    }
    name_set_release(&taken);
    *ret = type;
    return rc;
}

static bool has_members(const struct c_type *type, const struct c_type *const *items,
                        size_t n)
{
    if (type->n_members != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (type->members[i].type != items[i])
            return false;
    return true;
}

// A long name is cut; digits of its hash keep it apart, the same in every header.
static const char *shorten(struct arena *arena, const char *word)
{
    char digest[SHA256_HEX];
    if (strlen(word) <= WORD_MAX)
        return word;
    sha256_hex(word, strlen(word), digest);
    return arena_printf(arena, "%.*s_%.8s", WORD_KEPT, word, digest);
}

// A type made of others, named by them: the one that there is, or a new one, whose
// members are to be named.
static struct c_type *composed(struct builder *b, const struct avro_type *avro,
                               enum c_shape shape, const char *word,
                               const struct c_type *const *items, size_t n)
{
    struct c_model *model = b->model;
    size_t null_branch = 0; // the order of the branches is part of what is encoded
    if (shape == SHAPE_OPTIONAL)
        avro_nullable(avro, &null_branch);
    for (size_t i = 0; i < model->n_types; i++) {
        struct c_type *type = model->types[i];
        if (type->shape == shape && type->null_branch == null_branch &&
            has_members(type, items, n))
            return type;
    }
    struct c_type *type = add(b, avro, shape);
    type->null_branch = null_branch;
    set_tag(b, type, shorten(&model->arena, word));
    type->members = arena_array(&model->arena, n, sizeof(*type->members));
    type->n_members = n;
    for (size_t i = 0; i < n; i++)
        type->members[i].type = items[i];
    return type;
}

static enum status build_items(struct builder *b, const struct avro_type *avro,
                               const struct c_type **ret, struct err *err)
{
    const struct c_type *item;
    TRY(build(b, avro->items, &item, err));
    bool is_array = avro->kind == AVRO_ARRAY;
    const char *word = arena_printf(&b->model->arena, "%s_of_%s",
                                    avro_kind_name(avro->kind), item->word);
    struct c_type *type =
        composed(b, avro, is_array ? SHAPE_ARRAY : SHAPE_MAP, word, &item, 1);
    type->members[0].place = is_array ? "x->items[i]" : "x->items[i].value";
    *ret = type;
    return ST_OK;
}

static enum status build_optional(struct builder *b, const struct avro_type *avro,
                                  const struct avro_type *value, size_t null_branch,
                                  const struct c_type **ret, struct err *err)
{
    const struct c_type *item;
    TRY(build(b, value, &item, err));
    const char *word = arena_printf(&b->model->arena, "%s_%s",
                                    null_branch ? "nullable" : "optional", item->word);
    struct c_type *type = composed(b, avro, SHAPE_OPTIONAL, word, &item, 1);
    type->members[0].name = "value";
    type->members[0].place = "x->value";
    *ret = type;
    return ST_OK;
}

static void name_branches(struct builder *b, struct c_type *type)
{
    struct arena *arena = &b->model->arena;
    struct name_set taken = {0};
    for (size_t i = 0; i < type->n_members; i++) {
        struct c_member *member = &type->members[i];
        const char *word = member->type->word;
        member->name = c_member_name(arena, str_of(word), &taken);
        member->place = arena_printf(arena, "x->as.%s", member->name);
        member->constant =
            c_identifier(b->model, arena_printf(arena, "%s_%s", type->tag, word));
    }
    name_set_release(&taken);
}

static enum status build_union(struct builder *b, const struct avro_type *avro,
                               const struct c_type **ret, struct err *err)
{
    size_t null_branch;
    const struct avro_type *value = avro_nullable(avro, &null_branch);
    if (value != NULL)
        return build_optional(b, avro, value, null_branch, ret, err);
    struct arena *arena = &b->model->arena;
    const struct c_type **branches = arena_array(arena, avro->n, sizeof(*branches));
    struct buf word = {0};
    enum status rc = ST_OK;
    for (size_t i = 0; rc == ST_OK && i < avro->n; i++) {
        rc = build(b, avro->branches[i], &branches[i], err);
        if (rc == ST_OK)
            buf_printf(&word, "%s%s", i ? "_or_" : "", branches[i]->word);
    }
    if (rc == ST_OK) {
        struct c_type *type =
            composed(b, avro, SHAPE_UNION, buf_cstr(&word), branches, avro->n);
        if (type->members[0].name == NULL)
            name_branches(b, type);
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
        return build_enum(b, avro, ret, err);
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
    enum status rc =
        build_kind(b, avro, ret, err); // as deep as the parser lets types stand
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
            bool owns =
                type->shape == SHAPE_MAP || (type->shape == SHAPE_ARRAY &&
                                             type->members[0].type->shape != SHAPE_NULL);
            for (size_t m = 0; m < type->n_members; m++)
                owns = owns || type->members[m].by_pointer || type->members[m].type->owns;
            changed = changed || owns != type->owns;
            type->owns = owns;
        }
    }
}

static uint64_t size_of(struct c_type *type);

static uint64_t size_of_member(const struct c_member *member)
{
    return member->by_pointer ? SLOT_BYTES : size_of((struct c_type *)member->type);
}

static uint64_t size_of_members(const struct c_type *type)
{
    uint64_t size = 0;
    for (size_t i = 0; i < type->n_members; i++) {
        uint64_t of_member = size_of_member(&type->members[i]);
        if (type->shape != SHAPE_UNION)
            size += of_member;
        else if (of_member > size)
            size = of_member;
    }
    return type->shape == SHAPE_RECORD ? size : size + SLOT_BYTES;
}

// Bytes that it takes in C, each member to the next 8; above STRUCT_MAX no more is added.
static uint64_t size_of(struct c_type *type)
{
    if (type->size != 0)
        return type->size;
    uint64_t size = SLOT_BYTES;
    if (type->shape == SHAPE_FIXED)
        size = type->avro->size;
    else if (type->shape == SHAPE_ARRAY || type->shape == SHAPE_MAP ||
             (type->shape == SHAPE_PLAIN && strchr(type->c, ' ') != NULL))
        size = 2 * SLOT_BYTES;
    else if (type->n_members)
        size = size_of_members(type);
    size = (size + SLOT_BYTES - 1) / SLOT_BYTES * SLOT_BYTES;
    type->size = size > STRUCT_MAX ? STRUCT_MAX + 1 : size;
    return type->size;
}

static enum status check_sizes(const struct c_model *model, struct err *err)
{
    for (size_t i = model->n_types; i-- > 0;) {
        struct c_type *type = model->types[i];
        if (type->shape != SHAPE_RECORD && type->shape != SHAPE_FIXED)
            continue;
        if (size_of(type) > STRUCT_MAX)
            return err_set(err, ST_LIMIT,
                           "codegen: %s '%.*s' would be a struct of more than %d bytes; "
                           "make parts of it arrays or bytes",
                           avro_kind_name(type->avro->kind), STR_ARGS(type->avro->name),
                           STRUCT_MAX);
    }
    return ST_OK;
}

// What the text that is made says itself: no constant may be named so.
static const char own_words[] = "ret_used AVRO_DEPTH_MAX AVRO_MEMORY_MAX";

static struct c_model *open_model(const struct avro_schema *schema, const char *prefix)
{
    static const char *const tags[] = {"avro_str", "avro_buffer", "avro_result",
                                       "avro_in"};
    struct c_model *model = mem_zalloc(sizeof(*model));
    model->prefix = arena_cstr(&model->arena, str_of(prefix));
    model->of_avro = mem_array(schema->n_types, sizeof(struct c_type *));
    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        c_tag(model, tags[i]);
    c_take_words(model, own_words);
    c_take_words(model, codegen_common);
    for (size_t i = 0; codegen_function(i) != NULL; i++)
        c_take_words(model, codegen_function(i)->text);
    return model;
}

enum status c_model_open(const struct avro_schema *schema, const char *prefix,
                         struct c_model **ret, struct err *err)
{
    struct c_model *model = open_model(schema, prefix);
    struct builder builder = {.model = model, .schema = schema};
    enum status rc = build(&builder, schema->root, &model->root, err);
    if (rc == ST_OK) {
        mark_recursive(model);
        mark_pointers(model);
        mark_owners(model);
        rc = check_sizes(model, err);
    }
    if (rc != ST_OK) {
        c_model_free(model);
        return rc;
    }
    *ret = model;
    return ST_OK;
}

void c_model_free(struct c_model *model)
{
    if (model == NULL)
        return;
    free(model->types);
    free(model->of_avro);
    name_set_release(&model->tags);
    name_set_release(&model->identifiers);
    arena_release(&model->arena);
    free(model);
}
