// SPDX-License-Identifier: Apache-2.0
#include "expr/eval.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void evaluator_init(struct evaluator *evaluator, const struct program *program)
{
    *evaluator = (struct evaluator){.program = program};
    evaluator->results =
        mem_array(program->n_instructions * BLOCK_ROWS + 1, sizeof(struct value));
}

void evaluator_release(struct evaluator *evaluator)
{
    free(evaluator->results);
    arena_release(&evaluator->arena);
    *evaluator = (struct evaluator){0};
}

void evaluator_begin(struct evaluator *evaluator, const struct value *rows,
                     size_t n_columns, int64_t now_ms)
{
    if (evaluator->arena.n_bytes > 0)
        arena_clear(&evaluator->arena);
    if (evaluator->has_errors)
        memset(evaluator->errors, 0, sizeof(evaluator->errors));
    evaluator->has_errors = evaluator->is_full = false;
    evaluator->rows = rows;
    evaluator->n_columns = n_columns;
    evaluator->call = (struct call){.arena = &evaluator->arena, .now_ms = now_ms};
}

void evaluator_fail(struct evaluator *evaluator, size_t row, struct str error)
{
    assert(error.p != NULL);
    if (evaluator->errors[row].p == NULL)
        evaluator->errors[row] = error;
    evaluator->has_errors = true;
}

void evaluator_fail_full(struct evaluator *evaluator, size_t row)
{
    evaluator->is_full = true;
    evaluator_fail(evaluator, row,
                   STR_LITERAL("its expressions make more than 268435456 bytes of text"));
}

void evaluator_run_span(struct evaluator *evaluator, struct instruction_span span,
                        const struct selection *selection)
{
    const struct instruction *instructions = evaluator->program->instructions;
    for (uint32_t i = span.from; i < span.to; i = instructions[i].next)
        instructions[i].run(evaluator, &instructions[i], selection);
}

void evaluator_run(struct evaluator *evaluator, unsigned part,
                   const struct selection *selection)
{
    if (selection->n > 0)
        evaluator_run_span(evaluator, evaluator->program->parts[part].span, selection);
}

void evaluator_select(struct evaluator *evaluator, unsigned part,
                      struct selection *selection)
{
    const struct program_part *condition = &evaluator->program->parts[part];
    if (condition->n_values == 0)
        return;
    evaluator_run(evaluator, part, selection);
    struct vector is_true = evaluator_vector(evaluator, condition->values[0]);
    size_t n = 0;
    for (size_t i = 0; i < selection->n; i++) {
        uint8_t row = selection->rows[i];
        const struct value *value = vector_at(is_true, row);
        bool stays = value->kind != VALUE_NULL && value->i != 0 &&
                     evaluator->errors[row].p == NULL;
        selection->rows[n] = row;
        n += stays;
    }
    selection->n = n;
}
