// SPDX-License-Identifier: Apache-2.0
// The compiler behind avro_plan_open, in three files: program.c emits ops, match.c says
// which types go together, resolve.c walks both schemas. For those only.
#ifndef AVRO_RESOLVE_H
#define AVRO_RESOLVE_H

#include "avro/plan.h"

enum {
    OPS_MAX = 1 << 20,
    RESOLVE_DEPTH_MAX = 500,       // types within each other
    RESOLVE_STEPS_MAX = 4 << 20,   // names looked at and types compared
    RESOLVE_STEPS_OF_TYPE = 4,     // to compare one pair of types
    RESOLVE_MEMORY_MAX = 64 << 20, // bytes of a plan's texts
    PAIR_SLOTS = 1024              // a power of two
};

// What is wanted of a writer's type. Both NULL: nothing, it is read past.
struct avro_want {
    const struct avro_type *type; // the reader's; NULL: whatever the columns read
    const struct avro_node *node; // columns at or below here; NULL: none
};

// What two types became, compiled once.
struct avro_resolved_pair {
    const struct avro_type *writer;
    const struct avro_type *wants; // NULL: read past
    size_t older;                  // of the same slot, counted from 1; 0: none
    enum {
        PAIR_ROUTINE, // a record that is read without columns; arg: pc of its body
        PAIR_EMPTY,   // one that takes no bytes
        PAIR_FAILED,  // arg: of reasons
        PAIR_ENUM,    // arg: of enums
    } what;
    uint32_t arg;
};

struct avro_compiler {
    struct avro_plan *plan;
    const struct avro_reader *reader;
    struct err *err;
    struct buf path; // "stop.name"
    int depth;
    size_t n_steps;
    bool is_spent; // a limit is passed: nothing is tried any more
    size_t ops_capacity, paths_capacity, constants_capacity, reasons_capacity;
    size_t targets_capacity, enums_capacity, forms_capacity;
    struct avro_resolved_pair *pairs;
    size_t n_pairs, pairs_capacity;
    size_t slots[PAIR_SLOTS]; // the newest pair of each, counted from 1
};

// pairs.c
struct avro_resolved_pair *pair_find(const struct avro_compiler *c,
                                     const struct avro_type *writer,
                                     const struct avro_type *wants);
// Valid until the next one is added.
struct avro_resolved_pair *pair_add(struct avro_compiler *c,
                                    const struct avro_type *writer,
                                    const struct avro_type *wants);
// Those behind the first n go; what failed stays known, and so do enums.
void pairs_cut(struct avro_compiler *c, size_t n);

// program.c
// ST_DATA when the steps of all calls are more than RESOLVE_STEPS_MAX.
enum status spend(struct avro_compiler *c, size_t n_steps);
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
// Whether values of one can be read as the other, as far as the specification looks to
// choose a union's branch: record fields are not compared.
bool types_match(const struct avro_type *writer, const struct avro_type *reader);
// The branch of the reader's union that a writer's type is read as; NULL: none.
const struct avro_type *pick_branch(const struct avro_type *writer,
                                    const struct avro_type *reader);
// The op that reads a writer's value that is not a record, array, map, union or null.
enum status leaf_op(struct avro_compiler *c, const struct avro_type *writer,
                    struct avro_want want, struct avro_op *ret);
enum status mismatch(struct avro_compiler *c, const struct avro_type *writer,
                     struct avro_want want);

#endif
