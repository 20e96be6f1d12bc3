// SPDX-License-Identifier: Apache-2.0
// Runs a program over blocks of rows.
//
// evaluator_begin takes a block, evaluator_run one part of the program over some of its
// rows. A row whose value cannot be computed (a number out of range, a text that is not
// a number) gets an error, the first one stays; its values mean nothing then. Values are
// borrowed from the input rows, the program and the evaluator, until the next begin.
// Threads: one owns an evaluator. Nothing here allocates per row but the text that
// functions make, which lies in an arena.
#ifndef EXPR_EVAL_H
#define EXPR_EVAL_H

#include "base/arena.h"
#include "expr/program.h"

enum {
    BLOCK_ROWS = 64,
    EVALUATOR_TEXT_MAX = 256 << 20 // bytes of text that a block's rows make
};

struct selection {
    uint8_t rows[BLOCK_ROWS]; // rising
    size_t n;
};

// What a scalar function sees beside its arguments.
struct call {
    struct arena *arena; // for text that it makes
    int64_t now_ms;      // the batch's time
    struct str error;    // p != NULL: why there is no value; in the arena or constant
};

struct evaluator {
    const struct program *program;
    const struct value *rows; // the block's, row by row
    size_t n_columns;
    struct value *results; // BLOCK_ROWS for each instruction
    struct str errors[BLOCK_ROWS];
    bool has_errors; // of any row
    bool is_full;    // of any row for EVALUATOR_TEXT_MAX: fewer may do
    struct arena arena;
    struct call call;
};

void evaluator_init(struct evaluator *evaluator, const struct program *program);
void evaluator_release(struct evaluator *evaluator);
// A block of at most BLOCK_ROWS rows of n_columns values each, borrowed until the next.
void evaluator_begin(struct evaluator *evaluator, const struct value *rows,
                     size_t n_columns, int64_t now_ms);
void evaluator_run(struct evaluator *evaluator, unsigned part,
                   const struct selection *selection);
// Runs a condition and leaves in `selection` the rows for which it is true. Rows with
// an error stay out.
void evaluator_select(struct evaluator *evaluator, unsigned part,
                      struct selection *selection);
void evaluator_run_span(struct evaluator *evaluator, struct instruction_span span,
                        const struct selection *selection);
// The row has no value: for kernels. The first error of a row stays.
void evaluator_fail(struct evaluator *evaluator, size_t row, struct str error);
// The same, for want of room.
void evaluator_fail_full(struct evaluator *evaluator, size_t row);
// Whether there is room for more text; else the row fails. Also for kernels.
static inline bool evaluator_has_room(struct evaluator *evaluator, size_t row)
{
    if (LIKELY(evaluator->arena.n_bytes <= EVALUATOR_TEXT_MAX))
        return true;
    evaluator_fail_full(evaluator, row);
    return false;
}

// The values of an operand: row i's is p[i * stride].
struct vector {
    const struct value *p;
    size_t stride;
};

static inline struct vector evaluator_vector(const struct evaluator *evaluator,
                                             struct operand operand)
{
    switch (operand.kind) {
    case OPERAND_INPUT:
        return (struct vector){evaluator->rows + operand.index, evaluator->n_columns};
    case OPERAND_RESULT:
        return (struct vector){evaluator->results + (size_t)operand.index * BLOCK_ROWS,
                               1};
    default:
        return (struct vector){evaluator->program->constants + operand.index, 0};
    }
}

static inline const struct value *vector_at(struct vector vector, size_t row)
{
    return vector.p + row * vector.stride;
}

static inline struct value *evaluator_result(struct evaluator *evaluator,
                                             const struct instruction *instruction)
{
    size_t index = (size_t)(instruction - evaluator->program->instructions);
    return evaluator->results + index * BLOCK_ROWS;
}

static inline void selection_all(struct selection *selection, size_t n)
{
    for (size_t i = 0; i < n; i++)
        selection->rows[i] = (uint8_t)i;
    selection->n = n;
}

#endif
