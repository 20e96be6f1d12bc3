// SPDX-License-Identifier: Apache-2.0
// A unit: what one commit brings, offsets that were read and the files made from them. A
// value: it holds no descriptor and borrows nothing, so it may leave the process that
// made it. docs/commit-log.md has its fields; its JSON is that of an entry.
#ifndef LOG_UNIT_H
#define LOG_UNIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/checksum.h"
#include "core/stream.h"

enum {
    ENTRY_TEXT_MAX = 1 << 20,     // bytes of one text
    ENTRY_PARTITION_MAX = 100000, // partitions are below it
    ENTRY_FILES_MAX = 2048        // of as many units as one entry may have
};

// Counts, offsets and numbers of entries: so that sums of a few cannot overflow.
#define ENTRY_NUMBER_MAX INT64_C(1000000000000000000)

enum file_kind {
    FILE_DATA,
    FILE_DEAD
};

// Enough of a record to know it again.
struct record_mark {
    int64_t offset; // -1: no record yet
    int64_t time_ms;
    uint32_t crc32c; // of the key's bytes, then the value's
};

// What is said of one partition: [first, next).
struct span {
    int32_t partition;
    int64_t first, next;
    int64_t data;    // records read
    int64_t skipped; // offsets without a record; data + skipped = next - first
    int64_t gap;     // of skipped: had left the topic before they were read
    // The rest of skipped, where the stream knows it, else 0: markers of transactions,
    // records of aborted ones, and what a compaction removed.
    int64_t control, aborted, hole;
    int64_t ignored, rejected; // of data
    struct record_mark last;
    struct leader_epoch epoch; // of the batch before `next`
};

struct entry_file {
    enum file_kind kind;
    struct str tmp, name; // paths below the result directory; a unit knows no name yet
    int64_t rows, bytes;
    struct checksum checksum;
};

struct unit {
    struct arena arena;   // of all that it points to
    struct str writer;    // of the claim it is made for, whose folder has its files
    struct str dimension; // version of the tables
    struct str topic_id;  // of which all of it was read; n == 0: it is not known
    struct span *spans;   // rising
    size_t n_spans;
    int64_t rows, matched;
    // Records without a row, for who looks; the log has neither. Both are `filtered`
    // where no status server is wanted.
    int64_t unmatched, filtered;
    int64_t first_batch_ms, last_batch_ms; // SQL's now went from here to there; 0: none
    struct entry_file *files;
    size_t n_files;
};

void unit_release(struct unit *unit);
// Appends it as one line of JSON, with its LF.
void unit_encode(const struct unit *unit, struct buf *ret);
// ST_DATA, and nothing to release, when it is not what the program makes: as entry_check,
// and its counts must fit each other.
enum status unit_decode(struct str line, struct unit *ret, struct err *err);
// What holds in an entry as well: files lie in the writer's folder, partitions rise, and
// no sum is more than a number may be.
enum status unit_check(const struct unit *unit, struct err *err);
// Whether the counts of a span fit each other.
bool span_adds_up(const struct span *span);
// `more` follows on it: it becomes one with it.
void span_extend(struct span *span, const struct span *more);

#endif
