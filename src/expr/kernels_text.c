// SPDX-License-Identifier: Apache-2.0
// Casts, || and LIKE.
#include "expr/eval.h"
#include "expr/functions.h"
#include "expr/kernels.h"
#include "expr/like.h"

// Appends the arguments of a row; false when one is NULL.
static bool join_texts(struct evaluator *evaluator, const struct instruction *instruction,
                       size_t row, struct buf *text)
{
    for (size_t k = 0; k < instruction->n_args; k++) {
        struct vector values = evaluator_vector(evaluator, instruction->args[k]);
        const struct value *value = vector_at(values, row);
        if (value->kind == VALUE_NULL)
            return false;
        text_append(*value, text);
    }
    return true;
}

void kernel_concat(struct evaluator *evaluator, const struct instruction *instruction,
                   const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    AUTO(buf_release) struct buf text = BUF_INIT(EVALUATOR_TEXT_MAX);
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->rows[i];
        buf_clear(&text);
        to[row] = (struct value){0};
        if (!evaluator_has_room(evaluator, row) ||
            !join_texts(evaluator, instruction, row, &text))
            continue;
        if (UNLIKELY(text.full))
            evaluator_fail_full(evaluator, row);
        else
            to[row] = value_text(arena_str(&evaluator->arena, buf_as_str(&text)));
    }
}

void kernel_like(struct evaluator *evaluator, const struct instruction *instruction,
                 const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct vector texts = evaluator_vector(evaluator, instruction->args[0]);
    struct vector patterns = evaluator_vector(evaluator, instruction->args[1]);
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->rows[i];
        const struct value *text = vector_at(texts, row);
        const struct value *pattern = vector_at(patterns, row);
        to[row] = (struct value){0};
        if (text->kind == VALUE_NULL || pattern->kind == VALUE_NULL)
            continue;
        bool yes;
        if (like(value_str(*text), value_str(*pattern), instruction->escape, &yes))
            to[row] = (struct value){.i = yes, .kind = VALUE_BOOL};
        else
            evaluator_fail(evaluator, row, STR_LITERAL(LIKE_TOO_LONG));
    }
}
