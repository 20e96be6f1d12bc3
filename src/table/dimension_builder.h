// SPDX-License-Identifier: Apache-2.0
// A dimension in the making: keys and the pieces of their rows. Inside src/table.
//
// dimension.c fills it row by row, dimension_weave.c from what weave.h gives.
#ifndef TABLE_DIMENSION_BUILDER_H
#define TABLE_DIMENSION_BUILDER_H

#include "expr/eval.h"
#include "table/dimension.h"
#include "table/segment.h"

enum {
    PROGRESS_ROWS = 1 << 16
};

struct piece {
    uint32_t group;
    uint32_t next; // piece + 1; 0: the last
};

// All pieces of one key. A key's value in the index is its chain + 1 while building.
struct chain {
    uint32_t first, last; // piece; when all is put together `first` is the group
};

struct builder {
    const struct native_join *join;
    size_t side; // of its segments
    const struct dimension_options *options;
    struct row_format *row_format;
    struct segments segments;
    size_t *key_columns; // 0 .. n_keys - 1
    struct dimension *dimension;
    struct buf key;      // of the draft's rows
    struct buf next_key; // of the row being added
    bool draft_is_open;  // there is a key
    struct group_draft draft;
    struct evaluator evaluator; // with a program
    struct value *row;          // that it gives
    struct piece *pieces;
    size_t n_pieces, pieces_capacity;
    struct chain *chains;
    size_t n_chains, chains_capacity;
};

void builder_init(struct builder *builder, const struct native_branch *branch, size_t at,
                  struct row_format *row_format, const struct dimension_options *options);
void builder_release(struct builder *builder);
// Keys, then what outputs need: makes `next_key` of it. False: a part of it is NULL.
bool builder_read_key(struct builder *builder, const struct value *row);
// Whether next_key is that of the draft, which is open.
bool builder_is_drafted(struct builder *builder);
// Makes next_key that of the draft; the one before is closed.
enum status builder_draft_key(struct builder *builder, struct err *err);
// Stores the draft, where it is open, as one more piece of its key.
enum status builder_close_draft(struct builder *builder, struct err *err);
// A group of the dimension's as one more piece of a key. `group` 0: it is too big.
enum status builder_add_piece(struct builder *builder, struct str key, uint32_t group,
                              struct err *err);
// ST_LIMIT when all that there is and more_bytes are too many.
enum status builder_check_memory(struct builder *builder, size_t more_bytes,
                                 struct err *err);
void builder_tell_progress(struct builder *builder);
// Puts all together.
enum status builder_finish(struct builder *builder, struct dimension **ret,
                           struct err *err);

#endif
