// SPDX-License-Identifier: Apache-2.0
#include "table/used_columns.h"

#include <string.h>

// Of the stream.
struct used {
    bool *columns;
    const struct schema *schema;
};

static void use(const struct used *used, size_t column)
{
    used->columns[column] = true;
}

static void use_operand(const struct used *used, struct operand operand)
{
    if (operand.kind == OPERAND_INPUT)
        use(used, operand.index);
}

// A number in the result: the texts beside it show where it stands (pass_through.h).
static void use_output(const struct used *used, size_t column)
{
    use(used, column);
    if (used->schema->columns[column].type == TYPE_TEXT)
        return;
    if (column > 0)
        use(used, column - 1);
    if (column + 1 < used->schema->n)
        use(used, column + 1);
}

static void use_instruction(const struct used *used,
                            const struct instruction *instruction)
{
    for (size_t i = 0; i < instruction->n_args; i++)
        use_operand(used, instruction->args[i]);
    for (size_t i = 0; i < instruction->n_arms; i++)
        use_operand(used, instruction->arms[i].value);
}

// Arms' instructions stand among the program's.
static void use_program(const struct used *used, const struct program *program)
{
    for (size_t i = 0; i < program->n_instructions; i++)
        use_instruction(used, &program->instructions[i]);
    for (size_t part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i < program->parts[part].n_values; i++)
            use_operand(used, program->parts[part].values[i]);
    const struct program_part *outputs = &program->parts[PART_OUTPUTS];
    for (size_t i = 0; i < outputs->n_values; i++)
        if (outputs->values[i].kind == OPERAND_INPUT)
            use_output(used, outputs->values[i].index);
}

static void use_plain(const struct used *used, const struct native_branch *branch)
{
    for (size_t i = 0; i < branch->n_outputs; i++)
        if (branch->outputs[i].side == SIDE_STREAM)
            use_output(used, branch->outputs[i].column);
    for (size_t i = 0; i < branch->n_joins; i++)
        for (size_t k = 0; k < branch->joins[i].n_keys; k++)
            use(used, branch->joins[i].stream_keys[k]);
}

static void use_branch(const struct used *used, const struct native_branch *branch)
{
    if (branch->steps != NULL) // which widen all of the row
        memset(used->columns, true, used->schema->n);
    else if (branch->program != NULL)
        use_program(used, branch->program);
    else
        use_plain(used, branch);
}

void used_columns(const struct plan *plan, bool *ret_used)
{
    const struct used used = {ret_used, &plan->stream->schema};
    int key = schema_find(used.schema, plan->join_column); // for messages
    memset(ret_used, false, used.schema->n);
    for (size_t i = 0; i < plan->native->n_branches; i++)
        use_branch(&used, &plan->native->branches[i]);
    if (key >= 0)
        use(&used, (size_t)key);
}
