// SPDX-License-Identifier: Apache-2.0
// The functions of records that the header declares: init, release, decode, encode, text;
// and calls of what source.c writes.
#include "codegen/source.h"

bool codegen_is_composed(const struct c_type *type)
{
    return type->shape != SHAPE_PLAIN && type->shape != SHAPE_NULL;
}

// What read_ and write_ of a plain type are called.
static const char *io_word(const struct c_type *type)
{
    return type->avro->kind == AVRO_BYTES ? "string" : avro_kind_name(type->avro->kind);
}

void codegen_call_get(struct buf *out, const struct c_type *type, const char *place)
{
    if (codegen_is_composed(type))
        buf_printf(out, "get_%s(in, &%s)", type->tag, place);
    else
        buf_printf(out, "read_%s(in, &%s)", io_word(type), place);
}

void codegen_call_put(struct buf *out, const struct c_type *type, const char *place)
{
    if (codegen_is_composed(type))
        buf_printf(out, "put_%s(out, &%s);\n", type->tag, place);
    else
        buf_printf(out, "write_%s(out, %s);\n", io_word(type), place);
}

void codegen_call_text(struct buf *out, const struct c_type *type, const char *place)
{
    if (type->shape == SHAPE_NULL)
        buf_text(out, "show(out, \"null\");\n");
    else if (codegen_is_composed(type))
        buf_printf(out, "text_%s(out, &%s);\n", type->tag, place);
    else if (type->avro->logical == LOGICAL_DECIMAL)
        buf_printf(out, "show_decimal(out, %s.p, %s.n, %u);\n", place, place,
                   type->avro->scale);
    else
        buf_printf(out, "show_%s(out, %s);\n", type->word, place);
}

// Whether memory of zeros is the default already.
static bool is_zero(const struct c_type *type, struct str bytes)
{
    if (type->shape == SHAPE_OPTIONAL)
        return type->null_branch == 0 && bytes.p[0] == 0;
    if (type->shape == SHAPE_RECORD || type->shape == SHAPE_UNION)
        return false;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != 0)
            return false;
    return true;
}

static bool needs_default(const struct c_member *member)
{
    struct str bytes = member->field->default_bytes;
    return member->type->shape != SHAPE_NULL && bytes.n != 0 &&
           !is_zero(member->type, bytes);
}

// Reads the default, which is a datum, into the member.
static void put_default(const struct c_member *member, struct buf *out)
{
    struct str bytes = member->field->default_bytes;
    buf_text(out, "    if (rc == AVRO_OK) {\n        static const uint8_t datum[] = {");
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(out, "%s%u",
                   i == 0   ? ""
                   : i % 16 ? ", "
                            : ",\n            ",
                   (unsigned)(unsigned char)bytes.p[i]);
    buf_text(out, "};\n"
                  "        struct avro_in at = {datum, datum + sizeof(datum), "
                  "AVRO_MEMORY_MAX, 0};\n"
                  "        struct avro_in *in = &at;\n"
                  "        rc = ");
    codegen_call_get(out, member->type, member->place);
    buf_text(out, ";\n    }\n");
}

static void init_member(const struct c_member *member, struct buf *out)
{
    if (needs_default(member))
        put_default(member, out);
    else if (!member->field->has_default && member->type->shape == SHAPE_RECORD)
        buf_printf(out, "    if (rc == AVRO_OK)\n        rc = %s_init(&%s);\n",
                   member->type->tag, member->place);
}

static void put_init(const struct c_type *type, struct buf *out)
{
    AUTO(buf_release) struct buf members = {0};
    for (size_t i = 0; i < type->n_members; i++)
        init_member(&type->members[i], &members);
    buf_printf(out, "enum avro_result %s_init(%s *x)\n{\n", type->tag, type->c);
    if (members.n == 0)
        buf_text(out, "    memset(x, 0, sizeof(*x));\n    return AVRO_OK;\n}\n\n");
    else
        buf_printf(out,
                   "    enum avro_result rc = AVRO_OK;\n"
                   "    memset(x, 0, sizeof(*x));\n%s"
                   "    if (rc != AVRO_OK)\n        %s_release(x);\n"
                   "    return rc;\n}\n\n",
                   buf_cstr(&members), type->tag);
    buf_printf(out, "void %s_release(%s *x)\n{\n", type->tag, type->c);
    if (type->owns)
        buf_printf(out, "    free_%s(x);\n", type->tag);
    buf_text(out, "    memset(x, 0, sizeof(*x));\n}\n\n");
}

void codegen_put_public(const struct c_type *type, struct buf *out)
{
    put_init(type, out);
    buf_printf(out,
               "enum avro_result %s_decode(const void *p, size_t n, %s *x,\n"
               "        size_t *ret_used)\n{\n"
               "    static const uint8_t none[1] = {0};\n"
               "    struct avro_in in;\n"
               "    enum avro_result rc;\n"
               "    memset(x, 0, sizeof(*x));\n"
               "    in.p = n != 0 ? (const uint8_t *)p : none;\n"
               "    in.end = in.p + n;\n"
               "    in.room = AVRO_MEMORY_MAX;\n"
               "    in.depth = 0;\n"
               "    rc = get_%s(&in, x);\n"
               "    if (rc == AVRO_OK && ret_used == NULL && in.p != in.end)\n"
               "        rc = AVRO_WRONG;\n"
               "    if (rc != AVRO_OK)\n"
               "        %s_release(x);\n"
               "    else if (ret_used != NULL)\n"
               "        *ret_used = n - (size_t)(in.end - in.p);\n"
               "    return rc;\n}\n\n",
               type->tag, type->c, type->tag, type->tag);
    buf_printf(out,
               "enum avro_result %s_encode(const %s *x, struct avro_buffer *out)\n{\n"
               "    size_t before = out->n;\n"
               "    out->result = AVRO_OK;\n    out->depth = 0;\n"
               "    put_%s(out, x);\n"
               "    if (out->result != AVRO_OK)\n"
               "        out->n = before;\n"
               "    return out->result;\n}\n\n",
               type->tag, type->c, type->tag);
    buf_printf(out,
               "enum avro_result %s_text(const %s *x, struct avro_buffer *out)\n{\n"
               "    size_t before = out->n;\n"
               "    out->result = AVRO_OK;\n    out->depth = 0;\n"
               "    text_%s(out, x);\n"
               "    write_bytes(out, \"\", 1);\n"
               "    if (out->result != AVRO_OK)\n"
               "        out->n = before;\n"
               "    else\n"
               "        out->n--; /* the final zero is not counted */\n"
               "    return out->result;\n}\n\n",
               type->tag, type->c, type->tag);
}
