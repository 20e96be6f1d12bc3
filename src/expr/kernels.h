// SPDX-License-Identifier: Apache-2.0
// What instructions do: one loop over the selected rows each. NULLs as in SQL.
#ifndef EXPR_KERNELS_H
#define EXPR_KERNELS_H

#include "expr/program.h"

enum comparison {
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_GT,
    COMPARE_GE,
    N_COMPARISONS
};

enum arithmetic {
    ARITHMETIC_ADD,
    ARITHMETIC_SUB,
    ARITHMETIC_MUL,
    ARITHMETIC_DIV,
    ARITHMETIC_MOD, // not of REAL
    N_ARITHMETICS
};

// Two arguments of one kind.
kernel *kernel_compare(enum comparison comparison, enum value_kind kind);
// Two arguments of the result's type: TYPE_INT, TYPE_BIGINT or TYPE_REAL.
kernel *kernel_arithmetic(enum arithmetic arithmetic, enum type type);

// Of one argument.
kernel kernel_negate, kernel_not;
kernel kernel_is_null, kernel_is_not_null;
kernel kernel_is_true, kernel_is_not_true, kernel_is_false, kernel_is_not_false;

// Of arguments of one kind.
kernel kernel_distinct, kernel_not_distinct, kernel_nullif; // 2
kernel kernel_between;                                      // 3: value, low, high
kernel kernel_in;                                           // value, then the list
kernel kernel_greatest, kernel_least;                       // any number

kernel kernel_concat; // any number, of any type but BYTES
kernel kernel_like;   // 2: text, pattern
kernel kernel_call;   // the instruction's function; a NULL argument gives NULL; one
                      // without arguments is called once

// Over arms. A later arm is run only over the rows that need it.
kernel kernel_and, kernel_or; // conditions
kernel kernel_case;           // condition, value, condition, value, ..., value of ELSE
kernel kernel_coalesce;       // values

#endif
