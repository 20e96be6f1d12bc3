// SPDX-License-Identifier: Apache-2.0
#include "avro/codegen_source.h"

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
