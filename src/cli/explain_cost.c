// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_cost.h"

// ns, as measured: docs/performance.md, "What a part of a query costs".
static const double DECODE = 36;
static const double LOOK_UP = 50;
static const double COPIED_ROW = 6;   // by a join
static const double MADE_ROW = 40;    // by a step
static const double CHECKED_ROW = 28; // by a condition
static const double ENCODED_ROW = 80; // that no join copies
static const double ASKED_ROW = 3600; // by SQLite, with what was not asked before

static struct cost of_step(const struct native_step *step,
                           const struct dimension *dimension, double rows)
{
    if (step->kind == STEP_SQLITE)
        return (struct cost){rows * ASKED_ROW, rows};
    double matches = dimension_fan_out(dimension);
    double ns = LOOK_UP + (step->matches != NULL ? matches * CHECKED_ROW : 0);
    bool widens = step->kind == STEP_INNER || step->kind == STEP_LEFT;
    double made = widens ? matches : 1;
    return (struct cost){rows * (ns + made * MADE_ROW), rows * made};
}

static struct cost of_join(const struct dimension *dimension, double rows)
{
    double matches = dimension_fan_out(dimension);
    return (struct cost){rows * (LOOK_UP + matches * COPIED_ROW), rows * matches};
}

void cost_of_branch(const struct native_branch *branch,
                    struct dimension *const *dimensions, struct branch_cost *ret)
{
    double ns = 0, rows = 1;
    for (size_t i = 0; i < native_n_steps(branch); i++) {
        const struct native_step *step = &branch->steps->items[i];
        ret->steps[i] = of_step(step, *dimensions, rows);
        dimensions += step->table.n_joins;
        ns += ret->steps[i].ns;
        rows = ret->steps[i].rows;
    }
    if (branch->steps != NULL || branch->n_joins == 0)
        ns += rows * ENCODED_ROW;
    for (size_t i = 0; i < branch->n_joins; i++) {
        ret->joins[i] = of_join(dimensions[i], rows);
        ns += ret->joins[i].ns;
        rows = ret->joins[i].rows;
    }
    ret->all = (struct cost){ns, rows};
}

struct cost cost_of_query(const struct native_plan *native,
                          struct dimension *const *dimensions)
{
    struct cost cost = {.ns = DECODE};
    for (size_t i = 0; i < native->n_branches; i++) {
        struct branch_cost branch;
        cost_of_branch(&native->branches[i], dimensions, &branch);
        dimensions += native_n_dimensions(&native->branches[i]);
        cost.ns += branch.all.ns;
        cost.rows += branch.all.rows;
    }
    return cost;
}

void cost_describe(double ns, struct buf *buf)
{
    if (ns < 1000)
        buf_printf(buf, "%.0f ns", ns);
    else if (ns < 1e6)
        buf_printf(buf, "%.1f us", ns / 1000);
    else
        buf_printf(buf, "%.1f ms", ns / 1e6);
}
