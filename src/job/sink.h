// SPDX-License-Identifier: Apache-2.0
// Writers of what a script writes, and tables written whole.
#ifndef JOB_SINK_H
#define JOB_SINK_H

#include "core/checksum.h"
#include "core/file_writer.h"
#include "core/rows.h"
#include "core/storage.h"
#include "sql/plan.h"

// Rows and files of a table's format. `schema` is borrowed for their life; `plan_hash`
// goes into files that have a place for it, "" for none.
enum status sink_row_format_open(const struct table *table, const struct schema *schema,
                                 struct row_format **ret, struct err *err);
enum status sink_writer_open(const struct table *table, const struct schema *schema,
                             const char *plan_hash, struct file_writer **ret,
                             struct err *err);

// Whether the result or a materialized view can be written in its format: a schema
// that does not fit the columns is ST_USAGE.
enum status sink_check(const struct table *table, struct err *err);

struct sink_file {
    int64_t n_rows, size;
    struct checksum checksum; // of what was sent
};

// Writes rows as a file in the table's format.
enum status sink_write_file(struct storage *storage, const struct table *table,
                            struct rows *rows, struct str path, struct sink_file *ret,
                            struct err *err);
struct sink_table {
    int64_t n_rows;
    bool was_there; // the file has these bytes already: it was left as it is
};

// The same as the one file of the table's directory: a temporary name, then one rename.
// A file that is there with the same size and checksum is left, so that each of many
// workers does not write it anew.
enum status sink_write_table(struct storage *storage, const struct table *table,
                             struct rows *rows, struct sink_table *ret, struct err *err);

// Makes all rows, as for a file, and writes none.
enum status sink_try_table(const struct table *table, struct rows *rows, int64_t *ret_n,
                           struct err *err);

#endif
