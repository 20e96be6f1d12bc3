// SPDX-License-Identifier: Apache-2.0
// The loops are made by macros, one for each operation and kind of value, so that what a
// row costs is the operation itself and not the choice of it.
#include "expr/kernels.h"

#include <assert.h>
#include <math.h>

#include "expr/eval.h"

// Values of one kind, neither NULL: < 0, 0, > 0.
static int value_compare(struct value a, struct value b)
{
    switch (a.kind) {
    case VALUE_TEXT:
    case VALUE_BYTES:
        return str_compare(value_str(a), value_str(b));
    case VALUE_REAL:
        return (a.r > b.r) - (a.r < b.r);
    default:
        return (a.i > b.i) - (a.i < b.i);
    }
}

static inline struct value boolean(bool yes)
{
    return (struct value){.i = yes, .kind = VALUE_BOOL};
}

static inline struct value real(double r)
{
    return (struct value){.r = r, .kind = VALUE_REAL};
}

static inline bool is_null(const struct value *value)
{
    return value->kind == VALUE_NULL;
}

static inline bool is_true(const struct value *value)
{
    return value->kind != VALUE_NULL && value->i != 0;
}

static inline bool is_false(const struct value *value)
{
    return value->kind != VALUE_NULL && value->i == 0;
}

static void fail(struct evaluator *evaluator, size_t row, const char *why)
{
    evaluator_fail(evaluator, row, str_of(why));
}

// A kernel over one argument `a`, or two, `a` and `b`: `result` for each row.
#define KERNEL_1(name, result)                                                    \
    void name(struct evaluator *evaluator, const struct instruction *instruction, \
              const struct selection *selection)                                  \
    {                                                                             \
        struct value *to = evaluator_result(evaluator, instruction);              \
        struct vector as = evaluator_vector(evaluator, instruction->args[0]);     \
        for (size_t i = 0; i < selection->n; i++) {                               \
            size_t row = selection->rows[i];                                      \
            const struct value *a = vector_at(as, row);                           \
            to[row] = (result);                                                   \
        }                                                                         \
    }

#define KERNEL_2(name, result)                                                    \
    void name(struct evaluator *evaluator, const struct instruction *instruction, \
              const struct selection *selection)                                  \
    {                                                                             \
        struct value *to = evaluator_result(evaluator, instruction);              \
        struct vector as = evaluator_vector(evaluator, instruction->args[0]);     \
        struct vector bs = evaluator_vector(evaluator, instruction->args[1]);     \
        for (size_t i = 0; i < selection->n; i++) {                               \
            size_t row = selection->rows[i];                                      \
            const struct value *a = vector_at(as, row), *b = vector_at(bs, row);  \
            to[row] = (result);                                                   \
        }                                                                         \
    }

// NULL when one of both is.
#define STRICT_2(name, result) \
    KERNEL_2(name, is_null(a) || is_null(b) ? (struct value){0} : (result))

// Comparisons.

static inline bool same_text(const struct value *a, const struct value *b)
{
    return a->n == b->n && memcmp(a->p ? a->p : "", b->p ? b->p : "", a->n) == 0;
}

static inline int order(const struct value *a, const struct value *b)
{
    return str_compare(value_str(*a), value_str(*b));
}

static STRICT_2(int_eq,
                boolean(a->i == b->i)) static STRICT_2(int_ne,
                                                       boolean(a->i !=
                                                               b->i)) static STRICT_2(int_lt, boolean(a
                                                                                                          ->i < b
                                                                                                                    ->i)) static STRICT_2(int_le, boolean(a
                                                                                                                                                              ->i <= b
                                                                                                                                                                         ->i)) static STRICT_2(int_gt, boolean(a
                                                                                                                                                                                                                   ->i > b
                                                                                                                                                                                                                             ->i)) static STRICT_2(int_ge, boolean(a->i >=
                                                                                                                                                                                                                                                                   b
                                                                                                                                                                                                                                                                       ->i)) static STRICT_2(real_eq, boolean(a
                                                                                                                                                                                                                                                                                                                  ->r == b
                                                                                                                                                                                                                                                                                                                             ->r)) static STRICT_2(real_ne,
                                                                                                                                                                                                                                                                                                                                                   boolean(a->r != b->r)) static STRICT_2(real_lt,
                                                                                                                                                                                                                                                                                                                                                                                          boolean(
                                                                                                                                                                                                                                                                                                                                                                                              a->r < b
                                                                                                                                                                                                                                                                                                                                                                                                         ->r)) static STRICT_2(real_le, boolean(a->r <=
                                                                                                                                                                                                                                                                                                                                                                                                                                                b
                                                                                                                                                                                                                                                                                                                                                                                                                                                    ->r)) static STRICT_2(real_gt, boolean(a->r > b->r)) static STRICT_2(real_ge,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         boolean(a->r >=
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 b
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     ->r)) static STRICT_2(text_eq,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           boolean(same_text(a,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             b))) static STRICT_2(text_ne, boolean(!same_text(a,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              b))) static STRICT_2(text_lt, boolean(order(a, b) < 0)) static STRICT_2(text_le,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      boolean(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          order(a, b) <= 0)) static STRICT_2(text_gt,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             boolean(order(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         a,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         b) >
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     0)) static STRICT_2(text_ge,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         boolean(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             order(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 a,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 b) >=
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             0))

    kernel *kernel_compare(enum comparison comparison, enum value_kind kind)
{
    static kernel *const of_int[N_COMPARISONS] = {int_eq, int_ne, int_lt,
                                                  int_le, int_gt, int_ge};
    static kernel *const of_real[N_COMPARISONS] = {real_eq, real_ne, real_lt,
                                                   real_le, real_gt, real_ge};
    static kernel *const of_text[N_COMPARISONS] = {text_eq, text_ne, text_lt,
                                                   text_le, text_gt, text_ge};
    if (kind == VALUE_REAL)
        return of_real[comparison];
    if (kind == VALUE_TEXT || kind == VALUE_BYTES)
        return of_text[comparison];
    return of_int[comparison];
}

static inline bool distinct(const struct value *a, const struct value *b)
{
    if (is_null(a) || is_null(b))
        return is_null(a) != is_null(b);
    return value_compare(*a, *b) != 0;
}

KERNEL_2(kernel_distinct, boolean(distinct(a, b)))
KERNEL_2(kernel_not_distinct, boolean(!distinct(a, b)))
KERNEL_2(kernel_nullif, is_null(a) || !distinct(a, b) ? (struct value){0} : *a)
KERNEL_1(kernel_is_null, boolean(is_null(a)))
KERNEL_1(kernel_is_not_null, boolean(!is_null(a)))
KERNEL_1(kernel_is_true, boolean(is_true(a)))
KERNEL_1(kernel_is_not_true, boolean(!is_true(a)))
KERNEL_1(kernel_is_false, boolean(is_false(a)))
KERNEL_1(kernel_is_not_false, boolean(!is_false(a)))
KERNEL_1(kernel_not, is_null(a) ? (struct value){0} : boolean(a->i == 0))

// Arithmetic: a result that is not of its type is an error.

static inline struct value int_of(struct evaluator *evaluator, size_t row, int64_t v)
{
    if (LIKELY(v >= INT32_MIN && v <= INT32_MAX))
        return value_int(v);
    fail(evaluator, row, "INT out of range");
    return (struct value){0};
}

static inline struct value bigint_of(struct evaluator *evaluator, size_t row,
                                     bool overflows, int64_t v)
{
    if (LIKELY(!overflows))
        return value_int(v);
    fail(evaluator, row, "BIGINT out of range");
    return (struct value){0};
}

static inline struct value real_of(struct evaluator *evaluator, size_t row, double r)
{
    if (LIKELY(isfinite(r)))
        return real(r);
    fail(evaluator, row, "REAL out of range");
    return (struct value){0};
}

static struct value by_zero(struct evaluator *evaluator, size_t row)
{
    fail(evaluator, row, "division by zero");
    return (struct value){0};
}

static inline struct value bigint_add(struct evaluator *evaluator, size_t row, int64_t a,
                                      int64_t b)
{
    int64_t v;
    bool overflows = __builtin_add_overflow(a, b, &v);
    return bigint_of(evaluator, row, overflows, v);
}

static inline struct value bigint_sub(struct evaluator *evaluator, size_t row, int64_t a,
                                      int64_t b)
{
    int64_t v;
    bool overflows = __builtin_sub_overflow(a, b, &v);
    return bigint_of(evaluator, row, overflows, v);
}

static inline struct value bigint_mul(struct evaluator *evaluator, size_t row, int64_t a,
                                      int64_t b)
{
    int64_t v;
    bool overflows = __builtin_mul_overflow(a, b, &v);
    return bigint_of(evaluator, row, overflows, v);
}

static inline struct value bigint_div(struct evaluator *evaluator, size_t row, int64_t a,
                                      int64_t b)
{
    if (b == 0)
        return by_zero(evaluator, row);
    bool overflows = a == INT64_MIN && b == -1;
    return bigint_of(evaluator, row, overflows, overflows ? 0 : a / b);
}

static inline struct value whole_mod(struct evaluator *evaluator, size_t row, int64_t a,
                                     int64_t b)
{
    if (b == 0)
        return by_zero(evaluator, row);
    return value_int(b == -1 ? 0 : a % b);
}

static inline struct value int_div(struct evaluator *evaluator, size_t row, int64_t a,
                                   int64_t b)
{
    return b == 0 ? by_zero(evaluator, row) : int_of(evaluator, row, a / b);
}

static inline struct value real_div(struct evaluator *evaluator, size_t row, double a,
                                    double b)
{
    return b == 0 ? by_zero(evaluator, row) : real_of(evaluator, row, a / b);
}

// The sides of an INT have 32 bits: their sum and product fit 64.
static STRICT_2(add_int, int_of(evaluator, row, a->i + b->i)) static STRICT_2(
    sub_int,
    int_of(evaluator, row,
           a->i -
               b->i)) static STRICT_2(mul_int,
                                      int_of(
                                          evaluator, row,
                                          a->i *
                                              b->i)) static STRICT_2(div_int,
                                                                     int_div(
                                                                         evaluator,
                                                                         row, a->i, b->i)) static STRICT_2(mod_whole, whole_mod(evaluator, row, a->i, b->i)) static STRICT_2(add_bigint, bigint_add(evaluator, row, a->i, b->i)) static STRICT_2(sub_bigint, bigint_sub(evaluator,
                                                                                                                                                                                                                                                                        row,
                                                                                                                                                                                                                                                                        a->i, b->i)) static STRICT_2(mul_bigint, bigint_mul(evaluator,
                                                                                                                                                                                                                                                                                                                            row,
                                                                                                                                                                                                                                                                                                                            a->i,
                                                                                                                                                                                                                                                                                                                            b->i)) static STRICT_2(div_bigint,
                                                                                                                                                                                                                                                                                                                                                   bigint_div(evaluator,
                                                                                                                                                                                                                                                                                                                                                              row,
                                                                                                                                                                                                                                                                                                                                                              a->i,
                                                                                                                                                                                                                                                                                                                                                              b
                                                                                                                                                                                                                                                                                                                                                                  ->i)) static STRICT_2(add_real, real_of(evaluator,
                                                                                                                                                                                                                                                                                                                                                                                                          row,
                                                                                                                                                                                                                                                                                                                                                                                                          a->r +
                                                                                                                                                                                                                                                                                                                                                                                                              b->r)) static STRICT_2(sub_real,
                                                                                                                                                                                                                                                                                                                                                                                                                                     real_of(
                                                                                                                                                                                                                                                                                                                                                                                                                                         evaluator, row, a->r - b->r)) static STRICT_2(mul_real,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       real_of(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           evaluator,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           row,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           a->r *
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               b->r)) static STRICT_2(div_real,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      real_div(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          evaluator,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          row,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          a->r,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          b->r))

    kernel *kernel_arithmetic(enum arithmetic arithmetic, enum type type)
{
    static kernel *const of_int[N_ARITHMETICS] = {add_int, sub_int, mul_int, div_int,
                                                  mod_whole};
    static kernel *const of_bigint[N_ARITHMETICS] = {add_bigint, sub_bigint, mul_bigint,
                                                     div_bigint, mod_whole};
    static kernel *const of_real[N_ARITHMETICS] = {add_real, sub_real, mul_real, div_real,
                                                   NULL};
    return (type == TYPE_INT      ? of_int
            : type == TYPE_BIGINT ? of_bigint
                                  : of_real)[arithmetic];
}

static struct value negative(struct evaluator *evaluator, size_t row, enum type type,
                             const struct value *a)
{
    if (is_null(a))
        return *a;
    if (type == TYPE_REAL)
        return real(0 - a->r); // never -0
    if (type == TYPE_INT)
        return int_of(evaluator, row, -a->i);
    return bigint_sub(evaluator, row, 0, a->i);
}
KERNEL_1(kernel_negate, negative(evaluator, row, instruction->type, a))

// Lists.

static struct value between(const struct value *a, const struct value *low,
                            const struct value *high)
{
    if (is_null(a))
        return (struct value){0};
    bool below = !is_null(low) && value_compare(*a, *low) < 0;
    bool above = !is_null(high) && value_compare(*a, *high) > 0;
    if (below || above)
        return boolean(false);
    return is_null(low) || is_null(high) ? (struct value){0} : boolean(true);
}

void kernel_between(struct evaluator *evaluator, const struct instruction *instruction,
                    const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct vector value = evaluator_vector(evaluator, instruction->args[0]);
    struct vector low = evaluator_vector(evaluator, instruction->args[1]);
    struct vector high = evaluator_vector(evaluator, instruction->args[2]);
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->rows[i];
        to[row] =
            between(vector_at(value, row), vector_at(low, row), vector_at(high, row));
    }
}

void kernel_in(struct evaluator *evaluator, const struct instruction *instruction,
               const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct vector values = evaluator_vector(evaluator, instruction->args[0]);
    for (size_t i = 0; i < selection->n; i++)
        to[selection->rows[i]] = boolean(false);
    for (size_t k = 1; k < instruction->n_args; k++) {
        struct vector items = evaluator_vector(evaluator, instruction->args[k]);
        for (size_t i = 0; i < selection->n; i++) {
            size_t row = selection->rows[i];
            const struct value *a = vector_at(values, row), *b = vector_at(items, row);
            if (is_true(&to[row]))
                continue;
            if (is_null(a) || is_null(b))
                to[row] = (struct value){0};
            else if (value_compare(*a, *b) == 0)
                to[row] = boolean(true);
        }
    }
}

static void extreme(struct evaluator *evaluator, const struct instruction *instruction,
                    const struct selection *selection, int sign)
{
    struct value *to = evaluator_result(evaluator, instruction);
    for (size_t i = 0; i < selection->n; i++)
        to[selection->rows[i]] = (struct value){0};
    for (size_t k = 0; k < instruction->n_args; k++) {
        struct vector values = evaluator_vector(evaluator, instruction->args[k]);
        for (size_t i = 0; i < selection->n; i++) {
            size_t row = selection->rows[i];
            const struct value *a = vector_at(values, row);
            bool better = !is_null(a) &&
                          (is_null(&to[row]) || sign * value_compare(*a, to[row]) > 0);
            if (better)
                to[row] = *a;
        }
    }
}

void kernel_greatest(struct evaluator *evaluator, const struct instruction *instruction,
                     const struct selection *selection)
{
    extreme(evaluator, instruction, selection, 1);
}

void kernel_least(struct evaluator *evaluator, const struct instruction *instruction,
                  const struct selection *selection)
{
    extreme(evaluator, instruction, selection, -1);
}

// Calls.

static bool take_args(struct evaluator *evaluator, const struct instruction *instruction,
                      size_t row, struct value *ret)
{
    for (size_t k = 0; k < instruction->n_args; k++) {
        ret[k] = *vector_at(evaluator_vector(evaluator, instruction->args[k]), row);
        if (ret[k].kind == VALUE_NULL)
            return false;
    }
    return true;
}

enum {
    ARGS_MAX = 3
};

static void call_row(struct evaluator *evaluator, const struct instruction *instruction,
                     size_t row, struct value *ret)
{
    struct call *call = &evaluator->call;
    struct value args[ARGS_MAX];
    *ret = (struct value){0};
    if (!take_args(evaluator, instruction, row, args) ||
        !evaluator_has_room(evaluator, row))
        return;
    *ret = instruction->function(call, args, instruction->n_args);
    if (LIKELY(call->error.p == NULL))
        return;
    evaluator_fail(evaluator, row, call->error);
    call->error = (struct str){0};
    *ret = (struct value){0};
}

void kernel_call(struct evaluator *evaluator, const struct instruction *instruction,
                 const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    assert(instruction->n_args <= ARGS_MAX);
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->rows[i];
        if (instruction->n_args == 0 && i > 0)
            to[row] = to[selection->rows[0]];
        else
            call_row(evaluator, instruction, row, &to[row]);
    }
}

// Arms.

// The rows that have an error need nothing more.
static void run_arm(struct evaluator *evaluator, const struct arm *arm,
                    const struct selection *selection)
{
    if (selection->n > 0)
        evaluator_run_span(evaluator, arm->span, selection);
}

// AND and OR: NULL unless an arm decides, which `decides` does.
static void connect(struct evaluator *evaluator, const struct instruction *instruction,
                    const struct selection *selection, bool decides)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct selection left = *selection;
    for (size_t i = 0; i < selection->n; i++)
        to[selection->rows[i]] = boolean(!decides);
    for (size_t k = 0; k < instruction->n_arms; k++) {
        run_arm(evaluator, &instruction->arms[k], &left);
        struct vector values = evaluator_vector(evaluator, instruction->arms[k].value);
        size_t n = 0;
        for (size_t i = 0; i < left.n; i++) {
            uint8_t row = left.rows[i];
            const struct value *a = vector_at(values, row);
            bool decided = !is_null(a) && (a->i != 0) == decides;
            if (decided)
                to[row] = boolean(decides);
            else if (is_null(a))
                to[row] = (struct value){0};
            left.rows[n] = row;
            n += !decided;
        }
        left.n = n;
    }
}

void kernel_and(struct evaluator *evaluator, const struct instruction *instruction,
                const struct selection *selection)
{
    connect(evaluator, instruction, selection, false);
}

void kernel_or(struct evaluator *evaluator, const struct instruction *instruction,
               const struct selection *selection)
{
    connect(evaluator, instruction, selection, true);
}

// Runs an arm over some rows and takes its values.
static void take_arm(struct evaluator *evaluator, const struct arm *arm,
                     const struct selection *selection, struct value *to)
{
    run_arm(evaluator, arm, selection);
    struct vector values = evaluator_vector(evaluator, arm->value);
    for (size_t i = 0; i < selection->n; i++)
        to[selection->rows[i]] = *vector_at(values, selection->rows[i]);
}

// Moves the rows for which the condition is true from `left` to `taken`.
static void split(struct evaluator *evaluator, const struct arm *condition,
                  struct selection *left, struct selection *taken)
{
    run_arm(evaluator, condition, left);
    struct vector values = evaluator_vector(evaluator, condition->value);
    size_t n = 0;
    taken->n = 0;
    for (size_t i = 0; i < left->n; i++) {
        uint8_t row = left->rows[i];
        bool yes = is_true(vector_at(values, row));
        taken->rows[taken->n] = row;
        taken->n += yes;
        left->rows[n] = row;
        n += !yes;
    }
    left->n = n;
}

void kernel_case(struct evaluator *evaluator, const struct instruction *instruction,
                 const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct selection left = *selection, taken;
    size_t k = 0;
    for (; k + 1 < instruction->n_arms; k += 2) {
        split(evaluator, &instruction->arms[k], &left, &taken);
        take_arm(evaluator, &instruction->arms[k + 1], &taken, to);
    }
    take_arm(evaluator, &instruction->arms[k], &left, to);
}

void kernel_coalesce(struct evaluator *evaluator, const struct instruction *instruction,
                     const struct selection *selection)
{
    struct value *to = evaluator_result(evaluator, instruction);
    struct selection left = *selection;
    for (size_t k = 0; k < instruction->n_arms; k++) {
        take_arm(evaluator, &instruction->arms[k], &left, to);
        size_t n = 0;
        for (size_t i = 0; i < left.n; i++) {
            uint8_t row = left.rows[i];
            left.rows[n] = row;
            n += is_null(&to[row]);
        }
        left.n = n;
    }
}
