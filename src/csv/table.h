// SPDX-License-Identifier: Apache-2.0
// Table reader: the rows of one CSV file in a storage, read in pieces.
//
// With a header, columns are found by name (white space around names trimmed, case as it
// is) in any order; others are left out; a nullable column that is not there is NULL.
// Without one, by position. UTF-8, with or without a byte order mark; LF or CR LF; the
// last line may lack its end. Blank lines are skipped, but for a file of one nullable
// column: there they are NULL; so are lines of white space and Ctrl-Z. A short row has
// NULL in its missing columns, empty fields past the header's are passed; both are
// counted.
//
// Errors of the data are ST_DATA and name file, line and column. With skip_errors such a
// row is left out, counted, and the first messages are kept; reading goes on with the
// next physical line. Values are borrowed until the next call. One thread at a time.
#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include "core/rows.h"
#include "core/storage.h"
#include "csv/field.h"

struct csv_table_options {
    bool header;
    bool skip_errors;
    size_t piece_bytes;   // asked from the storage at once; 0: 4 MiB
    bool trim;            // of text too, blanks and tabs at its ends are none
    bool may_be_empty;    // a file without a header line is one without rows
    const char *skipping; // how skip_errors is asked for; NULL: "on_error = 'skip'"
};

// Reads the header at once. `storage` and `schema` are borrowed for the life of rows,
// `path` is copied. Errors: ST_NOT_FOUND and others of the storage, ST_DATA of the
// header, ST_USAGE for a column of type BYTES. Close with (*ret)->ops->close.
enum status csv_table_open(struct storage *storage, struct str path,
                           const struct schema *schema,
                           const struct csv_table_options *options, struct rows **ret,
                           struct err *err);

// The same from any reader, which is borrowed; `name` stands for it in messages.
enum status csv_table_read(struct reader *reader, const char *name,
                           const struct schema *schema,
                           const struct csv_table_options *options, struct rows **ret,
                           struct err *err);

// Of rows that csv_table_open gave; up to date after each next, valid until close.
const struct rows_stats *csv_table_stats(const struct rows *rows);

#endif
