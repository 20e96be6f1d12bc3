// SPDX-License-Identifier: Apache-2.0
// A small local text file, such as a schema, read whole.
#ifndef BASE_TEXT_FILE_H
#define BASE_TEXT_FILE_H

#include "base/buf.h"

// ST_USAGE when it cannot be read, is not a plain file or has more than 4 MB.
enum status text_file_read(const char *path, struct buf *ret, struct err *err);

// The same of what is read once, before anything else is done: a pipe or a terminal will
// do, and is waited for.
enum status text_input_read(const char *path, struct buf *ret, struct err *err);

#endif
