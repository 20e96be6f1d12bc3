// SPDX-License-Identifier: Apache-2.0
// Port: files of one schema, written front to back.
//
// Rows come as bytes of the writer's row format, or as values: where the bytes of rows
// are those of the file, values take the way through the row format
// (file_writer_rows_of_batch). A writer that keeps columns together has core/value_row.h
// for its row format and takes its rows apart. One thread at a time; one file at a time,
// and one after the other.
#ifndef CORE_FILE_WRITER_H
#define CORE_FILE_WRITER_H

#include "core/row_format.h"

// Where the bytes of a file go.
struct file_output;

struct file_output_ops {
    enum status (*append)(struct file_output *to, struct str bytes, struct err *err);
    // Puts bytes over the front of those appended: n is a multiple of FRONT_BYTES.
    enum status (*overwrite)(struct file_output *to, struct str front, struct err *err);
};

struct file_output {
    const struct file_output_ops *ops;
    int64_t bytes; // appended so far
};

enum {
    FRONT_BYTES = 512 // that of a checksum's chunks
};

struct file_writer;

struct file_writer_ops {
    // Begins a file, which goes to `to`, borrowed until finish or abort. `note_bytes`: of
    // the longest note that finish may be given, 0: none will come.
    enum status (*begin)(struct file_writer *writer, struct file_output *to,
                         size_t note_bytes, struct err *err);
    // ST_DATA: a value has no form in the file's schema; the text says which.
    enum status (*rows)(struct file_writer *writer, struct str rows, size_t n_rows,
                        struct err *err);
    enum status (*batch)(struct file_writer *writer, const struct batch *batch,
                         struct err *err);
    // Of the open file so far, with what a writer of whole columns still holds, as large
    // as it expects that to become; 0: none is open.
    int64_t (*bytes)(const struct file_writer *writer);
    // The file is whole. `note` says where its rows come from, as JSON; a format without
    // a place for it leaves it out.
    enum status (*finish)(struct file_writer *writer, struct str note, struct err *err);
    // Forgets the open file, also after an error; what was appended is the output's.
    void (*abort)(struct file_writer *writer);
    void (*close)(struct file_writer *writer);
};

struct file_writer {
    const struct file_writer_ops *ops;
    struct row_format *row_format; // of rows(); the writer's
    struct file_output *to;        // NULL: no file is open
};

// For writers whose files are rows of their row format, a block of them or so behind.
enum status file_writer_rows_of_batch(struct file_writer *writer,
                                      const struct batch *batch, struct err *err);
int64_t file_writer_appended(const struct file_writer *writer);

#endif
