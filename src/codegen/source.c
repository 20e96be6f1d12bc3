// SPDX-License-Identifier: Apache-2.0
// For each type that has a definition of its own four static functions: get_TAG decodes
// into zeroed memory, put_TAG encodes, text_TAG shows, free_TAG gives memory back.
// Records and enums also have those that the header declares.
#include "codegen/source.h"

enum {
    LINE_BYTES = 90
};

static void prototype(struct buf *out, const char *verb, const struct c_type *type,
                      const char *end)
{
    bool is_get = strcmp(verb, "get") == 0;
    size_t before = out->n;
    buf_printf(out, "static %s %s_%s(%s,", is_get ? "enum avro_result" : "void", verb,
               type->tag, is_get ? "struct avro_in *in" : "struct avro_buffer *out");
    size_t n = out->n - before + strlen(type->c) + strlen(" const  *x)");
    buf_printf(out, "%s%s%s *x)%s", n > LINE_BYTES ? "\n        " : " ",
               is_get ? "" : "const ", type->c, end);
}

static void put_prototypes(const struct c_type *type, struct buf *out)
{
    prototype(out, "get", type, ";\n");
    prototype(out, "put", type, ";\n");
    prototype(out, "text", type, ";\n");
    if (type->owns)
        buf_printf(out, "static void free_%s(%s *x);\n", type->tag, type->c);
}

static void begin(struct buf *out, const char *verb, const struct c_type *type)
{
    prototype(out, verb, type, "\n{\n");
}

// Makes room for a record by pointer, and reads it there.
static void get_by_pointer(struct buf *out, const struct c_member *member,
                           const char *indent)
{
    buf_printf(out,
               "%sif ((rc = allocate(in, sizeof(*%s), &made)) != AVRO_OK)\n"
               "%s    return rc;\n"
               "%s%s = (%s *)made;\n"
               "%sreturn get_%s(in, %s);\n",
               indent, member->place, indent, indent, member->place, member->type->c,
               indent, member->type->tag, member->place);
}

// Enums

static void put_enum(const struct c_type *type, struct buf *out)
{
    size_t n = type->avro->n;
    begin(out, "get", type);
    buf_printf(out,
               "    int64_t index = 0;\n"
               "    enum avro_result rc = read_long(in, &index);\n"
               "    if (rc != AVRO_OK)\n"
               "        return rc;\n"
               "    if (index < 0 || index >= %zu)\n"
               "        return AVRO_WRONG;\n"
               "    *x = (%s)index;\n"
               "    return AVRO_OK;\n}\n\n",
               n, type->c);
    begin(out, "put", type);
    buf_printf(out,
               "    if ((unsigned)*x >= %zu)\n"
               "        out->result = AVRO_WRONG;\n"
               "    write_long(out, (int64_t)*x);\n}\n\n",
               n);
    begin(out, "text", type);
    buf_printf(out,
               "    const char *symbol = %s_text(*x);\n"
               "    show_string(out, avro_str_of(symbol ? symbol : \"?\"));\n}\n\n",
               type->tag);
}

static void put_enum_names(const struct c_type *type, struct buf *out)
{
    size_t n = type->avro->n;
    buf_printf(out, "static const char *const symbols_of_%s[%zu] = {\n", type->tag,
               n ? n : 1);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "    \"%.*s\",\n", STR_ARGS(type->avro->symbols[i]));
    buf_printf(out, "%s};\n\n", n ? "" : "    \"\",\n");
    buf_printf(out,
               "const char *%s_text(%s x)\n{\n"
               "    return (unsigned)x < %zu ? symbols_of_%s[x] : NULL;\n}\n\n",
               type->tag, type->c, n, type->tag);
    buf_printf(out,
               "bool %s_of_text(struct avro_str text, %s *ret)\n{\n"
               "    unsigned i;\n"
               "    for (i = 0; i < %zu; i++) {\n"
               "        if (strlen(symbols_of_%s[i]) != text.n ||\n"
               "            memcmp(symbols_of_%s[i], text.p, text.n) != 0)\n"
               "            continue;\n"
               "        *ret = (%s)i;\n"
               "        return true;\n"
               "    }\n"
               "    return false;\n}\n\n",
               type->tag, type->c, n, type->tag, type->tag, type->c);
}

// Fixed

static void put_fixed(const struct c_type *type, struct buf *out)
{
    begin(out, "get", type);
    buf_printf(out, "    return read_fixed(in, x->bytes, %u);\n}\n\n", type->avro->size);
    begin(out, "put", type);
    buf_printf(out, "    write_bytes(out, x->bytes, %u);\n}\n\n", type->avro->size);
    begin(out, "text", type);
    if (type->avro->logical == LOGICAL_DECIMAL)
        buf_printf(out, "    show_decimal(out, x->bytes, %u, %u);\n}\n\n",
                   type->avro->size, type->avro->scale);
    else if (type->avro->logical == LOGICAL_DURATION)
        buf_text(out, "    show_duration(out, x->bytes);\n}\n\n");
    else
        buf_printf(out, "    show_octets(out, x->bytes, %u);\n}\n\n", type->avro->size);
}

// Records

static size_t n_real_members(const struct c_type *type)
{
    size_t n = 0;
    for (size_t i = 0; i < type->n_members; i++)
        n += type->members[i].type->shape != SHAPE_NULL;
    return n;
}

static void get_members(const struct c_type *type, struct buf *out)
{
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        if (member->type->shape == SHAPE_NULL)
            continue;
        buf_text(out, "    if ((rc = ");
        codegen_call_get(out, member->type, member->place);
        buf_text(out, ") != AVRO_OK)\n        return rc;\n");
    }
}

static void put_record_get(const struct c_type *type, struct buf *out)
{
    begin(out, "get", type);
    if (n_real_members(type) == 0) {
        buf_text(out, "    (void)in;\n    (void)x;\n    return AVRO_OK;\n}\n\n");
        return;
    }
    buf_text(out, "    enum avro_result rc;\n");
    if (type->recursive)
        buf_text(out, "    if (in->depth >= AVRO_DEPTH_MAX)\n"
                      "        return AVRO_TOO_DEEP;\n"
                      "    in->depth++;\n");
    get_members(type, out);
    if (type->recursive)
        buf_text(out, "    in->depth--;\n");
    buf_text(out, "    return AVRO_OK;\n}\n\n");
}

static void enter_record(const struct c_type *type, struct buf *out)
{
    if (type->recursive)
        buf_text(out, "    if (!enter(out))\n        return;\n");
}

static void leave_record(const struct c_type *type, struct buf *out)
{
    buf_text(out, type->recursive ? "    out->depth--;\n}\n\n" : "}\n\n");
}

static void put_record_put(const struct c_type *type, struct buf *out)
{
    begin(out, "put", type);
    if (n_real_members(type) == 0)
        buf_text(out, "    (void)out;\n    (void)x;\n");
    enter_record(type, out);
    for (size_t i = 0; i < type->n_members; i++) {
        if (type->members[i].type->shape == SHAPE_NULL)
            continue;
        buf_text(out, "    ");
        codegen_call_put(out, type->members[i].type, type->members[i].place);
    }
    leave_record(type, out);
}

static void put_record_text(const struct c_type *type, struct buf *out)
{
    begin(out, "text", type);
    if (n_real_members(type) == 0)
        buf_text(out, "    (void)x;\n");
    enter_record(type, out);
    if (type->n_members == 0)
        buf_text(out, "    show(out, \"{\");\n");
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        buf_printf(out, "    show(out, \"%s\\\"%.*s\\\": \");\n    ", i ? ", " : "{",
                   STR_ARGS(member->field->name));
        codegen_call_text(out, member->type, member->place);
    }
    buf_text(out, "    show(out, \"}\");\n");
    leave_record(type, out);
}

// Optional

static void put_optional_get(const struct c_type *type, struct buf *out)
{
    const struct c_member *member = &type->members[0];
    begin(out, "get", type);
    buf_printf(out,
               "    enum avro_result rc;\n"
               "    int64_t branch = 0;\n%s"
               "    if ((rc = read_long(in, &branch)) != AVRO_OK || branch == %zu)\n"
               "        return rc;\n"
               "    if (branch != %zu)\n"
               "        return AVRO_WRONG;\n",
               member->by_pointer ? "    void *made;\n" : "", type->null_branch,
               1 - type->null_branch);
    if (member->by_pointer) {
        get_by_pointer(out, member, "    ");
    } else {
        buf_text(out, "    x->has = true;\n    return ");
        codegen_call_get(out, member->type, member->place);
        buf_text(out, ";\n");
    }
    buf_text(out, "}\n\n");
}

static void put_optional(const struct c_type *type, struct buf *out)
{
    const struct c_member *member = &type->members[0];
    const char *there = member->by_pointer ? "x->value != NULL" : "x->has";
    const char *place = member->by_pointer ? "*x->value" : "x->value";
    put_optional_get(type, out);
    begin(out, "put", type);
    buf_printf(out, "    write_long(out, %s ? %zu : %zu);\n    if (%s)\n        ", there,
               1 - type->null_branch, type->null_branch, there);
    codegen_call_put(out, member->type, place);
    buf_text(out, "}\n\n");
    begin(out, "text", type);
    buf_printf(out, "    if (%s)\n        ", there);
    codegen_call_text(out, member->type, place);
    buf_text(out, "    else\n        show(out, \"null\");\n}\n\n");
}

// Unions of more

static bool has_pointer(const struct c_type *type)
{
    for (size_t i = 0; i < type->n_members; i++)
        if (type->members[i].by_pointer)
            return true;
    return false;
}

static void put_union_get(const struct c_type *type, struct buf *out)
{
    begin(out, "get", type);
    buf_printf(out,
               "    enum avro_result rc;\n"
               "    int64_t branch = 0;\n%s"
               "    if ((rc = read_long(in, &branch)) != AVRO_OK)\n"
               "        return rc;\n"
               "    if (branch < 0 || branch >= %zu)\n"
               "        return AVRO_WRONG;\n"
               "    x->kind = (enum %s_kind)branch;\n"
               "    switch (x->kind) {\n",
               has_pointer(type) ? "    void *made;\n" : "", type->n_members, type->tag);
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        buf_printf(out, "    case %s:\n", member->constant);
        if (member->by_pointer) {
            get_by_pointer(out, member, "        ");
            continue;
        }
        buf_text(out, "        return ");
        if (member->type->shape == SHAPE_NULL)
            buf_text(out, "AVRO_OK");
        else
            codegen_call_get(out, member->type, member->place);
        buf_text(out, ";\n");
    }
    buf_text(out, "    }\n    return AVRO_WRONG;\n}\n\n");
}

// One case of what writes or shows a union; a pointer that is NULL is not a value.
static void put_union_case(const struct c_member *member, struct buf *out,
                           void (*call)(struct buf *, const struct c_type *,
                                        const char *),
                           const char *otherwise)
{
    buf_printf(out, "    case %s:\n", member->constant);
    if (member->by_pointer)
        buf_printf(out, "        if (%s == NULL)\n            break;\n", member->place);
    buf_text(out, "        ");
    if (member->type->shape == SHAPE_NULL) {
        buf_text(out, otherwise);
    } else if (member->by_pointer) {
        AUTO(buf_release) struct buf place = {0};
        buf_printf(&place, "*%s", member->place);
        call(out, member->type, buf_cstr(&place));
    } else {
        call(out, member->type, member->place);
    }
    buf_text(out, "        return;\n");
}

static void put_union(const struct c_type *type, struct buf *out)
{
    put_union_get(type, out);
    begin(out, "put", type);
    buf_text(out, "    write_long(out, (int64_t)x->kind);\n    switch (x->kind) {\n");
    for (size_t i = 0; i < type->n_members; i++)
        put_union_case(&type->members[i], out, codegen_call_put, "/* no bytes */\n");
    buf_text(out, "    }\n    out->result = AVRO_WRONG;\n}\n\n");
    begin(out, "text", type);
    buf_text(out, "    switch (x->kind) {\n");
    for (size_t i = 0; i < type->n_members; i++)
        put_union_case(&type->members[i], out, codegen_call_text,
                       "show(out, \"null\");\n");
    buf_text(out, "    }\n    show(out, \"\\\"?\\\"\");\n}\n\n");
}

// Arrays and maps

static bool is_of_null(const struct c_type *array)
{
    return array->shape == SHAPE_ARRAY && array->members[0].type->shape == SHAPE_NULL;
}

// Before a block's items are read: they need bytes, or else are bounded all the same.
static void check_count(const struct c_type *type, struct buf *out)
{
    if (type->shape == SHAPE_MAP || type->members[0].type->avro->min_bytes > 0)
        buf_text(out, "        if ((uint64_t)count > left_in(in))\n"
                      "            return AVRO_CUT_OFF;\n");
    else
        buf_text(out, "        /* Items that take no bytes: only this bounds them. */\n"
                      "        if ((uint64_t)count > in->room / 1024)\n"
                      "            return AVRO_TOO_LARGE;\n"
                      "        in->room -= (size_t)count * 1024;\n");
}

static void get_item(const struct c_type *type, struct buf *out)
{
    const struct c_type *item = type->members[0].type;
    bool is_map = type->shape == SHAPE_MAP;
    buf_printf(
        out,
        "        for (; count > 0; count--) {\n"
        "            if (x->n == capacity) {\n"
        "                rc = grow(in, x->items, &capacity, sizeof(*x->items), count, "
        "&made);\n"
        "                if (rc != AVRO_OK)\n"
        "                    return rc;\n"
        "                x->items = (%s%s *)made;\n"
        "            }\n"
        "            memset(&x->items[x->n++], 0, sizeof(*x->items));\n",
        is_map ? type->c : item->c, is_map ? "_entry" : "");
    if (is_map)
        buf_text(out, "            rc = read_string(in, &x->items[x->n - 1].key);\n"
                      "            if (rc != AVRO_OK)\n"
                      "                return rc;\n");
    if (item->shape != SHAPE_NULL) {
        buf_text(out, "            rc = ");
        codegen_call_get(out, item,
                         is_map ? "x->items[x->n - 1].value" : "x->items[x->n - 1]");
        buf_text(out, ";\n"
                      "            if (rc != AVRO_OK)\n"
                      "                return rc;\n");
    }
    buf_text(out, "        }\n");
}

static void put_items_get(const struct c_type *type, struct buf *out)
{
    begin(out, "get", type);
    buf_printf(out,
               "    enum avro_result rc;\n"
               "    int64_t count = 0;\n%s"
               "    while ((rc = read_count(in, &count)) == AVRO_OK && count > 0) {\n",
               is_of_null(type) ? "" : "    size_t capacity = 0;\n    void *made;\n");
    check_count(type, out);
    if (is_of_null(type))
        buf_text(out, "        x->n += (size_t)count;\n");
    else
        get_item(type, out);
    buf_text(out, "    }\n    return rc;\n}\n\n");
}

static void put_items_put(const struct c_type *type, struct buf *out)
{
    const struct c_member *item = &type->members[0];
    begin(out, "put", type);
    if (!is_of_null(type))
        buf_text(out, "    size_t i;\n");
    buf_text(out, "    if (x->n != 0)\n        write_long(out, (int64_t)x->n);\n");
    if (!is_of_null(type))
        buf_text(out, "    for (i = 0; i < x->n; i++) {\n");
    if (type->shape == SHAPE_MAP)
        buf_text(out, "        write_string(out, x->items[i].key);\n");
    if (item->type->shape != SHAPE_NULL) {
        buf_text(out, "        ");
        codegen_call_put(out, item->type, item->place);
    }
    buf_printf(out, "%s    write_long(out, 0);\n}\n\n",
               is_of_null(type) ? "" : "    }\n");
}

static void put_items_text(const struct c_type *type, struct buf *out)
{
    bool is_map = type->shape == SHAPE_MAP;
    begin(out, "text", type);
    buf_printf(out,
               "    size_t i;\n"
               "    show(out, \"%s\");\n"
               "    for (i = 0; i < x->n; i++) {\n"
               "        if (i != 0)\n"
               "            show(out, \", \");\n",
               is_map ? "{" : "[");
    if (is_map)
        buf_text(out, "        show_string(out, x->items[i].key);\n"
                      "        show(out, \": \");\n");
    buf_text(out, "        ");
    codegen_call_text(out, type->members[0].type, type->members[0].place);
    buf_printf(out, "    }\n    show(out, \"%s\");\n}\n\n", is_map ? "}" : "]");
}

// Memory

static void free_member(const struct c_member *member, const char *indent,
                        struct buf *out)
{
    const char *place = member->place;
    if (member->by_pointer)
        buf_printf(out, "%sif (%s != NULL)\n%s    free_%s(%s);\n%sfree(%s);\n", indent,
                   place, indent, member->type->tag, place, indent, place);
    else if (member->type->owns)
        buf_printf(out, "%sfree_%s(&%s);\n", indent, member->type->tag, place);
}

static void free_items(const struct c_type *type, struct buf *out)
{
    if (type->members[0].type->owns)
        buf_printf(out,
                   "    size_t i;\n"
                   "    for (i = 0; i < x->n; i++)\n"
                   "        free_%s(&%s);\n",
                   type->members[0].type->tag, type->members[0].place);
    buf_text(out, "    free(x->items);\n");
}

static void free_union(const struct c_type *type, struct buf *out)
{
    buf_text(out, "    switch (x->kind) {\n");
    for (size_t i = 0; i < type->n_members; i++) {
        buf_printf(out, "    case %s:\n", type->members[i].constant);
        free_member(&type->members[i], "        ", out);
        buf_text(out, "        break;\n");
    }
    buf_text(out, "    }\n");
}

static void put_free(const struct c_type *type, struct buf *out)
{
    if (!type->owns)
        return;
    buf_printf(out, "static void free_%s(%s *x)\n{\n", type->tag, type->c);
    if (type->shape == SHAPE_ARRAY || type->shape == SHAPE_MAP)
        free_items(type, out);
    else if (type->shape == SHAPE_UNION)
        free_union(type, out);
    else
        for (size_t i = 0; i < type->n_members; i++)
            free_member(&type->members[i], "    ", out);
    buf_text(out, "}\n\n");
}

static void put_record(const struct c_type *type, struct buf *out)
{
    put_record_get(type, out);
    put_record_put(type, out);
    put_record_text(type, out);
}

static void put_items(const struct c_type *type, struct buf *out)
{
    put_items_get(type, out);
    put_items_put(type, out);
    put_items_text(type, out);
}

static void put_type(const struct c_type *type, struct buf *out)
{
    switch (type->shape) {
    case SHAPE_ENUM:
        put_enum_names(type, out);
        put_enum(type, out);
        break;
    case SHAPE_FIXED:
        put_fixed(type, out);
        break;
    case SHAPE_RECORD:
        put_record(type, out);
        break;
    case SHAPE_ARRAY:
    case SHAPE_MAP:
        put_items(type, out);
        break;
    case SHAPE_OPTIONAL:
        put_optional(type, out);
        break;
    case SHAPE_UNION:
        put_union(type, out);
        break;
    case SHAPE_PLAIN:
    case SHAPE_NULL:
        return;
    }
    put_free(type, out);
}

void codegen_put_functions(const struct c_model *model, struct buf *out)
{
    for (size_t i = 0; i < model->n_types; i++)
        if (codegen_is_composed(model->types[i]))
            put_prototypes(model->types[i], out);
    buf_char(out, '\n');
    for (size_t i = 0; i < model->n_types; i++)
        put_type(model->types[i], out);
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_RECORD)
            codegen_put_public(model->types[i], out);
}
