// SPDX-License-Identifier: Apache-2.0
// Bound expressions to a program (expr/program.h). Inside src/sql.
//
// Constants are folded unless computing them fails: that is then each row's error. Equal
// parts are computed once. compile_can says of what no program can be made.
#ifndef SQL_COMPILE_H
#define SQL_COMPILE_H

#include "expr/program.h"
#include "sql/ast.h"

struct known;

struct compiler {
    struct arena *arena; // of the program
    // The input column of a leaf's column.
    uint32_t (*input)(void *arg, const struct from *leaf, size_t column);
    void *input_arg;
    struct instruction *instructions;
    size_t n_instructions, instructions_capacity;
    struct value *constants;
    size_t n_constants, constants_capacity;
    struct known *known; // computed for every row that is left
    size_t n_known, known_capacity;
    size_t depth; // > 0: inside of an arm
    struct program program;
    struct operand *values[N_PARTS];
    size_t values_capacity[N_PARTS];
};

// Whether a program can compute it: no subquery, aggregate or window.
bool compile_can(const struct expr *expr);
// Whether computing it can fail for some row. Only for expressions that compile_can.
bool compile_can_fail(const struct expr *expr);

// The same of the expression itself, not of what stands in it.
bool compile_itself_can_fail(const struct expr *expr);

void compiler_init(struct compiler *compiler, struct arena *arena,
                   uint32_t (*input)(void *arg, const struct from *leaf, size_t column),
                   void *input_arg);
// The part's next value. Parts are compiled in the order in which they are run, each over
// no more rows than those before: what one has computed is not computed again.
void compile_value(struct compiler *compiler, unsigned part, const struct expr *expr);
// The part's only value: whether all conditions are true. None: no value.
void compile_condition(struct compiler *compiler, unsigned part,
                       const struct expr *const *conditions, size_t n);
// What is compiled from here on uses nothing of what was: it may be run without that.
void compiler_forget(struct compiler *compiler);
// The program, in the arena; the compiler is released.
const struct program *compiler_finish(struct compiler *compiler);

#endif
