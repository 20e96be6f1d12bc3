// SPDX-License-Identifier: Apache-2.0
// A subquery that SQLite answers, row by row. What was asked is remembered: rows of a
// stream ask the same again and again (stop_times of one trip), and an answer that is
// known costs a look-up.
//
// The host has the tables and views that the subquery reads, and the indexes for it.
// Threads: one owns it, and the host. Memory: ASKED_MEMORY_MAX is remembered at most.
#ifndef TABLE_ASKED_H
#define TABLE_ASKED_H

#include "core/row_format.h"
#include "sql/sqlite_host.h"
#include "table/blob_store.h"
#include "table/key_index.h"
#include "table/query_limit.h"

enum {
    ASKED_MEMORY_MAX = 32 << 20 // bytes
};

struct asked {
    const struct native_asked *plan;
    struct sqlite_host *host;
    struct rows *query;
    struct batch rows; // of the query
    struct row_format row_format;
    struct key_index known; // parameters to the place of their answer
    struct blob_store answers;
    struct buf key, answer;
    int64_t now_ms; // of what is remembered, where that matters
    size_t n_run;   // questions that SQLite was asked
};

// All is borrowed until asked_close. Errors: those of sqlite_host.h.
enum status asked_open(struct asked *asked, const struct native_asked *plan,
                       struct sqlite_host *host, struct err *err);
void asked_close(struct asked *asked); // also of zeros
// ret[0]: the answer, ret[1]: NULL, or as a text why there is none. Texts are the
// arena's. False when the limit ended the query.
bool asked_answer(struct asked *asked, const struct value *parameters, size_t n,
                  int64_t now_ms, struct query_limit *limit, struct arena *arena,
                  struct value ret[2]);

size_t asked_bytes(const struct asked *asked); // of memory that remembers

#endif
