// SPDX-License-Identifier: Apache-2.0
// Dead letters counted by reason, on stdout.
#ifndef CLI_DEAD_COUNTS_H
#define CLI_DEAD_COUNTS_H

#include "log/dead_book.h"

// As an aligned table, or as JSON lines. Reasons that differ only in what is quoted or in
// numbers are one.
enum status dead_counts(struct dead_book *book, struct storage *storage,
                        const struct dead_filter *filter, bool is_json, struct err *err);

#endif
