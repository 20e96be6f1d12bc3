// SPDX-License-Identifier: Apache-2.0
// Steps at work: rows of the stream, widened by what tables have for them, row by row.
//
// Rows move in blocks of at most BLOCK_ROWS, pulled from the last step: steps_next. A
// step takes a block of rows, looks all of them up, and makes candidates: the row and one
// match of it. Conditions are computed for a block of candidates at once; what is left is
// the step's next block. So nothing grows with the rows that a record gives. Rows come in
// the records' order, a record's side by side.
// A subquery that SQLite answers is a step too (asked.h).
// A record that fails on the way has an error from when steps_next gives a row of a later
// record, or none. Threads: one owns its steps; the dimensions are shared.
#ifndef TABLE_STEPS_H
#define TABLE_STEPS_H

#include "expr/eval.h"
#include "sql/plan.h"
#include "table/dimension.h"
#include "table/query_limit.h"

// Wide rows on their way. Only those of the selection are there.
struct step_block {
    struct value *values;        // BLOCK_ROWS rows
    uint8_t records[BLOCK_ROWS]; // of each row: the record of the batch's block
    struct selection rows;
};

struct step;

// What the step at that place looked up for the records of the block, a bit for each, and
// for how many rows of a record it found one; `left`: they have rows behind it.
struct step_marks {
    uint64_t asked, found, left;
    uint32_t rows[BLOCK_ROWS];
};

struct steps {
    const struct native_steps *plan;
    struct query_limit *limit;
    struct step *items;
    const struct batch *batch;
    size_t from, n; // its records
    bool source_is_done;
    size_t max_rows; // of a block that a step makes: BLOCK_ROWS, or fewer
    bool is_full;    // a record failed for texts of a block: fewer rows may do
    struct step_block source;
    struct evaluator filter; // of the source
    struct str errors[BLOCK_ROWS];
    bool has_errors;
    struct arena arena; // texts of errors
};

// `dimensions` are those of the steps, in their order; `limit` is asked for each block.
void steps_init(struct steps *steps, const struct native_steps *plan,
                struct dimension *const *dimensions, struct query_limit *limit);
void steps_release(struct steps *steps);
// Before the first rows, where a step is SQLite's. Errors: those of sqlite_host.h.
enum status steps_use_sqlite(struct steps *steps, struct sqlite_host *host,
                             struct err *err);
// Takes the n <= BLOCK_ROWS records from `from` on up.
void steps_begin(struct steps *steps, const struct batch *batch, size_t from, size_t n);
// The next block of wide rows, at least one; NULL: there are no more, or the limit ended
// it. Valid until the next call.
const struct step_block *steps_next(struct steps *steps);
const struct step_marks *steps_marks(const struct steps *steps, size_t i);
// The record has failed; the first error stays. The text is copied.
void steps_fail(struct steps *steps, uint8_t record, struct str error);

#endif
