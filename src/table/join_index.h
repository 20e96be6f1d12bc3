// SPDX-License-Identifier: Apache-2.0
// A joined source of a table_query, its rows kept by key.
//
// The rows of one key are a chain, in their order: a key's value in the index is its
// first row + 1, `next` has for each row the one behind it + 1, 0: none. A table's rows
// are its columns, others are kept as columns of the index's own. One thread makes it;
// then it is only read. What it takes counts with the store's memory until it is
// released.
#ifndef TABLE_JOIN_INDEX_H
#define TABLE_JOIN_INDEX_H

#include "expr/eval.h"
#include "table/key_index.h"
#include "table/query_rows.h"

struct join_index {
    struct table_store *store;
    const struct table_join *join;
    struct columns own; // unless it is a table
    const struct columns *columns;
    size_t *places; // of the source's columns among those
    struct key_index keys;
    uint32_t *next;
    size_t n_bytes; // of all that, as the store counts it
    struct buf key_bytes;
};

// Reads the source. All is borrowed until it is released, also after an error.
enum status join_index_open(struct join_index *index, struct table_store *store,
                            const struct table_join *join, struct err *err);
void join_index_release(struct join_index *index);

// The key that a program's part_keys(0) gives for a row; p == NULL: a part of it is NULL.
// It borrows `value` or the buffer, which may be too small: join_key_check.
struct str join_key(const struct evaluator *evaluator, size_t row, struct value *value,
                    struct buf *bytes);
enum status join_key_check(const struct buf *bytes, struct err *err);

// The first row of a key + 1; 0: there is none.
static inline uint32_t join_index_find(const struct join_index *index, struct str key)
{
    return key_index_find(&index->keys, hash64(key.p, key.n), key);
}

static inline struct value join_index_value(const struct join_index *index, size_t column,
                                            size_t row)
{
    return columns_value(index->columns, index->places[column], row);
}

#endif
