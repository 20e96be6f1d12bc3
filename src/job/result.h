// SPDX-License-Identifier: Apache-2.0
// Reads what a job wrote: the committed data files of a result, each by the columns and
// in the format that its own entry of the log tells; both may have changed since.
#ifndef JOB_RESULT_H
#define JOB_RESULT_H

#include "core/rows.h"
#include "core/storage.h"
#include "log/verify.h"
#include "sql/plan.h"

// How the sink's files are written, as an entry tells it. Texts in the arena.
struct file_format result_format(const struct table *sink, struct arena *arena);

// Rows of one data file, with its own columns; `rows->schema` has them. `storage` has the
// result as its root. `file` is borrowed for the call.
enum status result_rows_open(const struct plan *plan, struct storage *storage,
                             const struct verify_file *file, struct rows **ret,
                             struct err *err);
// The same with the columns that the script gives the result now, by name: NULL where the
// file has none. What it has more is told once a schema and left out.
struct result_reader;
struct result_reader *result_reader_new(const struct plan *plan, struct storage *storage);
enum status result_reader_open(struct result_reader *reader, struct str path,
                               struct rows **ret, struct err *err);
void result_reader_free(struct result_reader *reader);

// Calls `each` for every data file, in order of commit, until it is not ST_OK (ST_STOP:
// enough, which is then ST_OK). `dead`: the dead letters' files instead.
enum status result_files(struct storage *storage, bool dead,
                         enum status (*each)(void *context, struct str path,
                                             struct err *err),
                         void *context, struct err *err);

#endif
