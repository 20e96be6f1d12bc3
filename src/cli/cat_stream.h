// SPDX-License-Identifier: Apache-2.0
// Records of the stream for tramline cat: each with its place, and its columns or why it
// cannot be read.
#ifndef CLI_CAT_STREAM_H
#define CLI_CAT_STREAM_H

#include "cli/row_printer.h"
#include "job/look.h"

// At most `limit` of them.
enum status cat_stream(struct pipeline *pipeline, const struct look_from *from,
                       int64_t limit, enum row_style style, struct err *err);

#endif
