// SPDX-License-Identifier: Apache-2.0
// The records of one local file, from any of its bytes on; file_stream.h says what is
// one. Reads up to the size that the file had when it was opened. One thread; others may
// have the same descriptor.
#ifndef CSV_FILE_RECORDS_H
#define CSV_FILE_RECORDS_H

#include "core/stream.h"
#include "csv/window.h"

struct file_records {
    struct reader reader; // first member: it reads the file into the window
    const char *path;     // borrowed
    int fd;               // borrowed
    int64_t at, size;
    struct csv_window window; // its front is where the next record begins
};

enum file_found {
    FILE_FOUND_RECORD,
    FILE_FOUND_BLANK,
    FILE_FOUND_END,
    FILE_FOUND_MORE, // fill the window first
};

void file_records_init(struct file_records *file, const char *path, int fd, int64_t size);
void file_records_release(struct file_records *file);
enum status file_records_seek(struct file_records *file, int64_t offset, struct err *err);
// Finds the record at the front and its size; what is not CSV is one physical line.
enum status file_records_find(struct file_records *file, enum file_found *ret,
                              size_t *ret_size, struct err *err);
// The record of that size at the front; borrowed from the window.
struct record file_records_front(const struct file_records *file, size_t size);

#endif
