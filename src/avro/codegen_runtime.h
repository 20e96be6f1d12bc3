// SPDX-License-Identifier: Apache-2.0
// C text that every generated file has, and the functions that some have. For
// src/avro/codegen.c.
#ifndef AVRO_CODEGEN_RUNTIME_H
#define AVRO_CODEGEN_RUNTIME_H

#include "base/buf.h"

// The types that generated headers share, guarded so that several may be included.
extern const char codegen_common[];

// Appends those functions whose names stand in `body`, and those they need.
void codegen_add_functions(struct buf *source, const char *body);

#endif
