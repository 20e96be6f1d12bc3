// SPDX-License-Identifier: Apache-2.0
// How the data files of an entry are written, as far as a reader of them must know it:
// the format, and such of its options (csv's header). Texts are borrowed.
#ifndef LOG_FILE_FORMAT_H
#define LOG_FILE_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"

struct file_option {
    struct str name, value;
};

struct file_format {
    struct str name; // "csv"; empty: not told, as by entries of older programs
    struct file_option *options;
    size_t n_options;
};

bool file_format_eq(const struct file_format *a, const struct file_format *b);
// A deep copy in `arena`.
struct file_format file_format_copy(struct arena *arena,
                                    const struct file_format *format);
// Appends "csv (header = false)", for messages.
void file_format_describe(const struct file_format *format, struct buf *ret);

#endif
