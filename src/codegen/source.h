// SPDX-License-Identifier: Apache-2.0
// The functions of the generated source. For src/codegen.
#ifndef CODEGEN_SOURCE_H
#define CODEGEN_SOURCE_H

#include "codegen/model.h"

// source.c: prototypes of the static functions, then all functions, of all types.
void codegen_put_functions(const struct c_model *model, struct buf *out);

// public.c: those of a record that the header declares.
void codegen_put_public(const struct c_type *record, struct buf *out);

// public.c too: whether the type has functions of its own, and calls of those, or of
// the runtime's: "get_TAG(in, &PLACE)", "write_WORD(out, PLACE);\n".
bool codegen_is_composed(const struct c_type *type);
void codegen_call_get(struct buf *out, const struct c_type *type, const char *place);
void codegen_call_put(struct buf *out, const struct c_type *type, const char *place);
void codegen_call_text(struct buf *out, const struct c_type *type, const char *place);

#endif
