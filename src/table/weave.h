// SPDX-License-Identifier: Apache-2.0
// Rows of a query over tables as bytes, woven from pieces that are encoded once.
//
// Where a table is joined with others by keys of its own, a row is what the table's row
// gives (its lead), then what a row of each of the others does (its tail). All that a row
// of the table gives has one lead; and all rows of the table that meet the same rows of
// the others have the same tails: the trips of a service its days. So tails are encoded
// once for those that share them, and no row is made value by value. F1's view and joined
// tables (docs/performance.md) take 5,100 instructions a trip where they took 14,200.
// query_rows.c is the plain twin, which tests/unit/test_weave.c holds it to.
// One thread. Errors as table_store.h; ST_LIMIT is what is too large to be woven, which
// the plain twin may give.
#ifndef TABLE_WEAVE_H
#define TABLE_WEAVE_H

#include "core/row_format.h"
#include "table/join_index.h"

// What is encoded of a query's rows.
struct weave_spec {
    const struct table_query *query;
    size_t n_keys; // its first columns, which weave_keys gives
    // Columns of the query that are side by side in the row format's row, and where.
    const size_t *outputs;
    size_t n_outputs;
    size_t first;
    bool ends_row; // no other follows
    bool checks;   // whether values may stand in the row format's columns: is_flawed
};

// Tails of rows; lengths and bytes of one after another.
struct weave_tails {
    size_t n_rows, n_bytes;
    const uint32_t *lengths;
    const char *bytes;
    // The owner's, 0 at first: what is known of them.
    uint32_t place, n_common;
    uint32_t heads[]; // inside: first row + 1 of each join
};

// The rows of one row of the first table; borrowed until the next.
struct woven {
    size_t row;
    struct str lead;
    struct weave_tails *tails; // at least one
};

struct weave_column {
    size_t source; // 0: the first table, else a join + 1
    size_t column; // of its columns
    bool is_checked;
};

struct weave_join {
    struct join_index index;
    size_t *keys; // columns of the first table
};

struct weave {
    struct table_store *store;
    struct weave_spec spec;
    struct row_format *row_format;
    const struct columns *first; // the first table's
    size_t *keys;                // columns of it
    struct weave_column *outputs;
    size_t n_lead;
    struct weave_join *joins;
    size_t next;    // row
    bool is_flawed; // a value may not stand where it is to
    struct value *values, *key;
    size_t *places;         // of a key's columns: 0 .. n - 1
    uint32_t *heads, *rows; // of each join
    struct buf lead, key_bytes, lengths, bytes;
    struct weave_tails **recent; // by a hash of their heads
    struct arena arena;
};

// Whether it can be woven, but for sources that give one row very many.
bool weave_can(const struct weave_spec *spec);
// Reads the joined sources. *ret: NULL: a row of the first table may give too many rows.
// `store`, the query and the row format are borrowed.
enum status weave_open(struct table_store *store, const struct weave_spec *spec,
                       struct row_format *row_format, struct weave **ret,
                       struct err *err);
void weave_close(struct weave *weave); // also NULL
// The rows of the next row of the first table that has some. *ret_more: there was one.
enum status weave_next(struct weave *weave, struct woven *ret, bool *ret_more,
                       struct err *err);
// The first n_keys columns of a row of the first table.
void weave_keys(const struct weave *weave, size_t row, struct value *ret);
// Whether the row behind it has the same ones.
bool weave_has_key_again(const struct weave *weave, size_t row);

#endif
