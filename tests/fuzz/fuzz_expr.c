// SPDX-License-Identifier: Apache-2.0
// Any bytes as a program of expressions over rows: each byte picks an operation, the next
// ones its arguments among columns, constants and results of their types. Every value is
// of its instruction's type: in its range, UTF-8, finite; or its row has an error.
#include <assert.h>
#include <math.h>

#include "fuzz_parts.h"

#include "expr/eval.h"
#include "expr/functions.h"
#include "expr/kernels.h"

// Texts grow by what a program makes of them: an instruction's at most by what fits the
// largest result, TEXT_MAX, for each row.
const struct fuzz_budget fuzz_budget = {
    .steps = 600 << 20,
    .steps_a_byte = 1 << 20,
    .bytes = 1 << 30,
    .bytes_a_byte = 1 << 20,
    .held = 512 << 20,
    .held_a_byte = 1 << 20,
};

enum {
    ROWS = 3,
    COLUMNS = 6,
    INSTRUCTIONS_MAX = 12,
    ARGS_MAX = 3,
    OPERANDS_MAX = 2 * COLUMNS + INSTRUCTIONS_MAX
};

#define T TYPE_TEXT
#define I TYPE_INT
#define B TYPE_BIGINT
#define R TYPE_REAL
#define O TYPE_BOOLEAN

static const struct operation {
    scalar_function *function;
    kernel *run;
    enum type result;
    size_t n_args;
    enum type args[ARGS_MAX];
} operations[] = {
    {cast_to_int, NULL, I, 1, {T}},          {cast_to_int, NULL, I, 1, {R}},
    {cast_to_int, NULL, I, 1, {B}},          {cast_to_bigint, NULL, B, 1, {T}},
    {cast_to_bigint, NULL, B, 1, {R}},       {cast_to_bigint, NULL, B, 1, {I}},
    {cast_to_real, NULL, R, 1, {T}},         {cast_to_real, NULL, R, 1, {B}},
    {cast_to_boolean, NULL, O, 1, {T}},      {cast_to_boolean, NULL, O, 1, {I}},
    {cast_to_text, NULL, T, 1, {R}},         {cast_to_text, NULL, T, 1, {B}},
    {cast_to_text, NULL, T, 1, {O}},         {text_lower, NULL, T, 1, {T}},
    {text_upper, NULL, T, 1, {T}},           {text_length, NULL, I, 1, {T}},
    {text_substr, NULL, T, 3, {T, I, I}},    {text_substr, NULL, T, 2, {T, I}},
    {text_left, NULL, T, 2, {T, I}},         {text_right, NULL, T, 2, {T, I}},
    {text_trim, NULL, T, 2, {T, T}},         {text_ltrim, NULL, T, 1, {T}},
    {text_rtrim, NULL, T, 2, {T, T}},        {text_replace, NULL, T, 3, {T, T, T}},
    {text_lpad, NULL, T, 3, {T, I, T}},      {text_position, NULL, I, 2, {T, T}},
    {text_starts_with, NULL, O, 2, {T, T}},  {text_split_part, NULL, T, 3, {T, T, I}},
    {number_abs, NULL, B, 1, {B}},           {number_abs, NULL, R, 1, {R}},
    {number_abs_int, NULL, I, 1, {I}},       {number_round, NULL, R, 1, {R}},
    {number_ceil, NULL, R, 1, {R}},          {number_floor, NULL, R, 1, {R}},
    {time_gtfs_seconds, NULL, I, 1, {T}},    {time_gtfs_time, NULL, T, 1, {I}},
    {NULL, kernel_negate, I, 1, {I}},        {NULL, kernel_negate, B, 1, {B}},
    {NULL, kernel_negate, R, 1, {R}},        {NULL, kernel_not, O, 1, {O}},
    {NULL, kernel_is_null, O, 1, {T}},       {NULL, kernel_is_true, O, 1, {O}},
    {NULL, kernel_is_not_false, O, 1, {O}},  {NULL, kernel_distinct, O, 2, {R, R}},
    {NULL, kernel_distinct, O, 2, {T, T}},   {NULL, kernel_nullif, B, 2, {B, B}},
    {NULL, kernel_between, O, 3, {T, T, T}}, {NULL, kernel_between, O, 3, {R, R, R}},
    {NULL, kernel_in, O, 3, {B, B, B}},      {NULL, kernel_greatest, R, 3, {R, R, R}},
    {NULL, kernel_least, T, 2, {T, T}},      {NULL, kernel_concat, T, 3, {T, R, B}},
    {NULL, kernel_concat, T, 2, {T, T}},     {NULL, kernel_like, O, 2, {T, T}},
};

static const enum type arithmetic_types[] = {I, B, R};

struct maker {
    struct str rest;
    struct instruction instructions[INSTRUCTIONS_MAX];
    struct operand args[INSTRUCTIONS_MAX][ARGS_MAX];
    size_t n_instructions;
    struct operand operands[OPERANDS_MAX];
    enum type types[OPERANDS_MAX];
    size_t n_operands;
};

static void add_operand(struct maker *maker, enum type type, struct operand operand)
{
    maker->types[maker->n_operands] = type;
    maker->operands[maker->n_operands++] = operand;
}

// One of the type: there is always a column of it.
static struct operand pick(struct maker *maker, enum type type)
{
    size_t from = fuzz_byte(&maker->rest) % maker->n_operands;
    while (maker->types[from] != type)
        from = (from + 1) % maker->n_operands;
    return maker->operands[from];
}

static void choose(struct maker *maker, struct operation *ret)
{
    size_t n = ARRAY_LEN(operations), at = fuzz_byte(&maker->rest);
    size_t n_numbers = N_ARITHMETICS * ARRAY_LEN(arithmetic_types);
    if (at < n) {
        *ret = operations[at];
        return;
    }
    at -= n;
    if (at < n_numbers) {
        enum type type = arithmetic_types[at % ARRAY_LEN(arithmetic_types)];
        enum arithmetic which =
            (enum arithmetic)(at / ARRAY_LEN(arithmetic_types) % N_ARITHMETICS);
        if (type == R && which == ARITHMETIC_MOD)
            which = ARITHMETIC_DIV;
        *ret = (struct operation){
            NULL, kernel_arithmetic(which, type), type, 2, {type, type}};
        return;
    }
    static const enum type compared[] = {T, I, B, R, O};
    enum type type = compared[at % ARRAY_LEN(compared)];
    enum comparison which = (enum comparison)(at / ARRAY_LEN(compared) % N_COMPARISONS);
    *ret = (struct operation){
        NULL, kernel_compare(which, type_kind(type)), O, 2, {type, type}};
}

static void add_instruction(struct maker *maker)
{
    struct operation operation;
    choose(maker, &operation);
    size_t at = maker->n_instructions++;
    for (size_t i = 0; i < operation.n_args; i++)
        maker->args[at][i] = pick(maker, operation.args[i]);
    maker->instructions[at] =
        (struct instruction){.run = operation.run ? operation.run : kernel_call,
                             .args = maker->args[at],
                             .n_args = operation.n_args,
                             .next = (uint32_t)at + 1,
                             .function = operation.function,
                             .type = operation.result,
                             .escape = STR_LITERAL("\\")};
    add_operand(maker, operation.result, (struct operand){OPERAND_RESULT, (uint32_t)at});
}

static struct value read_value(struct maker *maker, enum type type)
{
    static const char *const numbers[] = {"0",  "-1", "2147483647", "-2147483648",
                                          "7",  "12", "300",        "1",
                                          "60", "3",  "-7",         "2"};
    static const char *const reals[] = {
        "0.5",   "-1e308", "1e308", "5e-324",
        "-0.0",  "2.5",    "1e19",  "-9223372036854775808",
        "3.125", "1e9"};
    struct value value = {0};
    unsigned byte = fuzz_byte(&maker->rest);
    if (byte == 0xFF)
        return value; // NULL
    struct str text = {maker->rest.p, byte % 40};
    text.n = text.n < maker->rest.n ? text.n : maker->rest.n;
    switch (type) {
    case TYPE_TEXT:
        text.n = str_utf8_valid(text);
        for (size_t i = 0; i < text.n; i++)
            text.n = text.p[i] == '\0' ? i : text.n;
        value = value_text(text);
        maker->rest = (struct str){maker->rest.p + text.n, maker->rest.n - text.n};
        break;
    case TYPE_INT:
        (void)value_parse(type, str_of(numbers[byte % ARRAY_LEN(numbers)]), &value);
        break;
    case TYPE_BIGINT:
        value = value_int(byte & 1 ? INT64_MIN + (byte >> 1) : INT64_MAX - (byte >> 1));
        break;
    case TYPE_REAL:
        (void)value_parse(type, str_of(reals[byte % ARRAY_LEN(reals)]), &value);
        break;
    default:
        (void)value_parse(TYPE_BOOLEAN, str_of(byte & 1 ? "true" : "false"), &value);
        break;
    }
    return value;
}

static void check_value(enum type type, struct value value)
{
    if (value.kind == VALUE_NULL)
        return;
    assert(value.kind == (uint32_t)type_kind(type));
    if (type == TYPE_TEXT) {
        struct str text = {value.p ? value.p : "", value.n};
        assert(str_utf8_valid(text) == text.n);
    }
    if (type == TYPE_INT)
        assert(value.i >= INT32_MIN && value.i <= INT32_MAX);
    if (type == TYPE_REAL)
        assert(isfinite(value.r));
    if (type == TYPE_BOOLEAN)
        assert(value.i == 0 || value.i == 1);
}

static void check(struct evaluator *evaluator, const struct maker *maker)
{
    for (size_t row = 0; row < ROWS; row++) {
        if (evaluator->errors[row].p != NULL) {
            assert(evaluator->errors[row].n > 0);
            continue;
        }
        for (size_t i = 0; i < maker->n_instructions; i++)
            check_value(maker->instructions[i].type,
                        evaluator_result(evaluator, &maker->instructions[i])[row]);
    }
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static const enum type types[COLUMNS] = {T, I, B, R, O, T};
    struct maker maker = {.rest = {(const char *)data, size}};
    struct value rows[ROWS * COLUMNS], constants[COLUMNS];
    for (uint32_t i = 0; i < COLUMNS; i++) {
        add_operand(&maker, types[i], (struct operand){OPERAND_INPUT, i});
        add_operand(&maker, types[i], (struct operand){OPERAND_CONSTANT, i});
    }
    size_t n = 1 + fuzz_byte(&maker.rest) % INSTRUCTIONS_MAX;
    for (size_t i = 0; i < n; i++)
        add_instruction(&maker);
    for (size_t i = 0; i < COLUMNS; i++)
        constants[i] = read_value(&maker, types[i]);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i] = read_value(&maker, types[i % COLUMNS]);
    struct program program = {.instructions = maker.instructions,
                              .n_instructions = n,
                              .constants = constants,
                              .n_constants = COLUMNS};
    program.parts[PART_OUTPUTS].span = (struct instruction_span){0, (uint32_t)n};
    struct evaluator evaluator;
    struct selection all;
    evaluator_init(&evaluator, &program);
    selection_all(&all, ROWS);
    evaluator_begin(&evaluator, rows, COLUMNS, 1796000000000);
    evaluator_run(&evaluator, PART_OUTPUTS, &all);
    check(&evaluator, &maker);
    evaluator_release(&evaluator);
}
