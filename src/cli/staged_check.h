// SPDX-License-Identifier: Apache-2.0
// Are the staged tables those of one extract? It replaces them one after the other and
// writes _feed.json last, with each table's size and checksum. One thread.
#ifndef CLI_STAGED_CHECK_H
#define CLI_STAGED_CHECK_H

#include "cli/pipeline.h"

// *ret: the first table that is not as _feed.json says, or NULL. Without a _feed.json,
// and for tables that it does not name, nothing is to be said. Cost: a local table is
// read.
enum status staged_check(const struct pipeline *pipeline, const struct table **ret,
                         struct err *err);

#endif
