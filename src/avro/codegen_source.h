// SPDX-License-Identifier: Apache-2.0
// The functions of the generated source. For src/avro/codegen*.c.
#ifndef AVRO_CODEGEN_SOURCE_H
#define AVRO_CODEGEN_SOURCE_H

#include "avro/codegen_model.h"

// Prototypes of the static functions, then all functions, of all types.
void codegen_put_functions(const struct c_model *model, struct buf *out);

// Those of a record that the header declares.
void codegen_put_public(const struct c_type *record, struct buf *out);

// "get_TAG(in, &PLACE)", and of plain types "read_WORD(in, &PLACE)".
void codegen_call_get(struct buf *out, const struct c_type *type, const char *place);

#endif
