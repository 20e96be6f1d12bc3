// SPDX-License-Identifier: Apache-2.0
// What is different between two schemas of a result, as the log has them: texts made by
// schema_format. For messages. Pure.
#ifndef LOG_SCHEMA_DIFFERENCE_H
#define LOG_SCHEMA_DIFFERENCE_H

#include "base/buf.h"

// Appends "column 'a' was INT, is TEXT; column 'b' is gone"; of many the first few.
void schema_difference(struct str before, struct str after, struct buf *ret);

#endif
