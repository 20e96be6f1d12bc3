// SPDX-License-Identifier: Apache-2.0
// C text that every generated file has, and the functions that some have. For
// src/codegen.
#ifndef CODEGEN_RUNTIME_H
#define CODEGEN_RUNTIME_H

#include "base/buf.h"

// The types that generated headers share, guarded so that several may be included.
extern const char codegen_common[];

struct codegen_function {
    const char *name; // as a call of it begins: "read_long("
    const char *text;
};

// Each after those that it calls; NULL behind the last.
const struct codegen_function *codegen_function(size_t index);

// Appends those functions whose names stand in `body`, and those they need.
void codegen_add_functions(struct buf *source, const char *body);

// In show.c; the last ones of codegen_function.
extern const struct codegen_function codegen_show_functions[];
extern const size_t codegen_n_show_functions;

#endif
