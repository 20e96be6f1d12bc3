// SPDX-License-Identifier: Apache-2.0
// A subquery that SQLite answers for each row: the columns that it uses from outside are
// parameters of its SQL. It fails where its answer is needed, so that it may stand in
// CASE and COALESCE.
#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_apart.h"
#include "sql/print.h"
#include "sql/reads.h"

struct asking {
    struct printer_parameters parameters; // first: the printer's
    struct native_maker *maker;
    struct key keys[KEYS_MAX];
    size_t n_keys;
};

static size_t add_parameter(struct asking *asking, const struct expr *expr)
{
    struct native_maker *maker = asking->maker;
    size_t i = 0;
    while (i < asking->n_keys && !expr_equal(asking->keys[i].stream, expr))
        i++;
    if (i == KEYS_MAX) {
        native_refuse(maker, "A subquery uses more than 64 columns from outside.");
        return i;
    }
    if (i == asking->n_keys)
        asking->keys[asking->n_keys++].stream = expr;
    if (maker->n_arms > 0 && compile_can_fail(expr))
        native_refuse(maker,
                      "A subquery in CASE or COALESCE uses a column that may fail.");
    return i + 1;
}

static size_t parameter(struct printer_parameters *parameters, const struct from *leaf,
                        size_t column)
{
    struct asking *asking = (struct asking *)parameters;
    struct native_maker *maker = asking->maker;
    if (!native_is_outside(maker, leaf))
        return 0;
    return add_parameter(asking,
                         native_resolve(maker, native_column(maker, leaf, column)));
}

static struct str print(struct asking *asking, const struct expr *expr)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql, .parameters = &asking->parameters};
    buf_text(&sql, "SELECT ");
    print_expr(&printer, expr);
    buf_text(&sql, " AS \"answer\"");
    return arena_str(&asking->maker->plan->arena, buf_as_str(&sql));
}

// The answer, and why there is none.
static struct from *answer_leaf(struct native_maker *maker, const struct expr *expr)
{
    struct arena *arena = &maker->plan->arena;
    struct from *leaf = arena_zalloc(arena, sizeof(*leaf));
    leaf->schema.columns = arena_array(arena, 2, sizeof(*leaf->schema.columns));
    leaf->schema.columns[0] = (struct column){
        .name = STR_LITERAL("answer"), .type = expr->type, .nullable = true};
    leaf->schema.columns[1] = (struct column){
        .name = STR_LITERAL("error"), .type = TYPE_TEXT, .nullable = true};
    leaf->schema.n = 2;
    return leaf;
}

static const struct native_asked *make_asked(struct native_maker *maker,
                                             const struct expr *expr, struct str sql,
                                             const struct from *leaf, const char *why)
{
    struct arena *arena = &maker->plan->arena;
    struct native_asked *asked = arena_zalloc(arena, sizeof(*asked));
    asked->sql = sql;
    asked->schema = (struct schema){leaf->schema.columns, 1};
    asked->reads = from_reads(arena, NULL, expr, &asked->n_reads);
    asked->reads_now = native_outer(maker, expr).reads_now;
    asked->why = why;
    return asked;
}

static int reads_of_keys(const struct asking *asking)
{
    int reads = 0;
    for (size_t i = 0; i < asking->n_keys; i++)
        reads |= native_reads(asking->maker, asking->keys[i].stream);
    return reads;
}

// The answer, or a failure.
static struct expr *answer_of(struct native_maker *maker, const struct from *leaf)
{
    struct expr *answer = native_column(maker, leaf, 0);
    struct expr *error = native_column(maker, leaf, 1);
    struct expr *choice = native_expr(maker, EXPR_CASE, answer->type, 3);
    choice->args[0] = native_op(maker, OP_IS_NULL, error, NULL);
    choice->args[1] = answer;
    choice->args[2] = native_failure(maker, answer->type, error);
    return choice;
}

struct expr *native_ask(struct native_maker *maker, const struct expr *expr,
                        const char *why)
{
    struct asking *asking = arena_zalloc(&maker->plan->arena, sizeof(*asking));
    asking->parameters.number = parameter;
    asking->maker = maker;
    struct str sql = print(asking, expr); // steps that parameters need come first
    int reads = reads_of_keys(asking);
    if (maker->why == NULL && (reads & ~READS_STREAM) != 0)
        native_step_instead(maker, reads);
    if (maker->why != NULL)
        return native_boolean(maker, false);
    struct step_maker *step = native_add_step(maker, STEP_SQLITE, NULL);
    memcpy(step->join.keys, asking->keys, asking->n_keys * sizeof(struct key));
    step->join.n_keys = asking->n_keys;
    step->flag = answer_leaf(maker, expr);
    step->asked = make_asked(maker, expr, sql, step->flag, why);
    maker->n_wide++; // why there is no answer
    return answer_of(maker, step->flag);
}
