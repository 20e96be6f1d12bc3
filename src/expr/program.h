// SPDX-License-Identifier: Apache-2.0
// Expressions as a flat program over blocks of rows.
//
// A program is read-only data: instructions in the order they run, each computing one
// value for every selected row of a block. An operand names a column of the input row, a
// constant, or the result of an earlier instruction. What may stay uncomputed (the second
// side of AND, the arms of CASE) lies behind its instruction, in arms that it runs over
// fewer rows. Made by sql/compile.h, run by eval.h; any thread may read it.
#ifndef EXPR_PROGRAM_H
#define EXPR_PROGRAM_H

#include "core/value.h"

struct evaluator;
struct instruction;
struct selection;

enum operand_kind {
    OPERAND_CONSTANT,
    OPERAND_INPUT,  // column of the input row
    OPERAND_RESULT, // of an instruction
};

struct operand {
    enum operand_kind kind;
    uint32_t index;
};

struct instruction_span {
    uint32_t from, to; // instructions [from, to)
};

// What is run only over the rows that want it, and the value that it gives.
struct arm {
    struct instruction_span span;
    struct operand value;
};

// Computes an instruction's value for the selected rows of the block.
typedef void kernel(struct evaluator *evaluator, const struct instruction *instruction,
                    const struct selection *selection);

struct call;
// A scalar function: no argument is NULL. Text that it makes lives in the call's arena.
typedef struct value scalar_function(struct call *call, const struct value *args,
                                     size_t n_args);

struct instruction {
    kernel *run;
    const struct operand *args;
    size_t n_args;
    const struct arm *arms;
    size_t n_arms;
    uint32_t next;             // the instruction after this one and its arms
    scalar_function *function; // of a call
    enum type type;            // of the result
    struct str escape;         // of LIKE; empty: none
};

// The parts of a program, each a span that is run over the rows that those before it have
// left. A side of several joins has MATCH and KEYS for each, from PART_JOINS on.
enum part {
    PART_FILTER,  // one BOOLEAN: which rows stay (WHERE)
    PART_OUTPUTS, // what the rest of the query wants; run last
    PART_JOINS,
    JOINS_MAX = 8,
    N_PARTS = PART_JOINS + 2 * JOINS_MAX
};

// One BOOLEAN: which rows may match at all (a join's ON).
static inline unsigned part_match(size_t join)
{
    return PART_JOINS + 2 * (unsigned)join;
}

// What the join compares.
static inline unsigned part_keys(size_t join)
{
    return PART_JOINS + 2 * (unsigned)join + 1;
}

struct program_part {
    struct instruction_span span;
    const struct operand *values;
    size_t n_values; // of a condition: 0 when all rows stay
};

struct program {
    const struct instruction *instructions;
    size_t n_instructions;
    const struct value *constants;
    size_t n_constants;
    struct program_part parts[N_PARTS];
};

#endif
