// SPDX-License-Identifier: Apache-2.0
// The dead letters of a result: which there are and which were replayed, by the log; what
// each holds, by its file. A letter's name is ENTRY:LINE, the entry whose letter it is
// and its line, from 0.
//
// Letters of entries that were removed (log.retention) are none of the book.
//
// Threads: one. Errors: those of the storage; ST_DATA: a file is not what its entry says.
#ifndef LOG_DEAD_BOOK_H
#define LOG_DEAD_BOOK_H

#include "core/storage.h"
#include "core/stream.h"
#include "log/letters.h"

struct dead_file {
    int64_t entry, rows, time_ms;
    struct str name, tmp;
};

struct dead_book {
    struct arena arena;
    struct letters letters;
    struct dead_file *files; // rising
    size_t n_files;
    int64_t end; // of the log that was read
};

// A letter as it lies in its file. Borrowed for the call.
struct dead_record {
    int64_t entry, line;
    int64_t entry_ms;
    bool is_replayed;
    struct str topic;
    int32_t partition;
    struct record record;
    struct str headers; // a JSON array
    struct str reason;
};

// What of a book is wanted; zero: all that was not replayed.
struct dead_filter {
    bool with_replayed;
    struct str reason; // a part of it; empty: any
    bool has_partition;
    int32_t partition;
    bool has_offsets; // of that partition
    int64_t first, last;
    int64_t since_ms; // of the entry
    int64_t until_ms; // of the entry, and none from then on; 0: no limit
    int64_t before;   // entries below this number; 0: all
    bool has_name;
    int64_t entry, line;
    // What else a letter must be, after all others; NULL: nothing.
    enum status (*test)(void *context, const struct dead_record *letter, bool *ret,
                        struct err *err);
    void *context;
};

// ST_FAIL when there is no log. To be released also when it fails.
enum status dead_book_read(struct storage *storage, struct dead_book *ret,
                           struct err *err);
void dead_book_release(struct dead_book *book);
// Calls `each` for the letters in their order until it is not ST_OK (ST_STOP: enough,
// which is then ST_OK).
enum status dead_book_each(
    struct dead_book *book, struct storage *storage, const struct dead_filter *filter,
    enum status (*each)(void *context, const struct dead_record *letter, struct err *err),
    void *context, struct err *err);

#endif
