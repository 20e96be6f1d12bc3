// SPDX-License-Identifier: Apache-2.0
// The topic port (core/topic.h) over one local CSV file: see file_stream.h. Questions
// about offsets by time are errors: a line has none.
#ifndef CSV_FILE_TOPIC_H
#define CSV_FILE_TOPIC_H

#include "core/topic.h"

// cluster is "file", name the file's absolute path by text_utf8(). Errors: ST_NOT_FOUND,
// ST_FAIL.
enum status csv_file_topic_open(const char *path, struct topic **ret, struct err *err);

// The file, for the stream; borrowed.
struct csv_file {
    const char *path;
    int fd;
    int64_t size; // when it was opened
};
struct csv_file csv_file_topic_file(const struct topic *topic);

#endif
