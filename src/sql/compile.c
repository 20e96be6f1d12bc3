// SPDX-License-Identifier: Apache-2.0
#include "sql/compile.h"

#include <assert.h>
#include <stdlib.h>

#include "expr/eval.h"
#include "expr/kernels.h"
#include "sql/bind.h"

struct known {
    const struct expr *expr;
    struct operand operand;
};

// Questions about a tree.

struct question {
    bool (*is)(const struct expr *expr);
    bool found;
};

static void ask_child(struct expr *child, void *arg);

static bool any(const struct expr *expr, bool (*is)(const struct expr *expr))
{
    struct question question = {is, is(expr)};
    // expr_each reads only.
    if (!question.found)
        expr_each((struct expr *)(uintptr_t)expr, ask_child, &question);
    return question.found;
}

static void ask_child(struct expr *child, void *arg)
{
    struct question *question = arg;
    question->found = question->found || any(child, question->is);
}

static bool is_foreign(const struct expr *expr)
{
    return expr->kind == EXPR_IN || expr->kind == EXPR_EXISTS ||
           expr->kind == EXPR_SCALAR || expr->kind == EXPR_STAR || expr->over != NULL ||
           (expr->kind == EXPR_CALL && expr->function->call == NULL);
}

bool compile_can(const struct expr *expr)
{
    return !any(expr, is_foreign);
}

static bool changes(const struct expr *expr)
{
    return is_foreign(expr) || expr->kind == EXPR_COLUMN ||
           (expr->kind == EXPR_CALL && expr->n_args == 0);
}

static bool call_can_fail(const struct expr *expr)
{
    static const char *const names[] = {"substr",  "substring",  "lpad",
                                        "replace", "split_part", "abs",
                                        "round",   "single",     "fail"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(expr->function->name, names[i]) == 0)
            return true;
    return false;
}

static bool cast_can_fail(const struct expr *expr)
{
    enum type from = expr->args[0]->type, to = expr->cast_to;
    bool widens = to == TYPE_TEXT || (from == TYPE_INT && to != TYPE_TEXT) ||
                  (from == TYPE_BIGINT && to == TYPE_REAL);
    return from != to && from != TYPE_UNKNOWN && !widens;
}

// Whole numbers, by one that is neither 0 nor -1.
static bool divides_safely(const struct expr *expr)
{
    if ((expr->op != OP_DIV && expr->op != OP_MOD) || expr->type == TYPE_REAL)
        return false;
    const struct expr *divisor = expr->args[1];
    return divisor->kind == EXPR_CONST && divisor->constant.kind == VALUE_INT &&
           divisor->constant.i != 0 && divisor->constant.i != -1;
}

bool compile_itself_can_fail(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_OP:
        return expr->op <= OP_NEG && !divides_safely(expr);
    case EXPR_CAST:
        return cast_can_fail(expr);
    case EXPR_CALL:
        return call_can_fail(expr);
    default:
        return is_foreign(expr);
    }
}

bool compile_can_fail(const struct expr *expr)
{
    return any(expr, compile_itself_can_fail);
}

// Making instructions.

void compiler_init(struct compiler *compiler, struct arena *arena,
                   uint32_t (*input)(void *arg, const struct from *leaf, size_t column),
                   void *input_arg)
{
    *compiler = (struct compiler){.arena = arena, .input = input, .input_arg = input_arg};
}

static struct operand constant(struct compiler *compiler, struct value value)
{
    MEM_GROW(compiler->constants, compiler->n_constants, compiler->constants_capacity);
    compiler->constants[compiler->n_constants] = value;
    return (struct operand){OPERAND_CONSTANT, (uint32_t)compiler->n_constants++};
}

// Appends an instruction, whose arms are to follow.
static uint32_t add(struct compiler *compiler, struct instruction instruction)
{
    MEM_GROW(compiler->instructions, compiler->n_instructions,
             compiler->instructions_capacity);
    instruction.next = (uint32_t)compiler->n_instructions + 1;
    compiler->instructions[compiler->n_instructions] = instruction;
    return (uint32_t)compiler->n_instructions++;
}

static struct operand result_of(uint32_t instruction)
{
    return (struct operand){OPERAND_RESULT, instruction};
}

static struct operand compile(struct compiler *compiler, const struct expr *expr);

static struct operand plain(struct compiler *compiler, const struct expr *expr,
                            kernel *run, struct expr *const *args, size_t n_args)
{
    struct operand *operands =
        arena_array(compiler->arena, n_args + 1, sizeof(*operands));
    for (size_t i = 0; i < n_args; i++)
        operands[i] = compile(compiler, args[i]);
    return result_of(add(compiler, (struct instruction){.run = run,
                                                        .args = operands,
                                                        .n_args = n_args,
                                                        .type = expr->type}));
}

static struct operand calling(struct compiler *compiler, const struct expr *expr,
                              scalar_function *function)
{
    struct operand result = plain(compiler, expr, kernel_call, expr->args, expr->n_args);
    compiler->instructions[result.index].function = function;
    return result;
}

static struct arm arm_of(struct compiler *compiler, const struct expr *expr)
{
    struct arm arm = {.span.from = (uint32_t)compiler->n_instructions};
    arm.value = compile(compiler, expr);
    arm.span.to = (uint32_t)compiler->n_instructions;
    return arm;
}

static void close_arms(struct compiler *compiler, uint32_t at, const struct arm *arms,
                       size_t n)
{
    struct instruction *instruction = &compiler->instructions[at];
    instruction->arms = arms;
    instruction->n_arms = n;
    instruction->next = (uint32_t)compiler->n_instructions;
    compiler->depth--;
}

static struct operand armed(struct compiler *compiler, enum type type, kernel *run,
                            const struct expr *const *exprs, size_t n)
{
    struct arm *arms = arena_array(compiler->arena, n, sizeof(*arms));
    uint32_t at = add(compiler, (struct instruction){.run = run, .type = type});
    compiler->depth++;
    for (size_t i = 0; i < n; i++)
        arms[i] = arm_of(compiler, exprs[i]);
    close_arms(compiler, at, arms, n);
    return result_of(at);
}

// The kind that values which meet have; a bare NULL has none.
static enum value_kind kind_of(struct expr *const *args, size_t n)
{
    enum value_kind kind = VALUE_NULL;
    for (size_t i = 0; i < n && kind == VALUE_NULL; i++)
        kind = type_kind(args[i]->type);
    return kind;
}

// CASE.

// WHEN of a CASE with a subject: subject = value.
static struct arm compared_arm(struct compiler *compiler, struct operand subject,
                               const struct expr *subject_expr, struct expr *value)
{
    struct arm arm = {.span.from = (uint32_t)compiler->n_instructions};
    struct operand *operands = arena_array(compiler->arena, 2, sizeof(*operands));
    struct expr *both[] = {value, (struct expr *)(uintptr_t)subject_expr};
    operands[0] = subject;
    operands[1] = compile(compiler, value);
    arm.value = result_of(
        add(compiler,
            (struct instruction){.run = kernel_compare(COMPARE_EQ, kind_of(both, 2)),
                                 .args = operands,
                                 .n_args = 2,
                                 .type = TYPE_BOOLEAN}));
    arm.span.to = (uint32_t)compiler->n_instructions;
    return arm;
}

static struct operand compile_case(struct compiler *compiler, const struct expr *expr)
{
    size_t n = expr->n_args | 1; // with an ELSE
    struct arm *arms = arena_array(compiler->arena, n, sizeof(*arms));
    struct operand subject = {0};
    if (expr->subject != NULL)
        subject = compile(compiler, expr->subject);
    uint32_t at =
        add(compiler, (struct instruction){.run = kernel_case, .type = expr->type});
    compiler->depth++;
    for (size_t i = 0; i < expr->n_args; i++) {
        bool is_when = i % 2 == 0 && i + 1 < expr->n_args;
        if (is_when && expr->subject != NULL)
            arms[i] = compared_arm(compiler, subject, expr->subject, expr->args[i]);
        else
            arms[i] = arm_of(compiler, expr->args[i]);
    }
    if (n > expr->n_args)
        arms[n - 1].value = constant(compiler, (struct value){0});
    close_arms(compiler, at, arms, n);
    return result_of(at);
}

// Operators.

// a || b || c is one instruction.
static size_t count_texts(const struct expr *expr)
{
    if (expr->kind != EXPR_OP || expr->op != OP_CONCAT)
        return 1;
    return count_texts(expr->args[0]) + count_texts(expr->args[1]);
}

static void flatten_texts(struct expr *expr, struct expr **list, size_t *n)
{
    if (expr->kind != EXPR_OP || expr->op != OP_CONCAT) {
        list[(*n)++] = expr;
        return;
    }
    flatten_texts(expr->args[0], list, n);
    flatten_texts(expr->args[1], list, n);
}

static struct operand compile_concat(struct compiler *compiler, const struct expr *expr)
{
    struct expr **list = arena_array(compiler->arena, count_texts(expr), sizeof(*list));
    size_t n = 0;
    flatten_texts(expr->args[0], list, &n);
    flatten_texts(expr->args[1], list, &n);
    return plain(compiler, expr, kernel_concat, list, n);
}

static struct operand compile_like(struct compiler *compiler, const struct expr *expr)
{
    struct operand result = plain(compiler, expr, kernel_like, expr->args, 2);
    compiler->instructions[result.index].escape = value_str(expr->constant);
    return result;
}

// Operators of plain kernels, whatever the kind of their arguments.
static kernel *kernel_of_op(const struct expr *expr)
{
    static kernel *const kernels[] = {
        [OP_NEG] = kernel_negate,
        [OP_DISTINCT] = kernel_distinct,
        [OP_NOT_DISTINCT] = kernel_not_distinct,
        [OP_NOT] = kernel_not,
        [OP_BETWEEN] = kernel_between,
        [OP_IS_NULL] = kernel_is_null,
        [OP_IS_NOT_NULL] = kernel_is_not_null,
        [OP_IS_TRUE] = kernel_is_true,
        [OP_IS_NOT_TRUE] = kernel_is_not_true,
        [OP_IS_FALSE] = kernel_is_false,
        [OP_IS_NOT_FALSE] = kernel_is_not_false,
        [OP_NULLIF] = kernel_nullif,
        [OP_GREATEST] = kernel_greatest,
        [OP_LEAST] = kernel_least,
    };
    if (expr->op <= OP_MOD)
        return kernel_arithmetic(ARITHMETIC_ADD + (expr->op - OP_ADD), expr->type);
    if (expr->op >= OP_EQ && expr->op <= OP_GE)
        return kernel_compare(COMPARE_EQ + (expr->op - OP_EQ),
                              kind_of(expr->args, expr->n_args));
    return kernels[expr->op];
}

static struct operand compile_op(struct compiler *compiler, const struct expr *expr)
{
    const struct expr *const *args = (const struct expr *const *)expr->args;
    switch (expr->op) {
    case OP_CONCAT:
        return compile_concat(compiler, expr);
    case OP_LIKE:
        return compile_like(compiler, expr);
    case OP_AND:
        return armed(compiler, TYPE_BOOLEAN, kernel_and, args, expr->n_args);
    case OP_OR:
        return armed(compiler, TYPE_BOOLEAN, kernel_or, args, expr->n_args);
    case OP_COALESCE:
        return armed(compiler, expr->type, kernel_coalesce, args, expr->n_args);
    default:
        return plain(compiler, expr, kernel_of_op(expr), expr->args, expr->n_args);
    }
}

static struct operand compile_cast(struct compiler *compiler, const struct expr *expr)
{
    static scalar_function *const casts[] = {
        [TYPE_INT] = cast_to_int,         [TYPE_BIGINT] = cast_to_bigint,
        [TYPE_REAL] = cast_to_real,       [TYPE_TEXT] = cast_to_text,
        [TYPE_BOOLEAN] = cast_to_boolean,
    };
    const struct expr *arg = expr->args[0];
    if (arg->type == expr->cast_to || arg->type == TYPE_UNKNOWN)
        return compile(compiler, arg);
    return calling(compiler, expr, casts[expr->cast_to]);
}

static struct operand compile_call(struct compiler *compiler, const struct expr *expr)
{
    scalar_function *function = expr->function->call;
    if (function == number_abs && expr->type == TYPE_INT)
        function = number_abs_int;
    return calling(compiler, expr, function);
}

static struct operand compile_new(struct compiler *compiler, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_OP:
        return compile_op(compiler, expr);
    case EXPR_CASE:
        return compile_case(compiler, expr);
    case EXPR_CAST:
        return compile_cast(compiler, expr);
    case EXPR_CALL:
        return compile_call(compiler, expr);
    case EXPR_IN_LIST:
        return plain(compiler, expr, kernel_in, expr->args, expr->n_args);
    default:
        break;
    }
    assert(false); // compile_can said so
    return constant(compiler, (struct value){0});
}

// Constants.

// False when computing it fails.
static bool compute(struct compiler *compiler, const struct expr *expr, struct value *ret)
{
    struct compiler alone;
    compiler_init(&alone, compiler->arena, NULL, NULL);
    alone.depth = 1; // not folded again
    MEM_GROW(alone.values[PART_OUTPUTS], 0, alone.values_capacity[PART_OUTPUTS]);
    struct program_part *part = &alone.program.parts[PART_OUTPUTS];
    alone.values[PART_OUTPUTS][part->n_values++] = compile_new(&alone, expr);
    part->span.to = (uint32_t)alone.n_instructions;
    const struct program *program = compiler_finish(&alone);
    struct evaluator evaluator;
    struct selection row;
    evaluator_init(&evaluator, program);
    selection_all(&row, 1);
    evaluator_begin(&evaluator, NULL, 0, 0);
    evaluator_run(&evaluator, PART_OUTPUTS, &row);
    bool good = !evaluator.has_errors;
    *ret = *vector_at(
        evaluator_vector(&evaluator, program->parts[PART_OUTPUTS].values[0]), 0);
    if (ret->kind == VALUE_TEXT)
        ret->p = arena_str(compiler->arena, value_str(*ret)).p;
    evaluator_release(&evaluator);
    return good;
}

static bool fold(struct compiler *compiler, const struct expr *expr, struct operand *ret)
{
    struct value value;
    if (compiler->input == NULL || any(expr, changes) || !compute(compiler, expr, &value))
        return false;
    *ret = constant(compiler, value);
    return true;
}

static bool find_known(const struct compiler *compiler, const struct expr *expr,
                       struct operand *ret)
{
    for (size_t i = 0; i < compiler->n_known; i++) {
        if (!expr_equal(compiler->known[i].expr, expr))
            continue;
        *ret = compiler->known[i].operand;
        return true;
    }
    return false;
}

static struct operand compile(struct compiler *compiler, const struct expr *expr)
{
    struct operand operand;
    if (expr->kind == EXPR_CONST)
        return constant(compiler, expr->constant);
    if (expr->kind == EXPR_COLUMN)
        return (struct operand){OPERAND_INPUT, compiler->input(compiler->input_arg,
                                                               expr->leaf, expr->column)};
    if (find_known(compiler, expr, &operand) || fold(compiler, expr, &operand))
        return operand;
    operand = compile_new(compiler, expr);
    if (compiler->depth > 0)
        return operand;
    MEM_GROW(compiler->known, compiler->n_known, compiler->known_capacity);
    compiler->known[compiler->n_known++] = (struct known){expr, operand};
    return operand;
}

// Parts.

static void add_value(struct compiler *compiler, unsigned part, struct operand operand,
                      uint32_t from)
{
    struct program_part *made = &compiler->program.parts[part];
    MEM_GROW(compiler->values[part], made->n_values, compiler->values_capacity[part]);
    if (made->n_values == 0)
        made->span.from = from;
    made->span.to = (uint32_t)compiler->n_instructions;
    compiler->values[part][made->n_values++] = operand;
}

void compile_value(struct compiler *compiler, unsigned part, const struct expr *expr)
{
    uint32_t from = (uint32_t)compiler->n_instructions;
    struct operand operand = compile(compiler, expr);
    add_value(compiler, part, operand, from);
}

void compile_condition(struct compiler *compiler, unsigned part,
                       const struct expr *const *conditions, size_t n)
{
    uint32_t from = (uint32_t)compiler->n_instructions;
    if (n == 0)
        return;
    struct operand operand =
        n == 1 ? compile(compiler, conditions[0])
               : armed(compiler, TYPE_BOOLEAN, kernel_and, conditions, n);
    add_value(compiler, part, operand, from);
}

void compiler_forget(struct compiler *compiler)
{
    compiler->n_known = 0;
}

const struct program *compiler_finish(struct compiler *compiler)
{
    struct arena *arena = compiler->arena;
    struct program *program = arena_zalloc(arena, sizeof(*program));
    *program = compiler->program;
    struct instruction *instructions =
        arena_array(arena, compiler->n_instructions + 1, sizeof(*instructions));
    struct value *constants =
        arena_array(arena, compiler->n_constants + 1, sizeof(*constants));
    for (size_t i = 0; i < compiler->n_instructions; i++)
        instructions[i] = compiler->instructions[i];
    for (size_t i = 0; i < compiler->n_constants; i++)
        constants[i] = compiler->constants[i];
    program->instructions = instructions;
    program->n_instructions = compiler->n_instructions;
    program->constants = constants;
    program->n_constants = compiler->n_constants;
    for (size_t part = 0; part < N_PARTS; part++) {
        size_t n = program->parts[part].n_values;
        struct operand *values = arena_array(arena, n + 1, sizeof(*values));
        for (size_t i = 0; i < n; i++)
            values[i] = compiler->values[part][i];
        program->parts[part].values = values;
        free(compiler->values[part]);
    }
    free(compiler->instructions);
    free(compiler->constants);
    free(compiler->known);
    *compiler = (struct compiler){0};
    return program;
}
