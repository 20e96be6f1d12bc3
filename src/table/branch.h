// SPDX-License-Identifier: Apache-2.0
// A branch of the native executor at work: a block of records is looked up in all joins,
// then each record's rows are emitted by copying bytes. Inside src/table.
#ifndef TABLE_BRANCH_H
#define TABLE_BRANCH_H

#include "core/row_format.h"
#include "expr/eval.h"
#include "sql/plan.h"
#include "table/dimension.h"
#include "table/pass_through.h"
#include "table/segment.h"
#include "table/steps.h"

// A record on its way through the stages of a look-up.
struct probe {
    struct str key; // p == NULL: a NULL key, matches nothing
    uint64_t hash;
    bool is_same;       // as the one before: that one's group is this one's
    struct value value; // holds the bytes of a key that is a number
};

struct branch_join {
    const struct native_join *plan;
    const struct dimension *dimension;
    const struct group *groups[BLOCK_ROWS]; // of the block's records; NULL: no match
    // Of the block's records, a bit for each: those that were looked up, and of them
    // those for which the table has a row.
    uint64_t asked, found;
    uint32_t wide_rows[BLOCK_ROWS]; // with steps: rows found for each of the records
};

// A result column whose value from the stream may not fit.
struct branch_check {
    size_t output; // column of the result
    size_t column; // of the stream's side
};

struct branch {
    const struct native_branch *plan;
    const struct batch *batch; // of the block
    size_t from;               // its first record
    struct row_format *row_format;
    struct segments segments;
    struct pass_through pass;
    bool is_straight; // a row is the stream's fields, then those of the only join
    size_t record;    // of the block, whose rows are emitted
    struct branch_check *checks;
    size_t n_checks;
    struct branch_join *joins;
    size_t n_joins;
    size_t inner; // the join whose rows are copied in one go
    // What all rows of the inner join have in common: the other sides' segments, and the
    // prefix of the group. fixed[i] comes before the row's piece i, the last one after
    // all pieces.
    struct buf encoded;
    struct str *fixed;
    size_t n_pieces; // of a row: segments of the inner join
    struct buf keys; // of a block, when a key has several columns
    struct probe probes[BLOCK_ROWS];
    struct selection selection; // the block's records; with a program those with rows
    uint64_t matched;           // of the block's records, a bit for each: it gave rows
    // With a program:
    struct evaluator evaluator;
    size_t next_selected;
    struct value *row;     // what the stream's side gives for one record
    struct value *key_row; // a record's keys
    size_t *key_places;    // 0 .. n_keys - 1
    // With steps, the block that is emitted is one of wide rows:
    struct steps steps;
    const struct step_block *wide; // NULL: there are no more
    size_t next_wide;              // of the selection
};

enum emitted {
    EMITTED,
    REJECTED, // the rows of record `next` cannot be written, `reason` says why
    NO_ROOM,  // they do not fit in `rows`
    CUT_OFF,  // the limit ended the query before they were known
    TOO_FULL, // texts of several rows grew too large: fewer at once may do
};

struct branch_result {
    size_t next; // record of the block; all before it are emitted
    size_t n_rows, n_matched;
    size_t n_dropped; // rows of record `next` that were taken back
};

// `dimensions` are those of its steps, then of its joins. All is borrowed until
// branch_release.
void branch_init(struct branch *branch, const struct native_branch *plan,
                 struct dimension *const *dimensions, struct row_format *row_format,
                 struct query_limit *limit);
void branch_release(struct branch *branch);
// Looks the n <= BLOCK_ROWS records from `from` on up.
void branch_begin(struct branch *branch, const struct batch *batch, size_t from,
                  size_t n);
// Appends the rows of the block's records [from, to), until one cannot be: of that none.
// From one call to the next `from` does not fall.
enum emitted branch_emit(struct branch *branch, size_t from, size_t to, struct buf *rows,
                         struct branch_result *ret, struct buf *reason);
// How many rows record i gives, for a person; after branch_begin. Not with steps.
size_t branch_count(const struct branch *branch, size_t i);

// The first n <= BLOCK_ROWS records of a block, a bit for each.
static inline uint64_t branch_bits(size_t n)
{
    return n >= BLOCK_ROWS ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

// Inside of a branch.

// Whether the bytes of records go straight into the result; of a batch.
bool branch_is_straight(const struct branch *branch);
// As branch_emit where they do, up to the first record that is another case; returns its
// index.
size_t branch_emit_straight(struct branch *branch, size_t from, size_t to,
                            struct buf *rows, struct branch_result *ret);
// With steps: places the branch at the next wide row, which has rows in all joins. False:
// there are no more.
bool branch_wide_row(struct branch *branch);

// Whether a record of the block has rows in a join, as far as that was looked up.
static inline bool branch_gives_rows(const struct branch_join *join, size_t row)
{
    const struct group *group = join->groups[row];
    return group != NULL && tails_of(&join->dimension->groups, group)->n_rows > 0;
}

#endif
