// SPDX-License-Identifier: Apache-2.0
// What a table of a feed looks like: its columns, and the types that all of its values
// have.
//
// Columns of the GTFS reference have its type, unless a value is none of it: then TEXT.
// Others have the narrowest type of all values; ids and codes stay TEXT, and so do
// numbers with a leading zero. At most PROFILE_ROWS rows are looked at. One thread.
// Errors: those of the feed; a file that is not CSV is none, it has no columns.
#ifndef GTFS_PROFILE_H
#define GTFS_PROFILE_H

#include "core/schema.h"
#include "gtfs/feed.h"

enum {
    PROFILE_ROWS = 1000000,
    PROFILE_COLUMNS = 500, // that are looked at
    PROFILE_NAME = 63      // bytes, as names of SQL may have
};

struct profile_column {
    struct str name;
    enum type type;
    size_t n_empty;  // rows without a value
    size_t n_padded; // with blanks or tabs at its ends
    const char *odd; // a value that kept it from the reference's type; NULL: none
};

struct profile {
    const char *name; // "trips"
    bool is_there;
    struct profile_column *columns;
    size_t n_columns;
    const char *left_out; // names of columns that are not here, why; NULL: none
    const char *trouble;  // why it cannot be read at all; NULL: it can
    size_t n_rows;
    size_t n_bad;          // rows that cannot be read
    const char *first_bad; // why, of the first
};

// Texts live in the arena. A member that is missing is_there not.
enum status profile_read(struct feed *feed, const char *name, struct arena *arena,
                         struct profile *ret, struct err *err);
// NULL: it has no such column.
const struct profile_column *profile_find(const struct profile *profile,
                                          const char *name);

#endif
