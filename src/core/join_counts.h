// SPDX-License-Identifier: Apache-2.0
// What the look-ups in one joined table came to, since the executor was opened: one for
// each record and each place where the query joins the table, counted when the record's
// rows are known.
#ifndef CORE_JOIN_COUNTS_H
#define CORE_JOIN_COUNTS_H

#include "core/sketch.h"

struct join_counts {
    struct str table;     // its name in the script; borrowed
    int64_t n_hits;       // records for which it has a row
    int64_t n_misses;     // for which it has none
    int64_t n_rows;       // that it gave to the result
    int64_t max_rows;     // of a key, as it was read; -1: unknown
    struct str max_key;   // that key, for a person; borrowed
    struct sketch missed; // keys that it has no row for
};

#endif
