// SPDX-License-Identifier: Apache-2.0
// Records, and what an engine elsewhere made of each: whether it is a row, and its rows
// of the result. For a unit_builder they are a stream's headers, a decoder and an
// executor:
//
// - the decoder is this program's own over the records' bytes, so that what is bad has
//   its reasons; that the other engine takes any record otherwise is an error;
// - the executor encodes the rows that were told, each as told_row.h has it. What has no
//   place in the result is a reject, with the reasons of the other executors.
//
// One thread.
#ifndef WORK_TOLD_RECORDS_H
#define WORK_TOLD_RECORDS_H

#include "core/codec.h"
#include "sql/plan.h"
#include "table/executor.h"

enum told_kind {
    TOLD_ROW,
    TOLD_IGNORED,
    TOLD_BAD
};

struct told_note {
    enum told_kind kind;
    struct str headers;
    size_t first_row, n_rows; // of `rows`
};

struct told_records;

struct told_decoder {
    struct decoder decoder; // first
    struct told_records *told;
};

struct told_executor {
    struct executor executor; // first
    struct told_records *told;
};

struct told_stream {
    struct stream stream; // first
    struct told_records *told;
};

struct told_records {
    struct told_decoder decoder;
    struct told_executor executor;
    struct told_stream stream; // for headers(); it gives no run
    const struct plan *plan;
    struct decoder *real;
    struct row_format *row_format;
    struct str topic; // for messages
    int32_t partition;
    struct record *records;
    struct told_note *notes; // of each record
    size_t n_records, records_capacity, notes_capacity;
    struct str *rows;
    size_t n_rows, rows_capacity;
    struct arena arena;    // of their bytes
    enum told_kind *kinds; // of the records of a batch, as this program takes them
    size_t kinds_capacity;
    struct value *row; // of plan->output
};

// All is borrowed until the release.
void told_records_open(struct told_records *told, const struct plan *plan,
                       struct decoder *decoder, struct row_format *row_format,
                       struct str topic);
void told_records_release(struct told_records *told);
// Without records.
void told_records_clear(struct told_records *told);
// Its bytes are of the arena.
void told_records_add(struct told_records *told, enum told_kind kind,
                      const struct record *record, struct str headers);
// Of the record that was added last.
void told_records_row(struct told_records *told, struct str row);

#endif
