// SPDX-License-Identifier: Apache-2.0
// One entry of the commit log, in memory and as JSON. Format: docs/commit-log.md.
//
// An entry borrows its texts; a decoded one borrows from the arena given to decode.
// Fields that a reader does not know are ignored, missing ones are ST_DATA with their
// name. Decoding looks at the form of each field, entry_check at what they say.
#ifndef LOG_LOG_ENTRY_H
#define LOG_LOG_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "log/job.h"
#include "log/unit.h"

enum {
    ENTRY_FORMAT = 1,
    ENTRY_BYTES_MAX = 64 << 20,
    ENTRY_VALUES_MAX = 1000000 // as JSON has them
};

enum entry_kind {
    ENTRY_JOB,
    ENTRY_CLAIM,
    ENTRY_COMMIT,
    ENTRY_REPLAY
};
// Where a partition stands.
struct progress {
    int32_t partition;
    int64_t next;
    struct str writer; // of its last claim, empty when nobody has claimed it
    struct record_mark last;
    struct leader_epoch epoch; // of the batch before `next`
};

struct snapshot {
    struct progress *partitions; // rising
    size_t n_partitions;
    int64_t *pending; // rising: entries whose renames were not seen done
    size_t n_pending;
    struct str *writers; // whose folder in tmp may still be there
    size_t n_writers;
    struct job_script script; // of the newest claim
    struct str topic_id;      // n == 0: no entry has told it
};

// Dead letters of one entry: lines of its file, counted from 0.
struct letter_range {
    int64_t entry, first, count;
};

// What an entry of kind replay did: the letters that it took, each of which no other may
// take, and what became of them. Those that failed again are the entry's own letters.
struct replay {
    struct letter_range *letters; // rising, apart
    size_t n_letters;
    int64_t records;           // letters in all
    int64_t ignored, rejected; // of records
};

struct entry {
    int64_t number;
    enum entry_kind kind;
    char checksum[SHA256_HEX];
    char prev[SHA256_HEX];      // empty for entry 0
    struct str writer, attempt; // uuids
    struct str worker;
    int64_t time_ms;
    struct job_identity job;
    struct str plan, schema, dimension;
    struct str topic_id;       // of a unit, n == 0: it is not known
    struct file_format format; // of its data files
    struct job_script script;  // of kind job and claim
    struct span *spans;
    size_t n_spans;
    int64_t rows, matched;
    int64_t first_batch_ms, last_batch_ms; // SQL's now went from here to there; 0: none
    struct entry_file *files;
    size_t n_files;
    struct replay replay; // of kind replay
    bool has_snapshot;
    struct snapshot snapshot;
};

// Appends the JSON text, which entry_decode() has read again; sets entry->checksum.
// ST_FAIL when nobody could read it: a text that is not UTF-8, a negative number, more
// than ENTRY_BYTES_MAX, what entry_check refuses.
enum status entry_encode(struct entry *entry, struct buf *ret, struct err *err);
// ST_DATA when it is not an entry or its checksum is wrong.
enum status entry_decode(struct str bytes, struct arena *arena, struct entry *ret,
                         struct err *err);
// ST_DATA when it is not that number's entry, or holds something that the program does
// not make: names of files, writers, lists that do not rise, sums that no number holds.
enum status entry_check(const struct entry *entry, int64_t number, struct err *err);
// What it says as a unit does; borrowed from it.
struct unit entry_unit(const struct entry *entry);
const char *entry_kind_name(enum entry_kind kind);

#endif
