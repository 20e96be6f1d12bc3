// SPDX-License-Identifier: Apache-2.0
// A dimension whose rows are woven (weave.h), not read row by row. dimension_build is the
// plain twin: tests/unit/test_weave.c holds one to the other.
#ifndef TABLE_DIMENSION_WEAVE_H
#define TABLE_DIMENSION_WEAVE_H

#include "table/dimension.h"

// As dimension_build of the join's rows from the store. *ret: NULL: they cannot be woven,
// or a value may not stand in the result.
enum status dimension_weave(const struct native_branch *branch, size_t join,
                            struct table_store *store, struct row_format *row_format,
                            const struct dimension_options *options,
                            struct dimension **ret, struct err *err);

#endif
