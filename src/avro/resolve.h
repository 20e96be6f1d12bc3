// SPDX-License-Identifier: Apache-2.0
// The compiler behind avro_plan_open, in three files: program.c emits ops, match.c says
// which types go together, resolve.c walks both schemas. For those only.
#ifndef AVRO_RESOLVE_H
#define AVRO_RESOLVE_H

#include "avro/plan.h"

enum {
    OPS_MAX = 1 << 20,
    RESOLVE_DEPTH_MAX = 500 // types within each other
};

// What is wanted of a writer's type. Both NULL: nothing, it is read past.
struct avro_want {
    const struct avro_type *type; // the reader's; NULL: whatever the columns read
    const struct avro_node *node; // columns at or below here; NULL: none
};

// A record that is read without columns, compiled once: a subroutine.
struct avro_routine {
    const struct avro_type *writer;
    const struct avro_type *wants; // NULL: read past
    bool failed;
    uint32_t pc; // of its body, or of reasons
};

struct avro_compiler {
    struct avro_plan *plan;
    const struct avro_reader *reader;
    struct err *err;
    struct buf path; // "stop.name"
    int depth;
    size_t ops_capacity, paths_capacity, constants_capacity, reasons_capacity;
    size_t targets_capacity, enums_capacity, forms_capacity;
    struct avro_routine *routines;
    size_t n_routines, routines_capacity;
};

// program.c
// ST_DATA with "field 'path': text".
enum status compile_error(struct avro_compiler *c, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
// *ret_pc may be NULL.
enum status emit(struct avro_compiler *c, struct avro_op op, uint32_t *ret_pc);
// An op that runs into the reason that c->err holds.
enum status emit_reject(struct avro_compiler *c);
uint32_t add_reason(struct avro_compiler *c, const char *text); // copied
uint32_t add_constant(struct avro_compiler *c, struct value v); // its text is copied
uint32_t add_targets(struct avro_compiler *c, size_t n);        // n, then n zeros
uint32_t add_form(struct avro_compiler *c, struct avro_form form);
uint32_t add_enum(struct avro_compiler *c, struct avro_enum_map map);
// Adds a field's name to the path; returns what path_leave wants.
size_t path_enter(struct avro_compiler *c, struct str name, const char *suffix);
void path_leave(struct avro_compiler *c, size_t length);

// match.c
bool names_match(const struct avro_type *writer, const struct avro_type *reader);
// Whether values of one can be read as the other, as far as the specification looks to
// choose a union's branch: record fields are not compared.
bool types_match(const struct avro_type *writer, const struct avro_type *reader);
// The branch of the reader's union that a writer's type is read as; NULL: none.
const struct avro_type *pick_branch(const struct avro_type *writer,
                                    const struct avro_type *reader);
// The op that reads a writer's value that is no record, array, map, union or null.
enum status leaf_op(struct avro_compiler *c, const struct avro_type *writer,
                    struct avro_want want, struct avro_op *ret);
enum status mismatch(struct avro_compiler *c, const struct avro_type *writer,
                     struct avro_want want);

#endif
