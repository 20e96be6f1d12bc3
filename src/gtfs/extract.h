// SPDX-License-Identifier: Apache-2.0
// Extract: tables of a feed to their staging directories, bytes as they are, or
// converted.
//
// Table `trips` is member trips.txt and becomes trips.csv in its directory. Order: read
// every row of all members as a job would; compare how many there are with those that are
// staged; write each to a temporary name _tmp-<uuid> beside its target and compare size
// and checksum; convert those that ask for it; put all in place of what was there, and
// _feed.json at the root, all or none (gtfs/swap.h). An optional member that is missing
// or empty leaves no file. What fails before leaves the staged tables untouched. What was
// there is kept, unless it is the same. Old temporary files of crashed runs are removed.
// One thread. Errors name feed, member, line and column.
#ifndef GTFS_EXTRACT_H
#define GTFS_EXTRACT_H

#include "core/env.h"
#include "csv/table.h"
#include "gtfs/feed.h"
#include "gtfs/manifest.h"

struct feed_file {
    int64_t size;
    struct checksum checksum;
};

struct extract_table {
    const char *name;        // "trips"
    struct storage *storage; // root: the table's directory
    const struct schema *schema;
    bool optional;                    // the feed may lack it
    struct csv_table_options reading; // as a job reads it
    int64_t n_rows_before;            // of the staged table; -1: not known
    const char *extension;            // of the staged file
    // NULL: the member's bytes are kept. Else makes file `to` of the CSV file `from`,
    // both in the table's storage, and says what `to` holds.
    enum status (*convert)(void *context, struct str from, struct str to,
                           struct feed_file *ret, struct err *err);
    void *context;
};

struct extract_settings {
    int max_shrink; // percent of its rows that a table may lose
    bool force;     // it may lose all of them
    // Called when all rows of a member were read: csv_table_stats and the like.
    void (*read)(void *context, const struct extract_table *table,
                 const struct rows *rows);
    void *context;
};

// The name of its staged file, to be freed.
char *extract_file_name(const struct extract_table *table);

// `root` is where _feed.json goes. Makes the directories that are missing. `ret` (free it
// with feed_manifest_release) says what was staged. ST_DATA: what cannot be read, a table
// without rows that is not optional, one that lost too many.
enum status gtfs_extract(struct feed *feed, const struct extract_table *tables,
                         size_t n_tables, const struct extract_settings *settings,
                         struct storage *root, struct env *env, struct feed_manifest *ret,
                         struct err *err);

#endif
