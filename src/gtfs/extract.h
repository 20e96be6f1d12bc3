// SPDX-License-Identifier: Apache-2.0
// Extract: tables of a feed to their staging directories, bytes as they are, or
// converted.
//
// Table `trips` is member trips.txt and becomes trips.csv in its directory. Order: check
// the headers of all members; write each to a temporary name _tmp-<uuid> beside its
// target and compare size and checksum; convert those that ask for it; rename all over
// what was there (a missing optional member: remove it; a file that the table was staged
// as in another format: remove it); last replace _feed.json at the root. What fails
// before the renames leaves the staged tables untouched. Old temporary files of crashed
// runs are removed. One thread. Errors name feed, member and column.
#ifndef GTFS_EXTRACT_H
#define GTFS_EXTRACT_H

#include "core/env.h"
#include "core/schema.h"
#include "gtfs/feed.h"
#include "gtfs/manifest.h"

struct feed_file {
    int64_t size;
    struct checksum checksum;
};

struct extract_table {
    const char *name;            // "trips"
    struct storage *storage;     // root: the table's directory
    const struct schema *schema; // NOT NULL columns must be in the header; NULL: no check
    bool optional;               // the feed may lack it
    bool header;                 // false: the file has no header line, nothing is checked
    const char *extension;       // of the staged file; NULL: "csv"
    // NULL: the member's bytes are kept. Else makes file `to` of the CSV file `from`,
    // both in the table's storage, and says what `to` holds.
    enum status (*convert)(void *context, struct str from, struct str to,
                           struct feed_file *ret, struct err *err);
    void *context;
};

// `root` is where _feed.json goes. Makes the directories that are missing. `ret` (free it
// with feed_manifest_release) says what was staged.
enum status gtfs_extract(struct feed *feed, const struct extract_table *tables,
                         size_t n_tables, struct storage *root, struct env *env,
                         struct feed_manifest *ret, struct err *err);

#endif
