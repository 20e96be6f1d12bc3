// SPDX-License-Identifier: Apache-2.0
// Reads what a job wrote: the committed data files of a result.
#ifndef CLI_RESULT_H
#define CLI_RESULT_H

#include "core/rows.h"
#include "core/storage.h"
#include "sql/plan.h"

// Rows of one data file, with the result's columns. `storage` has the result as its root.
enum status result_rows_open(const struct plan *plan, struct storage *storage,
                             struct str path, struct rows **ret, struct err *err);

// Calls `each` for every data file, in order of commit, until it is not ST_OK (ST_STOP:
// enough, which is then ST_OK). `dead`: the dead letters' files instead.
enum status result_files(struct storage *storage, bool dead,
                         enum status (*each)(void *context, struct str path,
                                             struct err *err),
                         void *context, struct err *err);

#endif
