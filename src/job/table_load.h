// SPDX-License-Identifier: Apache-2.0
// One table of a plan on its way into the store. It is read on any thread; what is to be
// told of its rows, and its error, comes when whoever began it ends it. So all is said in
// the order of the script, whichever table is ready first.
//
// Threads: several tables may be read side by side that SQLite does not want
// (table_store_is_apart).
#ifndef JOB_TABLE_LOAD_H
#define JOB_TABLE_LOAD_H

#include "gtfs/expiry.h"
#include "job/pipeline.h"
#include "table/table_store.h"

enum {
    TABLE_READERS_MAX = 4 // threads; most of what they do on HDFS is to wait
};

struct table_load {
    // Given; borrowed.
    const struct pipeline *pipeline;
    const struct table *table;
    struct table_store *store;
    struct expiry *dates; // of its rows

    // Its own.
    struct storage *storage;
    struct rows *rows; // NULL: none were opened
    uint64_t n;        // that were read
    enum status rc;
    struct err err;
};

void table_load_read(struct table_load *load);
// All of them, on several threads; behind one that fails there may be some that were not
// begun.
void table_loads_read(struct table_load *loads, size_t n);
// Tells, closes, and gives what came of it.
enum status table_load_end(struct table_load *load, struct err *err);
void table_load_close(struct table_load *load); // and tells nothing

#endif
