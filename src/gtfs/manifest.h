// SPDX-License-Identifier: Apache-2.0
// _feed.json: what extract staged, written last.
//
//   {"format": 1, "source": "...", "time_ms": 1790000000000,
//    "tables": [{"name": "trips", "path": "<url of the file>", "size": 99,
//                "checksum": "<core/checksum.h>", "checksum_kind": "<if not HDFS's>",
//                "present": true, "rows": 9, "from": "<checksum of the feed's file>"}]}
//
// A reader takes it before and after it loads tables, and compares versions. Errors:
// ST_NOT_FOUND when nothing was extracted yet, ST_DATA when it is not readable.
#ifndef GTFS_MANIFEST_H
#define GTFS_MANIFEST_H

#include "core/storage.h"

#define FEED_MANIFEST_NAME "_feed.json"

enum {
    FEED_MANIFEST_BYTES = 16 << 20 // longest that is read
};

struct feed_table {
    struct str name;
    struct str path; // of the file, with the storage's URL
    int64_t size;    // bytes; 0 when not present
    struct checksum checksum;
    bool present;
    int64_t n_rows;       // -1: not said
    struct checksum from; // of the member that it was made of
};

struct feed_manifest {
    struct str source;
    int64_t time_ms;
    struct feed_table *tables;
    size_t n_tables;
    char
        version[SHA256_HEX]; // of names and checksums: the same content, the same version
    struct arena arena;
};

enum status feed_manifest_read(struct storage *root, struct feed_manifest *ret,
                               struct err *err);
// Sets `version` and gives the text of the file, to be freed.
char *feed_manifest_text(struct feed_manifest *manifest);
const struct feed_table *feed_manifest_find(const struct feed_manifest *manifest,
                                            struct str name); // NULL when there is none
void feed_manifest_release(struct feed_manifest *manifest);

#endif
