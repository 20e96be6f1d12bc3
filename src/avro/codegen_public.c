// SPDX-License-Identifier: Apache-2.0
// The functions of records that the header declares: init, release, decode, encode, text.
#include <stdio.h>

#include "avro/codegen_source.h"

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

static void put_default(const struct c_member *member, struct buf *out)
{
    struct str bytes = member->field->default_bytes;
    char place[300];
    snprintf(place, sizeof(place), "x->%.250s", member->name);
    if (member->type->shape == SHAPE_NULL || bytes.n == 0 || is_zero(member->type, bytes))
        return;
    buf_text(out, "    {\n        static const uint8_t datum[] = {");
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(out, "%s%u",
                   i == 0   ? ""
                   : i % 16 ? ", "
                            : ",\n            ",
                   (unsigned)(unsigned char)bytes.p[i]);
    buf_printf(out, "};\n"
                    "        struct avro_in at;\n"
                    "        struct avro_in *in = &at;\n"
                    "        at.p = datum;\n"
                    "        at.end = datum + sizeof(datum);\n"
                    "        at.depth = 0;\n"
                    "        (void)");
    codegen_call_get(out, member->type, place);
    buf_text(out, ";\n    }\n");
}

static void put_init(const struct c_type *type, struct buf *out)
{
    buf_printf(out, "void %s_init(%s *x)\n{\n    memset(x, 0, sizeof(*x));\n", type->tag,
               type->c);
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        if (member->field->has_default)
            put_default(member, out);
        else if (member->type->shape == SHAPE_RECORD)
            buf_printf(out, "    %s_init(&x->%s);\n", member->type->tag, member->name);
    }
    buf_printf(out, "}\n\nvoid %s_release(%s *x)\n{\n", type->tag, type->c);
    if (type->owns)
        buf_printf(out, "    free_%s(x);\n", type->tag);
    buf_text(out, "    memset(x, 0, sizeof(*x));\n}\n\n");
}

void codegen_put_public(const struct c_type *type, struct buf *out)
{
    put_init(type, out);
    buf_printf(out,
               "enum avro_result %s_decode(const void *p, size_t n, %s *x, size_t "
               "*ret_used)\n{\n"
               "    static const uint8_t none[1] = {0};\n"
               "    struct avro_in in;\n"
               "    enum avro_result rc;\n"
               "    memset(x, 0, sizeof(*x));\n"
               "    in.p = n != 0 ? (const uint8_t *)p : none;\n"
               "    in.end = in.p + n;\n"
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
               "    out->result = AVRO_OK;\n"
               "    put_%s(out, x);\n"
               "    if (out->result != AVRO_OK)\n"
               "        out->n = before;\n"
               "    return out->result;\n}\n\n",
               type->tag, type->c, type->tag);
    buf_printf(out,
               "enum avro_result %s_text(const %s *x, struct avro_buffer *out)\n{\n"
               "    size_t before = out->n;\n"
               "    out->result = AVRO_OK;\n"
               "    text_%s(out, x);\n"
               "    write_bytes(out, \"\", 1);\n"
               "    if (out->result != AVRO_OK)\n"
               "        out->n = before;\n"
               "    else\n"
               "        out->n--; /* the final zero is not counted */\n"
               "    return out->result;\n}\n\n",
               type->tag, type->c, type->tag);
}
