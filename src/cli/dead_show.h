// SPDX-License-Identifier: Apache-2.0
// One dead letter on stdout: its record, headers, reason, and its columns as far as
// today's script reads them.
#ifndef CLI_DEAD_SHOW_H
#define CLI_DEAD_SHOW_H

#include "job/pipeline.h"
#include "log/dead_book.h"

// The one that the filter names. ST_USAGE: there is none.
enum status dead_show(struct pipeline *pipeline, struct dead_book *book,
                      struct storage *storage, const struct dead_filter *filter,
                      bool is_json, struct err *err);

#endif
