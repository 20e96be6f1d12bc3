// SPDX-License-Identifier: Apache-2.0
// The part of a CSV file that is in memory: records are scanned at its front, bytes come
// in pieces from a reader.
//
// csv_window_scan never moves the bytes, so that fields of many records stay borrowed;
// csv_window_fill does. A record longer than CSV_RECORD_MAX is CSV_TOO_LONG. One thread.
#ifndef CSV_WINDOW_H
#define CSV_WINDOW_H

#include "core/storage.h"
#include "csv/scanner.h"

struct csv_window {
    struct reader *reader; // borrowed
    struct buf bytes;
    size_t at;      // where the next record begins
    int64_t offset; // position of that byte in the file
    size_t piece_bytes;
    bool at_end;     // the reader has no more
    bool has_failed; // the reader has, whose errors name the file
};

void csv_window_init(struct csv_window *window, struct reader *reader, int64_t offset,
                     size_t piece_bytes);
void csv_window_release(struct csv_window *window);

// Reads one more piece; what was scanned before moves or goes. Errors: the reader's.
enum status csv_window_fill(struct csv_window *window, struct err *err);
// At the front of a file: fills, refuses what is not text (ST_DATA), passes byte order
// marks.
enum status csv_window_begin(struct csv_window *window, struct err *err);

static inline struct str csv_window_rest(const struct csv_window *window)
{
    return (struct str){window->bytes.p + window->at, window->bytes.n - window->at};
}

// Nothing is left, neither here nor in the reader.
static inline bool csv_window_is_over(const struct csv_window *window)
{
    return window->at == window->bytes.n && window->at_end;
}

// Scans the next record without passing it. CSV_MORE: fill and call again.
enum csv_scan csv_window_scan(struct csv_window *window, struct csv_line *line);

static inline void csv_window_pass(struct csv_window *window, size_t n_bytes)
{
    window->at += n_bytes;
    window->offset += (int64_t)n_bytes;
}

// Passes what is here of the physical line at the front. False: its end is not here, fill
// and call again.
bool csv_window_pass_line(struct csv_window *window);

#endif
